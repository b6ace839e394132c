// SPDX-License-Identifier: BSD-3-Clause
// expect: 'wm_region' is not for kernels
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, wm_region.wm_units[0]); }
