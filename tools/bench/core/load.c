/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dispatch.h"
#include "frame.h"
#include "progress.h"
#include "wiremill/journal.h"
#include "wiremill/limits.h"

#define MTU 9000u
/* A frame of 8290 bytes at 10 Gbit/s. */
#define FRAME_NS 6632u
/* So that 75 are in flight. */
#define ROUND_TRIP_NS (500 * WM_NS_PER_US)
#define TICK_NS (5 * WM_NS_PER_MS)
#define IN_FLIGHT_MAX 384u
#define QUEUE_TARGET 15u
#define RING 1024u /* above what is in flight, with what is late */

struct answer {
	uint64_t due_ns;
	struct wm_dispatch_send send;
	struct wm_wire_header header;
};

struct load {
	struct load_config config;
	struct wm_layout layout;
	struct wm_progress progress;
	struct wm_dispatch *dispatch;
	struct wm_flow flows[WM_NODES_MAX];
	uint64_t now_ns, tick_ns, done, random;
	struct answer ring[RING];
	uint32_t head, tail;
};

/* ---- before ------------------------------------------------------------------- */

/* As a resume reads them: encoded, decoded, replayed. */
static void replay(struct load *load)
{
	const uint32_t random = 7;

	for (uint64_t i = 0; i < load->config.replayed; i++) {
		struct wm_journal_record record = { .type = WM_JOURNAL_EXTENT, .extent = i };
		uint8_t bytes[WM_JOURNAL_RECORD_BYTES];
		int ret;

		wm_journal_encode_record(bytes, &record, random, (uint32_t)i);
		ret = wm_journal_decode_record(bytes, &record, random, (uint32_t)i);
		assert(ret == 0);
		ret = wm_progress_replay(&load->progress, record.extent);
		assert(ret == 0);
	}
}

static void open_extent(struct load *load, uint32_t slot)
{
	uint64_t extent;

	if (wm_progress_open(&load->progress, &extent))
		wm_dispatch_extent_open(load->dispatch, slot, extent);
}

static void start(struct load *load)
{
	wm_dispatch_start(load->dispatch, &load->layout, QUEUE_TARGET);
	wm_dispatch_audit(load->dispatch, load->config.audit, 1);
	for (uint32_t i = 0; i < load->config.nodes; i++) {
		wm_flow_init(&load->flows[i], 1000 * i);
		wm_dispatch_node_add(load->dispatch, i, WM_NODE_WINDOW_MAX);
	}
	for (uint32_t slot = 0; slot < WM_LANE_EXTENTS_MAX; slot++)
		open_extent(load, slot);
}

struct load *load_create(const struct load_config *config)
{
	struct wm_dispatch_config dispatch = {
		.nodes_max = WM_NODES_MAX,
		.extents_max = WM_LANE_EXTENTS_MAX,
		.batches_per_extent_max = WM_EXTENT_BATCHES_MAX,
		.in_flight_max = IN_FLIGHT_MAX,
	};
	struct load *load = calloc(1, sizeof(*load));

	if (!load)
		return NULL;
	load->config = *config;
	dispatch.flows = load->flows;
	load->dispatch = wm_dispatch_create(&dispatch);
	if (!load->dispatch ||
	    wm_layout_init(&load->layout, wm_kernel_find("xor"), config->input_bytes, MTU, NULL) <
		    0 ||
	    config->replayed >= load->layout.extents || config->nodes > WM_NODES_MAX) {
		load_destroy(&load);
		return NULL;
	}
	wm_progress_init(&load->progress, load->layout.extents);
	replay(load);
	start(load);
	return load;
}

void load_destroy(struct load **load)
{
	if (!*load)
		return;
	wm_dispatch_destroy(&(*load)->dispatch);
	free(*load);
	*load = NULL;
}

uint64_t load_extents(const struct load *load)
{
	return load->layout.extents;
}

/* ---- frames -------------------------------------------------------------------- */

