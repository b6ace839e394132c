// SPDX-License-Identifier: BSD-3-Clause
// expect: a loop go on for 65,536 rounds
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i)
{
	uint n = 0u;

	for (uint k = 0u; k < 100000u; k++)
		n += in(i) ^ k;
	out(i, n);
}
