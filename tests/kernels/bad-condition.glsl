// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-condition.glsl:6: an #if before the end has no #endif
//!KERNEL bad
//!IN u32
//!OUT u32
#if 0
void element(int i) { out(i, in(i)); }
