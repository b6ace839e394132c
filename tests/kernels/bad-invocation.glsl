// SPDX-License-Identifier: BSD-3-Clause
// expect: 'gl_LocalInvocationID' is not for kernels
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, gl_LocalInvocationID.x); }
