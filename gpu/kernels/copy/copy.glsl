// SPDX-License-Identifier: BSD-3-Clause
// copy: what comes in goes out. Measures a rack without any arithmetic in it, and moves a
// dataset through it byte by byte the same.
//
//!KERNEL copy
//!TEXT every byte as it is
//!IN u32x8
//!OUT u32x8

void element(int i)
{
	out(i, in(i));
}
