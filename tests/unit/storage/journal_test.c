/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crc32c.h"
#include "harness.h"
#include "scratch.h"
#include "wiremill/journal.h"
#include "wiremill/side.h"

#define HEADER WM_JOURNAL_HEADER_BYTES
#define RECORD WM_JOURNAL_RECORD_BYTES
#define EXTENTS 200000u

/* ---- helpers ------------------------------------------------------------ */

static struct wm_journal_identity identity(void)
{
	return (struct wm_journal_identity){
		.input_bytes = ((uint64_t)EXTENTS << 20) + 32,
		.input_mtime_ns = 1700000000123456789,
		.input_sample = 0x01234567,
		.output_bytes = (uint64_t)EXTENTS << 20,
		.extent_elements = 32768,
		.kernel = *wm_kernel_find("xor"),
		.input_path = "/data/in",
	};
}

static struct wm_journal_record record_of(uint64_t number)
{
	return (struct wm_journal_record){
		.type = WM_JOURNAL_EXTENT,
		.crc32c = (uint32_t)(number * 2654435761u),
		.extent = number * 7919 % EXTENTS,
		.nodes = 1ull << number % 64,
	};
}

/* As wm_store_journal leaves it. */
static void append(const struct wm_journal *journal, uint64_t count)
{
	uint8_t *bytes = malloc(count * RECORD);

	for (uint64_t i = 0; i < count; i++) {
		struct wm_journal_record record = record_of(i);

		wm_journal_encode_record(bytes + i * RECORD, &record, journal->random, (uint32_t)i);
	}
	CU_ASSERT_EQUAL_FATAL(pwrite(journal->fd, bytes, count * RECORD, HEADER),
			      (ssize_t)(count * RECORD));
	free(bytes);
}

/* A closed journal of `count` records. */
static const char *make(const char *name, uint64_t count)
{
	struct wm_journal_identity job = identity();
	const char *path = wm_scratch_path(name);
	struct wm_error error = { "" };
	struct wm_journal journal;

	unlink(path);
	if (wm_journal_create(&journal, path, &job, &error) < 0)
		printf("# %s\n", error.text);
	append(&journal, count);
	wm_journal_close(&journal);
	return path;
}

