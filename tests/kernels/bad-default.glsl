// SPDX-License-Identifier: BSD-3-Clause
// expect: PARAM k: its default 9 is not between 0 and 8
//!KERNEL bad
//!IN u32
//!OUT u32
//!PARAM k uint 9 0 8
void element(int i) { out(i, in(i) + k); }
