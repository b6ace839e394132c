/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xor: every vector of 32 bytes XOR the next one.
 *
 *	out[i] = in[i] ^ in[i + 1]	0 <= i < count, halo after: 1
 *
 * Each invocation makes one run of vectors and keeps the one that two of them need, so
 * that it loads one more than it makes and not twice as many.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "prelude.glsl"

void main()
{
	row_open();

	/* Those with nothing to do are at the end, whose halo they load: no branch is cheaper. */
	uint run = (row_count() + INVOCATIONS - 1) / INVOCATIONS;
	uint first = min(first_unit() * run, row_count());
	uint end = min(first + run, row_count());
	uvec4 low = load(2 * first), high = load(2 * first + 1);

	for (uint i = first; i < end; i++) {
		uvec4 next_low = load(2 * i + 2), next_high = load(2 * i + 3);

		store(2 * i, low ^ next_low);
		store(2 * i + 1, high ^ next_high);
		low = next_low;
		high = next_high;
	}
}
