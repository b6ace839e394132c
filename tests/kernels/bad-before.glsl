// SPDX-License-Identifier: BSD-3-Clause
// expect: in\(i -2048\) is outside
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, in(i) + in(i - 100000000)); }
