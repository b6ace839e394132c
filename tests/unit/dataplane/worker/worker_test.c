/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker between a simulated port and a simulated executor, which are linked
 * in the place of the real ones. The port lays frames out in chunks as AF_XDP
 * does; the executor computes a submission when the test says so.
 */
#include "worker.h"

#include <errno.h>
#include <string.h>

#include "harness.h"
#include "tag.h"

#define SESSION 77u
#define JOB 5u
#define BATCH 16u /* elements in a full batch: small enough for MTU 1280 */
#define LARGE 256u

static const uint8_t here[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t controller[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 0xfe };

/* ---- the simulated port ------------------------------------------------- */

#define RING WM_XSK_RX_CHUNKS
/* As at the largest MTU. */
#define TX_GROUPS (WM_XSK_TX_CHUNKS / WM_UMEM_FRAME_CHUNKS)
#define GROUP_BYTES (WM_UMEM_FRAME_CHUNKS * WM_UMEM_CHUNK_BYTES)

static struct {
	_Alignas(64) uint8_t memory[WM_XSK_MEMORY_BYTES];
	bool chunk_used[WM_XSK_RX_CHUNKS];
	uint32_t skew; /* bytes by which a card puts each piece off its boundary */
	struct wm_xsk_frame ring[RING];
	uint32_t head, tail;

	uint32_t free_groups[TX_GROUPS];
	uint32_t free_count;

	struct {
		uint32_t group, bytes;
	} sent[TX_GROUPS];
	uint32_t sent_count;
	int flush_returns;
} port;

static void port_init(void)
{
	memset(&port, 0, sizeof(port));
	for (uint32_t i = 0; i < TX_GROUPS; i++)
		port.free_groups[port.free_count++] = WM_XSK_RX_CHUNKS * WM_UMEM_CHUNK_BYTES +
						      i * GROUP_BYTES;
}

static uint32_t take_chunk(void)
{
	uint32_t i = 0;

	while (port.chunk_used[i])
		i++;
	port.chunk_used[i] = true;
	return i * WM_UMEM_CHUNK_BYTES;
}

/* Lays a frame out as the kernel does after the XDP program. */
static void port_deliver(const uint8_t *bytes, uint32_t count)
{
	struct wm_xsk_frame *frame = &port.ring[port.tail++ % RING];
	uint32_t at = WM_UMEM_HEADROOM_BYTES + port.skew;
	uint32_t room = WM_UMEM_CHUNK_BYTES - at;

	*frame = (struct wm_xsk_frame){ .bytes = count };
	bytes += WM_XDP_TRIM_BYTES;
	count -= WM_XDP_TRIM_BYTES;
	while (count > 0) {
		struct wm_xsk_piece *piece = &frame->pieces[frame->count++];

		piece->offset = take_chunk() + at;
		piece->bytes = count < room ? count : room;
		memcpy(port.memory + piece->offset, bytes, piece->bytes);
		bytes += piece->bytes;
		count -= piece->bytes;
	}
}

static uint32_t chunks_used(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < WM_XSK_RX_CHUNKS; i++)
		count += port.chunk_used[i];
	return count;
}

/* What the kernel has transmitted comes back. */
static void port_complete(void)
{
	for (uint32_t i = 0; i < port.sent_count; i++)
		port.free_groups[port.free_count++] = port.sent[i].group;
	port.sent_count = 0;
}

void wm_xsk_get_obtained(const struct wm_xsk *xsk, struct wm_xsk_obtained *obtained)
{
	(void)xsk;
	*obtained = (struct wm_xsk_obtained){ .mtu = 9000 };
	memcpy(obtained->address, here, sizeof(here));
}

uint8_t *wm_xsk_memory(const struct wm_xsk *xsk)
{
	(void)xsk;
	return port.memory;
}

int wm_xsk_fd(const struct wm_xsk *xsk)
{
	(void)xsk;
	return -1;
}

bool wm_xsk_receive(struct wm_xsk *xsk, struct wm_xsk_frame *frame)
{
	(void)xsk;
	if (port.head == port.tail)
		return false;
	*frame = port.ring[port.head++ % RING];
	return true;
}

