/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"
#include "harness.h"
#include "scratch.h"
#include "wiremill/journal.h"
#include "wiremill/limits.h"

#define HEADER WM_JOURNAL_HEADER_BYTES
#define RECORD WM_JOURNAL_RECORD_BYTES

/* ---- helpers ------------------------------------------------------------ */

/* An output, and the journal of the job that made it. */
struct made {
	char output[PATH_MAX], manifest[PATH_MAX], journal_path[PATH_MAX];
	uint8_t *bytes;
	struct wm_layout layout;
	struct wm_journal journal;
};

static void describe(struct made *made, uint64_t output_bytes)
{
	struct wm_journal_identity identity;

	memset(made, 0, sizeof(*made));
	snprintf(made->output, PATH_MAX, "%s", wm_scratch_path("output"));
	snprintf(made->manifest, PATH_MAX, "%s", wm_scratch_path("output.wm-manifest"));
	snprintf(made->journal_path, PATH_MAX, "%s", wm_scratch_path("output.wm-journal"));
	CU_ASSERT_EQUAL_FATAL(
		wm_layout_init(&made->layout, wm_kernel_find("xor"), output_bytes + 32, 1500, NULL),
		0);
	identity = (struct wm_journal_identity){
		.input_bytes = output_bytes + 32,
		.output_bytes = output_bytes,
		.extent_elements = made->layout.extent_elements,
		.kernel = made->layout.kernel,
		.input_path = "/data/in",
	};
	CU_ASSERT_EQUAL_FATAL(
		wm_journal_create(&made->journal, made->journal_path, &identity, NULL), 0);
}

static void begin(struct made *made, uint64_t output_bytes)
{
	describe(made, output_bytes);
	made->bytes = wm_scratch_bytes(output_bytes, output_bytes);
	wm_scratch_write(made->output, made->bytes, output_bytes);
}

static void end(struct made *made)
{
	wm_journal_remove(&made->journal);
	unlink(made->output);
	unlink(made->manifest);
	free(made->bytes);
}

static void append(struct made *made, struct wm_journal_record record)
{
	uint8_t bytes[RECORD];

	wm_journal_encode_record(bytes, &record, made->journal.random, made->journal.records);
	CU_ASSERT_EQUAL(pwrite(made->journal.fd, bytes, RECORD,
			       HEADER + (off_t)made->journal.records * RECORD),
			RECORD);
	made->journal.records++;
}

static void finish(struct made *made, uint64_t extent, uint32_t wrong, uint64_t nodes)
{
	struct wm_span span = wm_layout_extent(&made->layout, extent);
	uint32_t crc32c = wm_crc32c(0, made->bytes + span.out_offset, span.out_bytes);

	append(made,
	       (struct wm_journal_record){ WM_JOURNAL_EXTENT, crc32c ^ wrong, extent, nodes });
}

static void finish_all(struct made *made)
{
	for (uint64_t extent = 0; extent < made->layout.extents; extent++)
		finish(made, extent, 0, 1);
}

static int create(const struct made *made)
{
	struct wm_error error = { "" };
	int ret = wm_manifest_create(made->manifest, made->output, &made->journal, &made->layout,
				     &error);

	if (ret < 0) {
		CU_ASSERT(wm_scratch_is_line(&error));
		wm_manifest_unreserve(made->manifest);
	}
	CU_ASSERT_FALSE(wm_scratch_exists(wm_scratch_path("output.wm-manifest.new")));
	return ret;
}

static int verify(const struct made *made, struct wm_verify_result *result)
{
	struct wm_error error = { "" };
	int ret = wm_manifest_verify(made->manifest, made->output, NULL, NULL, result, &error);

	if (ret < 0)
		CU_ASSERT(wm_scratch_is_line(&error));
	return ret;
}