static struct wm_wire_header header_of(const struct load *load, const struct wm_dispatch_send *send)
{
	struct wm_wire_header header = {
		.version = WM_WIRE_VERSION,
		.op = WM_OP_RESULT,
		.count = (uint16_t)send->batch.count,
		.session = send->node,
		.batch = send->batch.batch,
		.sequence = send->sequence,
	};

	if (load->config.frames)
		header.crc32c = wm_frame_crc(&header);
	return header;
}

/* As both sides do, but for the payload's part of the CRC, which is isa-l's. */
static void check_frame(const struct load *load, const struct wm_wire_header *header)
{
	uint32_t bytes = wm_frame_result_bytes(&load->layout.kernel, header->count);
	size_t frame_bytes = WM_FRAME_HEADER_BYTES + bytes;

	if (!load->config.frames)
		return;
	assert(wm_frame_check_header(header, frame_bytes) == WM_DROP_NONE);
	assert(wm_frame_check_length(frame_bytes, bytes) == WM_DROP_NONE);
	assert(wm_frame_crc(header) == header->crc32c);
}

/* ---- the run --------------------------------------------------------------------- */

/* xorshift: good enough to choose what is lost. */
static bool is_lost(struct load *load)
{
	load->random ^= load->random << 13;
	load->random ^= load->random >> 7;
	load->random ^= load->random << 17;
	return load->random % 1000000 < load->config.loss;
}

static void send_one(struct load *load)
{
	struct answer *answer = &load->ring[load->tail % RING];

	if (load->tail - load->head == RING ||
	    !wm_dispatch_next(load->dispatch, load->now_ns, &answer->send))
		return;
	if (is_lost(load))
		return;
	answer->due_ns = load->now_ns + ROUND_TRIP_NS;
	answer->header = header_of(load, &answer->send);
	load->tail++;
}

static void extent_is_done(struct load *load, const struct wm_ledger_batch *batch)
{
	const struct wm_progress_extent extent = {
		.extent = batch->batch / load->layout.batches_per_extent,
	};
	const struct wm_progress_extent *group;

	wm_progress_written(&load->progress, &extent, load->now_ns);
	if (wm_progress_sync(&load->progress, load->now_ns, false, &group) > 0)
		wm_progress_synced(&load->progress);
	open_extent(load, batch->slot);
}

/* Second opinions agree. */
static enum wm_ledger_verdict judge(struct load *load, const struct answer *answer,
				    struct wm_dispatch_receipt *receipt)
{
	const struct wm_dispatch_send *send = &answer->send;
	enum wm_ledger_verdict verdict = wm_dispatch_result(load->dispatch, send->node,
							    send->batch.batch, send->sequence,
							    load->now_ns, receipt);

	if (verdict != WM_LEDGER_COMPARE)
		return verdict;
	return wm_dispatch_opinion(load->dispatch, send->node, WM_OPINION_FIRST, receipt);
}

static void receive_one(struct load *load)
{
	const struct answer *answer = &load->ring[load->head % RING];
	const struct wm_dispatch_send *send = &answer->send;
	struct wm_dispatch_receipt receipt;
	struct wm_ledger_batch expected;

	if (load->head == load->tail || answer->due_ns > load->now_ns)
		return;
	load->head++;
	check_frame(load, &answer->header);
	if (!wm_dispatch_expect(load->dispatch, send->node, send->batch.batch, send->sequence,
				&expected))
		return;
	if (judge(load, answer, &receipt) != WM_LEDGER_NEW)
		return;
	load->done++;
	if (receipt.extent_done)
		extent_is_done(load, &receipt.batch);
}

uint64_t load_run(struct load *load, uint64_t batches)
{
	uint64_t end = load->done + batches;
	uint32_t silent;

	if (load->random == 0)
		load->random = 1;
	while (load->done < end && !wm_progress_is_complete(&load->progress)) {
		load->now_ns += FRAME_NS;
		send_one(load);
		receive_one(load);
		if (load->now_ns < load->tick_ns)
			continue;
		load->tick_ns = load->now_ns + TICK_NS;
		wm_dispatch_tick(load->dispatch, load->now_ns, &silent);
	}
	return load->done;
}
