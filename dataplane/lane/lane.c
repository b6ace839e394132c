/* SPDX-License-Identifier: BSD-3-Clause */
/* A lane's loop, its mailboxes, its memory. Frames and I/O of a job: lane_job.c. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_memzone.h>

#include "chain.h"
#include "clock.h"
#include "inflight.h"
#include "lane_private.h"

#define COMMANDS_MAX (4 * WM_NODES_MAX) /* what one change of job sends for every node */
/* Until the control thread looks again a node is found wrong twice at most (a session
 * that it had, and the next one of commands on their way), each time with a WM_LANE_RECOMPUTE;
 * and a job ends. What is left is for what may be lost. */
#define EVENTS_KEPT (4 * WM_NODES_MAX + 1)
#define EVENTS_MAX (8 * WM_NODES_MAX)

#define TICK_NS (1 * WM_NS_PER_MS)
#define TICK_LATE_NS (20 * WM_NS_PER_MS)
#define PUBLISH_NS (20 * WM_NS_PER_MS)
/* Without a job a lane looks 5000 times a second instead of burning its core. */
#define IDLE_NAP_NS (200 * WM_NS_PER_US)

static_assert(sizeof(struct wm_lane_command) % 4 == 0, "rte_ring_elem");
static_assert(sizeof(struct wm_lane_event) % 4 == 0, "rte_ring_elem");
static_assert(sizeof(struct wm_leader_message) % 4 == 0, "rte_ring_elem");

/* ---- memory ---------------------------------------------------------------- */

/* Results that may be held until their extents are written, of batches as the port's MTU
 * allows. A batch fills seven eighths of a frame at least (wm_layout_batch_elements);
 * frames below 2 KiB are no multiple of a block, and too many: they are copied. A job
 * whose nodes have a smaller MTU has more results, and copies those that find no room. */
uint32_t wm_lane_held_results(uint16_t mtu, enum wm_wire_auth auth)
{
	uint32_t bytes = mtu - (auth == WM_WIRE_AEAD ? WM_WIRE_TAG_BYTES : 0);

	return bytes < 2048 ? 0 : WM_LANE_EXTENTS_MAX * (WM_EXTENT_BYTES / (bytes / 8 * 7) + 1);
}

struct wm_port_config wm_lane_port_config(uint16_t mtu, enum wm_wire_auth auth)
{
	/* A tag is an mbuf of its own. */
	uint32_t each = auth == WM_WIRE_AEAD ? 2 : 1;

	return (struct wm_port_config){
		/* results held + those in dispute + the ring being drained +
		 * control frames + caches */
		.receive_mbufs = wm_lane_held_results(mtu, auth) + WM_DISPATCH_DISPUTES_MAX +
				 wm_inflight_ring_frames(mtu) + WM_LINK_CONTROL_FRAMES_MAX + 1024,
		.ring_frames = wm_inflight_ring_frames(mtu),
		/* a port's descriptors, a burst, control frames, caches */
		.transmit_mbufs = each * (1024 + WM_LINK_BURST) + WM_LINK_CONTROL_FRAMES_MAX + 1024,
		.mtu = mtu,
	};
}

static size_t input_bytes(void)
{
	return (size_t)WM_LANE_EXTENTS_MAX * WM_EXTENT_BUFFER_BYTES;
}

static size_t output_bytes(void)
{
	return (size_t)WM_LANE_EXTENTS_MAX * WM_EXTENT_BYTES;
}

uint32_t wm_lane_hugepages(void)
{
	const size_t page = 2 * 1024 * 1024;

	return (uint32_t)((input_bytes() + page - 1) / page + (output_bytes() + page - 1) / page);
}

static void name_of(char name[RTE_MEMZONE_NAMESIZE], const char *what, const struct wm_lane *lane)
{
	snprintf(name, RTE_MEMZONE_NAMESIZE, "wm-%s-%" PRIu32, what, lane->config.index);
}

