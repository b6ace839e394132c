// SPDX-License-Identifier: BSD-3-Clause
// expect: byte 0 of its output is 0x[0-9a-f]* alone, and 0x
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, in(i) + uint(i)); }
