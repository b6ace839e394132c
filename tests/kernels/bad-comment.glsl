// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-comment.glsl:7: this comment has no end
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, in(i)); }
/* and so on