static const struct rte_memzone *zone_reserve(const struct wm_lane *lane, const char *what,
					      size_t bytes)
{
	char name[RTE_MEMZONE_NAMESIZE];

	name_of(name, what, lane);
	return rte_memzone_reserve_aligned(name, bytes, lane->link.port->socket, 0,
					   WM_STORE_ALIGN_BYTES);
}

static int memory_create(struct wm_lane *lane)
{
	lane->input_zone = zone_reserve(lane, "input", input_bytes());
	lane->output_zone = zone_reserve(lane, "output", output_bytes());
	if (!lane->input_zone || !lane->output_zone)
		return -ENOMEM;

	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++) {
		struct lane_input *input = &lane->inputs[i];

		input->buffer = (uint8_t *)lane->input_zone->addr +
				(size_t)i * WM_EXTENT_BUFFER_BYTES;
		wm_link_share(&input->attached);
	}
	return 0;
}

static int store_create(struct wm_lane *lane, struct wm_error *error)
{
	struct iovec buffers[WM_LANE_EXTENTS_MAX];
	struct wm_store_config config = {
		.depth = WM_LANE_EXTENTS_MAX, /* a slot has one read or write in flight */
		.buffers = buffers,
		.buffer_count = WM_LANE_EXTENTS_MAX,
	};

	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++)
		buffers[i] = (struct iovec){ .iov_base = lane->inputs[i].buffer,
					     .iov_len = WM_EXTENT_BUFFER_BYTES };
	return wm_store_create(&lane->store, &config, error);
}

