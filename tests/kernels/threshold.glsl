// SPDX-License-Identifier: BSD-3-Clause
// expect: checked
//!KERNEL threshold
//!IN u8x8
//!OUT u8
//!PARAM level uint 128 0 255
void element(int i)
{
	uint bits = 0;
	for (int c = 0; c < 8; c++)
		bits |= uint(in_at(i, c) >= level) << c;
	out(i, bits);
}
