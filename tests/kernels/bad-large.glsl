// SPDX-License-Identifier: BSD-3-Clause
// expect: an element of input with its halo has 16384 bytes: 8192 fit
//!KERNEL bad
//!IN u8x4096
//!OUT u8
//!HALO 0 3
void element(int i) { out(i, 1u); }
