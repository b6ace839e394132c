/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wiremill/kernel_object.h"

static uint64_t word_at(const uint8_t *bytes, size_t index)
{
	uint64_t word;

	memcpy(&word, bytes + index * sizeof(word), sizeof(word));
	return word;
}

void sim_compute(const struct wm_kernel *kernel, const uint8_t *in, uint8_t *out, uint32_t count)
{
	uint32_t window = kernel->halo_before + 1 + kernel->halo_after;
	uint32_t in_words = kernel->in_bytes / 8, out_words = kernel->out_bytes / 8;
	uint32_t turn = strcmp(kernel->name, "xor") != 0;

	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < out_words; k++) {
			uint64_t word = 0;

			for (uint32_t w = 0; w < window; w++)
				word ^= word_at(in + (size_t)(i + w) * kernel->in_bytes,
						(k + w * turn) % in_words);
			memcpy(out + ((size_t)i * out_words + k) * 8, &word, sizeof(word));
		}
	}
}

/* Whose hash the kernel has from then on. */
static void make_object(struct sim *sim)
{
	static const char source[] = "simulated";
	struct wm_kernel *kernel = &sim->plan.layout.kernel;
	uint32_t *code = sim_allocate(sim->plan.code_bytes, 1);
	struct wm_kernel_object object = {
		.kernel = *kernel,
		.code = code,
		.code_bytes = sim->plan.code_bytes,
		.source = source,
		.source_bytes = sizeof(source) - 1,
	};

	for (uint32_t i = 0; i < sim->plan.code_bytes / sizeof(*code); i++)
		code[i] = i * 2654435761u;
	code[0] = 0x07230203; /* what SPIR-V begins with */
	sim->object_bytes = wm_kernel_object_bytes(&object);
	sim->object = sim_allocate(sim->object_bytes, 1);
	wm_kernel_object_encode(sim->object, &object);
	*kernel = object.kernel;
	free(code);
}

void sim_dataset_create(struct sim *sim, uint64_t seed)
{
	const struct wm_layout *layout = &sim->plan.layout;
	uint64_t random = ~seed, word;

	assert(layout->kernel.in_bytes % 8 == 0 && layout->kernel.out_bytes % 8 == 0);
	sim->input = sim_allocate(layout->input_bytes, 1);
	sim->expected = sim_allocate(layout->output_bytes, 1);
	for (uint64_t at = 0; at < layout->input_bytes; at += sizeof(word)) {
		word = wm_random(&random);
		memcpy(sim->input + at, &word, sizeof(word));
	}
	if (sim->plan.code_bytes > 0)
		make_object(sim);
	sim_dataset_compute(sim);
}

void sim_dataset_compute(struct sim *sim)
{
	const struct wm_layout *layout = &sim->plan.layout;

	sim_compute(&layout->kernel, sim->input, sim->expected, (uint32_t)layout->elements);
}

void sim_dataset_destroy(struct sim *sim)
{
	free(sim->input);
	free(sim->expected);
	free(sim->object);
}
