/* SPDX-License-Identifier: BSD-3-Clause */
/* Random shapes replay with: layout_test --seed N */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness.h"
#include "seed.h"
#include "wiremill/layout.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"
#include "wiremill/wire.h"

#define RANDOM_SHAPES 20000

static uint64_t seed;

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t random_between(uint64_t *state, uint64_t low, uint64_t high)
{
	return low + random_next(state) % (high - low + 1);
}

static const struct wm_kernel *xor_kernel(void)
{
	return wm_kernel_find("xor");
}

static void batches_of_xor_are_45_96_and_256(void)
{
	CU_ASSERT_EQUAL(wm_layout_batch_elements(xor_kernel(), 1500), 45);
	CU_ASSERT_EQUAL(wm_layout_batch_elements(xor_kernel(), 3506), 96);
	CU_ASSERT_EQUAL(wm_layout_batch_elements(xor_kernel(), 9000), 256);
}

static void extents_of_xor_hold_729_342_and_128_batches(void)
{
	static const struct {
		uint32_t mtu, batches;
	} cases[] = { { 1500, 729 }, { 3506, 342 }, { 9000, 128 } };
	struct wm_layout layout;

	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(wm_layout_init(&layout, xor_kernel(), 3 << 20, cases[i].mtu, NULL),
				0);
		CU_ASSERT_EQUAL(layout.batches_per_extent, cases[i].batches);
		CU_ASSERT_EQUAL(layout.extent_elements * 32, WM_EXTENT_BYTES);
	}
}

static void extents_do_not_depend_on_the_mtu(void)
{
	struct wm_layout first, other;

	CU_ASSERT_EQUAL(wm_layout_init(&first, xor_kernel(), 10000000 * 32ull, 1500, NULL), 0);
	for (uint32_t mtu = WM_MTU_MIN; mtu <= WM_MTU_MAX; mtu += 41) {
		CU_ASSERT_EQUAL(wm_layout_init(&other, xor_kernel(), first.input_bytes, mtu, NULL),
				0);
		CU_ASSERT_EQUAL(other.extents, first.extents);
		CU_ASSERT_EQUAL(other.extent_elements, first.extent_elements);
		CU_ASSERT_EQUAL(other.output_bytes, first.output_bytes);
	}
}

static void twelve_terabytes_fit(void)
{
	struct wm_layout layout;

	CU_ASSERT_EQUAL(wm_layout_init(&layout, xor_kernel(), 12000000000000ull, 9000, NULL), 0);
	CU_ASSERT_EQUAL(layout.elements, 374999999999ull);
	CU_ASSERT_EQUAL(layout.output_bytes, 11999999999968ull);
	CU_ASSERT_EQUAL(layout.extents, 11444092);
}

static void sizes_around_every_boundary_have_the_right_count(void)
{
	/* vectors of input, extents, batches: at MTU 9000 */
	static const uint64_t cases[][3] = {
		{ 2, 1, 1 },	   { 256, 1, 1 },     { 257, 1, 1 },
		{ 258, 1, 2 },	   { 32768, 1, 128 }, { 32769, 1, 128 },
		{ 32770, 2, 129 }, { 65537, 2, 256 }, { 65538, 3, 257 },
	};
	struct wm_layout layout;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(wm_layout_init(&layout, xor_kernel(), cases[i][0] * 32, 9000, NULL),
				0);
		CU_ASSERT_EQUAL(layout.elements, cases[i][0] - 1);
		CU_ASSERT_EQUAL(layout.extents, cases[i][1]);
		CU_ASSERT_EQUAL(layout.batches, cases[i][2]);
	}
}

static bool is_line(const struct wm_error *error)
{
	return error->text[0] && !strchr(error->text, '\n');
}

static void fewer_elements_than_the_halo_needs_are_refused(void)
{
	struct wm_kernel wide = { "wide", 16, 16, 3, 4, { 0 } };
	struct wm_error error = { "" };
	struct wm_layout layout;

	CU_ASSERT_EQUAL(wm_layout_init(&layout, xor_kernel(), 0, 9000, &error), -ERANGE);
	CU_ASSERT_EQUAL(wm_layout_init(&layout, xor_kernel(), 32, 9000, &error), -ERANGE);
	CU_ASSERT_EQUAL(wm_layout_init(&layout, &wide, 7 * 16, 9000, &error), -ERANGE);
	CU_ASSERT(is_line(&error));
	CU_ASSERT_EQUAL(wm_layout_init(&layout, &wide, 8 * 16, 9000, &error), 0);
	CU_ASSERT_EQUAL(layout.elements, 1);
}