static uint64_t size_of(const char *path)
{
	struct stat status;

	CU_ASSERT_EQUAL_FATAL(stat(path, &status), 0);
	return (uint64_t)status.st_size;
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

struct seen {
	uint64_t count, wrong, stop_at;
};

static int see(void *context, const struct wm_journal_record *record)
{
	struct seen *seen = context;
	struct wm_journal_record expected = record_of(seen->count);

	seen->wrong += memcmp(record, &expected, sizeof(expected)) != 0;
	return ++seen->count == seen->stop_at ? -ECANCELED : 0;
}

/* Opens with so many records, all right, and the file cut to them. */
static void opens_with(const char *path, uint64_t count)
{
	struct wm_error error = { "" };
	struct seen seen = { 0 };
	struct wm_journal journal;
	int ret = wm_journal_open(&journal, path, see, &seen, &error);

	CU_ASSERT_EQUAL(ret, 0);
	if (ret < 0) {
		printf("# %s\n", error.text);
		return;
	}
	CU_ASSERT(journal.records == count && seen.count == count && seen.wrong == 0);
	CU_ASSERT_EQUAL(size_of(path), HEADER + count * RECORD);
	wm_journal_close(&journal);
}

static void is_refused(const char *path, int code)
{
	struct wm_error error = { "" };
	struct wm_journal journal;

	CU_ASSERT_EQUAL(wm_journal_open(&journal, path, NULL, NULL, &error), -code);
	CU_ASSERT(wm_scratch_is_line(&error));
}

/* ---- life --------------------------------------------------------------- */

static void a_new_journal_is_empty_and_opens_as_it_was_made(void)
{
	struct wm_journal_identity job = identity();
	const char *path = make("new", 0);
	struct wm_journal journal;
	struct wm_error error;

	CU_ASSERT_FALSE(wm_scratch_exists(wm_scratch_path("new.new")));
	CU_ASSERT_EQUAL_FATAL(wm_journal_open(&journal, path, NULL, NULL, &error), 0);
	CU_ASSERT_EQUAL(journal.records, 0);
	CU_ASSERT_FALSE(journal.failed);
	CU_ASSERT_STRING_EQUAL(journal.path, path);
	CU_ASSERT_EQUAL(wm_journal_match(&journal.identity, &job, &error), 0);
	CU_ASSERT_STRING_EQUAL(journal.identity.input_path, job.input_path);
	CU_ASSERT_EQUAL(fcntl(journal.fd, F_GETFL) & O_DSYNC, O_DSYNC);
	wm_journal_close(&journal);
	unlink(path);
}

static void a_journal_that_is_there_is_not_overwritten(void)
{
	struct wm_journal_identity job = identity();
	const char *path = make("there", 3);
	struct wm_error error = { "" };
	struct wm_journal journal;

	CU_ASSERT_EQUAL(wm_journal_create(&journal, path, &job, &error), -EEXIST);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT_FALSE(wm_scratch_exists(wm_scratch_path("there.new")));
	opens_with(path, 3);
	unlink(path);
}

static void what_a_creation_cut_short_left_is_replaced(void)
{
	wm_scratch_write(wm_scratch_path("cut.new"), "WMJRNL", 6);
	opens_with(make("cut", 2), 2);
	CU_ASSERT_FALSE(wm_scratch_exists(wm_scratch_path("cut.new")));
	unlink(wm_scratch_path("cut"));
}

static void a_directory_that_cannot_be_written_is_refused(void)
{
	struct wm_journal_identity job = identity();
	struct wm_error error = { "" };
	struct wm_journal journal;

	CU_ASSERT_EQUAL(wm_journal_create(&journal, wm_scratch_path("no/journal"), &job, &error),
			-ENOENT);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT_EQUAL(wm_journal_create(&journal, "/proc/journal", &job, &error), -ENOENT);
}

static void a_journal_in_use_is_refused(void)
{
	struct wm_journal_identity job = identity();
	const char *path = wm_scratch_path("used");
	struct wm_journal journal;

	CU_ASSERT_EQUAL_FATAL(wm_journal_create(&journal, path, &job, NULL), 0);
	is_refused(path, EBUSY);
	wm_journal_close(&journal);
	CU_ASSERT_EQUAL_FATAL(wm_journal_open(&journal, path, NULL, NULL, NULL), 0);
	is_refused(path, EBUSY);
	wm_journal_close(&journal);
	opens_with(path, 0);
	unlink(path);
}

/* As one has it between fork and exec, whatever it is that is started. */
static void a_child_does_not_keep_a_closed_journal_in_use(void)
{
	const char *path = make("forked", 2);
	struct wm_journal journal;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(wm_journal_open(&journal, path, NULL, NULL, NULL), 0);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	is_refused(path, EBUSY);
	wm_journal_close(&journal);
	opens_with(path, 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	unlink(path);
}

static void a_removed_journal_is_gone(void)
{
	struct wm_journal_identity job = identity();
	const char *path = make("gone", 1);
	struct wm_journal journal;

	CU_ASSERT_EQUAL_FATAL(wm_journal_open(&journal, path, NULL, NULL, NULL), 0);
	wm_journal_remove(&journal);
	CU_ASSERT_FALSE(wm_scratch_exists(path));
	is_refused(path, ENOENT);
	CU_ASSERT_EQUAL_FATAL(wm_journal_create(&journal, path, &job, NULL), 0);
	wm_journal_remove(&journal);
	CU_ASSERT_FALSE(wm_scratch_exists(path));
}

static void what_is_no_journal_is_refused(void)
{
	const char *path = wm_scratch_path("odd");
	uint8_t *junk = wm_scratch_bytes(3 * HEADER, 1);

	is_refused(path, ENOENT);
	wm_scratch_write(path, junk, 0);
	is_refused(path, EBADMSG);
	wm_scratch_write(path, junk, HEADER - 1);
	is_refused(path, EBADMSG);
	wm_scratch_write(path, junk, 3 * HEADER);
	is_refused(path, EBADMSG);
	CU_ASSERT(wm_scratch_holds(path, junk, 3 * HEADER));
	unlink(path);
	is_refused(wm_scratch_path("."), EISDIR);
	CU_ASSERT_EQUAL_FATAL(mkfifo(path, 0600), 0);
	is_refused(path, EINVAL);
	unlink(path);
	make("target", 0);
	CU_ASSERT_EQUAL_FATAL(symlink("target", path), 0);
	is_refused(path, ELOOP);
	unlink(path);
	unlink(wm_scratch_path("target"));
	free(junk);
}

static void a_damaged_header_is_refused(void)
{
	const char *path = make("header", 3);
	struct wm_error error = { "" };
	struct wm_journal journal;

	poke(path, 20, 0x10);
	is_refused(path, EBADMSG);
	/* Alone, a partial output is nobody's: neither discard nor --force removes it. */
	CU_ASSERT_EQUAL(wm_journal_open(&journal, path, NULL, NULL, &error), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, ".wm-partial"));
	CU_ASSERT_EQUAL(size_of(path), HEADER + 3 * RECORD);
	poke(path, 20, 0x10);
	opens_with(path, 3);
	unlink(path);
}

/* Beside an output that was begun: its first extent has written over the partial's mark. */
static void left_beside_an_output(void)
{
	make("left.wm-journal", 3);
	wm_scratch_write(wm_scratch_path("left.wm-partial"), "begun, no mark", 14);
	wm_scratch_write(wm_scratch_path("left.wm-manifest.new"), "WMMNFT\0\1", 8);
}

/* The CRC of the header, which covers its mark, says that it is ours all the same. */
static void a_damaged_mark_is_said_and_discarded(void)
{
	const char *path = wm_scratch_path("left.wm-journal");
	struct wm_error error = { "" };
	struct wm_discarded removed;
	struct wm_journal journal;

	left_beside_an_output();
	poke(path, 3, 0x10);
	CU_ASSERT_EQUAL(wm_side_check(wm_scratch_path("left"), "/", NULL, &error), 0);
	CU_ASSERT_EQUAL(wm_journal_open(&journal, path, NULL, NULL, &error), -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "journal's header is damaged"));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "'wiremill job discard OUTPUT' removes it"));
	CU_ASSERT_EQUAL(wm_output_discard(&removed, wm_scratch_path("left"), "/", NULL, &error), 0);
	CU_ASSERT_STRING_EQUAL(removed.journal, path);
	CU_ASSERT_STRING_EQUAL(removed.partial, wm_scratch_path("left.wm-partial"));
	CU_ASSERT_STRING_EQUAL(removed.reserved, wm_scratch_path("left.wm-manifest.new"));
	CU_ASSERT_FALSE(wm_scratch_exists(path) || wm_scratch_exists(removed.partial) ||
			wm_scratch_exists(removed.reserved));
}

