/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkable identities: some kernels' output can be told wrong without computing
 * it, from input that the controller has at hand, at no cost on the network.
 *
 *   xor   out[i] = in[i] ^ in[i+1], so the XOR of all outputs of a batch telescopes
 *         to in[first] ^ in[last + 1]. Any odd number of flips of one bit position
 *         shows; an even number within one batch does not: that is what audits are for.
 *
 * Pure; any thread.
 */
#ifndef WM_IDENTITY_H
#define WM_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

/* input: of the batch with its halo; output: count elements. Both may lie at any
 * address. True: it holds. */
typedef bool wm_identity(const uint8_t *input, const uint8_t *output, uint32_t count);

/* The identity of that kernel, or NULL if it has none. */
wm_identity *wm_identity_find(const char *kernel_name);

#endif
