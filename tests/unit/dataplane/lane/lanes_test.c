/* SPDX-License-Identifier: BSD-3-Clause */
/* Two lanes that share a job: real streams, a disk and nodes that answer at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "harness.h"
#include "stream.h"

#define LANES 2u
#define SLOTS 4u
#define EXTENTS 24u
#define EVENTS 64u
#define RECORDS 256u
#define ROUNDS 100000u

struct lane {
	struct world *world;
	struct wm_stream *stream;
	uint8_t *input[SLOTS], *output;
	struct wm_store_event stored[EVENTS]; /* that the stream is to be told */
	uint32_t stored_count;
	struct wm_leader_message inbox[LANES][WM_LEADER_MESSAGES_MAX]; /* by who sent it */
	uint32_t head[LANES], tail[LANES];
	uint64_t results;
	uint32_t sequence[8]; /* of the last batch, by node */
};

struct world {
	struct wm_lane_job job;
	uint8_t *input, *output, *expected;
	struct lane lanes[LANES];
	struct wm_journal_record records[RECORDS];
	uint32_t record_count;
	struct wm_lane_ending ended;
	uint64_t recompute_nodes;
	uint32_t recompute_pass;
	bool has_ended, has_recompute;
	uint32_t wrong; /* the node whose results are wrong */
	uint8_t wrong_bits;
	uint64_t fail_write; /* extent */
	bool keeps_mbufs;    /* the ports never give one back */
	uint64_t now_ns;
};

/* ---- disk ------------------------------------------------------------------------- */

static void stored(struct lane *lane, enum wm_store_op op, uint64_t extent, int result)
{
	lane->stored[lane->stored_count++] =
		(struct wm_store_event){ .op = op, .extent = extent, .result = result };
}

static bool is_idle(void *context, uint32_t slot)
{
	const struct lane *lane = context;

	(void)slot;
	return !lane->world->keeps_mbufs;
}

static int read_extent(void *context, uint32_t slot, uint64_t extent, uint8_t **input)
{
	struct lane *lane = context;
	struct wm_span span = wm_layout_extent(&lane->world->job.layout, extent);

	*input = lane->input[slot];
	memcpy(*input, lane->world->input + span.in_offset, span.in_bytes);
	stored(lane, WM_STORE_READ, extent, 0);
	return 0;
}

static int write_extent(void *context, uint32_t slot, uint64_t extent, const struct iovec *parts,
			uint32_t part_count)
{
	struct lane *lane = context;
	struct wm_span span = wm_layout_extent(&lane->world->job.layout, extent);
	uint8_t *to = lane->world->output + span.out_offset;

	(void)slot;
	for (uint32_t i = 0; i < part_count; i++) {
		memcpy(to, parts[i].iov_base, parts[i].iov_len);
		to += parts[i].iov_len;
	}
	stored(lane, WM_STORE_WRITE, extent, extent == lane->world->fail_write ? -EIO : 0);
	return 0;
}

static int write_journal(void *context, const struct wm_journal_record *records, uint32_t count)
{
	struct lane *lane = context;
	struct world *world = lane->world;

	CU_ASSERT_PTR_EQUAL(lane, &world->lanes[0]);
	CU_ASSERT_FATAL(world->record_count + count <= RECORDS);
	memcpy(world->records + world->record_count, records, count * sizeof(*records));
	world->record_count += count;
	stored(lane, WM_STORE_JOURNAL, count, 0);
	return 0;
}

/* ---- the rest of what a stream asks for --------------------------------------------- */

static void raise_event(void *context, const struct wm_lane_event *event)
{
	struct world *world = ((struct lane *)context)->world;

	if (event->op == WM_LANE_JOB_ENDED) {
		CU_ASSERT_FALSE(world->has_ended);
		world->ended = event->job_ended;
		world->has_ended = true;
	} else if (event->op == WM_LANE_RECOMPUTE) {
		world->recompute_nodes = event->recompute.nodes;
		world->recompute_pass = event->recompute.pass;
		world->has_recompute = true;
	}
}

static void free_frame(void *context, void *frame)
{
	(void)context;
	free(frame);
}

static void send_message(void *context, uint32_t index, const struct wm_leader_message *message)
{
	struct lane *from = context;
	struct world *world = from->world;
	struct lane *to = &world->lanes[index];
	uint32_t sender = (uint32_t)(from - world->lanes);

	CU_ASSERT_FATAL(to->tail[sender] - to->head[sender] < WM_LEADER_MESSAGES_MAX);
	to->inbox[sender][to->tail[sender]++ % WM_LEADER_MESSAGES_MAX] = *message;
}