void wm_xsk_recycle(struct wm_xsk *xsk, const struct wm_xsk_frame *frame)
{
	(void)xsk;
	for (uint32_t i = 0; i < frame->count; i++) {
		uint32_t chunk = frame->pieces[i].offset / WM_UMEM_CHUNK_BYTES;

		CU_ASSERT_TRUE(port.chunk_used[chunk]);
		port.chunk_used[chunk] = false;
	}
}

uint32_t wm_xsk_groups_free(const struct wm_xsk *xsk)
{
	(void)xsk;
	return port.free_count;
}

bool wm_xsk_group_acquire(struct wm_xsk *xsk, uint32_t *group)
{
	(void)xsk;
	if (port.free_count == 0)
		return false;
	*group = port.free_groups[--port.free_count];
	return true;
}

void wm_xsk_group_release(struct wm_xsk *xsk, uint32_t group)
{
	(void)xsk;
	port.free_groups[port.free_count++] = group;
}

void wm_xsk_send(struct wm_xsk *xsk, uint32_t group, uint32_t frame_bytes)
{
	(void)xsk;
	port.sent[port.sent_count].group = group;
	port.sent[port.sent_count++].bytes = frame_bytes;
}

int wm_xsk_flush(struct wm_xsk *xsk)
{
	(void)xsk;
	return port.flush_returns;
}

/* ---- the simulated executor --------------------------------------------- */

static struct {
	struct wm_row tables[WM_EXECUTOR_SUBMISSIONS][WM_WORKER_ROWS_MAX];
	uint32_t counts[WM_EXECUTOR_SUBMISSIONS];
	uint64_t submitted, completed;
	bool lost;
	bool refuses; /* rows */
} gpu;

static uint8_t input_byte(const struct wm_row *row, uint32_t p)
{
	if (p < row->in_end[0])
		return port.memory[row->in[0] + p];
	if (p < row->in_end[1])
		return port.memory[row->in[1] + p - row->in_end[0]];
	return port.memory[row->in[2] + p - row->in_end[1]];
}

static void compute_oldest(void)
{
	uint32_t slot = gpu.completed % WM_EXECUTOR_SUBMISSIONS;

	for (uint32_t r = 0; r < gpu.counts[slot]; r++) {
		const struct wm_row *row = &gpu.tables[slot][r];

		for (uint32_t p = 0; p < row->count * 32; p++)
			port.memory[row->out + p] = input_byte(row, p) ^ input_byte(row, p + 32);
	}
	gpu.completed++;
}

static void compute_all(void)
{
	while (gpu.completed < gpu.submitted)
		compute_oldest();
}

struct wm_row *wm_executor_rows(struct wm_executor *executor)
{
	(void)executor;
	if (gpu.submitted - gpu.completed == WM_EXECUTOR_SUBMISSIONS)
		return NULL;
	return gpu.tables[gpu.submitted % WM_EXECUTOR_SUBMISSIONS];
}

uint64_t wm_executor_submit(struct wm_executor *executor, uint32_t count)
{
	uint32_t slot = gpu.submitted % WM_EXECUTOR_SUBMISSIONS;

	(void)executor;
	if (gpu.lost || gpu.refuses) {
		errno = gpu.lost ? EIO : EINVAL;
		return 0;
	}
	for (uint32_t r = 0; r < count; r++) {
		const struct wm_row *row = &gpu.tables[slot][r];

		CU_ASSERT_EQUAL(row->out % WM_ROW_ALIGN_BYTES, 0);
		for (uint32_t i = 0; i < WM_ROW_PIECES; i++)
			CU_ASSERT_EQUAL(row->in[i] % WM_ROW_ALIGN_BYTES, 0);
	}
	gpu.counts[slot] = count;
	return ++gpu.submitted;
}

uint64_t wm_executor_completed(struct wm_executor *executor)
{
	(void)executor;
	return gpu.completed;
}

