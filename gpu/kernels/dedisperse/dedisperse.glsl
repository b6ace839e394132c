// SPDX-License-Identifier: BSD-3-Clause
// dedisperse: a pulse that interstellar plasma has smeared over a band of radio is put together
// again. An element is one moment of 16 channels of 8 bits, highest frequency first, 1500 MHz to
// 1200 MHz. Channel c comes later than the first by a share of `delay`, the moments between
// first and last channel: (1500^2 / f^2 - 1) / (1500^2 / 1200^2 - 1), rounded to a 1024th here.
// Output: the sum over the channels, u32.
//
//!KERNEL dedisperse
//!TEXT sum of 16 channels, each later by its share of `delay`
//!IN u8x16
//!OUT u32
//!HALO 0 60
//!PARAM delay uint 60 0 60

const uint share[16] = uint[16](0u, 50u, 101u, 155u, 211u, 269u, 330u, 394u, 461u, 530u, 603u,
	680u, 760u, 843u, 932u, 1024u);

void element(int i)
{
	uint sum = 0;

	for (int c = 0; c < 16; c++)
		sum += in_at(i + int((delay * share[c] + 512u) >> 10), c);
	out(i, sum);
}
