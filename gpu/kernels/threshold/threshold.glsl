// SPDX-License-Identifier: BSD-3-Clause
// threshold: 8-bit samples, such as a camera's, to a bit mask: bit c of a byte of output says
// whether sample 8 i + c is `level` or more. An eighth of the data.
//
//!KERNEL threshold
//!TEXT u8 to one bit each: whether it is `level` or more
//!IN u8x8
//!OUT u8
//!PARAM level uint 128 0 255

void element(int i)
{
	uint mask = 0;

	for (int c = 0; c < 8; c++)
		mask |= uint(in_at(i, c) >= level) << c;
	out(i, mask);
}
