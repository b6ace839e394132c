// SPDX-License-Identifier: BSD-3-Clause
// expect: '#' is not for kernels
//!KERNEL bad
//!IN u32
//!OUT u32
#define inside(name) wm ## _ ## name
void element(int i) { out(i, inside(region).wm_units[0]); }
