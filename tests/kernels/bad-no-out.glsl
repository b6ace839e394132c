// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-no-out.glsl:1: the first comment has no line '//!OUT TYPE'
//!KERNEL bad
//!IN u32
void element(int i) { out(i, in(i)); }