static bool receive_message(void *context, uint32_t index, struct wm_leader_message *message)
{
	struct lane *lane = context;

	if (lane->head[index] == lane->tail[index])
		return false;
	*message = lane->inbox[index][lane->head[index]++ % WM_LEADER_MESSAGES_MAX];
	return true;
}

static const struct wm_stream_calls calls = {
	.is_idle = is_idle,
	.read = read_extent,
	.write = write_extent,
	.journal = write_journal,
	.raise = raise_event,
	.free_frame = free_frame,
	.send_message = send_message,
	.receive_message = receive_message,
};

/* ---- nodes ---------------------------------------------------------------------------- */

static void node_address(struct wm_lane_command *command, uint32_t node)
{
	command->node = node;
	command->session = (node + 1) * WM_NODES_MAX + node;
	command->window_max = 8;
	command->mac[5] = (uint8_t)node;
}

static void node_command(struct world *world, uint32_t lane, uint32_t node,
			 enum wm_lane_command_op op)
{
	struct wm_lane_command command = { .op = op };

	node_address(&command, node);
	wm_stream_handle(world->lanes[lane].stream, &command, world->now_ns);
}

static void node_joins(struct world *world, uint32_t lane, uint32_t node)
{
	node_command(world, lane, node, WM_LANE_NODE_SET);
	node_command(world, lane, node, WM_LANE_NODE_JOIN);
}

static void compute(const uint8_t *input, uint8_t *output, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		output[i] = input[i] ^ input[i + 32];
}

/* One batch out, and its result in. Returns whether there was one. */
static bool one_batch(struct world *world, struct lane *lane)
{
	struct wm_wire_header *header;
	struct wm_stream_map map;
	uint32_t bytes;
	uint8_t *frame;

	if (wm_stream_get_state(lane->stream) != WM_STREAM_RUNNING)
		return false;
	frame = malloc(WM_FRAME_HEADER_BYTES + WM_MTU_MAX);
	header = (struct wm_wire_header *)(frame + WM_ETHER_HEADER_BYTES);
	if (!wm_stream_next(lane->stream, world->now_ns, header, &map)) {
		free(frame);
		return false;
	}
	lane->sequence[header->session & WM_SESSION_NODE_MASK] = header->sequence;
	bytes = wm_frame_result_bytes(&world->job.layout.kernel, header->count);
	compute(map.payload, (uint8_t *)(header + 1), bytes);
	/* Two bits cancel in the identity of xor, one does not. */
	if ((header->session & WM_SESSION_NODE_MASK) == world->wrong) {
		((uint8_t *)(header + 1))[0] ^= 1;
		((uint8_t *)(header + 1))[32] ^= world->wrong_bits == 2;
	}
	header->op = WM_OP_RESULT;
	header->crc32c = wm_frame_crc_add(wm_frame_crc(header), header + 1, bytes);
	lane->results += wm_stream_result(lane->stream, frame, header,
					  WM_FRAME_HEADER_BYTES + bytes,
					  world->now_ns) == WM_DROP_NONE;
	return true;
}

/* ---- the world ------------------------------------------------------------------------- */

static void lane_round(struct world *world, struct lane *lane)
{
	uint32_t count = lane->stored_count;
	struct wm_store_event events[EVENTS];

	memcpy(events, lane->stored, sizeof(events));
	lane->stored_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (events[i].op == WM_STORE_JOURNAL)
			world->job.journal.records += (uint32_t)events[i].extent;
		wm_stream_stored(lane->stream, &events[i], world->now_ns);
	}
	wm_stream_round(lane->stream, world->now_ns);
	if (wm_stream_can_end(lane->stream) && lane->stored_count == 0)
		wm_stream_job_end(lane->stream);
	one_batch(world, lane);
	wm_stream_tick(lane->stream, world->now_ns);
}

static void round_of_all(struct world *world)
{
	for (uint32_t i = 0; i < LANES; i++)
		lane_round(world, &world->lanes[i]);
	world->now_ns += WM_NS_PER_MS;
	/* What the control thread does about a quarantine, but for naming extents. */
	if (world->has_recompute)
		wm_stream_handle(world->lanes[0].stream,
				 &(struct wm_lane_command){ .op = WM_LANE_RECOMPUTE_DONE,
							    .pass = world->recompute_pass },
				 world->now_ns);
}

static void run_until_batches(struct world *world, uint32_t lane, uint64_t results)
{
	for (uint32_t i = 0; i < ROUNDS && world->lanes[lane].results < results; i++)
		round_of_all(world);
	CU_ASSERT(world->lanes[lane].results >= results);
}

