// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-size.glsl:6: error: .*wm_out.* no matching overloaded function
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, uvec2(in(i))); }
