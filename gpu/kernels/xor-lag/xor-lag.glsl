// SPDX-License-Identifier: BSD-3-Clause
// xor-lag: every vector of 32 bytes XOR the one `lag` behind it, 1 to 16. What repeats with
// that period becomes zeroes. The last 16 vectors have no output, whatever the lag is.
//
//!KERNEL xor-lag
//!TEXT every vector of 32 bytes XOR the one `lag` later
//!IN u32x8
//!OUT u32x8
//!HALO 0 16
//!PARAM lag uint 1 1 16

void element(int i)
{
	uint a[8] = in(i), b[8] = in(i + int(lag));

	for (int c = 0; c < 8; c++)
		a[c] ^= b[c];
	out(i, a);
}