static void run_to_end(struct world *world)
{
	for (uint32_t i = 0; i < ROUNDS && !world->has_ended; i++)
		round_of_all(world);
	CU_ASSERT_TRUE(world->has_ended);
	for (uint32_t i = 0; i < LANES; i++)
		CU_ASSERT_EQUAL(wm_stream_get_state(world->lanes[i].stream), WM_STREAM_IDLE);
}

static void lane_create(struct world *world, uint32_t index)
{
	struct lane *lane = &world->lanes[index];
	struct wm_stream_config config = {
		.dispatch = { .nodes_max = 8,
			      .extents_max = SLOTS,
			      .batches_per_extent_max = world->job.layout.batches_per_extent,
			      .in_flight_max = 64 },
		.calls = calls,
		.context = lane,
		.output_bytes = WM_EXTENT_BYTES,
		.keep_frames_max = 300, /* not all of what is open at once */
		.lane = index,
		.lanes = LANES,
	};

	lane->world = world;
	lane->output = malloc((size_t)SLOTS * WM_EXTENT_BYTES);
	for (uint32_t i = 0; i < SLOTS; i++)
		lane->input[i] = malloc(WM_EXTENT_BUFFER_BYTES);
	config.output = lane->output;
	lane->stream = wm_stream_create(&config);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lane->stream);
}

static void job_start(struct world *world)
{
	wm_progress_init(&world->job.progress, world->job.layout.extents);
	world->job.journal.records = 0;
	world->record_count = 0;
	world->has_ended = false;
	for (uint32_t i = LANES; i-- > 0;)
		wm_stream_job_start(world->lanes[i].stream, &world->job, 16, 1);
}

/* All lanes run; no node takes part yet. */
static struct world *world_create(void)
{
	struct world *world = calloc(1, sizeof(*world));
	uint64_t bytes = (uint64_t)EXTENTS * WM_EXTENT_BYTES + 32;
	struct wm_error error;

	world->wrong = UINT32_MAX;
	world->fail_write = UINT64_MAX;
	world->now_ns = WM_NS_PER_S;
	world->input = malloc(bytes);
	world->output = calloc(1, bytes);
	world->expected = malloc(bytes);
	for (uint64_t i = 0; i < bytes; i++)
		world->input[i] = (uint8_t)(i * i >> 7);
	compute(world->input, world->expected, (uint32_t)(bytes - 32));
	CU_ASSERT_EQUAL(
		wm_layout_init(&world->job.layout, wm_kernel_find("xor"), bytes, 9000, &error), 0);
	world->job.id = 7;
	for (uint32_t i = LANES; i-- > 0;)
		lane_create(world, i);
	job_start(world);
	return world;
}

static void world_destroy(struct world *world)
{
	for (uint32_t i = 0; i < LANES; i++) {
		wm_stream_destroy(&world->lanes[i].stream);
		for (uint32_t j = 0; j < SLOTS; j++)
			free(world->lanes[i].input[j]);
		free(world->lanes[i].output);
	}
	free(world->expected);
	free(world->output);
	free(world->input);
	free(world);
}

static bool extent_is_right(const struct world *world, uint64_t extent)
{
	struct wm_span span = wm_layout_extent(&world->job.layout, extent);

	return memcmp(world->output + span.out_offset, world->expected + span.out_offset,
		      span.out_bytes) == 0;
}

static uint32_t times_journalled(const struct world *world, uint64_t extent)
{
	uint32_t times = 0;

	for (uint32_t i = 0; i < world->record_count; i++)
		times += world->records[i].type == WM_JOURNAL_EXTENT &&
			 world->records[i].extent == extent;
	return times;
}

static void check_exact(const struct world *world)
{
	CU_ASSERT_EQUAL(world->ended.result, 0);
	for (uint64_t i = 0; i < EXTENTS; i++) {
		CU_ASSERT_EQUAL(times_journalled(world, i), 1);
		CU_ASSERT_TRUE(extent_is_right(world, i));
	}
}

/* ---- tests ------------------------------------------------------------------------------- */

static void two_lanes_make_every_extent_once(void)
{
	struct world *world = world_create();

	node_joins(world, 0, 0);
	node_joins(world, 1, 1);
	run_to_end(world);
	check_exact(world);
	CU_ASSERT(world->lanes[0].results > 0);
	CU_ASSERT(world->lanes[1].results > 0);
	world_destroy(world);
}

