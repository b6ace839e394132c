/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define WORDS 4u /* of 64 bits, in a vector */

/* Plain: the compiler makes AVX2 of it. */
void wm_peer_xor(uint8_t *restrict out, const uint8_t *restrict in, uint32_t vectors)
{
	for (uint32_t i = 0; i < vectors * WORDS; i++) {
		uint64_t a, b;

		memcpy(&a, in + i * sizeof(a), sizeof(a));
		memcpy(&b, in + (i + WORDS) * sizeof(b), sizeof(b));
		a ^= b;
		memcpy(out + i * sizeof(a), &a, sizeof(a));
	}
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

double wm_peer_cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

void wm_peer_report_print(const struct wm_peer_report *report)
{
	printf("{\"bytes\": %llu, \"seconds\": %.6f, \"cpu_seconds_controller\": %.6f, ",
	       (unsigned long long)report->bytes, report->seconds, report->cpu_seconds_controller);
	if (report->cpu_seconds_nodes >= 0)
		printf("\"cpu_seconds_nodes\": %.6f, ", report->cpu_seconds_nodes);
	printf("\"nodes\": %u, \"chunk\": %u, \"window\": %u, \"chunks\": %llu, \"resent\": "
	       "%llu}\n",
	       report->nodes, report->chunk_bytes, report->window,
	       (unsigned long long)report->chunks, (unsigned long long)report->resent);
}
