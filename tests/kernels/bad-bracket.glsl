// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-bracket.glsl:6: no '}' closes what is opened here
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, in(i));
