// SPDX-License-Identifier: BSD-3-Clause
// expect: element 0 of 1031, .*: in\(i \+2\) is outside its HALO 0 1
//!KERNEL bad
//!IN u32
//!OUT u32
//!HALO 0 1
void element(int i) { out(i, in(i) + in(i + 2)); }
