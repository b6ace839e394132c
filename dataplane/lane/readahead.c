/* SPDX-License-Identifier: BSD-3-Clause */
#include "readahead.h"

#include "clock.h"

/* One is sent, one is there, two are read: below that a lane waits for each read. */
#define DEPTH_MIN 4u
/* A pause says nothing of the rate. */
#define INTERVAL_MAX_NS (100 * WM_NS_PER_MS)

void wm_readahead_init(struct wm_readahead *readahead, uint32_t depth_max)
{
	*readahead = (struct wm_readahead){ .depth_max = depth_max };
}

/* As RFC 6298 smooths a round trip. Never 0, which is: not known. */
static void smooth(uint64_t *value_ns, uint64_t sample_ns)
{
	*value_ns = *value_ns ? (7 * *value_ns + sample_ns) / 8 : sample_ns;
	if (*value_ns == 0)
		*value_ns = 1;
}

void wm_readahead_arrived(struct wm_readahead *readahead, uint64_t latency_ns)
{
	smooth(&readahead->latency_ns, latency_ns);
}

void wm_readahead_used(struct wm_readahead *readahead, uint64_t now_ns)
{
	uint64_t interval_ns = now_ns - readahead->used_ns;

	if (readahead->used_ns)
		smooth(&readahead->interval_ns,
		       interval_ns < INTERVAL_MAX_NS ? interval_ns : INTERVAL_MAX_NS);
	readahead->used_ns = now_ns;
}

uint32_t wm_readahead_depth(const struct wm_readahead *readahead)
{
	uint64_t depth;

	if (!readahead->latency_ns || !readahead->interval_ns)
		return readahead->depth_max;
	depth = 2 * readahead->latency_ns / readahead->interval_ns + 2;
	if (depth < DEPTH_MIN)
		depth = DEPTH_MIN;
	return depth < readahead->depth_max ? (uint32_t)depth : readahead->depth_max;
}