static uint64_t time_to_end_ns(bool keeps_mbufs)
{
	struct world *world = world_create();
	uint64_t ns;

	world->keeps_mbufs = keeps_mbufs;
	node_joins(world, 0, 0);
	node_joins(world, 1, 1);
	run_to_end(world);
	check_exact(world);
	ns = world->now_ns;
	world_destroy(world);
	return ns;
}

/* What is answered has left, whatever the driver still holds of it. In virtual time. */
static void a_port_that_keeps_mbufs_holds_nothing_up(void)
{
	CU_ASSERT(time_to_end_ns(true) < time_to_end_ns(false) + 100 * WM_NS_PER_MS);
}

static void a_lane_whose_nodes_leave_gives_its_extents_back(void)
{
	for (uint32_t left = 0; left < LANES; left++) {
		struct world *world = world_create();

		node_joins(world, 0, 0);
		node_joins(world, 1, 1);
		run_until_batches(world, left, 200);
		node_command(world, left, left, WM_LANE_NODE_CLEAR);
		run_to_end(world);
		check_exact(world);
		world_destroy(world);
	}
}

static void a_lane_that_never_has_a_node_holds_nothing_up(void)
{
	struct world *world = world_create();

	node_joins(world, 1, 1);
	run_to_end(world);
	check_exact(world);
	CU_ASSERT_EQUAL(world->lanes[0].results, 0);
	world_destroy(world);
}

/* Before the quarantine's record and with its bit: the control thread names these. */
static bool is_recomputed_by_control(const struct world *world, uint64_t extent, uint64_t bit)
{
	for (uint32_t i = 0; i < world->record_count; i++) {
		const struct wm_journal_record *record = &world->records[i];

		if (record->type == WM_JOURNAL_QUARANTINE)
			return false;
		if (record->extent == extent && record->nodes & bit)
			return true;
	}
	return false;
}

static void a_node_that_one_lane_finds_wrong_is_void_in_the_other(void)
{
	const uint8_t mac[WM_ETHER_ADDR_BYTES] = { 0, 0, 0, 0, 0, 2 };
	struct world *world = world_create();
	uint32_t open_and_wrong = 0;

	world->wrong = 2;
	world->wrong_bits = 2;
	node_joins(world, 0, 0);
	node_joins(world, 0, 2);
	node_joins(world, 1, 1);
	run_until_batches(world, 0, 100);
	/* It moves to the other port, and is caught there. */
	node_command(world, 0, 2, WM_LANE_NODE_CLEAR);
	world->wrong_bits = 1;
	node_joins(world, 1, 2);
	run_to_end(world);
	CU_ASSERT_EQUAL(world->ended.result, 0);
	CU_ASSERT_TRUE(world->has_recompute);
	CU_ASSERT_EQUAL(world->recompute_nodes, wm_journal_node_bit(mac));
	for (uint64_t i = 0; i < EXTENTS; i++) {
		bool recomputed = is_recomputed_by_control(world, i, wm_journal_node_bit(mac));

		CU_ASSERT(recomputed || extent_is_right(world, i));
		open_and_wrong += !recomputed;
	}
	CU_ASSERT(open_and_wrong > 0);
	world_destroy(world);
}

/* The same job again, under another number. */
static void next_job(struct world *world)
{
	memset(world->output, 0, world->job.layout.output_bytes);
	world->job.id++;
	job_start(world);
	for (uint32_t i = 0; i < LANES; i++)
		node_command(world, i, i, WM_LANE_NODE_JOIN);
}

static void the_flow_of_a_node_outlives_the_job_in_each_lane(void)
{
	struct world *world = world_create();
	uint32_t sequence[LANES];

	node_joins(world, 0, 0);
	node_joins(world, 1, 1);
	for (unsigned job = 0; job < 3; job++) {
		run_to_end(world);
		check_exact(world);
		for (uint32_t i = 0; i < LANES; i++)
			sequence[i] = world->lanes[i].sequence[i];
		next_job(world);
		for (uint32_t i = 0; i < LANES; i++) {
			run_until_batches(world, i, world->lanes[i].results + 1);
			CU_ASSERT_TRUE(world->lanes[i].sequence[i] > sequence[i]);
		}
	}
	run_to_end(world);
	check_exact(world);
	world_destroy(world);
}