static void is_equal(const struct made *made)
{
	struct wm_verify_result result = { 0 };

	CU_ASSERT_EQUAL(verify(made, &result), 0);
	CU_ASSERT_TRUE(result.equal);
	CU_ASSERT_EQUAL(result.bytes_checked, made->layout.output_bytes);
}

static void differs_at(const struct made *made, uint64_t offset)
{
	struct wm_verify_result result = { .equal = true };

	CU_ASSERT_EQUAL(verify(made, &result), 0);
	CU_ASSERT_FALSE(result.equal);
	CU_ASSERT_EQUAL(result.offset, offset);
}

static void poke(const char *path, uint64_t offset, uint8_t mask)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	CU_ASSERT_EQUAL_FATAL(pread(fd, &byte, 1, (off_t)offset), 1);
	byte ^= mask;
	CU_ASSERT_EQUAL_FATAL(pwrite(fd, &byte, 1, (off_t)offset), 1);
	close(fd);
}

/* The file itself, computed here. */
static bool manifest_is_right(const struct made *made)
{
	uint64_t extents = made->layout.extents;
	size_t bytes = HEADER + (extents + 1) * 4;
	uint8_t *expected = calloc(1, bytes);
	uint32_t *crcs = calloc(extents + 1, 4);
	bool right;

	wm_manifest_encode_header(expected, &made->journal.identity, made->journal.random);
	for (uint64_t extent = 0; extent < extents; extent++) {
		struct wm_span span = wm_layout_extent(&made->layout, extent);

		crcs[extent] = wm_crc32c(0, made->bytes + span.out_offset, span.out_bytes);
	}
	crcs[extents] = wm_crc32c(0, crcs, extents * 4);
	memcpy(expected + HEADER, crcs, (extents + 1) * 4);
	right = wm_scratch_holds(made->manifest, expected, bytes);
	free(crcs);
	free(expected);
	return right;
}

/* ---- making ------------------------------------------------------------- */

static void extents_in_any_order_come_out_in_order(void)
{
	struct made made;

	begin(&made, 23 * WM_EXTENT_BYTES + 999 * 32);
	for (uint64_t i = 0; i < 24; i++)
		finish(&made, i * 7 % 24, 0, 1);
	CU_ASSERT_EQUAL(create(&made), 0);
	CU_ASSERT(manifest_is_right(&made));
	is_equal(&made);
	end(&made);
}

static void of_an_extent_finished_twice_the_last_counts(void)
{
	struct made made;

	begin(&made, 5 * WM_EXTENT_BYTES);
	for (uint64_t i = 0; i < 5; i++)
		finish(&made, 4 - i, 0xbad, 1);
	for (uint64_t i = 0; i < 5; i++) {
		finish(&made, i * 2 % 5, 0xdead, 2);
		finish(&made, i * 2 % 5, 0, 4);
	}
	CU_ASSERT_EQUAL(create(&made), 0);
	CU_ASSERT(manifest_is_right(&made));
	end(&made);
}

static void a_missing_extent_is_refused(void)
{
	struct made made;

	for (uint64_t missing = 0; missing < 4; missing++) {
		begin(&made, 4 * WM_EXTENT_BYTES);
		for (uint64_t extent = 0; extent < 4; extent++) {
			if (extent != missing)
				finish(&made, extent, 0, 1);
		}
		CU_ASSERT_EQUAL(create(&made), -EBADMSG);
		CU_ASSERT_FALSE(wm_scratch_exists(made.manifest));
		finish(&made, missing, 0, 1);
		CU_ASSERT_EQUAL(create(&made), 0);
		end(&made);
	}
}