bool wm_executor_is_lost(const struct wm_executor *executor)
{
	(void)executor;
	return gpu.lost;
}

int wm_executor_wait(struct wm_executor *executor, uint64_t ticket, uint64_t timeout_ns)
{
	(void)executor;
	(void)timeout_ns;
	if (gpu.lost)
		return -EIO;
	while (gpu.completed < ticket)
		compute_oldest();
	return 0;
}

/* ---- frames ------------------------------------------------------------- */

static uint8_t frame[GROUP_BYTES];
static const uint8_t *frame_key; /* of the session; NULL: frames have no tags */

static uint8_t data_byte(uint64_t batch, uint32_t p)
{
	return (uint8_t)((batch * 131 + p) * 2654435761u >> 13);
}

static struct wm_wire_header map_header(uint64_t batch, uint16_t count)
{
	return (struct wm_wire_header){
		.version = WM_WIRE_VERSION,
		.op = WM_OP_MAP,
		.count = count,
		.session = SESSION,
		.batch = batch,
		.job = JOB,
		.sequence = (uint32_t)batch + 1000,
	};
}

/* Fills in `frame`; returns its length, padded as a switch would. */
static uint32_t make_frame(struct wm_wire_header header, uint32_t payload_bytes)
{
	const uint8_t *key = header.op == WM_OP_MAP ? frame_key : NULL;
	uint32_t bytes = WM_FRAME_HEADER_BYTES + payload_bytes + wm_tag_bytes(key);
	const struct wm_tag_payload payload = {
		{ { frame + WM_FRAME_HEADER_BYTES, payload_bytes } }, 1
	};

	memset(frame, 0, WM_FRAME_BYTES_MIN);
	for (uint32_t p = 0; p < payload_bytes; p++)
		frame[WM_FRAME_HEADER_BYTES + p] = data_byte(header.batch, p);
	wm_tag_seal(&header, &payload, key, frame + WM_FRAME_HEADER_BYTES + payload_bytes);
	wm_frame_ether((struct wm_ether_header *)frame, here, controller);
	memcpy(frame + WM_ETHER_HEADER_BYTES, &header, sizeof(header));
	return bytes < WM_FRAME_BYTES_MIN ? WM_FRAME_BYTES_MIN : bytes;
}

static void deliver(const struct wm_wire_header *header, uint32_t payload_bytes)
{
	port_deliver(frame, make_frame(*header, payload_bytes));
}

static void deliver_map(uint64_t batch, uint16_t count)
{
	struct wm_wire_header header = map_header(batch, count);

	deliver(&header, (count + 1u) * 32);
}

static bool is_result(uint32_t index, uint64_t batch, uint16_t count)
{
	const uint8_t *bytes = port.memory + port.sent[index].group + WM_XSK_GROUP_FRAME;
	const uint8_t *payload = bytes + WM_FRAME_HEADER_BYTES;
	const struct wm_tag_payload whole = { { { (void *)(uintptr_t)payload, count * 32u } }, 1 };
	struct wm_wire_header header;

	memcpy(&header, bytes + WM_ETHER_HEADER_BYTES, sizeof(header));
	if (header.op != WM_OP_RESULT || header.batch != batch || header.count != count ||
	    header.sequence != batch + 1000 || header.session != SESSION || header.job != JOB)
		return false;
	if (memcmp(bytes, controller, sizeof(controller)) != 0 ||
	    port.sent[index].bytes != WM_FRAME_HEADER_BYTES + count * 32u + wm_tag_bytes(frame_key))
		return false;
	for (uint32_t p = 0; p < count * 32u; p++) {
		if (payload[p] != (data_byte(batch, p) ^ data_byte(batch, p + 32)))
			return false;
	}
	return wm_tag_check(&header, &whole, frame_key, payload + count * 32u) == WM_DROP_NONE;
}

