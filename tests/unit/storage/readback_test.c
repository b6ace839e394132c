/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiremill/readback.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "file.h"
#include "harness.h"
#include "scratch.h"
#include "wiremill/limits.h"

#define EXTENTS 67u /* more than one call reads, and the last ends inside a page */
#define OUTPUT_BYTES ((uint64_t)(EXTENTS - 1) * WM_EXTENT_BYTES + 5000 * 32)

static uint8_t *bytes;
static struct wm_sink sink;
static struct wm_layout layout;
static struct wm_journal journal;
static struct wm_readback *readback;

/* ---- helpers ------------------------------------------------------------ */

static void append(struct wm_journal_record record)
{
	uint8_t encoded[WM_JOURNAL_RECORD_BYTES];

	wm_journal_encode_record(encoded, &record, journal.random, journal.records);
	CU_ASSERT_EQUAL(pwrite(journal.fd, encoded, sizeof(encoded),
			       WM_JOURNAL_HEADER_BYTES + (off_t)journal.records * sizeof(encoded)),
			sizeof(encoded));
	journal.records++;
}

static void vouch(uint64_t extent, uint64_t nodes)
{
	struct wm_span span = wm_layout_extent(&layout, extent);

	append((struct wm_journal_record){
		.type = WM_JOURNAL_EXTENT,
		.crc32c = wm_crc32c(0, bytes + span.out_offset, span.out_bytes),
		.extent = extent,
		.nodes = nodes,
	});
}

static void quarantine(uint64_t nodes)
{
	append((struct wm_journal_record){ .type = WM_JOURNAL_QUARANTINE, .nodes = nodes });
}

static void make_journal(void)
{
	struct wm_journal_identity identity;

	CU_ASSERT_EQUAL_FATAL(
		wm_layout_init(&layout, wm_kernel_find("xor"), OUTPUT_BYTES + 32, 9000, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(layout.extents, EXTENTS);
	identity = (struct wm_journal_identity){
		.input_bytes = OUTPUT_BYTES + 32,
		.output_bytes = OUTPUT_BYTES,
		.extent_elements = layout.extent_elements,
		.kernel = layout.kernel,
		.input_path = "/data/in",
	};
	CU_ASSERT_EQUAL_FATAL(
		wm_journal_create(&journal, wm_scratch_path("output.wm-journal"), &identity, NULL),
		0);
}

/* A job of which so many extents were made, and are on disk. */
static void begin(uint64_t vouched)
{
	const char *path = wm_scratch_path("output.wm-partial");

	make_journal();
	bytes = wm_scratch_bytes(OUTPUT_BYTES, 7);
	wm_scratch_write(path, bytes, OUTPUT_BYTES);
	sink = (struct wm_sink){ .fd = open(path, O_RDWR | O_CLOEXEC), .bytes = OUTPUT_BYTES };
	CU_ASSERT_TRUE_FATAL(sink.fd >= 0);
	sink.direct = wm_file_set_direct(sink.fd, false, &sink.align_bytes);
	for (uint64_t extent = 0; extent < vouched; extent++)
		vouch(extent, 1);
}

static void end(void)
{
	wm_readback_destroy(&readback);
	wm_journal_remove(&journal);
	close(sink.fd);
	unlink(wm_scratch_path("output.wm-partial"));
	free(bytes);
}

static void resume(void)
{
	struct wm_error error = { "" };

	CU_ASSERT_EQUAL_FATAL(wm_readback_create(&readback, &journal, &sink, &layout, &error), 0);
}

/* To the end: how many differ. The last of them in *extent. */
static unsigned read_all(uint64_t *extent, uint64_t *read_bytes)
{
	struct wm_readback_found found = { .finished = false };
	struct wm_error error = { "" };
	unsigned differing = 0, calls = 0;

	for (*read_bytes = 0; !found.finished; calls++) {
		CU_ASSERT_EQUAL_FATAL(wm_readback_next(readback, &found, &error), 0);
		CU_ASSERT(!found.finished || (found.bytes == 0 && found.count == 0));
		*read_bytes += found.bytes;
		differing += found.count;
		if (found.count > 0)
			*extent = found.extents[found.count - 1];
	}
	CU_ASSERT(calls >= 1);
	return differing;
}

static void flip(uint64_t offset)
{
	int fd = open(wm_scratch_path("output.wm-partial"), O_WRONLY | O_CLOEXEC);
	const uint8_t other = bytes[offset] ^ 1;

	CU_ASSERT_EQUAL(pwrite(fd, &other, 1, (off_t)offset), 1);
	close(fd);
}

/* ---- tests ---------------------------------------------------------------- */

static void all_that_is_vouched_for_is_read_once(void)
{
	uint64_t extent, read_bytes;

	begin(EXTENTS);
	resume();
	CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), 0);
	CU_ASSERT_EQUAL(read_bytes, OUTPUT_BYTES);
	end();
}

static void what_nobody_vouches_for_is_not_looked_at(void)
{
	uint64_t extent, read_bytes;

	begin(3);
	flip(3 * WM_EXTENT_BYTES);
	resume();
	CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), 0);
	CU_ASSERT_EQUAL(read_bytes, 3 * WM_EXTENT_BYTES);
	end();
}

