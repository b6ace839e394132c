/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
}
