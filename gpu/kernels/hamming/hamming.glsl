// SPDX-License-Identifier: BSD-3-Clause
// hamming: in how many bits every vector of 32 bytes differs from the next: 0 to 256, as u32.
// An eighth of what comes in goes out.
//
//!KERNEL hamming
//!TEXT bits that differ between each vector of 32 bytes and the next
//!IN u32x8
//!OUT u32
//!HALO 0 1

void element(int i)
{
	uint a[8] = in(i), b[8] = in(i + 1);
	uint bits = 0;

	for (int c = 0; c < 8; c++)
		bits += bitCount(a[c] ^ b[c]);
	out(i, bits);
}