/* Who knows whose that is: it stays, and is what is named, not the partial output. */
static void a_journal_that_is_nobodys_is_named_and_stays(void)
{
	const char *path = wm_scratch_path("left.wm-journal");
	struct wm_error error = { "" };
	struct wm_discarded removed;

	left_beside_an_output();
	poke(path, 3, 0x10);
	poke(path, 20, 0x10);
	CU_ASSERT_EQUAL(wm_side_check(wm_scratch_path("left"), "/", NULL, &error), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "left.wm-journal"));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "damaged"));
	CU_ASSERT_EQUAL(wm_output_discard(&removed, wm_scratch_path("left"), "/", NULL, &error),
			-EEXIST);
	CU_ASSERT(wm_scratch_exists(path) && wm_scratch_exists(wm_scratch_path("left.wm-partial")));
	unlink(path);
	unlink(wm_scratch_path("left.wm-partial"));
	unlink(wm_scratch_path("left.wm-manifest.new"));
}

/* ---- the tail ----------------------------------------------------------- */

static void a_tail_torn_at_any_byte_is_cut_off(void)
{
	for (uint64_t size = HEADER; size < HEADER + 5 * RECORD; size++) {
		const char *path = make("torn", 5);

		CU_ASSERT_EQUAL_FATAL(truncate(path, (off_t)size), 0);
		opens_with(path, (size - HEADER) / RECORD);
	}
	unlink(wm_scratch_path("torn"));
}

