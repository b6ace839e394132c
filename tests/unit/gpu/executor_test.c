/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel xor on the device that is here, under the validation layer,
 * against a plain loop. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "rig.h"
#include "wiremill/limits.h"

#define VECTOR_BYTES 32u
#define INPUT_BYTES_MAX ((WM_BATCH_ELEMENTS_MAX + 1) * VECTOR_BYTES)

/* Where a payload lies in the chunks of a frame: the first chunk has 32 bytes of
 * header left in front of it, the others begin with it. */
#define CHUNK_DATA (WM_UMEM_CHUNK_BYTES - WM_UMEM_HEADROOM_BYTES)
#define FRAME_HEADER 32u
#define FIRST_PIECE (CHUNK_DATA - FRAME_HEADER)
#define SECOND_END (FIRST_PIECE + CHUNK_DATA)
/* Three chunks of input, then three over which the output lies. */
#define FRAME_CHUNKS 6u
#define OUT_SKIP 48u

static struct rig rig;

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t chunk_at(uint32_t chunk)
{
	return chunk * WM_UMEM_CHUNK_BYTES + WM_UMEM_HEADROOM_BYTES;
}

/* A batch as AF_XDP delivers it, in frame number `frame` of the region. */
static struct wm_row frame_row(uint32_t frame, uint32_t count)
{
	uint32_t chunk = frame * FRAME_CHUNKS;
	uint32_t bytes = (count + 1) * VECTOR_BYTES;

	return (struct wm_row){
		.in = { chunk_at(chunk) + FRAME_HEADER, chunk_at(chunk + 1), chunk_at(chunk + 2) },
		.in_end = { least(bytes, FIRST_PIECE), least(bytes, SECOND_END) },
		.out = chunk_at(chunk + 3) + OUT_SKIP,
		.count = count,
	};
}

static void expect_xor(const struct wm_row *row)
{
	uint8_t input[INPUT_BYTES_MAX];
	uint8_t *output = rig.expected + row->out;

	rig_input(&rig, row, input, rig_input_bytes(row, wm_kernel_find("xor")));
	for (uint32_t i = 0; i < row->count * VECTOR_BYTES; i++)
		output[i] = input[i] ^ input[i + VECTOR_BYTES];
}

static uint64_t submit(const struct wm_row *rows, uint32_t count)
{
	struct wm_row *table = wm_executor_rows(rig.executor);

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	memcpy(table, rows, count * sizeof(*rows));
	return wm_executor_submit(rig.executor, count);
}

static void finish(uint64_t ticket)
{
	CU_ASSERT_FATAL(ticket > 0);
	CU_ASSERT_EQUAL_FATAL(wm_executor_wait(rig.executor, ticket, RIG_WAIT_NS), 0);
	CU_ASSERT(wm_executor_completed(rig.executor) >= ticket);
}

static void compute(const struct wm_row *rows, uint32_t count)
{
	finish(submit(rows, count));
	for (uint32_t i = 0; i < count; i++)
		expect_xor(&rows[i]);
	CU_ASSERT(rig_is_as_expected(&rig));
	CU_ASSERT_EQUAL(rig_messages(&rig), 0);
}

static void compute_one(uint32_t count)
{
	struct wm_row row = frame_row(0, count);

	rig_fill(&rig);
	compute(&row, 1);
}

static void one_vector_comes_out_of_two(void)
{
	compute_one(1);
}

