// SPDX-License-Identifier: BSD-3-Clause
// expect: there is no function 'void element\(int i\)'
//!KERNEL bad
//!IN u32
//!OUT u32
void main_element(int i) { out(i, in(i)); }
