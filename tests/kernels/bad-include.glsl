// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-include.glsl:6: '#include' is not for kernels
//!KERNEL bad
//!IN u32
//!OUT u32
#include "/etc/passwd"
void element(int i) { out(i, in(i)); }