/* What the other lane knew of it is of another way. */
static void a_node_that_moves_to_another_port_begins_anew_there(void)
{
	struct wm_lane_command address;
	struct world *world = world_create();

	node_address(&address, 2);
	node_joins(world, 0, 0);
	node_joins(world, 1, 1);
	for (uint32_t move = 0; move < 4; move++) {
		struct lane *lane = &world->lanes[move % LANES];

		lane->sequence[2] = 0;
		node_joins(world, move % LANES, 2);
		while (lane->sequence[2] == 0 && !world->has_ended)
			round_of_all(world);
		CU_ASSERT_EQUAL(lane->sequence[2], address.session);
		node_command(world, move % LANES, 2, WM_LANE_NODE_CLEAR);
	}
	run_to_end(world);
	check_exact(world);
	world_destroy(world);
}

/* In the same session, and the same batch is in flight again. */
static void a_result_of_the_job_before_is_dropped_as_such(void)
{
	struct world *world = world_create();
	struct lane *lane = &world->lanes[0];
	struct wm_wire_header late = { .version = WM_WIRE_VERSION, .op = WM_OP_RESULT };
	const struct wm_dispatch_counters *counters =
		wm_dispatch_get_counters(wm_stream_dispatch(lane->stream));
	uint8_t *frame = calloc(1, WM_FRAME_HEADER_BYTES + WM_MTU_MAX);
	struct wm_lane_command address;

	node_address(&address, 0);
	node_joins(world, 0, 0);
	run_to_end(world);
	late.job = world->job.id;
	late.session = address.session;
	late.sequence = lane->sequence[0];
	next_job(world);
	run_until_batches(world, 0, lane->results + 1);
	memcpy(frame + WM_ETHER_HEADER_BYTES, &late, sizeof(late));
	CU_ASSERT_EQUAL(wm_stream_result(lane->stream, frame,
					 (struct wm_wire_header *)(frame + WM_ETHER_HEADER_BYTES),
					 WM_FRAME_BYTES_MIN, world->now_ns),
			WM_DROP_JOB);
	run_to_end(world);
	CU_ASSERT_EQUAL(counters->lost, 0);
	CU_ASSERT_EQUAL(counters->unknown, 0);
	check_exact(world);
	world_destroy(world);
}

static void what_a_lane_cannot_write_ends_the_job_of_all(void)
{
	for (uint64_t extent = 0; extent < 8; extent++) {
		struct world *world = world_create();

		world->fail_write = extent;
		node_joins(world, 0, 0);
		node_joins(world, 1, 1);
		run_to_end(world);
		CU_ASSERT_EQUAL(world->ended.result, -EIO);
		CU_ASSERT_EQUAL(world->ended.failed_op, WM_STORE_WRITE);
		CU_ASSERT_EQUAL(world->ended.extent, extent);
		CU_ASSERT_EQUAL(times_journalled(world, extent), 0);
		world_destroy(world);
	}
}

static void a_job_that_is_stopped_leaves_nothing_for_the_next(void)
{
	struct world *world = world_create();

	node_joins(world, 0, 0);
	node_joins(world, 1, 1);
	run_until_batches(world, 1, 50);
	wm_stream_handle(world->lanes[0].stream,
			 &(struct wm_lane_command){ .op = WM_LANE_JOB_STOP }, world->now_ns);
	run_to_end(world);
	CU_ASSERT_EQUAL(world->ended.result, -ECANCELED);

	world->has_ended = false;
	world->record_count = world->job.journal.records = 0;
	wm_progress_init(&world->job.progress, world->job.layout.extents);
	for (uint32_t i = LANES; i-- > 0;)
		wm_stream_job_start(world->lanes[i].stream, &world->job, 16, 1);
	node_command(world, 0, 0, WM_LANE_NODE_JOIN);
	node_command(world, 1, 1, WM_LANE_NODE_JOIN);
	run_to_end(world);
	check_exact(world);
	world_destroy(world);
}

static const struct wm_test tests[] = {
	WM_TEST(two_lanes_make_every_extent_once),
	WM_TEST(a_port_that_keeps_mbufs_holds_nothing_up),
	WM_TEST(a_lane_whose_nodes_leave_gives_its_extents_back),
	WM_TEST(a_lane_that_never_has_a_node_holds_nothing_up),
	WM_TEST(a_node_that_one_lane_finds_wrong_is_void_in_the_other),
	WM_TEST(the_flow_of_a_node_outlives_the_job_in_each_lane),
	WM_TEST(a_node_that_moves_to_another_port_begins_anew_there),
	WM_TEST(a_result_of_the_job_before_is_dropped_as_such),
	WM_TEST(what_a_lane_cannot_write_ends_the_job_of_all),
	WM_TEST(a_job_that_is_stopped_leaves_nothing_for_the_next),
};

int main(void)
{
	return WM_TESTS_RUN("lanes", tests);
}
