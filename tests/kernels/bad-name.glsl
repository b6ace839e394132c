// SPDX-License-Identifier: BSD-3-Clause
// expect: KERNEL '../../etc/passwd': a name is
//!KERNEL ../../etc/passwd
//!IN u32
//!OUT u32
void element(int i) { out(i, in(i)); }