static void every_count_around_a_workgroup_is_exact(void)
{
	static const uint32_t counts[] = { 2, 31, 32, 33, 63, 64, 65, 255, 256 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		compute_one(counts[i]);
}

static void batch_of_mtu_1500_lies_in_one_piece(void)
{
	CU_ASSERT(frame_row(0, 45).in_end[0] == 46 * VECTOR_BYTES);
	compute_one(45);
}

static void batch_of_mtu_3506_lies_in_one_piece(void)
{
	CU_ASSERT(frame_row(0, 96).in_end[0] == 97 * VECTOR_BYTES);
	compute_one(96);
}

static void batch_of_mtu_9000_lies_in_three_pieces(void)
{
	struct wm_row row = frame_row(0, 256);

	CU_ASSERT(row.in_end[0] == 3808 && row.in_end[1] == 7648);
	CU_ASSERT(257 * VECTOR_BYTES - row.in_end[1] == 576);
	compute_one(256);
}

static void batch_in_two_pieces_is_exact(void)
{
	compute_one(200);
}

static void halo_may_be_all_of_the_next_piece(void)
{
	/* 119 vectors fill the first piece, 239 the first two. */
	compute_one(118);
	compute_one(119);
	compute_one(238);
	compute_one(239);
}

static void vector_may_be_split_between_pieces(void)
{
	struct wm_row row = frame_row(0, 100);

	row.in_end[0] = 16;
	row.in_end[1] = 1616 - 32;
	rig_fill(&rig);
	compute(&row, 1);
}

static void pieces_may_lie_in_any_order_and_be_empty(void)
{
	struct wm_row row = frame_row(0, 256);
	uint32_t first = row.in[0];

	row.in[0] = row.in[1];
	row.in[1] = first;
	row.in_end[0] = CHUNK_DATA;
	row.in_end[1] = CHUNK_DATA + FIRST_PIECE;
	rig_fill(&rig);
	compute(&row, 1);

	/* All in the last piece; the others point nowhere. */
	row.in[0] = row.in[1] = UINT32_MAX;
	row.in[2] = frame_row(1, 256).in[0];
	row.in_end[0] = row.in_end[1] = 0;
	rig_fill(&rig);
	compute(&row, 1);
}

static void region_is_used_to_its_last_byte(void)
{
	struct wm_row row = {
		.in = { RIG_BYTES - 257 * VECTOR_BYTES },
		.in_end = { 257 * VECTOR_BYTES, 257 * VECTOR_BYTES },
		.count = 256,
	};

	rig_fill(&rig);
	compute(&row, 1);
	row.in[0] = 0;
	row.out = RIG_BYTES - 256 * VECTOR_BYTES;
	rig_fill(&rig);
	compute(&row, 1);
}

static void one_submission_covers_as_many_rows_as_asked(void)
{
	struct wm_row rows[RIG_ROWS_MAX];

	for (uint32_t i = 0; i < RIG_ROWS_MAX; i++)
		rows[i] = frame_row(i, 1 + i);
	rig_fill(&rig);
	compute(rows, 64);
	rig_fill(&rig);
	compute(rows, RIG_ROWS_MAX);
}

static void too_many_rows_or_none_are_refused(void)
{
	struct wm_row row = frame_row(0, 1);

	errno = 0;
	CU_ASSERT_EQUAL(submit(&row, 0), 0);
	CU_ASSERT_EQUAL(errno, EINVAL);
	errno = 0;
	CU_ASSERT_EQUAL(wm_executor_submit(rig.executor, RIG_ROWS_MAX + 1), 0);
	CU_ASSERT_EQUAL(errno, EINVAL);
}

static void expect_refused(const struct wm_row *wrong)
{
	struct wm_row rows[3] = { frame_row(0, 45), frame_row(1, 45), frame_row(2, 45) };

	rows[2] = *wrong;
	errno = 0;
	CU_ASSERT_EQUAL(submit(rows, 3), 0);
	CU_ASSERT_EQUAL(errno, EINVAL);
}

static void wrong_row_is_refused_and_the_next_is_computed(void)
{
	struct wm_row row = frame_row(2, 45);
	uint64_t before = wm_executor_completed(rig.executor);

	rig_fill(&rig);
	row.out = RIG_BYTES;
	expect_refused(&row);
	row = frame_row(2, 45);
	row.in[0] += 4;
	expect_refused(&row);
	row = frame_row(2, 45);
	row.in[0] = RIG_BYTES - 45 * VECTOR_BYTES;
	expect_refused(&row);

	/* Not a byte has changed, nor did a ticket go. */
	CU_ASSERT(rig_is_as_expected(&rig));
	row = frame_row(2, 45);
	compute(&row, 1);
	CU_ASSERT_EQUAL(wm_executor_completed(rig.executor), before + 1);
}

/* Two chunks for each, so that every row of every table has its own. */
static struct wm_row small_row(uint32_t index)
{
	uint32_t bytes = 46 * VECTOR_BYTES;

	return (struct wm_row){
		.in = { chunk_at(2 * index) + FRAME_HEADER },
		.in_end = { bytes, bytes },
		.out = chunk_at(2 * index + 1) + OUT_SKIP,
		.count = 45,
	};
}

static void fill_the_ring(void)
{
	struct wm_row rows[WM_EXECUTOR_SUBMISSIONS][RIG_ROWS_MAX];
	uint64_t tickets[WM_EXECUTOR_SUBMISSIONS];

	rig_fill(&rig);
	for (uint32_t s = 0; s < WM_EXECUTOR_SUBMISSIONS; s++) {
		for (uint32_t i = 0; i < RIG_ROWS_MAX; i++)
			rows[s][i] = small_row(s * RIG_ROWS_MAX + i);
	}
	for (uint32_t s = 0; s < WM_EXECUTOR_SUBMISSIONS; s++) {
		tickets[s] = submit(rows[s], RIG_ROWS_MAX);
		CU_ASSERT_EQUAL(tickets[s], tickets[0] + s);
	}
	finish(tickets[WM_EXECUTOR_SUBMISSIONS - 1]);
	for (uint32_t s = 0; s < WM_EXECUTOR_SUBMISSIONS; s++) {
		CU_ASSERT_EQUAL(wm_executor_wait(rig.executor, tickets[s], 0), 0);
		for (uint32_t i = 0; i < RIG_ROWS_MAX; i++)
			expect_xor(&rows[s][i]);
	}
	CU_ASSERT(rig_is_as_expected(&rig));
	CU_ASSERT_EQUAL(rig_messages(&rig), 0);
}

/* Several times: tables that share a byte are seen only when the CPU writes one
 * before the device has read the other. */
static void full_tables_in_flight_complete_in_order(void)
{
	for (uint32_t round = 0; round < 8; round++)
		fill_the_ring();
}

/* What a worker does: a table whenever one is free, else wait for the oldest. */
static void ring_of_tables_goes_round(void)
{
	uint64_t last = 0, seen = wm_executor_completed(rig.executor);

	rig_fill(&rig);
	for (uint32_t i = 0; i < 100; i++) {
		struct wm_row row = frame_row(i, 1 + i);

		while (!wm_executor_rows(rig.executor)) {
			uint64_t completed = wm_executor_completed(rig.executor);

			CU_ASSERT(completed >= seen);
			seen = completed;
			wm_executor_wait(rig.executor, completed + 1, RIG_WAIT_NS);
		}
		last = submit(&row, 1);
		expect_xor(&row);
	}
	finish(last);
	CU_ASSERT(rig_is_as_expected(&rig));
	CU_ASSERT_EQUAL(rig_messages(&rig), 0);
}

static void wait_for_what_is_not_done_ends_in_time(void)
{
	struct wm_row rows[RIG_ROWS_MAX];
	uint64_t ticket;
	int ret;

	rig_fill(&rig);
	for (uint32_t i = 0; i < RIG_ROWS_MAX; i++) {
		rows[i] = frame_row(i, 256);
		expect_xor(&rows[i]);
	}
	ticket = submit(rows, RIG_ROWS_MAX);
	ret = wm_executor_wait(rig.executor, ticket, 0);
	CU_ASSERT(ret == 0 || ret == -ETIME);
	finish(ticket);
	CU_ASSERT(rig_is_as_expected(&rig));
}

/* Twelve chunks a row: three for each piece, three for the output. */
static struct wm_row random_row(uint32_t index)
{
	uint32_t area = 3 * WM_UMEM_CHUNK_BYTES, at = index * 4 * area;
	uint32_t count = rig_random(&rig, 1, WM_BATCH_ELEMENTS_MAX);
	uint32_t bytes = (count + 1) * VECTOR_BYTES;
	uint32_t slack = (area - INPUT_BYTES_MAX) / WM_ROW_ALIGN_BYTES;
	struct wm_row row = { .count = count };

	row.in_end[1] = rig_random(&rig, 0, bytes / 16) * 16;
	row.in_end[0] = rig_random(&rig, 0, row.in_end[1] / 16) * 16;
	for (uint32_t i = 0; i < WM_ROW_PIECES; i++)
		row.in[i] = at + i * area + rig_random(&rig, 0, slack) * WM_ROW_ALIGN_BYTES;
	row.out = at + 3 * area + rig_random(&rig, 0, slack) * WM_ROW_ALIGN_BYTES;
	return row;
}

static void random_rows_are_exact(void)
{
	struct wm_row rows[128];

	for (uint32_t round = 0; round < 16; round++) {
		uint32_t count = rig_random(&rig, 1, 128);

		rig_fill(&rig);
		for (uint32_t i = 0; i < count; i++)
			rows[i] = random_row(i);
		compute(rows, count);
	}
}

static void prepared_again_it_works_as_before(void)
{
	struct wm_error error = { "" };

	CU_ASSERT_EQUAL(wm_executor_prepare(rig.executor, wm_kernel_find("xor"), &error), 0);
	compute_one(256);
}

static void unknown_kernel_is_refused_and_the_last_one_stays(void)
{
	struct wm_kernel unknown = *wm_kernel_find("xor");
	struct wm_kernel misshapen = unknown;
	struct wm_error error = { "" };

	strcpy(unknown.name, "sha");
	CU_ASSERT_EQUAL(wm_executor_prepare(rig.executor, &unknown, &error), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "'sha'"));
	misshapen.in_bytes = 64;
	CU_ASSERT_EQUAL(wm_executor_prepare(rig.executor, &misshapen, &error), -ENOENT);
	compute_one(256);
}

