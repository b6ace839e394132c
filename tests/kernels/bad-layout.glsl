// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-layout.glsl:6: 'layout' is not for kernels
//!KERNEL bad
//!IN u32
//!OUT u32
layout(binding = 0) buffer other { uint words[]; } region;
void element(int i) { out(i, region.words[0]); }