/* A write that was cut short may leave any mixture of new and old sectors. */
static void a_tail_damaged_at_any_byte_is_cut_off(void)
{
	for (uint64_t offset = 2 * RECORD; offset < 5 * RECORD; offset++) {
		const char *path = make("mixed", 5);

		poke(path, HEADER + offset, 1);
		opens_with(path, offset / RECORD);
	}
	unlink(wm_scratch_path("mixed"));
}

static void zeroes_behind_the_last_record_are_cut_off(void)
{
	const char *path = make("zeroes", 5);

	CU_ASSERT_EQUAL_FATAL(truncate(path, 3 << 20), 0);
	opens_with(path, 5);
	unlink(path);
}

static void one_append_may_be_torn_anywhere_but_no_more(void)
{
	const char *path = make("window", 300);

	poke(path, HEADER + (300 - 128) * RECORD, 1);
	opens_with(path, 300 - 128);

	path = make("window", 300);
	poke(path, HEADER + (300 - 129) * RECORD, 1);
	is_refused(path, EBADMSG);
	CU_ASSERT_EQUAL(size_of(path), HEADER + 300 * RECORD);
	poke(path, HEADER + (300 - 129) * RECORD, 1);
	opens_with(path, 300);
	unlink(path);
}

static void records_of_an_older_journal_do_not_extend_a_new_one(void)
{
	char old[PATH_MAX];
	uint8_t *bytes;
	size_t count;
	int fd;

	strcpy(old, make("old", 200));
	bytes = wm_scratch_read(old, &count);
	fd = open(make("young", 3), O_RDWR | O_CLOEXEC);
	CU_ASSERT_EQUAL(pwrite(fd, bytes + HEADER + 3 * RECORD, count - HEADER - 3 * RECORD,
			       HEADER + 3 * RECORD),
			197 * RECORD);
	close(fd);
	opens_with(wm_scratch_path("young"), 3);
	free(bytes);
	unlink(old);
	unlink(wm_scratch_path("young"));
}

static void a_record_moved_to_another_place_ends_the_journal(void)
{
	const char *path = make("moved", 10);
	uint8_t bytes[2 * RECORD];
	int fd = open(path, O_RDWR | O_CLOEXEC);

	CU_ASSERT_EQUAL(pread(fd, bytes, sizeof(bytes), HEADER + 5 * RECORD), sizeof(bytes));
	CU_ASSERT_EQUAL(pwrite(fd, bytes + RECORD, RECORD, HEADER + 5 * RECORD), RECORD);
	close(fd);
	opens_with(path, 5);
	unlink(path);
}

static void an_extent_that_the_job_has_not_is_refused(void)
{
	struct wm_journal_record record = { .type = WM_JOURNAL_EXTENT, .extent = EXTENTS };
	struct wm_journal_identity job = identity();
	const char *path = wm_scratch_path("beyond");
	uint8_t bytes[RECORD];
	struct wm_journal journal;

	CU_ASSERT_EQUAL_FATAL(wm_journal_create(&journal, path, &job, NULL), 0);
	wm_journal_encode_record(bytes, &record, journal.random, 0);
	CU_ASSERT_EQUAL(pwrite(journal.fd, bytes, RECORD, HEADER), RECORD);
	wm_journal_close(&journal);
	is_refused(path, EBADMSG);
	unlink(path);
}

/* ---- reading ------------------------------------------------------------ */

static void a_long_journal_is_streamed(void)
{
	const char *path = make("long", 100000);
	struct seen seen = { 0 };
	struct wm_journal journal;

	opens_with(path, 100000);
	CU_ASSERT_EQUAL_FATAL(wm_journal_open(&journal, path, NULL, NULL, NULL), 0);
	CU_ASSERT_EQUAL(wm_journal_scan(&journal, see, &seen, NULL), 0);
	CU_ASSERT(seen.count == 100000 && seen.wrong == 0);
	wm_journal_close(&journal);
	unlink(path);
}

