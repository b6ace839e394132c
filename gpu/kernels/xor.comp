/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * xor: every vector of 32 bytes XOR the next one.
 *
 *	out[i] = in[i] ^ in[i + 1]	0 <= i < count, halo after: 1
 *
 * A vector is two units, so a unit meets the second one after it.
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "prelude.glsl"

#define VECTOR_UNITS 2

void main()
{
	row_open();
	for (uint unit = first_unit(); unit < row_count() * VECTOR_UNITS; unit += INVOCATIONS)
		store(unit, load(unit) ^ load(unit + VECTOR_UNITS));
}