static void an_mtu_too_small_is_refused(void)
{
	struct wm_kernel large = { "large", 2000, 8, 0, 1, { 0 } };
	struct wm_error error = { "" };
	struct wm_layout layout;

	CU_ASSERT_EQUAL(wm_layout_mtu_min(&large), 4028);
	CU_ASSERT_EQUAL(wm_layout_batch_elements(&large, 4027), 0);
	CU_ASSERT_EQUAL(wm_layout_batch_elements(&large, 4028), 1);
	CU_ASSERT_EQUAL(wm_layout_init(&layout, &large, 20000, 4027, &error), -EMSGSIZE);
	CU_ASSERT(is_line(&error));
	CU_ASSERT_EQUAL(wm_layout_init(&layout, xor_kernel(), 64, WM_MTU_MIN - 1, &error),
			-EMSGSIZE);
}

static void more_output_than_63_bits_is_refused(void)
{
	struct wm_kernel growing = { "growing", 1, 8, 0, 0, { 0 } };
	struct wm_error error = { "" };
	struct wm_layout layout;

	CU_ASSERT_EQUAL(wm_layout_init(&layout, &growing, UINT64_MAX, 9000, &error), -ERANGE);
	CU_ASSERT(is_line(&error));
	CU_ASSERT_EQUAL(wm_layout_init(&layout, &growing, UINT64_MAX / 16, 9000, &error), 0);
	CU_ASSERT_EQUAL(layout.output_bytes, UINT64_MAX / 16 * 8);
}

static void shapes_past_32_bits_have_no_mtu(void)
{
	struct wm_kernel halo = { "halo", 32, 32, UINT32_MAX, 2, { 0 } };
	struct wm_kernel input = { "input", UINT32_MAX, 1, 0, 1, { 0 } };
	struct wm_kernel output = { "output", 1, UINT32_MAX, 0, 0, { 0 } };
	const struct wm_kernel *const kernels[] = { &halo, &input, &output };

	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(wm_layout_mtu_min(kernels[i]), UINT32_MAX);
		CU_ASSERT_EQUAL(wm_layout_batch_elements(kernels[i], WM_MTU_MAX), 0);
	}
}

static bool batch_fits_its_frames(const struct wm_layout *layout, uint32_t elements, uint32_t mtu)
{
	const struct wm_kernel *kernel = &layout->kernel;
	uint32_t halo = kernel->halo_before + kernel->halo_after;

	return elements > 0 && elements <= WM_BATCH_ELEMENTS_MAX &&
	       WM_WIRE_HEADER_BYTES + (elements + halo) * kernel->in_bytes <= mtu &&
	       WM_WIRE_HEADER_BYTES + elements * kernel->out_bytes <= mtu;
}

static bool extent_is_covered_once(const struct wm_layout *layout, uint64_t extent, uint32_t mtu)
{
	struct wm_span span = wm_layout_extent(layout, extent);
	uint32_t batches = wm_layout_extent_batches(layout, extent);
	uint64_t covered = 0;

	for (uint32_t i = 0; i < batches; i++) {
		uint32_t elements = wm_layout_batch_size(layout, extent, i);

		if (!batch_fits_its_frames(layout, elements, mtu))
			return false;
		covered += elements;
	}
	return covered == span.elements && batches <= layout->batches_per_extent &&
	       batches <= WM_EXTENT_BATCHES_MAX;
}

static bool spans_join(const struct wm_layout *layout, uint64_t extent)
{
	struct wm_span span = wm_layout_extent(layout, extent);
	const struct wm_kernel *kernel = &layout->kernel;
	uint64_t halo = (uint64_t)(kernel->halo_before + kernel->halo_after) * kernel->in_bytes;
	uint64_t out_end = span.out_offset + span.out_bytes;
	uint64_t in_end = span.in_offset + span.in_bytes;

	if (span.out_offset % WM_STORE_ALIGN_BYTES)
		return false;
	if (span.in_bytes != (uint64_t)span.elements * kernel->in_bytes + halo ||
	    span.out_bytes != (uint64_t)span.elements * kernel->out_bytes)
		return false;
	if (extent == layout->extents - 1)
		return out_end == layout->output_bytes && in_end == layout->input_bytes;
	return out_end == wm_layout_extent(layout, extent + 1).out_offset &&
	       in_end == wm_layout_extent(layout, extent + 1).in_offset + halo;
}