static void a_visitor_ends_the_scan(void)
{
	const char *path = make("stop", 5000);
	struct seen seen = { .stop_at = 3000 };
	struct wm_journal journal;

	CU_ASSERT_EQUAL(wm_journal_open(&journal, path, see, &seen, NULL), -ECANCELED);
	CU_ASSERT_EQUAL(seen.count, 3000);
	CU_ASSERT_EQUAL_FATAL(wm_journal_open(&journal, path, NULL, NULL, NULL), 0);
	seen = (struct seen){ .stop_at = 7 };
	CU_ASSERT_EQUAL(wm_journal_scan(&journal, see, &seen, NULL), -ECANCELED);
	CU_ASSERT_EQUAL(seen.count, 7);
	wm_journal_close(&journal);
	unlink(path);
}

static void a_scan_sees_what_the_journal_counts(void)
{
	const char *path = make("count", 10);
	struct wm_error error = { "" };
	struct seen seen = { 0 };
	struct wm_journal journal;

	CU_ASSERT_EQUAL_FATAL(wm_journal_open(&journal, path, NULL, NULL, NULL), 0);
	journal.records = 4; /* what lies behind was not reported durable */
	CU_ASSERT_EQUAL(wm_journal_scan(&journal, see, &seen, &error), 0);
	CU_ASSERT_EQUAL(seen.count, 4);
	journal.records = 11;
	CU_ASSERT_EQUAL(wm_journal_scan(&journal, NULL, NULL, &error), -EBADMSG);
	CU_ASSERT(wm_scratch_is_line(&error));
	wm_journal_close(&journal);
	unlink(path);
}

static void a_quarantine_voids_what_came_before(void)
{
	struct wm_journal_record a = { WM_JOURNAL_EXTENT, 0, 5, 1u << 3 };
	struct wm_journal_record both = { WM_JOURNAL_EXTENT, 0, 6, 1u << 3 | 1ull << 63 };
	struct wm_journal_record other = { WM_JOURNAL_EXTENT, 0, 7, 1u << 4 };
	struct wm_journal_record quarantine = { WM_JOURNAL_QUARANTINE, 0, 0, 1u << 3 };
	struct wm_journal_invalid invalid = { { 0 } };

	wm_journal_invalid_note(&invalid, &a, 10);
	CU_ASSERT_FALSE(wm_journal_invalid_has(&invalid, &a, 10));
	wm_journal_invalid_note(&invalid, &quarantine, 11);
	CU_ASSERT_TRUE(wm_journal_invalid_has(&invalid, &a, 10));
	CU_ASSERT_TRUE(wm_journal_invalid_has(&invalid, &both, 9));
	CU_ASSERT_FALSE(wm_journal_invalid_has(&invalid, &other, 10));
	CU_ASSERT_FALSE(wm_journal_invalid_has(&invalid, &a, 12));
	/* Another's adds to it, and a later one of the same node reaches further. */
	quarantine.nodes = 1u << 4;
	wm_journal_invalid_note(&invalid, &quarantine, 13);
	CU_ASSERT_TRUE(wm_journal_invalid_has(&invalid, &a, 10));
	CU_ASSERT_TRUE(wm_journal_invalid_has(&invalid, &other, 12));
	quarantine.nodes = 1u << 3;
	wm_journal_invalid_note(&invalid, &quarantine, 14);
	CU_ASSERT_TRUE(wm_journal_invalid_has(&invalid, &a, 12));
}

/* ---- identity ----------------------------------------------------------- */

static void another_job_is_refused_with_what_differs(void)
{
	struct wm_journal_identity journal = identity(), job;
	struct wm_error error;

#define REFUSED(change, word)                                                       \
	do {                                                                        \
		job = identity();                                                   \
		job.change;                                                         \
		error.text[0] = '\0';                                               \
		CU_ASSERT_EQUAL(wm_journal_match(&journal, &job, &error), -EINVAL); \
		CU_ASSERT(wm_scratch_is_line(&error));                              \
		CU_ASSERT_PTR_NOT_NULL(strstr(error.text, word));                   \
	} while (0)
	REFUSED(input_bytes += 32, "bytes");
	REFUSED(input_mtime_ns += 1, "modified");
	REFUSED(input_sample ^= 1, "content");
	REFUSED(kernel.name[0] = 'y', "kernel xor");
	REFUSED(kernel.in_bytes = 64, "shape");
	REFUSED(kernel.out_bytes = 64, "shape");
	REFUSED(kernel.halo_before = 1, "shape");
	REFUSED(kernel.halo_after = 2, "shape");
	REFUSED(kernel.hash[31] = 1, "source, parameters or compiler changed since");
	REFUSED(drop_tail = true, "--tail");
	REFUSED(force = true, "--force");
	REFUSED(output_bytes += 32, "output");
	REFUSED(extent_elements = 128, "extents");
#undef REFUSED
	job = identity();
	strcpy(job.input_path, "/mnt/elsewhere");
	CU_ASSERT_EQUAL(wm_journal_match(&journal, &job, NULL), 0);
}

