// SPDX-License-Identifier: BSD-3-Clause
// expect: out\(i -1\) is not its own element
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { out(i, in(i)); out(i - 1, 7u); }
