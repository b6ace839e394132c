/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xor: every vector of 32 bytes XOR the next one.
 *
 *	out[i] = in[i] ^ in[i + 1]	0 <= i < count, halo after: 1
 *
 * An invocation makes a run of vectors and keeps the one that two of them need, so that
 * it loads 5 for 4 instead of 8. A full batch of 256 is one run for each invocation.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "prelude.glsl"

#define RUN 4

void main()
{
	row_open();
	for (uint first = first_unit() * RUN; first < row_count(); first += INVOCATIONS * RUN) {
		uint end = min(first + RUN, row_count());
		uvec4 low = load(2 * first), high = load(2 * first + 1);

		for (uint i = first; i < end; i++) {
			uvec4 next_low = load(2 * i + 2), next_high = load(2 * i + 3);

			store(2 * i, low ^ next_low);
			store(2 * i + 1, high ^ next_high);
			low = next_low;
			high = next_high;
		}
	}
}
