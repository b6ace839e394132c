/* SPDX-License-Identifier: BSD-3-Clause */
/* The dataset, and the kernel that the simulated nodes compute on it. */
#ifndef WM_SIM_DATASET_H
#define WM_SIM_DATASET_H

#include "sim.h"

/* Fills sim->input and sim->expected, and sim->object where the plan has one. */
void sim_dataset_create(struct sim *sim, uint64_t seed);
/* What must come out, anew: of the input as it is now. */
void sim_dataset_compute(struct sim *sim);
void sim_dataset_destroy(struct sim *sim);

/* An element of output is the XOR of the elements under it, the next of them
 * rotated by one word more: it depends on each of them and on their order. The real
 * kernel "xor" rotates nothing. Sizes of elements are multiples of 8. */
void sim_compute(const struct wm_kernel *kernel, const uint8_t *in, uint8_t *out, uint32_t count);

#endif