static void what_a_quarantine_made_void_is_missing(void)
{
	struct made made;

	begin(&made, 3 * WM_EXTENT_BYTES);
	finish(&made, 0, 0xbad, 1u << 5 | 1);
	finish(&made, 1, 0, 2);
	finish(&made, 2, 0, 4);
	append(&made, (struct wm_journal_record){ WM_JOURNAL_QUARANTINE, 0, 0, 1u << 5 });
	CU_ASSERT_EQUAL(create(&made), -EBADMSG);
	finish(&made, 0, 0, 2);
	CU_ASSERT_EQUAL(create(&made), 0);
	CU_ASSERT(manifest_is_right(&made));
	/* The last record of extent 2 is invalid; that an earlier one is not does not help. */
	finish(&made, 2, 0, 1u << 5);
	CU_ASSERT_EQUAL(create(&made), 0);
	append(&made, (struct wm_journal_record){ WM_JOURNAL_QUARANTINE, 0, 0, 1u << 5 });
	CU_ASSERT_EQUAL(create(&made), -EBADMSG);
	finish(&made, 2, 0, 1u << 5);
	CU_ASSERT_EQUAL(create(&made), 0);
	end(&made);
}

static void an_older_manifest_is_replaced(void)
{
	struct made made;

	begin(&made, 100 * 32);
	finish_all(&made);
	wm_scratch_write(made.manifest, "WMMNFT\0\1 old", 12);
	wm_scratch_write(wm_scratch_path("output.wm-manifest.new"), "WMM", 3);
	CU_ASSERT_EQUAL(create(&made), 0);
	CU_ASSERT(manifest_is_right(&made));
	end(&made);
}

static void somebody_elses_file_in_its_place_is_kept(void)
{
	struct made made;

	begin(&made, 100 * 32);
	finish_all(&made);
	wm_scratch_write(made.manifest, "theirs", 6);
	CU_ASSERT_EQUAL(create(&made), -EEXIST);
	CU_ASSERT(wm_scratch_holds(made.manifest, "theirs", 6));
	CU_ASSERT_EQUAL(unlink(made.manifest), 0);
	CU_ASSERT_EQUAL(mkfifo(made.manifest, 0600), 0);
	CU_ASSERT_EQUAL(create(&made), -EINVAL);
	CU_ASSERT_EQUAL(unlink(made.manifest), 0);
	end(&made);
}

