// SPDX-License-Identifier: BSD-3-Clause
// expect: bad-syntax.glsl:8: error: .inn. : no matching
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i)
{
	out(i, inn(i));
}
