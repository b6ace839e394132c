// SPDX-License-Identifier: BSD-3-Clause
// Neighbours, weighted.
// expect: checked 
//!KERNEL blend
//!TEXT weighted mean of the neighbours
//!IN f32
//!OUT f32
//!HALO 1 1
//!PARAM weight float 0.5 0 1

void element(int i)
{
	out(i, mix(in(i - 1), in(i + 1), weight));
}
