// SPDX-License-Identifier: BSD-3-Clause
// quantise: floats to bytes, value * scale + offset to the nearest, a half up; 0 to 255. What
// is no number becomes 0. A quarter of the data, before it is stored or looked at.
//
//!KERNEL quantise
//!TEXT f32 to u8: value * scale + offset, rounded, 0 to 255
//!IN f32
//!OUT u8
//!PARAM scale float 1 -1000000000 1000000000
//!PARAM offset float 0 -1000000000 1000000000

void element(int i)
{
	uint bits = floatBitsToUint(in(i));
	float level = floor(uintBitsToFloat(bits) * scale + offset + 0.5);
	bool is_number = (bits & 0x7fffffffu) <= 0x7f800000u;

	if (!is_number || !(level > 0.0))
		out(i, 0);
	else
		out(i, level < 255.0 ? uint(level) : 255);
}