static struct wm_journal_identity identify(const char *path)
{
	struct wm_journal_identity found;
	struct wm_error error = { "" };
	struct wm_layout layout;
	struct wm_source source;

	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, path, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(
		wm_layout_init(&layout, wm_kernel_find("xor"), source.bytes / 32 * 32, 1500, NULL),
		0);
	CU_ASSERT_EQUAL(wm_journal_identify(&found, &source, &layout, false, true, &error), 0);
	wm_source_close(&source);
	return found;
}

static void an_input_is_identified(void)
{
	const char *path = wm_scratch_path("input");
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 1234567890, 987654321 } };
	uint8_t *bytes = wm_scratch_bytes(300 * 4096 + 55, 7), header[HEADER];
	struct wm_journal_identity found, decoded;
	uint32_t random;

	wm_scratch_write(path, bytes, 300 * 4096 + 55);
	CU_ASSERT_EQUAL_FATAL(utimensat(AT_FDCWD, path, times, 0), 0);
	found = identify(path);
	CU_ASSERT_EQUAL(found.input_bytes, 300 * 4096 + 55);
	CU_ASSERT_EQUAL(found.input_mtime_ns, 1234567890987654321);
	CU_ASSERT(!found.force && found.drop_tail);
	CU_ASSERT_EQUAL(found.output_bytes, 300 * 4096 + 32 - 32);
	CU_ASSERT_EQUAL(found.extent_elements, 32768);
	CU_ASSERT_STRING_EQUAL(found.input_path, path);
	wm_journal_encode_header(header, &found, 1);
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &decoded, &random), 0);
	free(bytes);
	unlink(path);
}

static void a_small_input_is_sampled_whole(void)
{
	static const size_t sizes[] = { 64, 4095, 4096, 4097, 20000, 64 * 4096 };
	const char *path = wm_scratch_path("small");

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *bytes = wm_scratch_bytes(sizes[i], i);

		wm_scratch_write(path, bytes, sizes[i]);
		CU_ASSERT_EQUAL(identify(path).input_sample, wm_crc32c(0, bytes, sizes[i]));
		free(bytes);
	}
	unlink(path);
}

static void a_large_input_is_sampled_from_end_to_end(void)
{
	const char *path = wm_scratch_path("large");
	uint64_t size = 200 * 4096 + 100, changed = 0;
	uint8_t *bytes = wm_scratch_bytes(size, 9);
	uint32_t sample;

	wm_scratch_write(path, bytes, size);
	sample = identify(path).input_sample;
	for (uint64_t piece = 0; piece <= 200; piece++) {
		poke(path, piece * 4096 + 99, 1);
		if (identify(path).input_sample != sample)
			changed++;
		else
			CU_ASSERT(piece != 0 && piece != 200);
		poke(path, piece * 4096 + 99, 1);
	}
	CU_ASSERT_EQUAL(changed, 64);
	free(bytes);
	unlink(path);
}

/* ---- names -------------------------------------------------------------- */

static void a_journal_lies_beside_its_output(void)
{
	char path[PATH_MAX], expected[PATH_MAX];

	CU_ASSERT_EQUAL(wm_side_path(path, "/a/b", WM_SIDE_JOURNAL, "/nowhere", NULL), 0);
	CU_ASSERT_STRING_EQUAL(path, "/a/b.wm-journal");
	CU_ASSERT_EQUAL(wm_side_path(path, "b", WM_SIDE_MANIFEST, "/nowhere", NULL), 0);
	CU_ASSERT_STRING_EQUAL(path, "b.wm-manifest");

	/* The partial output is beside what the link leads to, and so is this. */
	wm_scratch_write(wm_scratch_path("real"), "x", 1);
	CU_ASSERT_EQUAL_FATAL(symlink("real", wm_scratch_path("link")), 0);
	CU_ASSERT_EQUAL(wm_side_path(path, wm_scratch_path("link"), WM_SIDE_JOURNAL, "/", NULL), 0);
	snprintf(expected, sizeof(expected), "%.4000s", wm_scratch_path("real.wm-journal"));
	CU_ASSERT_STRING_EQUAL(path, expected);
	unlink(wm_scratch_path("link"));
	unlink(wm_scratch_path("real"));
}

