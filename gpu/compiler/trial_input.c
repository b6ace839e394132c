/* SPDX-License-Identifier: BSD-3-Clause */
/* What a kernel is tried on. */
#include <string.h>

#include "trial_private.h"

/* IEEE 754's corners: zeros, least, largest, infinities, no number; and 1, -1, 2^24 + 1. */
static const uint32_t floats[] = { 0x00000000, 0x80000000, 0x00000001, 0x007fffff,
				   0x00800000, 0x7f7fffff, 0x7f800000, 0xff800000,
				   0x7fc00000, 0x3f800000, 0xbf800000, 0x4b800001 };

static void fill_random(struct wm_kernel_trial *trial, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		trial->input[i] = (uint8_t)wm_kernel_trial_random(trial, 256);
}

static void fill_counting(struct wm_kernel_trial *trial, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		trial->input[i] = (uint8_t)(i + i / 251);
}

static void fill_floats(struct wm_kernel_trial *trial, size_t bytes)
{
	const size_t count = sizeof(floats) / sizeof(floats[0]);

	for (size_t i = 0; i + sizeof(floats[0]) <= bytes; i += sizeof(floats[0]))
		memcpy(trial->input + i, &floats[wm_kernel_trial_random(trial, count)],
		       sizeof(floats[0]));
}

static void fill_zeros(struct wm_kernel_trial *trial, size_t bytes)
{
	memset(trial->input, 0, bytes);
}

static void fill_ones(struct wm_kernel_trial *trial, size_t bytes)
{
	memset(trial->input, 0xff, bytes);
}

const char *wm_kernel_trial_fill(struct wm_kernel_trial *trial, unsigned index, uint32_t elements)
{
	static const struct {
		const char *name;
		void (*fill)(struct wm_kernel_trial *trial, size_t bytes);
		bool of_floats;
	} inputs[] = {
		{ "random bytes", fill_random, false },
		{ "counted bytes", fill_counting, false },
		{ "zeros", fill_zeros, false },
		{ "ones (0xff)", fill_ones, false },
		{ "the corners of f32", fill_floats, true },
	};
	size_t bytes = wm_kernel_trial_input_bytes(trial, elements);

	if (index >= sizeof(inputs) / sizeof(inputs[0]) ||
	    (inputs[index].of_floats && trial->config.source->in.scalar != WM_SCALAR_F32))
		return NULL;
	inputs[index].fill(trial, bytes);
	return inputs[index].name;
}
