/* SPDX-License-Identifier: BSD-3-Clause */
/* Passes over a real journal, for what wrong nodes had a part in. */
#include "recompute.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define EXTENTS_MAX 20000u

static char directory[64];
static struct wm_journal journal;
static int fd; /* the same file, not synced with each record */
static struct wm_recompute recompute;
static uint32_t named[EXTENTS_MAX]; /* how often, by extent */

static void begin(void)
{
	struct wm_journal_identity identity = {
		.input_bytes = (uint64_t)EXTENTS_MAX << 20,
		.output_bytes = ((uint64_t)EXTENTS_MAX << 20) - 32,
		.extent_elements = 32768,
		.kernel = *wm_kernel_find("xor"),
		.input_path = "/data/in",
	};
	struct wm_error error = { "" };
	char path[128];

	snprintf(path, sizeof(path), "%s/output.wm-journal", directory);
	CU_ASSERT_EQUAL_FATAL(wm_journal_create(&journal, path, &identity, &error), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	wm_recompute_init(&recompute, EXTENTS_MAX);
	memset(named, 0, sizeof(named));
}

static void end(void)
{
	wm_recompute_fini(&recompute);
	close(fd);
	wm_journal_remove(&journal);
}

/* Returns the record's number. */
static uint32_t append(enum wm_journal_type type, uint64_t extent, uint64_t nodes)
{
	const struct wm_journal_record record = { .type = type, .extent = extent, .nodes = nodes };
	uint8_t bytes[WM_JOURNAL_RECORD_BYTES];

	wm_journal_encode_record(bytes, &record, journal.random, journal.records);
	CU_ASSERT_EQUAL(pwrite(fd, bytes, sizeof(bytes),
			       WM_JOURNAL_HEADER_BYTES + (off_t)journal.records * sizeof(bytes)),
			sizeof(bytes));
	return journal.records++;
}

static uint32_t quarantine(uint64_t nodes)
{
	return append(WM_JOURNAL_QUARANTINE, 0, nodes);
}

/* Feeds to the end. Returns how many extents were named, or a negative errno. */
static int feed_all(unsigned *calls)
{
	uint64_t extents[WM_RECOMPUTE_BURST];
	bool finished = false;
	int total = 0;

	for (*calls = 0; !finished && *calls < EXTENTS_MAX; ++*calls) {
		int count = wm_recompute_feed(&recompute, &journal, extents, &finished);

		if (count < 0)
			return count;
		CU_ASSERT_TRUE_FATAL(count <= (int)WM_RECOMPUTE_BURST);
		CU_ASSERT_TRUE(!finished || count == 0);
		for (int i = 0; i < count; i++)
			named[extents[i]]++;
		total += count;
	}
	CU_ASSERT_TRUE(finished);
	return total;
}

static void what_a_node_had_a_part_in_is_named_and_nothing_else(void)
{
	unsigned calls;

	begin();
	for (uint64_t extent = 0; extent < 1000; extent++)
		append(WM_JOURNAL_EXTENT, extent, 1 | (extent % 3 == 0) << 5);
	wm_recompute_begin(&recompute, 1 << 5, quarantine(1 << 5), 1);
	CU_ASSERT_TRUE(recompute.active);
	CU_ASSERT_EQUAL(feed_all(&calls), 334);
	for (uint64_t extent = 0; extent < 1000; extent++)
		CU_ASSERT_EQUAL(named[extent], extent % 3 == 0);
	end();
}

static void what_was_made_after_the_quarantine_stands(void)
{
	unsigned calls;
	uint32_t number;

	begin();
	append(WM_JOURNAL_EXTENT, 0, 1 << 5);
	number = quarantine(1 << 5);
	/* The place of a node that is trusted again, or another one with its bit. */
	append(WM_JOURNAL_EXTENT, 1, 1 << 5);
	wm_recompute_begin(&recompute, 1 << 5, number, 1);
	CU_ASSERT_EQUAL(feed_all(&calls), 1);
	CU_ASSERT_EQUAL(named[0], 1);
	end();
}

/* By another life of the job, or by this one: the journal knows. */
static void what_was_made_again_is_not_named_again(void)
{
	unsigned calls;
	uint32_t number;

	begin();
	for (uint64_t extent = 0; extent < 1000; extent++)
		append(WM_JOURNAL_EXTENT, extent, 1 << 5);
	number = quarantine(1 << 5);
	for (uint64_t extent = 0; extent < 1000; extent += 2)
		append(WM_JOURNAL_EXTENT, extent, 1 << 6);
	wm_recompute_begin(&recompute, 1 << 5, number, 1);
	CU_ASSERT_EQUAL(feed_all(&calls), 500);
	for (uint64_t extent = 0; extent < 1000; extent++)
		CU_ASSERT_EQUAL(named[extent], extent % 2);
	end();
}

/* The pass of a later quarantine goes over the first one's as well. */
static void what_is_made_again_during_a_pass_is_seen_by_the_next(void)
{
	uint64_t extents[WM_RECOMPUTE_BURST];
	unsigned calls;
	bool finished;
	int count;

	begin();
	for (uint64_t extent = 0; extent < 100; extent++)
		append(WM_JOURNAL_EXTENT, extent, 1 << 1);
	wm_recompute_begin(&recompute, 1 << 1, quarantine(1 << 1), 1);
	count = wm_recompute_feed(&recompute, &journal, extents, &finished);
	CU_ASSERT_EQUAL(count, WM_RECOMPUTE_BURST);
	for (int i = 0; i < count; i++)
		append(WM_JOURNAL_EXTENT, extents[i], 1 << 2);
	wm_recompute_begin(&recompute, 1 << 3, quarantine(1 << 3), 2);
	CU_ASSERT_EQUAL(feed_all(&calls), 100 - (int)WM_RECOMPUTE_BURST);
	for (int i = 0; i < count; i++)
		CU_ASSERT_EQUAL(named[extents[i]], 0);
	end();
}

static void what_was_made_again_and_is_void_again_is_named_again(void)
{
	unsigned calls;

	begin();
	append(WM_JOURNAL_EXTENT, 7, 1 << 1);
	quarantine(1 << 1);
	append(WM_JOURNAL_EXTENT, 7, 1 << 2);
	append(WM_JOURNAL_EXTENT, 8, 1 << 2);
	append(WM_JOURNAL_EXTENT, 8, 1 << 3);
	wm_recompute_begin(&recompute, 1 << 2, quarantine(1 << 2), 1);
	CU_ASSERT_EQUAL(feed_all(&calls), 1);
	CU_ASSERT_EQUAL(named[7], 1);
	end();
}

/* More than one window of them. */
static void a_job_of_any_size_is_looked_through(void)
{
	static const uint64_t far[] = { 3, WM_RECOMPUTE_WINDOW - 1, WM_RECOMPUTE_WINDOW,
					2 * (uint64_t)WM_RECOMPUTE_WINDOW + 77 };
	uint64_t extents[WM_RECOMPUTE_BURST];
	bool finished = false;
	unsigned found = 0;

	begin();
	wm_recompute_init(&recompute, 3 * (uint64_t)WM_RECOMPUTE_WINDOW - 5);
	for (unsigned i = 0; i < 4; i++)
		append(WM_JOURNAL_EXTENT, far[i], 1 << 1);
	wm_recompute_begin(&recompute, 1 << 1, quarantine(1 << 1), 1);
	while (!finished) {
		int count = wm_recompute_feed(&recompute, &journal, extents, &finished);

		CU_ASSERT_TRUE_FATAL(count >= 0);
		for (int i = 0; i < count; i++)
			CU_ASSERT_EQUAL(extents[i], far[found++]);
	}
	CU_ASSERT_EQUAL(found, 4);
	end();
}

static void a_quarantine_at_the_very_beginning_names_nothing(void)
{
	unsigned calls;

	begin();
	wm_recompute_begin(&recompute, 1, quarantine(1), 1);
	CU_ASSERT_EQUAL(feed_all(&calls), 0);
	CU_ASSERT_EQUAL(calls, 1);
	end();
}

/* The second node is found while the pass of the first goes on. */
static void a_pass_that_overlaps_another_finishes_both(void)
{
	uint64_t extents[WM_RECOMPUTE_BURST];
	unsigned calls;
	bool finished;

	begin();
	for (uint64_t extent = 0; extent < 500; extent++)
		append(WM_JOURNAL_EXTENT, extent, extent % 2 ? 1 << 1 : 1 << 2);
	wm_recompute_begin(&recompute, 1 << 1, quarantine(1 << 1), 1);
	CU_ASSERT_TRUE(wm_recompute_feed(&recompute, &journal, extents, &finished) > 0);
	/* Named and not made yet when the second begins: named again, which is no harm. */
	for (uint64_t extent = 500; extent < 600; extent++)
		append(WM_JOURNAL_EXTENT, extent, 1 << 2);
	wm_recompute_begin(&recompute, 1 << 2, quarantine(1 << 2), 2);
	CU_ASSERT_EQUAL(feed_all(&calls), 600);
	for (uint64_t extent = 0; extent < 600; extent++)
		CU_ASSERT_EQUAL(named[extent], 1);
	CU_ASSERT_EQUAL(recompute.pass, 2);
	end();
}

static void a_journal_in_which_nothing_is_void_is_read_through_in_few_calls(void)
{
	unsigned calls;

	begin();
	for (uint64_t extent = 0; extent < EXTENTS_MAX; extent++)
		append(WM_JOURNAL_EXTENT, extent, 1);
	wm_recompute_begin(&recompute, 1 << 3, quarantine(1 << 3), 1);
	CU_ASSERT_EQUAL(feed_all(&calls), 0);
	CU_ASSERT_TRUE(calls <= EXTENTS_MAX / 2048 + 2);
	end();
}

/* What stands behind it may be invalid, and nobody would know. */
static void a_record_that_does_not_read_is_an_error_not_the_end(void)
{
	uint8_t damage = 0xa5;
	unsigned calls;

	begin();
	for (uint64_t extent = 0; extent < 200; extent++)
		append(WM_JOURNAL_EXTENT, extent, 1 << 4);
	CU_ASSERT_EQUAL(
		pwrite(fd, &damage, 1, WM_JOURNAL_HEADER_BYTES + 100 * WM_JOURNAL_RECORD_BYTES + 9),
		1);
	wm_recompute_begin(&recompute, 1 << 4, quarantine(1 << 4), 1);
	CU_ASSERT_EQUAL(feed_all(&calls), -EBADMSG);
	CU_ASSERT_EQUAL(named[99], 0);
	end();
}

static const struct wm_test tests[] = {
	WM_TEST(what_a_node_had_a_part_in_is_named_and_nothing_else),
	WM_TEST(what_was_made_after_the_quarantine_stands),
	WM_TEST(what_was_made_again_is_not_named_again),
	WM_TEST(what_is_made_again_during_a_pass_is_seen_by_the_next),
	WM_TEST(what_was_made_again_and_is_void_again_is_named_again),
	WM_TEST(a_job_of_any_size_is_looked_through),
	WM_TEST(a_quarantine_at_the_very_beginning_names_nothing),
	WM_TEST(a_pass_that_overlaps_another_finishes_both),
	WM_TEST(a_journal_in_which_nothing_is_void_is_read_through_in_few_calls),
	WM_TEST(a_record_that_does_not_read_is_an_error_not_the_end),
};

int main(void)
{
	const char *temporary = getenv("TMPDIR");
	int ret;

	snprintf(directory, sizeof(directory), "%.40s/wm-recompute-XXXXXX",
		 temporary ? temporary : "/var/tmp");
	if (!mkdtemp(directory))
		return wm_tests_skip("a temporary directory");
	ret = WM_TESTS_RUN("recompute", tests);
	rmdir(directory);
	return ret;
}