static void a_path_that_no_file_can_have_is_refused(void)
{
	char path[PATH_MAX], odd[PATH_MAX + 16];
	struct wm_error error = { "" };

	memset(odd, 'a', sizeof(odd));
	odd[PATH_MAX - 5] = '\0';
	CU_ASSERT_EQUAL(wm_side_path(path, odd, WM_SIDE_JOURNAL, "/", &error), -ENAMETOOLONG);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT_EQUAL(wm_side_path(path, "", WM_SIDE_JOURNAL, "/", &error), -ENOENT);
	CU_ASSERT_EQUAL(wm_side_path(path, "/tmp/", WM_SIDE_JOURNAL, "/", &error), -EISDIR);
}

static void a_devices_journal_lies_in_the_state_directory(void)
{
	char path[PATH_MAX], state[PATH_MAX], expected[PATH_MAX + 32];
	struct stat status;

	if (stat("/dev/loop0", &status) < 0 || !S_ISBLK(status.st_mode)) {
		printf("# no /dev/loop0: not looked at\n");
		return;
	}
	strcpy(state, wm_scratch_path("state/of/it"));
	CU_ASSERT_EQUAL(wm_side_path(path, "/dev/loop0", WM_SIDE_JOURNAL, state, NULL), 0);
	snprintf(expected, sizeof(expected), "%s/dev-loop0.wm-journal", state);
	CU_ASSERT_STRING_EQUAL(path, expected);
	/* To ask for a name makes nothing. */
	CU_ASSERT_NOT_EQUAL(stat(state, &status), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(a_new_journal_is_empty_and_opens_as_it_was_made),
	WM_TEST(a_journal_that_is_there_is_not_overwritten),
	WM_TEST(what_a_creation_cut_short_left_is_replaced),
	WM_TEST(a_directory_that_cannot_be_written_is_refused),
	WM_TEST(a_journal_in_use_is_refused),
	WM_TEST(a_child_does_not_keep_a_closed_journal_in_use),
	WM_TEST(a_removed_journal_is_gone),
	WM_TEST(what_is_no_journal_is_refused),
	WM_TEST(a_damaged_header_is_refused),
	WM_TEST(a_damaged_mark_is_said_and_discarded),
	WM_TEST(a_journal_that_is_nobodys_is_named_and_stays),
	WM_TEST(a_tail_torn_at_any_byte_is_cut_off),
	WM_TEST(a_tail_damaged_at_any_byte_is_cut_off),
	WM_TEST(zeroes_behind_the_last_record_are_cut_off),
	WM_TEST(one_append_may_be_torn_anywhere_but_no_more),
	WM_TEST(records_of_an_older_journal_do_not_extend_a_new_one),
	WM_TEST(a_record_moved_to_another_place_ends_the_journal),
	WM_TEST(an_extent_that_the_job_has_not_is_refused),
	WM_TEST(a_long_journal_is_streamed),
	WM_TEST(a_visitor_ends_the_scan),
	WM_TEST(a_scan_sees_what_the_journal_counts),
	WM_TEST(a_quarantine_voids_what_came_before),
	WM_TEST(another_job_is_refused_with_what_differs),
	WM_TEST(an_input_is_identified),
	WM_TEST(a_small_input_is_sampled_whole),
	WM_TEST(a_large_input_is_sampled_from_end_to_end),
	WM_TEST(a_journal_lies_beside_its_output),
	WM_TEST(a_path_that_no_file_can_have_is_refused),
	WM_TEST(a_devices_journal_lies_in_the_state_directory),
};

int main(void)
{
	int ret;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	ret = WM_TESTS_RUN("journal", tests);
	wm_scratch_end();
	return ret;
}