/* "Could not": the header of the MAP frame, with no elements, in a padded frame. */
static bool is_failure(uint32_t index, uint64_t batch)
{
	const uint8_t *bytes = port.memory + port.sent[index].group + WM_XSK_GROUP_FRAME;
	static const struct wm_tag_payload nothing;
	struct wm_wire_header header;

	memcpy(&header, bytes + WM_ETHER_HEADER_BYTES, sizeof(header));
	return header.op == WM_OP_RESULT && header.batch == batch && header.count == 0 &&
	       header.sequence == batch + 1000 && header.session == SESSION && header.job == JOB &&
	       memcmp(bytes, controller, sizeof(controller)) == 0 &&
	       port.sent[index].bytes == WM_FRAME_BYTES_MIN &&
	       wm_tag_check(&header, &nothing, frame_key, bytes + WM_FRAME_HEADER_BYTES) ==
		       WM_DROP_NONE;
}

/* ---- the worker --------------------------------------------------------- */

static struct wm_worker *worker;
static unsigned controls;
static enum wm_drop control_returns;

static enum wm_drop take_control(void *context, const struct wm_wire_header *header,
				 const uint8_t *body)
{
	(void)context;
	(void)body;
	CU_ASSERT_EQUAL(header->op, WM_OP_BEAT);
	controls++;
	return control_returns;
}

static void begin(void)
{
	const struct wm_worker_config config = { .control = take_control };

	port_init();
	memset(&gpu, 0, sizeof(gpu));
	controls = 0;
	control_returns = WM_DROP_NONE;
	CU_ASSERT_EQUAL_FATAL(wm_worker_create(&worker, &config), 0);
	wm_worker_set_session(worker, SESSION, controller);
	wm_worker_set_frame_key(worker, frame_key);
	wm_worker_set_job(worker, JOB, wm_kernel_find("xor"), LARGE);
}

/* Every chunk and group is back where it belongs. */
static void end(void)
{
	compute_all();
	CU_ASSERT_EQUAL(wm_worker_finish(worker), 0);
	port_complete();
	CU_ASSERT_EQUAL(chunks_used(), 0);
	CU_ASSERT_EQUAL(port.free_count, TX_GROUPS);
	wm_worker_destroy(&worker);
}

static uint64_t drops(enum wm_drop reason)
{
	struct wm_worker_counters counters;

	wm_worker_get_counters(worker, &counters);
	return counters.drops.count[reason];
}

static uint64_t copied_bytes(void)
{
	struct wm_worker_counters counters;

	wm_worker_get_counters(worker, &counters);
	return counters.copied_bytes;
}

static void each_batch_comes_back_as_its_result(void)
{
	begin();
	for (uint16_t count = 1; count <= LARGE; count++) {
		deliver_map(count, count);
		CU_ASSERT(wm_worker_step(worker) > 0);
		compute_all();
		CU_ASSERT(wm_worker_step(worker) > 0);
		CU_ASSERT_EQUAL_FATAL(port.sent_count, 1);
		CU_ASSERT_TRUE(is_result(0, count, count));
		port_complete();
	}
	CU_ASSERT_EQUAL(copied_bytes(), 0);
	end();
}

static void a_misplaced_frame_is_copied_and_counted(void)
{
	begin();
	port.skew = 6;
	for (uint16_t count = 1; count <= LARGE; count += 51) {
		deliver_map(count, count);
		(void)wm_worker_step(worker);
		compute_all();
		(void)wm_worker_step(worker);
		CU_ASSERT_EQUAL_FATAL(port.sent_count, 1);
		CU_ASSERT_TRUE(is_result(0, count, count));
		port_complete();
	}
	CU_ASSERT_EQUAL(copied_bytes(), (2 + 53 + 104 + 155 + 206 + 257) * 32);
	end();
}

static void the_first_two_submissions_go_at_once_and_the_rest_gathers(void)
{
	begin();
	for (uint64_t batch = 0; batch < 12; batch++) {
		deliver_map(batch, BATCH);
		(void)wm_worker_step(worker);
	}
	CU_ASSERT_EQUAL(gpu.submitted, 2);
	compute_oldest();
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(gpu.submitted, 3);
	CU_ASSERT_EQUAL(gpu.counts[2], 10);
	compute_all();
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL_FATAL(port.sent_count, 12);
	for (uint32_t i = 0; i < 12; i++)
		CU_ASSERT_TRUE(is_result(i, i, BATCH));
	end();
}

