// SPDX-License-Identifier: BSD-3-Clause
// expect: it calls out\(\) not once
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i) { if (in(i) > 3u) out(i, in(i)); }