/* One producer, one consumer. */
static struct rte_ring *ring_create(const struct wm_lane *lane, const char *what,
				    unsigned element_bytes, unsigned count)
{
	char name[RTE_MEMZONE_NAMESIZE];

	name_of(name, what, lane);
	return rte_ring_create_elem(name, element_bytes, count, lane->link.port->socket,
				    RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int leader_rings_create(struct wm_lane *lane)
{
	struct wm_lane *leader = lane->config.leader;
	const unsigned bytes = sizeof(struct wm_leader_message);

	if (!leader)
		return 0;
	lane->to_lane[0] = ring_create(lane, "to-leader", bytes, WM_LEADER_MESSAGES_MAX);
	lane->from_lane[0] = ring_create(lane, "from-leader", bytes, WM_LEADER_MESSAGES_MAX);
	leader->from_lane[lane->config.index] = lane->to_lane[0];
	leader->to_lane[lane->config.index] = lane->from_lane[0];
	return lane->to_lane[0] && lane->from_lane[0] ? 0 : -ENOMEM;
}

static int rings_create(struct wm_lane *lane)
{
	lane->commands =
		ring_create(lane, "commands", sizeof(struct wm_lane_command), COMMANDS_MAX);
	lane->events = ring_create(lane, "events", sizeof(struct wm_lane_event), EVENTS_MAX);
	if (!lane->commands || !lane->events)
		return -ENOMEM;
	return leader_rings_create(lane);
}

static struct wm_stream *stream_create(struct wm_lane *lane)
{
	struct wm_stream_config config = {
		.dispatch = {
			.nodes_max = WM_NODES_MAX,
			.extents_max = WM_LANE_EXTENTS_MAX,
			.batches_per_extent_max = WM_EXTENT_BATCHES_MAX,
			.in_flight_max = wm_inflight_max(lane->link.port->ring_frames, 1),
		},
		.calls = wm_lane_stream_calls,
		.context = lane,
		.output = lane->output_zone->addr,
		.output_bytes = WM_EXTENT_BYTES,
		.keep_frames_max = wm_lane_held_results(lane->link.port->mtu, lane->config.auth),
		.auth = lane->config.auth,
		.lane = lane->config.index,
		.lanes = lane->config.count,
	};

	return wm_stream_create(&config);
}

int wm_lane_create(struct wm_lane **lane_out, const struct wm_lane_config *config,
		   struct wm_error *error)
{
	struct wm_lane *lane = calloc(1, sizeof(*lane));
	int ret;

	if (!lane)
		return wm_error_set(error, ENOMEM, "no memory for a lane");
	lane->config = *config;
	lane->segments_max = 1;
	ret = wm_link_init(&lane->link, config->port);
	if (ret == 0)
		ret = memory_create(lane);
	if (ret == 0)
		ret = rings_create(lane);
	if (ret == 0 && !(lane->stream = stream_create(lane)))
		ret = -ENOMEM;
	if (ret < 0)
		wm_error_set(error, -ret,
			     "no memory for the extents of a lane: %u hugepages of "
			     "2 MiB are needed beside the port's",
			     wm_lane_hugepages());
	else
		ret = store_create(lane, error);
	if (ret < 0)
		wm_lane_destroy(&lane);
	*lane_out = lane;
	return ret;
}

void wm_lane_destroy(struct wm_lane **lane_pointer)
{
	struct wm_lane *lane = *lane_pointer;

	if (!lane)
		return;
	rte_pktmbuf_free(lane->spare_tag);
	wm_link_fini(&lane->link);
	wm_store_destroy(&lane->store);
	wm_stream_destroy(&lane->stream);
	if (lane->config.leader) {
		rte_ring_free(lane->from_lane[0]);
		rte_ring_free(lane->to_lane[0]);
	}
	rte_ring_free(lane->events);
	rte_ring_free(lane->commands);
	rte_memzone_free(lane->output_zone);
	rte_memzone_free(lane->input_zone);
	free(lane);
	*lane_pointer = NULL;
}

/* ---- for the control thread -------------------------------------------------- */

struct wm_link *wm_lane_get_link(struct wm_lane *lane)
{
	return &lane->link;
}

bool wm_lane_post_command(struct wm_lane *lane, const struct wm_lane_command *command)
{
	return rte_ring_sp_enqueue_elem(lane->commands, (void *)command, sizeof(*command)) == 0;
}

bool wm_lane_poll_event(struct wm_lane *lane, struct wm_lane_event *event)
{
	return rte_ring_sc_dequeue_elem(lane->events, event, sizeof(*event)) == 0;
}

/* A sequence lock: `version` is odd while the lane writes, and a reader whose
 * copy spans a change of it takes another. */
static void copy_published(struct wm_lane *lane, void *copy, const void *field, size_t bytes)
{
	uint32_t before, after;

	do {
		before = __atomic_load_n(&lane->published.version, __ATOMIC_ACQUIRE);
		memcpy(copy, field, bytes);
		/* The copy's loads come before the second load of version. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&lane->published.version, __ATOMIC_RELAXED);
	} while ((before & 1) || before != after);
}

void wm_lane_take_snapshot(struct wm_lane *lane, struct wm_lane_snapshot *snapshot)
{
	copy_published(lane, snapshot, &lane->published.snapshot, sizeof(*snapshot));
}

void wm_lane_node_state(struct wm_lane *lane, uint32_t node, struct wm_dispatch_node_state *state)
{
	copy_published(lane, state, &lane->published.nodes[node], sizeof(*state));
}

void wm_lane_publish(struct wm_lane *lane)
{
	const struct wm_stream_counters *received = wm_stream_get_counters(lane->stream);
	struct lane_published *published = &lane->published;
	uint32_t version = published->version;

	__atomic_store_n(&published->version, version + 1, __ATOMIC_RELAXED);
	/* The odd version is seen before any of the stores below. */
	__atomic_thread_fence(__ATOMIC_RELEASE);

	wm_stream_job_counters(lane->stream, lane->now_ns, &published->snapshot.job);
	lane->counters.receive_payload_bytes = received->receive_payload_bytes;
	lane->counters.receive_copied_bytes = received->receive_copied_bytes + lane->joined_bytes;
	wm_store_get_counters(lane->store, &lane->counters.store);
	published->snapshot.counters = lane->counters;
	if (wm_stream_get_state(lane->stream) != WM_STREAM_IDLE) {
		const struct wm_dispatch_counters *counters = &published->snapshot.job.dispatch;

		published->snapshot.counters.sent += counters->sent;
		published->snapshot.counters.resent += counters->resent;
		published->snapshot.counters.results += counters->results;
		published->snapshot.counters.duplicates += counters->duplicates;
	}
	published->snapshot.why_copied = lane->why_copied;
	published->snapshot.source_direct = lane->source_direct;
	published->snapshot.sink_direct = lane->sink_direct;
	for (uint32_t i = 0; i < lane->node_count; i++)
		wm_dispatch_node_get_state(wm_stream_dispatch(lane->stream), i,
					   &published->nodes[i]);

	/* All of it is seen before the even version. */
	__atomic_store_n(&published->version, version + 2, __ATOMIC_RELEASE);
}

/* ---- the loop ------------------------------------------------------------------ */

static void wake_control(struct wm_lane *lane)
{
	uint64_t one = 1;
	ssize_t ret = write(lane->config.wake_fd, &one, sizeof(one));

	(void)ret; /* a full eventfd is readable already */
}

void wm_lane_raise(struct wm_lane *lane, const struct wm_lane_event *event)
{
	int ret;

	wm_lane_publish(lane); /* who is told that a job ended wants its final counters */
	if (event->op == WM_LANE_NODE_SILENT && rte_ring_free_count(lane->events) <= EVENTS_KEPT)
		return; /* only for the log; the counters say it as well */
	ret = rte_ring_sp_enqueue_elem(lane->events, (void *)event, sizeof(*event));
	assert(ret == 0);
	(void)ret;
	wake_control(lane);
}

/* Of what came back as it was sent only the header matters further on. */
static enum wm_drop check_echo(struct rte_mbuf *frame)
{
	const struct wm_wire_header *header = wm_link_header(frame);
	enum wm_drop drop = wm_frame_check_length(frame->pkt_len, header->count);

	if (drop == WM_DROP_NONE)
		drop = wm_frame_check_crc(header, header + 1, header->count);
	if (drop == WM_DROP_NONE && frame->pkt_len > WM_FRAME_BYTES_MIN)
		(void)rte_pktmbuf_trim(frame, (uint16_t)(frame->pkt_len - WM_FRAME_BYTES_MIN));
	return drop;
}

/* It is checked here and understood on the control thread. */
static enum wm_drop pass_control(struct wm_lane *lane, struct rte_mbuf *frame, bool echo)
{
	enum wm_drop drop = wm_link_pass_control(
		&lane->link, frame, echo ? check_echo(frame) : wm_link_check_control(frame));

	if (drop == WM_DROP_NONE)
		wake_control(lane);
	return drop;
}

/* In several segments it took as many descriptors, and so may all that are in flight. */
static bool join(struct wm_lane *lane, struct rte_mbuf *frame)
{
	int32_t copied;

	if (frame->nb_segs > lane->segments_max) {
		lane->segments_max = frame->nb_segs;
		wm_stream_limit(lane->stream,
				wm_inflight_max(lane->link.port->ring_frames, frame->nb_segs));
	}
	copied = wm_chain_join(frame);
	if (copied > 0)
		lane->joined_bytes += (uint32_t)copied;
	return copied >= 0;
}

static void receive_frame(struct wm_lane *lane, struct rte_mbuf *frame)
{
	bool whole = frame->nb_segs == 1 || join(lane, frame);
	const struct wm_wire_header *header = wm_link_header(frame);
	enum wm_drop drop;

	if (!wm_link_is_ours(frame)) {
		rte_pktmbuf_free(frame);
		return;
	}
	lane->counters.frames_received++;
	lane->counters.bytes_received += frame->pkt_len;
	drop = whole ? wm_frame_check_header(header, frame->pkt_len) : WM_DROP_LENGTH;
	if (drop != WM_DROP_NONE)
		rte_pktmbuf_free(frame);
	else if (header->op == WM_OP_RESULT)
		drop = wm_stream_result(lane->stream, frame, header, frame->pkt_len, lane->now_ns);
	else if (header->op >= WM_OP_HELLO || header->op == WM_OP_ECHO)
		drop = pass_control(lane, frame, header->op == WM_OP_ECHO);
	else {
		drop = WM_DROP_OP;
		rte_pktmbuf_free(frame);
	}
	lane->counters.drops.count[drop]++;
}

static uint16_t receive(struct wm_lane *lane)
{
	struct rte_mbuf *frames[WM_LINK_BURST];
	uint16_t count = rte_eth_rx_burst(lane->link.port->id, 0, frames, WM_LINK_BURST);

	for (uint16_t i = 0; i < count; i++) {
		if (i + 1 < count)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + 1], void *));
		receive_frame(lane, frames[i]);
	}
	return count;
}