static void counters_count_rows_and_submissions(void)
{
	struct wm_executor_counters before, after;
	struct wm_row rows[3] = { frame_row(0, 1), frame_row(1, 2), frame_row(2, 3) };

	wm_executor_get_counters(rig.executor, &before);
	rig_fill(&rig);
	compute(rows, 3);
	compute(rows, 2);
	wm_executor_get_counters(rig.executor, &after);
	CU_ASSERT_EQUAL(after.rows - before.rows, 5);
	CU_ASSERT_EQUAL(after.submissions - before.submissions, 2);
}

static void what_was_obtained_is_told(void)
{
	struct wm_executor_obtained obtained;

	wm_executor_get_obtained(rig.executor, &obtained);
	CU_ASSERT(strlen(obtained.device) > 0);
	CU_ASSERT(strlen(obtained.driver) > 0);
	CU_ASSERT(obtained.imported);
}

/* Destroys the executor; returns what was logged meanwhile, in bytes. The layer
 * says then what is in use or was forgotten, with nobody left to count it. */
static long destroy_and_listen(void)
{
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	long bytes;

	CU_ASSERT_FATAL(log && saved >= 0);
	fflush(stderr);
	dup2(fileno(log), STDERR_FILENO);
	wm_executor_destroy(&rig.executor);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	bytes = lseek(fileno(log), 0, SEEK_END);
	fclose(log);
	return bytes;
}

