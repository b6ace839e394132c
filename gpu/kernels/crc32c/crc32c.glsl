// SPDX-License-Identifier: BSD-3-Clause
// crc32c: the CRC32C (RFC 3720, appendix B.4) of every 32 bytes, as u32. Finds blocks that are
// the same, and damage, at an eighth of the data.
//
//!KERNEL crc32c
//!TEXT CRC32C of each 32 bytes
//!IN u32x8
//!OUT u32

// Of four bits, by the reflected polynomial 0x82f63b78.
const uint nibble[16] = uint[16](0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu,
	0x5125dad3u, 0x61c69362u, 0x7198540du, 0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
	0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u);

void element(int i)
{
	uint words[8] = in(i);
	uint crc = 0xffffffffu;

	for (int c = 0; c < 8; c++) {
		crc ^= words[c];
		for (int n = 0; n < 8; n++)
			crc = (crc >> 4) ^ nibble[crc & 15u];
	}
	out(i, ~crc);
}
