/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every kernel begins with.
 *
 * How to write a kernel
 *
 *	#version 450
 *	#extension GL_GOOGLE_include_directive : require
 *	#include "prelude.glsl"
 *
 *	void main()
 *	{
 *		row_open();
 *		for (uint unit = first_unit(); unit < 2 * row_count(); unit += INVOCATIONS)
 *			store(unit, load(unit) ^ load(unit + 2));
 *	}
 *
 * One workgroup of INVOCATIONS invocations computes one row, which is one batch:
 * row_count() elements of output. It calls row_open() once, and then works with
 * two arrays, whatever pieces the input lies in:
 *
 *	input   (halo_before + row_count() + halo_after) * in_bytes
 *	output  row_count() * out_bytes
 *
 * both counted in units of 16 bytes (uvec4; load, store) or in words of 4
 * (load_word, store_word), little-endian, from 0. Input word 0 belongs to the
 * first element of the halo before. Rules:
 *
 *   - INVOCATIONS is chosen for the device (gpu/compute.c): assume no number.
 *   - Give neighbouring invocations neighbouring units: the loop above, with a
 *     stride of INVOCATIONS, lets a GPU join their accesses. Or a run each, where
 *     that saves loads (xor/xor.comp): on the software device those are what costs.
 *   - Read no input and write no output outside these lengths: other frames lie
 *     beside them. A unit is written whole: where row_count() * out_bytes is no
 *     multiple of 16, write words.
 *   - A row may have 0 elements (the warm-up has): then do nothing.
 *   - A row knows nothing of the others: they run in any order, or at once. Do
 *     not read what this dispatch writes.
 *   - Integers of 32 and 64 bits and floats of 32 only: the GPU of a PS4 and the
 *     software device have these. No shared memory and no barrier: they cost the
 *     software device a factor of four. No loop of 65536 rounds or more: it cuts
 *     them off without a word.
 */
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require

#define UNIT_BYTES 16
#define WORD_BYTES 4

/* Set when the pipeline is made. */
layout(constant_id = 0) const uint INVOCATIONS = 64;
layout(local_size_x_id = 0) in;

/* struct wm_row of include/wiremill/executor.h, member by member. */
struct row {
	uint in_at[3];
	uint in_end[2];
	uint out_at;
	uint count;
	uint zero;
};

/* The region, as units and as words. Units are accessed by halves: the software
 * device goes through the invocations one by one for each component, so that two
 * of 64 bits cost it half of four of 32. */
layout(std430, set = 0, binding = 0) buffer region_buffer
{
	u64vec2 units[];
}
region;

layout(std430, set = 0, binding = 0) buffer region_word_buffer
{
	uint words[];
}
region_words;

/* What a check of a kernel notes goes there as well. */
#ifndef WM_CHECK
readonly
#endif
layout(std430, set = 0, binding = 1) buffer rows_buffer
{
	row table[];
}
rows;

/* Of this workgroup's row, in units: what to add to the place of a unit in the
 * input to find it in the region, for each piece (modulo 2^32), and where the
 * first two pieces end. */
uint piece_shift[3];
uint piece_end[2];
uint output_at;
uint output_count;

void row_open()
{
	row r = rows.table[gl_WorkGroupID.x];

	/* Only the last piece may end within a unit: that unit is still its. */
	piece_end[0] = (r.in_end[0] + UNIT_BYTES - 1) / UNIT_BYTES;
	piece_end[1] = (r.in_end[1] + UNIT_BYTES - 1) / UNIT_BYTES;
	piece_shift[0] = r.in_at[0] / UNIT_BYTES;
	piece_shift[1] = r.in_at[1] / UNIT_BYTES - piece_end[0];
	piece_shift[2] = r.in_at[2] / UNIT_BYTES - piece_end[1];
	output_at = r.out_at / UNIT_BYTES;
	output_count = r.count;
}

/* Elements of output in this row. */
uint row_count()
{
	return output_count;
}

/* The first unit (or word, or element) of this invocation. */
uint first_unit()
{
	return gl_LocalInvocationID.x;
}

uint place(uint unit)
{
	uint shift = unit < piece_end[0] ? piece_shift[0]
		   : unit < piece_end[1] ? piece_shift[1]
					 : piece_shift[2];

	return unit + shift;
}

uvec4 load(uint unit)
{
	u64vec2 value = region.units[place(unit)];

	return uvec4(unpackUint2x32(value.x), unpackUint2x32(value.y));
}

void store(uint unit, uvec4 value)
{
	region.units[output_at + unit] =
		u64vec2(packUint2x32(value.xy), packUint2x32(value.zw));
}

uint load_word(uint word)
{
	return region_words.words[4 * place(word / 4) + word % 4];
}

void store_word(uint word, uint value)
{
	region_words.words[4 * output_at + word] = value;
}