/* And an earlier life's reservation is taken over, unless it is another name of something. */
static void its_space_is_reserved_before_it_is_written(void)
{
	char kept[PATH_MAX], reserved[PATH_MAX];
	struct stat before, after;
	struct made made;

	begin(&made, 5000 * 32);
	finish_all(&made);
	snprintf(reserved, PATH_MAX, "%s", wm_scratch_path("output.wm-manifest.new"));
	snprintf(kept, PATH_MAX, "%s", wm_scratch_path("kept"));
	CU_ASSERT_EQUAL_FATAL(wm_manifest_reserve(made.manifest, &made.journal, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(stat(reserved, &before), 0);
	CU_ASSERT_EQUAL((uint64_t)before.st_size, wm_manifest_bytes(made.layout.extents));
	CU_ASSERT((uint64_t)before.st_blocks * 512 >= wm_manifest_bytes(made.layout.extents));
	CU_ASSERT_EQUAL(create(&made), 0);
	CU_ASSERT(manifest_is_right(&made));
	CU_ASSERT_EQUAL_FATAL(stat(made.manifest, &after), 0);
	CU_ASSERT_EQUAL(before.st_ino, after.st_ino);

	CU_ASSERT_EQUAL_FATAL(wm_manifest_reserve(made.manifest, &made.journal, NULL), 0);
	CU_ASSERT_EQUAL(link(reserved, kept), 0);
	CU_ASSERT_EQUAL(create(&made), 0);
	CU_ASSERT_EQUAL_FATAL(stat(kept, &before) | stat(made.manifest, &after), 0);
	CU_ASSERT_NOT_EQUAL(before.st_ino, after.st_ino);
	unlink(kept);
	end(&made);
}

static void who_may_read_the_output_may_read_its_manifest(void)
{
	static const mode_t modes[] = { 0600, 0640, 0664 };
	struct stat status;
	struct made made;

	for (unsigned i = 0; i < 3; i++) {
		begin(&made, 100 * 32);
		finish_all(&made);
		CU_ASSERT_EQUAL(chmod(made.output, modes[i]), 0);
		CU_ASSERT_EQUAL(create(&made), 0);
		CU_ASSERT_EQUAL_FATAL(stat(made.manifest, &status), 0);
		CU_ASSERT_EQUAL(status.st_mode & 0777, modes[i]);
		end(&made);
	}
}

static void a_manifest_that_cannot_be_written_is_refused(void)
{
	struct wm_error error = { "" };
	struct made made;

	begin(&made, 100 * 32);
	finish_all(&made);
	CU_ASSERT_EQUAL(wm_manifest_create(wm_scratch_path("no/manifest"), made.output,
					   &made.journal, &made.layout, &error),
			-ENOENT);
	CU_ASSERT(wm_scratch_is_line(&error));
	end(&made);
}

/* ---- more than a window ------------------------------------------------- */

static uint64_t scattered(uint64_t i, uint64_t extents)
{
	return i * 1000003 % extents; /* a prime that does not divide it */
}

/* Two million extents and some, scattered: the output itself is not needed. */
static void append_many(struct made *made, uint64_t extents, uint64_t left_out)
{
	enum { PIECE = 4096 };
	uint8_t *bytes = malloc(PIECE * RECORD);
	uint32_t number = 0;

	for (uint64_t i = 0, used = 0; i < extents; i++) {
		uint64_t extent = scattered(i, extents);
		struct wm_journal_record record = { WM_JOURNAL_EXTENT, ~(uint32_t)extent, extent,
						    1 };

		if (extent != left_out)
			wm_journal_encode_record(bytes + used++ * RECORD, &record,
						 made->journal.random, number++);
		if (used < PIECE && i + 1 < extents)
			continue;
		CU_ASSERT_EQUAL(pwrite(made->journal.fd, bytes, used * RECORD,
				       HEADER + (off_t)(number - used) * RECORD),
				(ssize_t)(used * RECORD));
		used = 0;
	}
	made->journal.records = number;
	free(bytes);
}

static void an_output_of_terabytes_has_its_manifest(void)
{
	uint64_t extents = (2u << 20) + 77;
	struct made made;
	uint32_t *found;
	uint64_t wrong = 0;
	size_t bytes;

	describe(&made, extents * WM_EXTENT_BYTES);
	wm_scratch_write(made.output, "", 0);
	append_many(&made, extents, UINT64_MAX);
	CU_ASSERT_EQUAL(create(&made), 0);
	found = (uint32_t *)wm_scratch_read(made.manifest, &bytes);
	CU_ASSERT_EQUAL_FATAL(bytes, HEADER + (extents + 1) * 4);
	for (uint64_t extent = 0; extent < extents; extent++)
		wrong += found[HEADER / 4 + extent] != ~(uint32_t)extent;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(found[HEADER / 4 + extents], wm_crc32c(0, found + HEADER / 4, extents * 4));
	free(found);

	append_many(&made, extents, extents - 3);
	CU_ASSERT_EQUAL(create(&made), -EBADMSG);
	end(&made);
}

/* ---- checking ----------------------------------------------------------- */

static void a_flipped_bit_in_any_extent_is_found(void)
{
	struct made made;

	begin(&made, 20 * WM_EXTENT_BYTES + 12345 * 32);
	finish_all(&made);
	CU_ASSERT_EQUAL(create(&made), 0);
	for (uint64_t extent = 0; extent < made.layout.extents; extent++) {
		struct wm_span span = wm_layout_extent(&made.layout, extent);
		uint64_t last = span.out_offset + span.out_bytes - 1;

		poke(made.output, last, 0x80);
		differs_at(&made, span.out_offset);
		poke(made.output, last, 0x80);
		poke(made.output, span.out_offset, 1);
		differs_at(&made, span.out_offset);
		poke(made.output, span.out_offset, 1);
	}
	is_equal(&made);
	end(&made);
}

static void the_first_difference_is_told(void)
{
	struct made made;

	begin(&made, 9 * WM_EXTENT_BYTES);
	finish_all(&made);
	CU_ASSERT_EQUAL(create(&made), 0);
	poke(made.output, 8 * WM_EXTENT_BYTES + 5, 1);
	poke(made.output, 3 * WM_EXTENT_BYTES + 5, 1);
	poke(made.output, 4 * WM_EXTENT_BYTES + 5, 1);
	differs_at(&made, 3 * WM_EXTENT_BYTES);
	end(&made);
}

static void an_output_of_the_wrong_length_differs_at_the_shorter(void)
{
	uint64_t right = 3 * WM_EXTENT_BYTES + 100 * 32;
	uint64_t sizes[] = { 0, 1, WM_EXTENT_BYTES, 3 * WM_EXTENT_BYTES, right - 1 };
	struct made made;

	begin(&made, right);
	finish_all(&made);
	CU_ASSERT_EQUAL(create(&made), 0);
	CU_ASSERT_EQUAL_FATAL(truncate(made.output, (off_t)right + 1), 0);
	differs_at(&made, right);
	CU_ASSERT_EQUAL_FATAL(truncate(made.output, 100 * WM_EXTENT_BYTES), 0);
	differs_at(&made, right);
	for (unsigned i = 5; i-- > 0;) {
		CU_ASSERT_EQUAL_FATAL(truncate(made.output, (off_t)sizes[i]), 0);
		differs_at(&made, sizes[i]);
	}
	end(&made);
}

static void a_small_output_is_checked(void)
{
	static const uint64_t elements[] = { 1, 127, 128, 129, 32767, 32768, 32769 };
	struct made made;

	for (unsigned i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
		begin(&made, elements[i] * 32);
		finish_all(&made);
		CU_ASSERT_EQUAL(create(&made), 0);
		is_equal(&made);
		poke(made.output, elements[i] * 32 - 1, 1);
		differs_at(&made, (made.layout.extents - 1) * WM_EXTENT_BYTES);
		end(&made);
	}
}

static void an_output_in_memory_is_checked(void)
{
	const char *directory = wm_scratch_shm();
	struct made made;

	if (!directory) {
		printf("# no /dev/shm: not looked at\n");
		return;
	}
	begin(&made, 3 * WM_EXTENT_BYTES + 32);
	finish_all(&made);
	CU_ASSERT_EQUAL(create(&made), 0);
	snprintf(made.output, PATH_MAX, "%s/output", directory);
	wm_scratch_write(made.output, made.bytes, made.layout.output_bytes);
	is_equal(&made);
	poke(made.output, 3 * WM_EXTENT_BYTES, 1);
	differs_at(&made, 3 * WM_EXTENT_BYTES);
	end(&made);
	unlink(wm_scratch_path("output"));
}

static void a_damaged_manifest_is_refused(void)
{
	static const uint64_t places[] = {
		0, 16, 5000, 8191, 8192, 8192 + 4 * 3 + 3, 8192 + 4 * 5
	};
	struct wm_verify_result result;
	struct made made;

	begin(&made, 5 * WM_EXTENT_BYTES);
	finish_all(&made);
	CU_ASSERT_EQUAL(create(&made), 0);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		poke(made.manifest, places[i], 4);
		CU_ASSERT_EQUAL(verify(&made, &result), -EBADMSG);
		poke(made.manifest, places[i], 4);
	}
	is_equal(&made);
	CU_ASSERT_EQUAL_FATAL(truncate(made.manifest, HEADER + 6 * 4 + 1), 0);
	CU_ASSERT_EQUAL(verify(&made, &result), -EBADMSG);
	CU_ASSERT_EQUAL_FATAL(truncate(made.manifest, HEADER + 5 * 4), 0);
	CU_ASSERT_EQUAL(verify(&made, &result), -EBADMSG);
	CU_ASSERT_EQUAL_FATAL(truncate(made.manifest, 100), 0);
	CU_ASSERT_EQUAL(verify(&made, &result), -EBADMSG);
	unlink(made.manifest);
	CU_ASSERT_EQUAL(verify(&made, &result), -ENOENT);
	end(&made);
}

static void what_is_missing_is_named(void)
{
	struct wm_verify_result result;
	struct wm_error error;
	struct made made;

	begin(&made, 32);
	finish_all(&made);
	CU_ASSERT_EQUAL(wm_manifest_verify(made.manifest, made.output, NULL, NULL, &result, &error),
			-ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "manifest"));
	CU_ASSERT_EQUAL(create(&made), 0);
	unlink(made.output);
	CU_ASSERT_EQUAL(wm_manifest_verify(made.manifest, made.output, NULL, NULL, &result, &error),
			-ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "output"));
	/* A journal is no manifest. */
	CU_ASSERT_EQUAL(
		wm_manifest_verify(made.journal_path, made.output, NULL, NULL, &result, &error),
		-EBADMSG);
	end(&made);
}

