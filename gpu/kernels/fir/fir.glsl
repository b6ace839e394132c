// SPDX-License-Identifier: BSD-3-Clause
// fir: a symmetric filter of 17 taps over floats, such as a low pass: tap0 is the middle, tap8
// the outermost on either side. Pairs are added first, then the products from the outermost to
// the middle: the order is part of the result. As it stands it is the mean of 17.
//
//!KERNEL fir
//!TEXT symmetric filter of 17 taps; tap0 is the middle
//!IN f32
//!OUT f32
//!HALO 8 8
//!PARAM tap0 float 0.058823529 -1000000 1000000
//!PARAM tap1 float 0.058823529 -1000000 1000000
//!PARAM tap2 float 0.058823529 -1000000 1000000
//!PARAM tap3 float 0.058823529 -1000000 1000000
//!PARAM tap4 float 0.058823529 -1000000 1000000
//!PARAM tap5 float 0.058823529 -1000000 1000000
//!PARAM tap6 float 0.058823529 -1000000 1000000
//!PARAM tap7 float 0.058823529 -1000000 1000000
//!PARAM tap8 float 0.058823529 -1000000 1000000

void element(int i)
{
	float sum = tap8 * (in(i - 8) + in(i + 8));

	sum += tap7 * (in(i - 7) + in(i + 7));
	sum += tap6 * (in(i - 6) + in(i + 6));
	sum += tap5 * (in(i - 5) + in(i + 5));
	sum += tap4 * (in(i - 4) + in(i + 4));
	sum += tap3 * (in(i - 3) + in(i + 3));
	sum += tap2 * (in(i - 2) + in(i + 2));
	sum += tap1 * (in(i - 1) + in(i + 1));
	sum += tap0 * in(i);
	out(i, sum);
}