static void a_submission_that_follows_waits_until_it_is_as_large(void)
{
	begin();
	for (uint64_t batch = 0; batch < 3; batch++)
		deliver_map(batch, BATCH);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(gpu.submitted, 1);
	for (uint64_t batch = 3; batch < 6; batch++) {
		CU_ASSERT_EQUAL(gpu.submitted, 1);
		deliver_map(batch, BATCH);
		(void)wm_worker_step(worker);
	}
	CU_ASSERT_EQUAL(gpu.submitted, 2);
	CU_ASSERT_EQUAL(gpu.counts[0], 3);
	CU_ASSERT_EQUAL(gpu.counts[1], 3);

	/* Nothing is computed by then: what there is goes at once. */
	deliver_map(6, BATCH);
	compute_all();
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(gpu.submitted, 3);
	CU_ASSERT_EQUAL(gpu.counts[2], 1);
	end();
}

/* Many more than there is room for, while one group is held by somebody else, so
 * that an odd number is left. */
static void check_overload(uint32_t skew)
{
	const uint32_t total = 5 * WM_WORKER_ROWS_MAX;
	uint32_t results = 0, held = 0;

	begin();
	port.skew = skew;
	CU_ASSERT_TRUE(wm_xsk_group_acquire(NULL, &held));
	for (uint64_t batch = 0; batch < total; batch++)
		deliver_map(batch, BATCH);
	for (unsigned i = 0; i < 8; i++)
		(void)wm_worker_step(worker);
	CU_ASSERT(port.head < port.tail);
	for (unsigned i = 0; i < 100 && results < total; i++) {
		compute_all();
		(void)wm_worker_step(worker);
		for (uint32_t k = 0; k < port.sent_count; k++)
			CU_ASSERT_TRUE(is_result(k, results + k, BATCH));
		results += port.sent_count;
		port_complete();
	}
	CU_ASSERT_EQUAL(results, total);
	wm_xsk_group_release(NULL, held);
	end();
}

static void frames_without_room_wait_in_the_ring_and_none_is_lost(void)
{
	check_overload(0);
}

static void frames_that_are_copied_wait_for_two_groups(void)
{
	check_overload(6);
}

static void expect_drop(const struct wm_wire_header *header, uint32_t payload_bytes,
			enum wm_drop reason)
{
	uint64_t before = drops(reason);

	deliver(header, payload_bytes);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(drops(reason), before + 1);
	CU_ASSERT_EQUAL(gpu.submitted, 0);
}

static void a_wrong_frame_is_dropped_by_its_reason(void)
{
	struct wm_wire_header header;

	begin();
	header = map_header(1, BATCH);
	header.version++;
	expect_drop(&header, (BATCH + 1) * 32, WM_DROP_VERSION);
	header = map_header(1, BATCH);
	header.op = 99;
	expect_drop(&header, (BATCH + 1) * 32, WM_DROP_OP);
	header.op = WM_OP_RESULT;
	expect_drop(&header, BATCH * 32, WM_DROP_OP);
	header = map_header(1, BATCH);
	header.session++;
	expect_drop(&header, (BATCH + 1) * 32, WM_DROP_SESSION);
	header = map_header(1, BATCH);
	header.job++;
	expect_drop(&header, (BATCH + 1) * 32, WM_DROP_JOB);
	header = map_header(1, 0);
	expect_drop(&header, 32, WM_DROP_BATCH);
	header = map_header(1, LARGE + 1);
	expect_drop(&header, (LARGE + 2) * 32, WM_DROP_BATCH);
	header = map_header(1, BATCH);
	expect_drop(&header, (BATCH + 2) * 32, WM_DROP_LENGTH);
	expect_drop(&header, BATCH * 32, WM_DROP_LENGTH);
	end();
}