/* The last, since nothing is left after it. */
static void destroy_waits_for_what_is_in_flight(void)
{
	struct wm_row rows[RIG_ROWS_MAX];

	rig_fill(&rig);
	for (uint32_t i = 0; i < RIG_ROWS_MAX; i++) {
		rows[i] = frame_row(i, 256);
		expect_xor(&rows[i]);
	}
	CU_ASSERT(submit(rows, RIG_ROWS_MAX) > 0);
	CU_ASSERT_EQUAL(rig_messages(&rig), 0);
	CU_ASSERT_EQUAL(destroy_and_listen(), 0);
	CU_ASSERT_PTR_NULL(rig.executor);
	CU_ASSERT(rig_is_as_expected(&rig));
}

static const struct wm_test tests[] = {
	WM_TEST(one_vector_comes_out_of_two),
	WM_TEST(every_count_around_a_workgroup_is_exact),
	WM_TEST(batch_of_mtu_1500_lies_in_one_piece),
	WM_TEST(batch_of_mtu_3506_lies_in_one_piece),
	WM_TEST(batch_of_mtu_9000_lies_in_three_pieces),
	WM_TEST(batch_in_two_pieces_is_exact),
	WM_TEST(halo_may_be_all_of_the_next_piece),
	WM_TEST(vector_may_be_split_between_pieces),
	WM_TEST(pieces_may_lie_in_any_order_and_be_empty),
	WM_TEST(region_is_used_to_its_last_byte),
	WM_TEST(one_submission_covers_as_many_rows_as_asked),
	WM_TEST(too_many_rows_or_none_are_refused),
	WM_TEST(wrong_row_is_refused_and_the_next_is_computed),
	WM_TEST(full_tables_in_flight_complete_in_order),
	WM_TEST(ring_of_tables_goes_round),
	WM_TEST(wait_for_what_is_not_done_ends_in_time),
	WM_TEST(random_rows_are_exact),
	WM_TEST(prepared_again_it_works_as_before),
	WM_TEST(unknown_kernel_is_refused_and_the_last_one_stays),
	WM_TEST(counters_count_rows_and_submissions),
	WM_TEST(what_was_obtained_is_told),
	WM_TEST(destroy_waits_for_what_is_in_flight),
};

WM_TESTS_ARGUMENTS(0, 1, "[INVOCATIONS]");

int main(int argc, char **argv)
{
	return rig_run(&rig, argc > 1 ? argv[1] : NULL, "executor", tests,
		       sizeof(tests) / sizeof(tests[0]));
}