/* The first extents and the last ones: the middle is alike. */
static bool layout_covers_all_once(const struct wm_layout *layout, uint32_t mtu)
{
	uint64_t near = layout->extents < 4 ? layout->extents : 4;
	uint64_t sum = (layout->extents - 1) * layout->extent_elements +
		       wm_layout_extent(layout, layout->extents - 1).elements;

	for (uint64_t i = 0; i < near; i++) {
		uint64_t end = layout->extents - 1 - i;

		if (!spans_join(layout, i) || !extent_is_covered_once(layout, i, mtu) ||
		    !spans_join(layout, end) || !extent_is_covered_once(layout, end, mtu))
			return false;
	}
	return sum == layout->elements && wm_layout_extent(layout, 0).out_offset == 0 &&
	       wm_layout_extent(layout, 0).in_offset == 0;
}

static struct wm_kernel random_kernel(uint64_t *state)
{
	static const uint32_t usual[] = { 1, 4, 12, 16, 32, 64, 100, 512, 1000, 4096 };

	return (struct wm_kernel){
		.name = "random",
		.in_bytes = random_next(state) & 1 ? usual[random_between(state, 0, 9)]
						   : (uint32_t)random_between(state, 1, 9000),
		.out_bytes = random_next(state) & 1 ? usual[random_between(state, 0, 9)]
						    : (uint32_t)random_between(state, 1, 9000),
		.halo_before = (uint32_t)random_between(state, 0, 5),
		.halo_after = (uint32_t)random_between(state, 0, 5),
	};
}

static void every_element_is_covered_exactly_once_for_random_shapes(void)
{
	uint64_t state = seed, made = 0;

	for (unsigned i = 0; i < RANDOM_SHAPES; i++) {
		struct wm_kernel kernel = random_kernel(&state);
		uint32_t mtu = (uint32_t)random_between(&state, WM_MTU_MIN, WM_MTU_MAX);
		uint64_t elements = random_next(&state) >> random_between(&state, 20, 62);
		struct wm_error error = { "" };
		struct wm_layout layout;
		bool right;
		int ret;

		if (elements > UINT64_MAX / kernel.in_bytes)
			continue;
		ret = wm_layout_init(&layout, &kernel, elements * kernel.in_bytes, mtu, &error);
		made += ret == 0;
		right = ret == 0 ? layout_covers_all_once(&layout, mtu) : is_line(&error);
		if (!right)
			printf("# in %u out %u halo %u %u mtu %u elements %" PRIu64 "\n",
			       kernel.in_bytes, kernel.out_bytes, kernel.halo_before,
			       kernel.halo_after, mtu, elements);
		CU_ASSERT(right);
	}
	CU_ASSERT(made > RANDOM_SHAPES / 10);
}

static const struct wm_test tests[] = {
	WM_TEST(batches_of_xor_are_45_96_and_256),
	WM_TEST(extents_of_xor_hold_729_342_and_128_batches),
	WM_TEST(extents_do_not_depend_on_the_mtu),
	WM_TEST(twelve_terabytes_fit),
	WM_TEST(sizes_around_every_boundary_have_the_right_count),
	WM_TEST(fewer_elements_than_the_halo_needs_are_refused),
	WM_TEST(an_mtu_too_small_is_refused),
	WM_TEST(more_output_than_63_bits_is_refused),
	WM_TEST(shapes_past_32_bits_have_no_mtu),
	WM_TEST(every_element_is_covered_exactly_once_for_random_shapes),
};

WM_TESTS_ARGUMENTS(0, 2, WM_SEED_USAGE);

int main(int argc, char **argv)
{
	seed = argc > 1 ? wm_seed_take(argc, argv) : (uint64_t)time(NULL);
	printf("# seed %" PRIu64 "\n", seed);
	return WM_TESTS_RUN("layout", tests);
}