static void a_damaged_byte_anywhere_is_found_by_the_crc(void)
{
	static const uint32_t places[] = { 22, 34, 42, 43, 3849, 3850, 7690, 8265 };
	struct wm_wire_header header = map_header(1, LARGE);

	begin();
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint32_t bytes = make_frame(header, (LARGE + 1) * 32);

		frame[places[i]] ^= 0x10;
		port_deliver(frame, bytes);
		(void)wm_worker_step(worker);
		CU_ASSERT_EQUAL(drops(WM_DROP_CRC), i + 1);
	}
	end();
}

static void a_short_frame_is_dropped(void)
{
	begin();
	(void)make_frame(map_header(1, BATCH), 32);
	port_deliver(frame, 24);
	port_deliver(frame, WM_FRAME_HEADER_BYTES - 1);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(drops(WM_DROP_SHORT), 2);
	end();
}

static void without_a_session_or_job_no_batch_is_taken(void)
{
	begin();
	wm_worker_set_job(worker, 0, NULL, 0);
	deliver_map(1, BATCH);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(drops(WM_DROP_JOB), 1);
	wm_worker_set_session(worker, 0, controller);
	deliver_map(1, BATCH);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(drops(WM_DROP_SESSION), 1);
	end();
}

static void results_of_an_ended_session_are_not_sent(void)
{
	begin();
	deliver_map(1, BATCH);
	(void)wm_worker_step(worker);
	wm_worker_set_session(worker, 0, controller);
	compute_all();
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(port.sent_count, 0);
	end();
}

static void an_echo_is_answered_as_it_came(void)
{
	struct wm_wire_header header = map_header(9, 0);

	begin();
	header.op = WM_OP_ECHO;
	for (uint32_t bytes = 0; bytes <= 8972; bytes += 1121) {
		const uint8_t *answer;

		header.count = (uint16_t)bytes;
		deliver(&header, bytes);
		(void)wm_worker_step(worker);
		CU_ASSERT_EQUAL_FATAL(port.sent_count, 1);
		answer = port.memory + port.sent[0].group + WM_XSK_GROUP_FRAME;
		CU_ASSERT_EQUAL(memcmp(answer + WM_ETHER_HEADER_BYTES,
				       frame + WM_ETHER_HEADER_BYTES,
				       port.sent[0].bytes - WM_ETHER_HEADER_BYTES),
				0);
		port_complete();
	}
	CU_ASSERT_EQUAL(gpu.submitted, 0);
	end();
}

static void a_control_frame_goes_to_the_callback_and_counts_as_it_says(void)
{
	struct wm_wire_header header = map_header(9, 40);

	begin();
	header.op = WM_OP_BEAT;
	deliver(&header, 40);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(controls, 1);
	control_returns = WM_DROP_BODY;
	deliver(&header, 40);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(controls, 2);
	CU_ASSERT_EQUAL(drops(WM_DROP_BODY), 1);
	header.count = WM_MESSAGE_BYTES_MAX + 1;
	deliver(&header, header.count);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(controls, 2);
	CU_ASSERT_EQUAL(drops(WM_DROP_LENGTH), 1);
	end();
}

static void finish_sends_what_was_gathered_and_what_is_in_flight(void)
{
	begin();
	for (uint64_t batch = 0; batch < 9; batch++) {
		deliver_map(batch, BATCH);
		(void)wm_worker_step(worker);
	}
	CU_ASSERT_EQUAL(wm_worker_finish(worker), 0);
	CU_ASSERT_EQUAL(port.sent_count, 9);
	end();
}

static uint64_t failures(void)
{
	struct wm_worker_counters counters;

	wm_worker_get_counters(worker, &counters);
	return counters.failures;
}

