// SPDX-License-Identifier: BSD-3-Clause
// Elements of 16 bytes, halo on both sides, a parameter, a function and a macro of its own.
// expect: checked
//!KERNEL wide-halo
//!TEXT sum of six neighbours, shifted
//!IN u32x4
//!OUT u32x4
//!HALO 3 2
//!PARAM shift uint 1 0 31

#define LOAD(d) in(i + d)

uvec4 load(in uvec4 value, out uint unused)
{
	unused = 0u;
	return value >> shift;
}

void element(int i)
{
	uvec4 sum = uvec4(0u);
	uint unused;

	for (int d = -3; d <= 2; d++)
		sum += load(LOAD(d), unused);
	out(i, sum);
}
