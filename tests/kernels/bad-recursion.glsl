// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-recursion.glsl: error: .*[Rr]ecursi
//!KERNEL bad
//!IN u32
//!OUT u32
uint twice(uint n);
uint twice(uint n) { return n == 0u ? 0u : twice(n - 1u) + 2u; }
void element(int i) { out(i, twice(in(i))); }