/* What the port does not take now stays for the next round. */
static void transmit(struct wm_lane *lane)
{
	uint64_t bytes;
	uint16_t sent = wm_link_offer(&lane->link, &bytes);

	lane->counters.frames_sent += sent;
	lane->counters.bytes_sent += bytes;
	lane->counters.transmit_refused += sent < lane->link.transmit_count;
	wm_link_drop_sent(&lane->link, sent);
}

static void handle(struct wm_lane *lane, const struct wm_lane_command *command)
{
	switch (command->op) {
	case WM_LANE_JOB_START:
		wm_lane_job_start(lane, command->job);
		break;
	case WM_LANE_QUIT:
		lane->quit = true;
		break;
	case WM_LANE_NODE_SET:
		if (command->node >= lane->node_count)
			lane->node_count = command->node + 1;
		/* fall through */
	default:
		wm_stream_handle(lane->stream, command, lane->now_ns);
	}
}

static void handle_all(struct wm_lane *lane)
{
	struct wm_lane_command command;

	while (rte_ring_sc_dequeue_elem(lane->commands, &command, sizeof(command)) == 0)
		handle(lane, &command);
}

static void tick(struct wm_lane *lane)
{
	lane->tick_ns = lane->now_ns + TICK_NS;
	wm_stream_tick(lane->stream, lane->now_ns);
	if (lane->now_ns >= lane->publish_ns) {
		lane->publish_ns = lane->now_ns + PUBLISH_NS;
		wm_lane_publish(lane);
	}
}

