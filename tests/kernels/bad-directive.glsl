// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-directive.glsl:6: there is no directive 'HALOS'
//!KERNEL bad
//!IN u32
//!OUT u32
//!HALOS 0 1
void element(int i) { out(i, in(i)); }