static void one_bit_is_found_wherever_it_is(void)
{
	static const uint64_t places[] = { 0, 1000, 30 * WM_EXTENT_BYTES + 77, OUTPUT_BYTES - 1 };
	uint64_t extent, read_bytes;

	for (unsigned i = 0; i < 4; i++) {
		begin(EXTENTS);
		flip(places[i]);
		resume();
		CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), 1);
		CU_ASSERT_EQUAL(extent, places[i] / WM_EXTENT_BYTES);
		end();
	}
}

static void an_output_that_was_cut_differs_from_there_on(void)
{
	uint64_t extent, read_bytes;

	begin(EXTENTS);
	CU_ASSERT_EQUAL(truncate(wm_scratch_path("output.wm-partial"), 60 * WM_EXTENT_BYTES + 9),
			0);
	resume();
	CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), EXTENTS - 60);
	end();
}

/* What was read by then is not looked at again: the lane has what was found of it. */
static void an_output_that_is_cut_meanwhile_differs_from_there_on(void)
{
	struct wm_readback_found found;
	uint64_t extent, read_bytes;
	struct wm_error error = { "" };

	begin(EXTENTS);
	resume();
	CU_ASSERT_EQUAL_FATAL(wm_readback_next(readback, &found, &error), 0);
	CU_ASSERT(found.count == 0 && found.bytes == WM_READBACK_BURST * WM_EXTENT_BYTES);
	CU_ASSERT_EQUAL(truncate(wm_scratch_path("output.wm-partial"), 65 * WM_EXTENT_BYTES), 0);
	CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), 2);
	CU_ASSERT_EQUAL(extent, EXTENTS - 1);
	end();
}

/* Who reads it back may end at any moment: nothing that it does is kept anywhere. */
static void an_end_in_the_middle_leaves_all_to_the_next(void)
{
	struct wm_readback_found found;
	uint64_t extent, read_bytes;
	struct wm_error error = { "" };

	begin(EXTENTS);
	flip(1000);
	resume();
	CU_ASSERT_EQUAL_FATAL(wm_readback_next(readback, &found, &error), 0);
	CU_ASSERT(found.count == 1 && found.extents[0] == 0);
	wm_readback_destroy(&readback);
	resume();
	CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), 1);
	CU_ASSERT(extent == 0 && read_bytes == OUTPUT_BYTES);
	end();
}

/* It is made again anyway. */
static void what_is_invalid_is_not_looked_at(void)
{
	uint64_t extent, read_bytes;

	begin(2);
	vouch(2, 4);
	quarantine(4);
	flip(2 * WM_EXTENT_BYTES);
	resume();
	CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), 0);
	CU_ASSERT_EQUAL(read_bytes, 2 * WM_EXTENT_BYTES);
	end();
}

static void of_an_extent_made_twice_the_last_record_counts(void)
{
	uint64_t extent, read_bytes;

	begin(0);
	append((struct wm_journal_record){
		.type = WM_JOURNAL_EXTENT, .crc32c = 1, .extent = 0, .nodes = 4 });
	quarantine(4);
	vouch(0, 1);
	resume();
	CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), 0);
	CU_ASSERT_EQUAL(read_bytes, WM_EXTENT_BYTES);
	end();
}

/* By this life, after a quarantine: half of it may be written when it is read. */
static void what_is_being_made_again_does_not_differ(void)
{
	uint64_t extent, read_bytes;

	begin(2);
	vouch(2, 4);
	vouch(3, 4);
	resume();
	quarantine(4);
	flip(2 * WM_EXTENT_BYTES);
	bytes[3 * WM_EXTENT_BYTES] ^= 1;
	flip(3 * WM_EXTENT_BYTES + 1);
	vouch(3, 1);
	flip(1);
	CU_ASSERT_EQUAL(read_all(&extent, &read_bytes), 1);
	CU_ASSERT_EQUAL(extent, 0);
	end();
}

static void a_journal_that_is_damaged_meanwhile_ends_it(void)
{
	struct wm_readback_found found;
	struct wm_error error = { "" };

	begin(EXTENTS);
	resume();
	CU_ASSERT_EQUAL(ftruncate(journal.fd, WM_JOURNAL_HEADER_BYTES), 0);
	CU_ASSERT_EQUAL(wm_readback_next(readback, &found, &error), -EBADMSG);
	CU_ASSERT(wm_scratch_is_line(&error));
	end();
}

static const struct wm_test tests[] = {
	WM_TEST(all_that_is_vouched_for_is_read_once),
	WM_TEST(what_nobody_vouches_for_is_not_looked_at),
	WM_TEST(one_bit_is_found_wherever_it_is),
	WM_TEST(an_output_that_was_cut_differs_from_there_on),
	WM_TEST(an_output_that_is_cut_meanwhile_differs_from_there_on),
	WM_TEST(an_end_in_the_middle_leaves_all_to_the_next),
	WM_TEST(what_is_invalid_is_not_looked_at),
	WM_TEST(of_an_extent_made_twice_the_last_record_counts),
	WM_TEST(what_is_being_made_again_does_not_differ),
	WM_TEST(a_journal_that_is_damaged_meanwhile_ends_it),
};

int main(void)
{
	int ret;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	ret = WM_TESTS_RUN("readback", tests);
	wm_scratch_end();
	return ret;
}
