// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-twice.glsl:7: HALO stands twice
//!KERNEL bad
//!IN u32
//!OUT u32
//!HALO 0 1
//!HALO 1 0
void element(int i) { out(i, in(i)); }