struct watch {
	uint64_t calls, last, total, stop_at;
};

static bool watch(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
	struct watch *watch = context;

	CU_ASSERT(done_bytes >= watch->last);
	watch->last = done_bytes;
	watch->total = total_bytes;
	return ++watch->calls != watch->stop_at;
}

static void progress_is_told_and_may_stop(void)
{
	struct wm_verify_result result;
	struct watch seen = { 0 };
	struct wm_error error;
	struct made made;

	begin(&made, 40 * WM_EXTENT_BYTES + 32);
	finish_all(&made);
	CU_ASSERT_EQUAL(create(&made), 0);
	CU_ASSERT_EQUAL(
		wm_manifest_verify(made.manifest, made.output, watch, &seen, &result, &error), 0);
	CU_ASSERT(seen.last == made.layout.output_bytes && seen.total == seen.last);
	CU_ASSERT(seen.calls >= 2);
	seen = (struct watch){ .stop_at = 2 };
	CU_ASSERT_EQUAL(
		wm_manifest_verify(made.manifest, made.output, watch, &seen, &result, &error),
		-ECANCELED);
	CU_ASSERT_EQUAL(seen.calls, 2);
	CU_ASSERT(wm_scratch_is_line(&error));
	end(&made);
}

static const struct wm_test tests[] = {
	WM_TEST(extents_in_any_order_come_out_in_order),
	WM_TEST(of_an_extent_finished_twice_the_last_counts),
	WM_TEST(a_missing_extent_is_refused),
	WM_TEST(what_a_quarantine_made_void_is_missing),
	WM_TEST(an_older_manifest_is_replaced),
	WM_TEST(somebody_elses_file_in_its_place_is_kept),
	WM_TEST(its_space_is_reserved_before_it_is_written),
	WM_TEST(who_may_read_the_output_may_read_its_manifest),
	WM_TEST(a_manifest_that_cannot_be_written_is_refused),
	WM_TEST(an_output_of_terabytes_has_its_manifest),
	WM_TEST(a_flipped_bit_in_any_extent_is_found),
	WM_TEST(the_first_difference_is_told),
	WM_TEST(an_output_of_the_wrong_length_differs_at_the_shorter),
	WM_TEST(a_small_output_is_checked),
	WM_TEST(an_output_in_memory_is_checked),
	WM_TEST(a_damaged_manifest_is_refused),
	WM_TEST(what_is_missing_is_named),
	WM_TEST(progress_is_told_and_may_stop),
};

int main(void)
{
	int ret;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	ret = WM_TESTS_RUN("manifest", tests);
	wm_scratch_end();
	return ret;
}