/* Timers fire only when all that has arrived is accounted for, unless frames
 * arrive without end. */
static bool tick_is_due(const struct wm_lane *lane, uint16_t received)
{
	return lane->now_ns >= lane->tick_ns + (received == WM_LINK_BURST ? TICK_LATE_NS : 0);
}

/* One round. Returns whether anything was done. */
static bool step(struct wm_lane *lane)
{
	uint16_t received = receive(lane);
	bool busy = received > 0;

	handle_all(lane);
	if (wm_stream_get_state(lane->stream) != WM_STREAM_IDLE && wm_lane_job_store(lane))
		busy = true;
	wm_link_gather_control(&lane->link);
	if (wm_stream_get_state(lane->stream) == WM_STREAM_RUNNING)
		wm_lane_job_send(lane);
	busy = busy || lane->link.transmit_count > 0;
	transmit(lane);
	if (tick_is_due(lane, received))
		tick(lane);
	return busy;
}

static int run(void *argument)
{
	static const struct timespec nap = { .tv_nsec = IDLE_NAP_NS };
	struct wm_lane *lane = argument;
	bool busy = false;

	while (!lane->quit) {
		uint64_t now_ns = wm_clock_ns();

		if (busy)
			lane->counters.busy_ns += now_ns - lane->now_ns;
		lane->now_ns = now_ns;
		busy = step(lane);
		if (busy)
			continue;
		if (wm_stream_get_state(lane->stream) == WM_STREAM_IDLE)
			nanosleep(&nap, NULL);
		else
			/* On a core of its own this returns at once; on a shared one
			 * the nodes that we wait for get to run. */
			sched_yield();
	}
	return 0;
}

int wm_lane_launch(struct wm_lane *lane, struct wm_error *error)
{
	int ret = rte_eal_remote_launch(run, lane, lane->config.lcore);

	if (ret < 0)
		return wm_error_set(error, -ret, "lcore %u does not run the lane: %s",
				    lane->config.lcore, strerror(-ret));
	return 0;
}

void wm_lane_wait(struct wm_lane *lane)
{
	rte_eal_wait_lcore(lane->config.lcore);
}