static void what_the_executor_refuses_is_answered_with_no_elements(void)
{
	begin();
	gpu.refuses = true;
	for (uint64_t batch = 0; batch < 3; batch++)
		deliver_map(batch, BATCH);
	CU_ASSERT(wm_worker_step(worker) > 0);
	CU_ASSERT_EQUAL_FATAL(port.sent_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_TRUE(is_failure(i, i));
	CU_ASSERT_EQUAL(failures(), 3);
	port_complete();

	gpu.refuses = false;
	deliver_map(7, BATCH);
	(void)wm_worker_step(worker);
	compute_all();
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL_FATAL(port.sent_count, 1);
	CU_ASSERT_TRUE(is_result(0, 7, BATCH));
	end();
}

/* The device is made anew. Every chunk and group is back, and the next batch computed. */
static void end_lost(uint32_t batches)
{
	struct wm_worker_counters counters;

	gpu.lost = false;
	gpu.completed = gpu.submitted; /* as the executor has it after a loss */
	wm_worker_forget(worker);
	port_complete();
	CU_ASSERT_EQUAL(chunks_used(), 0);
	CU_ASSERT_EQUAL(port.free_count, TX_GROUPS);
	wm_worker_get_counters(worker, &counters);
	CU_ASSERT_EQUAL(counters.lost, batches);
	CU_ASSERT_EQUAL(counters.failures, 0);

	deliver_map(77, BATCH);
	(void)wm_worker_step(worker);
	compute_all();
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL_FATAL(port.sent_count, 1);
	CU_ASSERT_TRUE(is_result(0, 77, BATCH));
	end();
}

/* Two submissions are with the device, the first of them is computed; more gathers. */
static void of_what_a_lost_device_had_nothing_is_answered(void)
{
	begin();
	for (uint64_t batch = 0; batch < 6; batch++) {
		deliver_map(batch, BATCH);
		(void)wm_worker_step(worker);
	}
	CU_ASSERT_EQUAL(gpu.submitted, 2);
	compute_oldest();
	gpu.lost = true;
	wm_worker_wait(worker, -1, 0); /* is told so */
	CU_ASSERT_EQUAL(wm_worker_step(worker), -EIO);
	CU_ASSERT_EQUAL(wm_worker_step(worker), -EIO);
	CU_ASSERT_EQUAL_FATAL(port.sent_count, 1);
	CU_ASSERT_TRUE(is_result(0, 0, BATCH));
	end_lost(5);
}

static void a_device_that_is_lost_while_it_finishes_is_reported(void)
{
	begin();
	for (uint64_t batch = 0; batch < 6; batch++) {
		deliver_map(batch, BATCH);
		(void)wm_worker_step(worker);
	}
	gpu.lost = true;
	CU_ASSERT_EQUAL(wm_worker_finish(worker), -EIO);
	CU_ASSERT_EQUAL(port.sent_count, 0);
	end_lost(6);
}

static void a_lost_device_and_a_lost_interface_are_reported(void)
{
	begin();
	gpu.lost = true;
	deliver_map(1, BATCH);
	CU_ASSERT_EQUAL(wm_worker_step(worker), -EIO);
	/* What waits for room is for the next device. */
	gpu.lost = false;
	wm_worker_forget(worker);
	(void)wm_worker_step(worker);
	compute_all();
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL_FATAL(port.sent_count, 1);
	CU_ASSERT_TRUE(is_result(0, 1, BATCH));
	end();

	begin();
	port.flush_returns = -ENXIO;
	CU_ASSERT_EQUAL(wm_worker_step(worker), -ENXIO);
	end();
}

/* ---- with tags ------------------------------------------------------------ */

static const uint8_t session_key[WM_TAG_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t other_key[WM_TAG_KEY_BYTES] = { 1, 2, 4 };

/* All counts: the tag ends up in every place of a chunk's last 32 bytes, cut in two
 * by its end, alone in the next, and padded. */
static void with_a_key_each_batch_comes_back_with_a_tag(void)
{
	frame_key = session_key;
	each_batch_comes_back_as_its_result();
	a_misplaced_frame_is_copied_and_counted();
	a_wrong_frame_is_dropped_by_its_reason();
	what_the_executor_refuses_is_answered_with_no_elements();
	frame_key = NULL;
}

static void a_tag_that_two_chunks_share_is_read(void)
{
	frame_key = session_key;
	begin();
	for (port.skew = 0; port.skew < 64; port.skew += 2) {
		uint64_t before = drops(WM_DROP_NONE);

		for (uint16_t count = 116; count <= 120; count++)
			deliver_map(count, count);
		(void)wm_worker_step(worker);
		CU_ASSERT_EQUAL(drops(WM_DROP_NONE), before + 5);
		compute_all();
		(void)wm_worker_step(worker);
		compute_all();
		(void)wm_worker_step(worker);
		CU_ASSERT_EQUAL_FATAL(port.sent_count, 5);
		for (uint16_t i = 0; i < 5; i++)
			CU_ASSERT_TRUE(is_result(i, 116 + i, 116 + i));
		port_complete();
	}
	end();
	frame_key = NULL;
}

static void a_batch_with_another_tag_or_none_is_refused(void)
{
	begin();
	wm_worker_set_frame_key(worker, session_key);
	deliver_map(1, BATCH); /* no tag */
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(drops(WM_DROP_LENGTH), 1);
	frame_key = other_key;
	deliver_map(1, BATCH);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(drops(WM_DROP_AUTH), 1);
	CU_ASSERT_EQUAL(drops(WM_DROP_NONE), 0);
	/* And a tag where none is wanted is too long. */
	wm_worker_set_frame_key(worker, NULL);
	deliver_map(1, BATCH);
	(void)wm_worker_step(worker);
	CU_ASSERT_EQUAL(drops(WM_DROP_LENGTH), 2);
	CU_ASSERT_EQUAL(gpu.submitted, 0);
	frame_key = NULL;
	end();
}

static void damage_of_a_tag_is_no_forgery(void)
{
	frame_key = session_key;
	begin();
	for (uint32_t i = 1; i <= WM_WIRE_TAG_BYTES; i++) {
		uint32_t bytes = make_frame(map_header(1, LARGE), (LARGE + 1) * 32);

		frame[bytes - i] ^= 0x10;
		port_deliver(frame, bytes);
		(void)wm_worker_step(worker);
		CU_ASSERT_EQUAL(drops(WM_DROP_CRC), i);
	}
	CU_ASSERT_EQUAL(drops(WM_DROP_AUTH), 0);
	end();
	frame_key = NULL;
}

static const struct wm_test tests[] = {
	WM_TEST(with_a_key_each_batch_comes_back_with_a_tag),
	WM_TEST(a_tag_that_two_chunks_share_is_read),
	WM_TEST(a_batch_with_another_tag_or_none_is_refused),
	WM_TEST(damage_of_a_tag_is_no_forgery),
	WM_TEST(each_batch_comes_back_as_its_result),
	WM_TEST(a_misplaced_frame_is_copied_and_counted),
	WM_TEST(the_first_two_submissions_go_at_once_and_the_rest_gathers),
	WM_TEST(a_submission_that_follows_waits_until_it_is_as_large),
	WM_TEST(frames_without_room_wait_in_the_ring_and_none_is_lost),
	WM_TEST(frames_that_are_copied_wait_for_two_groups),
	WM_TEST(a_wrong_frame_is_dropped_by_its_reason),
	WM_TEST(a_damaged_byte_anywhere_is_found_by_the_crc),
	WM_TEST(a_short_frame_is_dropped),
	WM_TEST(without_a_session_or_job_no_batch_is_taken),
	WM_TEST(results_of_an_ended_session_are_not_sent),
	WM_TEST(an_echo_is_answered_as_it_came),
	WM_TEST(a_control_frame_goes_to_the_callback_and_counts_as_it_says),
	WM_TEST(finish_sends_what_was_gathered_and_what_is_in_flight),
	WM_TEST(what_the_executor_refuses_is_answered_with_no_elements),
	WM_TEST(of_what_a_lost_device_had_nothing_is_answered),
	WM_TEST(a_device_that_is_lost_while_it_finishes_is_reported),
	WM_TEST(a_lost_device_and_a_lost_interface_are_reported),
};

int main(void)
{
	return WM_TESTS_RUN("worker", tests);
}
