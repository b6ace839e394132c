// SPDX-License-Identifier: BSD-3-Clause
// expect: there is no scalar 4
//!KERNEL bad
//!IN u32x4
//!OUT u32
void element(int i) { out(i, in_at(i, 4)); }
