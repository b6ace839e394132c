/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wave: a kernel of words, with a halo on both sides and an output wider than
 * the input, to try what xor does not use of the prelude.
 *
 *	out[i] = (in[i] + 3 * in[i + 2], in[i + 3])	halo before: 2, after: 1
 */
#version 450
#extension GL_GOOGLE_include_directive : require
#include "prelude.glsl"

void main()
{
	row_open();
	for (uint i = first_unit(); i < row_count(); i += INVOCATIONS) {
		store_word(2 * i, load_word(i) + 3 * load_word(i + 2));
		store_word(2 * i + 1, load_word(i + 3));
	}
}
