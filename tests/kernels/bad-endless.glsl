// SPDX-License-Identifier: BSD-3-Clause
// expect: a loop go on for 65,536 rounds
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i)
{
	uint n = in(i);

	while (n != 3u)
		n |= 4u;
	out(i, n);
}
