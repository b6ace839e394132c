/* SPDX-License-Identifier: BSD-3-Clause */
#include "live_view.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "harness.h"

#define NODES 12u

static const struct wm_live_head roundtrip = {
	.mode = WM_TRAFFIC_ROUNDTRIP,
	.size = "64",
	.asked = { WM_RATE_FRAMES, 2000 },
	.start_ns = WM_NS_PER_S,
	.duration_ns = 60 * WM_NS_PER_S,
	.line_bits_per_s = 1000000000,
};

/* A rack at 1000 frames a second each, at that second; one frame in 100 does not come back. */
static struct wm_live_sample sample_at(uint64_t second)
{
	const uint64_t frames = 1000 * second, back = 990 * second;
	struct wm_live_sample sample = { .now_ns = (second + 1) * WM_NS_PER_S,
					 .target_count = NODES };

	for (unsigned i = 0; i < NODES; i++) {
		sample.targets[i].totals =
			(struct wm_traffic_totals){ .sent = { frames, 64 * frames },
						    .received = { back, 64 * back } };
		snprintf(sample.targets[i].name, sizeof(sample.targets[i].name), "n%u", i + 1);
	}
	sample.all.totals = (struct wm_traffic_totals){
		.sent = { NODES * frames, NODES * 64 * frames },
		.received = { NODES * back, NODES * 64 * back },
	};
	sample.all.latency = (struct wm_result_latency){
		.count = 1, .p50_ns = 35100, .p99_ns = 80000, .max_ns = 12000000
	};
	return sample;
}

/* The caller frees it. */
static char *picture(const struct wm_live_head *head, unsigned lines_max)
{
	const struct wm_live_sample before = sample_at(10), now = sample_at(12);
	char *text;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (lines_max > 0)
		wm_live_print(stream, head, &before, &now, lines_max);
	else
		wm_live_print_line(stream, head, &before, &now);
	fclose(stream);
	return text;
}

static void expect(const char *text, const char *part)
{
	if (!strstr(text, part))
		printf("# no '%s' in:\n%s", part, text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
}

static unsigned lines_of(const char *text)
{
	unsigned lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void rates_are_of_the_time_between(void)
{
	char *text = picture(&roundtrip, 30);

	expect(text, "roundtrip, 64 bytes, 2.00 kpps, 12.0 s of 60 s\n");
	expect(text, "sent      12.0 kpps  8.06 Mbit/s    0.8 %         144000\n");
	expect(text, "received  11.9 kpps  7.98 Mbit/s    0.8 %         142560\n");
	expect(text, "missing 1440 (1 %), reordered 0, duplicates 0, damaged 0\n");
	expect(text, "latency p50 35.1 us, p99 80.0 us, max 12.0 ms\n");
	expect(text, "n12     1.00 k         990      120          0           0    -    -    -\n");
	free(text);
}

static void as_many_targets_as_fit_are_shown(void)
{
	for (unsigned lines = 5; lines < 30; lines++) {
		char *text = picture(&roundtrip, lines);

		CU_ASSERT(lines_of(text) <= lines || lines < 9);
		CU_ASSERT((strstr(text, "n12") != NULL) == (lines >= 21));
		CU_ASSERT((strstr(text, "\nand ") != NULL) == (lines > 9 && lines < 21));
		free(text);
	}
}

static void what_is_not_counted_is_not_shown(void)
{
	struct wm_live_head transmit = roundtrip;
	char *text;

	transmit.mode = WM_TRAFFIC_TRANSMIT;
	transmit.line_bits_per_s = 0;
	text = picture(&transmit, 30);
	CU_ASSERT_PTR_NULL(strstr(text, "received  "));
	CU_ASSERT_PTR_NULL(strstr(text, "missing 1"));
	expect(text, "n12     1.00 k           -        -          -           -    -    -    -\n");
	expect(text, "sent  12.0 kpps  8.06 Mbit/s        -         144000\n");
	free(text);
}

static void one_line_has_the_same(void)
{
	char *text = picture(&roundtrip, 0);

	CU_ASSERT_STRING_EQUAL(text, "roundtrip 12.0 s, sent 12.0 kpps (8.06 Mbit/s), "
				     "received 11.9 kpps (7.98 Mbit/s), missing 1440 (1 %), "
				     "reordered 0, duplicates 0, damaged 0, latency p50 35.1 us, "
				     "p99 80.0 us, max 12.0 ms\n");
	free(text);
}

static void figures_are_taken_off_traffic_that_runs(void)
{
	static struct wm_histogram scratch[2];
	static struct wm_live_sample sample;
	const struct wm_traffic_config config = { .mode = WM_TRAFFIC_RECEIVE,
						  .flows = 1,
						  .rate = { WM_RATE_MAX, 0 },
						  .size = { .first = 64, .last = 64, .step = 1 } };
	struct wm_traffic *traffic = wm_traffic_create(&config);
	struct wm_traffic_arrival arrival = { .mac = { 2, 0, 0, 0, 0, 7 }, .bytes = 64 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(traffic);
	for (unsigned i = 0; i < 10; i += 3) {
		arrival.sequence = i;
		arrival.now_ns = i + 1;
		wm_traffic_arrived(traffic, &arrival);
	}
	wm_live_take(&sample, traffic, 100, scratch);
	CU_ASSERT(sample.target_count == 1 && sample.all.totals.received.frames == 4);
	/* 0 to 9, of which four came */
	CU_ASSERT_EQUAL(sample.all.totals.expected, 10);
	CU_ASSERT_STRING_EQUAL(sample.targets[0].name, "02:00:00:00:00:07");
	CU_ASSERT_EQUAL(sample.all.latency.count, 0);
	wm_traffic_destroy(&traffic);
}

static const struct wm_test tests[] = {
	WM_TEST(rates_are_of_the_time_between),		  WM_TEST(as_many_targets_as_fit_are_shown),
	WM_TEST(what_is_not_counted_is_not_shown),	  WM_TEST(one_line_has_the_same),
	WM_TEST(figures_are_taken_off_traffic_that_runs),
};

int main(void)
{
	return WM_TESTS_RUN("live", tests);
}
