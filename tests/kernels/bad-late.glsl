// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-late.glsl:7: a directive stands before the code
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, in(i)); }
//!HALO 0 1
