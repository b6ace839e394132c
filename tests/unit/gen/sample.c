/* SPDX-License-Identifier: BSD-3-Clause */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "seed.h"

#define FRAMES 20000u

static struct wm_result_row *add(struct wm_result *result, const char *test, const char *size,
				 uint32_t bytes)
{
	struct wm_result_row *row = wm_result_add(result);

	if (!row)
		abort();
	strcpy(row->test, test);
	strcpy(row->size, size);
	row->duration_ns = 2 * WM_NS_PER_S;
	row->asked = (struct wm_rate){ WM_RATE_BITS_L1, 500000000 };
	row->sends = true;
	row->totals.sent = (struct wm_traffic_count){ FRAMES, (uint64_t)FRAMES * bytes };
	return row;
}

static struct wm_result_row *add_echo(struct wm_result *result, const char *size, uint32_t bytes)
{
	struct wm_result_row *row = add(result, "echo", size, bytes);

	row->receives = true;
	row->totals.received = row->totals.sent;
	return row;
}

/* Latencies that grow with the frame and have a long tail. */
static void add_latency(struct wm_result_row *row, uint32_t bytes)
{
	static struct wm_histogram histogram;
	uint64_t random = bytes;

	wm_histogram_init(&histogram);
	for (unsigned i = 0; i < FRAMES; i++) {
		uint64_t ns = 20000 + 8ull * bytes + wm_random_below(&random, 15000);

		if (wm_random_below(&random, 1000) == 0)
			ns *= 1 + wm_random_below(&random, 40);
		wm_histogram_record(&histogram, ns);
	}
	if (wm_result_row_latency(row, &histogram, true) < 0)
		abort();
}

static void add_critical(struct wm_result *result)
{
	struct wm_result_row *row = add(result, "critical", "1518", 1518);

	row->asked = (struct wm_rate){ WM_RATE_FRAMES, 80000 };
	row->search = (struct wm_result_search){
		.kind = WM_SEARCH_CRITICAL,
		.found = { .found = true,
			   .rate = 80000,
			   .failed_at = 80100,
			   .trials = 40,
			   .trials_each = 29,
			   .candidates = 2 },
		.resolution = 100,
		.trial_ns = 10 * WM_NS_PER_S,
		.confidence_ppm = 950000,
	};
}

void wm_sample_result(struct wm_result *result)
{
	struct wm_result_row *node;

	wm_result_init(result);
	result->head = (struct wm_result_head){ .version = "0.1.0",
						.started = "2026-11-24T15:00:00Z",
						.interface = "port0",
						.command = "wiremill-gen echo --size 64,imix",
						.mtu = 9000 };
	add(result, "transmit", "64", 64);
	add_latency(add_echo(result, "64", 64), 64);
	add_latency(add_echo(result, "1518", 1518), 1518);
	add_latency(add_echo(result, "9018", 9018), 9018);
	add_latency(add_echo(result, "imix", 362), 362);
	node = add_echo(result, "64", 64);
	node->scope = WM_RESULT_NODE;
	strcpy(node->target, "n1, the \"first\"");
	node->lost = 100;
	node->totals.received.frames -= 100;
	node->totals.received.bytes -= 6400;
	add_critical(result);
}

char *wm_sample_text(int (*write)(const struct wm_result *result, FILE *stream),
		     const struct wm_result *result)
{
	size_t text_bytes;
	char *text;
	FILE *stream = open_memstream(&text, &text_bytes);

	if (!stream || write(result, stream) < 0 || fclose(stream) != 0)
		abort();
	return text;
}
