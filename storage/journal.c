/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal as a file. It comes into being complete: header and lock first, its
 * name last. So whoever finds one can trust its header, and a header that does
 * not hold is damage, never a creation that was cut short.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "path.h"
#include "wiremill/journal.h"
#include "wiremill/side.h"

#define NEW_SUFFIX ".new"
/* Read at a time: 2048 records. */
#define PIECE_BYTES (64u * 1024)

static uint64_t record_offset(uint64_t number)
{
	return WM_JOURNAL_HEADER_BYTES + number * WM_JOURNAL_RECORD_BYTES;
}

static int refuse(const char *path, const char *what, int code, struct wm_error *error)
{
	return wm_error_set(error, code, "journal cannot be %s (%s): %s", what, wm_errno_text(code),
			    path);
}

/* Of the open file: ends with its last descriptor, however the process ends. */
static int lock(int fd, const char *path, struct wm_error *error)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return wm_error_set(error, EBUSY, "journal is in use by another job: %s", path);
	return refuse(path, "locked", errno, error);
}

/* ---- creation ----------------------------------------------------------- */

uint64_t wm_journal_bytes(uint64_t extents)
{
	return record_offset(extents + extents / 8 + 2 * WM_STORE_JOURNAL_RECORDS_MAX);
}

static int refuse_existing(const char *path, struct wm_error *error)
{
	return wm_error_set(error, EEXIST,
			    "journal of an unfinished job exists: go on with 'wiremill job resume "
			    "OUTPUT', or remove it with 'wiremill job discard OUTPUT': %s",
			    path);
}

static int write_header(const struct wm_journal *journal, struct wm_error *error)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	int ret;

	wm_journal_encode_header(header, &journal->identity, journal->random);
	ret = wm_file_write(journal->fd, header, sizeof(header), 0);
	if (ret == 0 && fsync(journal->fd) < 0)
		ret = -errno;
	return ret < 0 ? refuse(journal->path, "written", -ret, error) : 0;
}

/* Room for every extent, some of them twice after a quarantine: so that a job whose
 * output was reserved does not end for want of a block for its journal. The length stays
 * what was written. */
static int reserve(const struct wm_journal *journal, struct wm_error *error)
{
	uint64_t extents = wm_journal_extents(&journal->identity);
	uint64_t bytes = wm_journal_bytes(extents);

	if (fallocate(journal->fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) == 0 ||
	    errno == EOPNOTSUPP)
		return 0;
	return wm_error_set(error, errno, "journal's %" PRIu64 " bytes cannot be reserved (%s): %s",
			    bytes, wm_errno_text(errno), journal->path);
}

static int name_journal(const struct wm_journal *journal, const char *path_new,
			struct wm_error *error)
{
	int ret = wm_path_rename_new(path_new, journal->path);

	if (ret == -EEXIST)
		return refuse_existing(journal->path, error);
	if (ret < 0)
		return refuse(journal->path, "given its name", -ret, error);
	ret = wm_path_sync(journal->path);
	if (ret == 0)
		return 0;
	unlink(journal->path);
	return refuse(journal->path, "made durable", -ret, error);
}

int wm_journal_create(struct wm_journal *journal, const char *path,
		      const struct wm_journal_identity *identity, struct wm_error *error)
{
	char path_new[PATH_MAX];
	struct stat status;
	int ret;

	if (strlen(path) + strlen(NEW_SUFFIX) >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG, "journal path is too long: %s", path);
	if (lstat(path, &status) == 0)
		return refuse_existing(path, error);
	*journal = (struct wm_journal){ .identity = *identity };
	strcpy(journal->path, path);
	strcpy(path_new, path);
	strcat(path_new, NEW_SUFFIX);
	if (getrandom(&journal->random, sizeof(journal->random), 0) < 0)
		return refuse(path, "given a random identity", errno, error);

	journal->fd = wm_side_create(path_new, WM_SIDE_JOURNAL_NEW, O_DSYNC);
	if (journal->fd < 0)
		return wm_side_refuse(path_new, WM_SIDE_JOURNAL_NEW, -journal->fd, error);
	ret = lock(journal->fd, path, error);
	if (ret == 0)
		ret = write_header(journal, error);
	if (ret == 0)
		ret = reserve(journal, error);
	if (ret == 0)
		ret = name_journal(journal, path_new, error);
	if (ret == 0)
		return 0;
	unlink(path_new);
	wm_journal_close(journal);
	return ret;
}

/* ---- reading ------------------------------------------------------------ */

struct scan {
	const struct wm_journal *journal;
	wm_journal_visit *visit;
	void *context;
	uint64_t extents;
	uint64_t records_max; /* looked at */
	uint64_t number;      /* of the next in the file */
	uint64_t good;	      /* that belong to the journal */
	bool ended;
};

/* More than one append after its end a record that holds shows that this is no
 * torn tail. What was lost there may have invalidated what is left. */
static int refuse_gap(const struct scan *scan, struct wm_error *error)
{
	return wm_error_set(error, EBADMSG,
			    "journal is damaged at record %" PRIu64 ", begin anew with --force: %s",
			    scan->good, scan->journal->path);
}

static int scan_record(struct scan *scan, const uint8_t *bytes, struct wm_error *error)
{
	struct wm_journal_record record;
	bool holds = wm_journal_decode_record(bytes, &record, scan->journal->random,
					      (uint32_t)scan->number) == 0;

	if (!holds)
		scan->ended = true;
	scan->number++;
	if (scan->ended)
		return holds && scan->number > scan->good + WM_STORE_JOURNAL_RECORDS_MAX
			       ? refuse_gap(scan, error)
			       : 0;
	if (record.type == WM_JOURNAL_EXTENT && record.extent >= scan->extents)
		return wm_error_set(error, EBADMSG,
				    "journal names extent %" PRIu64 ", the job has %" PRIu64
				    ", begin anew with --force: %s",
				    record.extent, scan->extents, scan->journal->path);
	scan->good++;
	return scan->visit ? scan->visit(scan->context, &record) : 0;
}

static int scan_piece(struct scan *scan, const uint8_t *bytes, size_t count, struct wm_error *error)
{
	int ret = 0;

	for (size_t i = 0;
	     i + WM_JOURNAL_RECORD_BYTES <= count && ret >= 0 && scan->number < scan->records_max;
	     i += WM_JOURNAL_RECORD_BYTES)
		ret = scan_record(scan, bytes + i, error);
	return ret < 0 ? ret : 0;
}

static int scan_records(struct scan *scan, struct wm_error *error)
{
	uint8_t bytes[PIECE_BYTES];
	ssize_t count;
	int ret;

	do {
		count = wm_file_read(scan->journal->fd, bytes, sizeof(bytes),
				     record_offset(scan->number));
		if (count < 0)
			return refuse(scan->journal->path, "read", (int)-count, error);
		ret = scan_piece(scan, bytes, (size_t)count, error);
	} while (ret == 0 && count == sizeof(bytes) && scan->number < scan->records_max);
	return ret;
}

int wm_journal_scan(const struct wm_journal *journal, wm_journal_visit *visit, void *context,
		    struct wm_error *error)
{
	struct scan scan = {
		.journal = journal,
		.visit = visit,
		.context = context,
		.extents = wm_journal_extents(&journal->identity),
		.records_max = journal->records,
	};
	int ret = scan_records(&scan, error);

	if (ret == 0 && scan.good < journal->records)
		ret = refuse_gap(&scan, error);
	return ret;
}

int wm_journal_read(const struct wm_journal *journal, uint32_t first,
		    struct wm_journal_record *records, uint32_t count)
{
	uint8_t bytes[WM_JOURNAL_READ_MAX * WM_JOURNAL_RECORD_BYTES];
	ssize_t ret;
	uint32_t i;

	assert(count <= WM_JOURNAL_READ_MAX);
	ret = wm_file_read(journal->fd, bytes, (size_t)count * WM_JOURNAL_RECORD_BYTES,
			   record_offset(first));
	if (ret < 0)
		return (int)ret;
	for (i = 0; i < (size_t)ret / WM_JOURNAL_RECORD_BYTES; i++) {
		if (wm_journal_decode_record(bytes + (size_t)i * WM_JOURNAL_RECORD_BYTES,
					     &records[i], journal->random, first + i) < 0)
			break;
	}
	return (int)i;
}

/* ---- opening ------------------------------------------------------------ */

static int open_locked(const char *path, struct wm_error *error)
{
	int fd = wm_side_open(path, O_RDWR | O_DSYNC);
	struct stat status;
	int ret;

	if (fd == -ENOENT)
		return wm_error_set(error, ENOENT, "journal does not exist: %s", path);
	if (fd < 0)
		return wm_side_refuse(path, WM_SIDE_JOURNAL, -fd, error);
	ret = lock(fd, path, error);
	if (ret < 0)
		goto close_file;
	if (fstat(fd, &status) < 0) {
		ret = refuse(path, "opened", errno, error);
		goto close_file;
	}
	if (status.st_nlink > 0)
		return fd;
	/* Its job ended between the open and the lock. */
	ret = wm_error_set(error, ENOENT, "journal does not exist: %s", path);

close_file:
	close(fd);
	return ret;
}

static int read_header(struct wm_journal *journal, struct wm_error *error)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	ssize_t count = wm_file_read(journal->fd, header, sizeof(header), 0);

	if (count < 0)
		return refuse(journal->path, "read", (int)-count, error);
	if (count == sizeof(header) &&
	    wm_journal_decode_header(header, &journal->identity, &journal->random) == 0)
		return 0;
	if (wm_side_is_ours(journal->fd, journal->path, WM_SIDE_JOURNAL))
		return wm_error_set(error, EBADMSG,
				    "journal's header is damaged, so that nobody knows its job: "
				    "'wiremill job discard OUTPUT' removes it, and the .wm-partial "
				    "beside it: %s",
				    journal->path);
	return wm_error_set(error, EBADMSG,
			    "file is no journal, or its header is damaged: move it away, and the "
			    ".wm-partial beside it: %s",
			    journal->path);
}

static int cut_tail(const struct wm_journal *journal, struct wm_error *error)
{
	off_t end = (off_t)record_offset(journal->records);
	struct stat status;

	if (fstat(journal->fd, &status) == 0 && status.st_size == end)
		return 0;
	if (ftruncate(journal->fd, end) == 0 && fsync(journal->fd) == 0)
		return 0;
	return refuse(journal->path, "cut after its last record", errno, error);
}

static int read_through(struct wm_journal *journal, wm_journal_visit *visit, void *context,
			struct wm_error *error)
{
	struct scan scan = {
		.journal = journal,
		.visit = visit,
		.context = context,
		.extents = wm_journal_extents(&journal->identity),
		.records_max = UINT32_MAX,
	};
	int ret = scan_records(&scan, error);

	if (ret < 0)
		return ret;
	journal->records = (uint32_t)scan.good;
	return cut_tail(journal, error);
}

int wm_journal_open(struct wm_journal *journal, const char *path, wm_journal_visit *visit,
		    void *context, struct wm_error *error)
{
	int ret;

	if (strlen(path) >= PATH_MAX)
		return wm_error_set(error, ENAMETOOLONG, "journal path is too long: %s", path);
	*journal = (struct wm_journal){ .fd = open_locked(path, error) };
	if (journal->fd < 0)
		return journal->fd;
	strcpy(journal->path, path);
	ret = read_header(journal, error);
	if (ret == 0)
		ret = read_through(journal, visit, context, error);
	if (ret == 0)
		ret = reserve(journal, error);
	if (ret < 0)
		wm_journal_close(journal);
	return ret;
}

/* ---- the end ------------------------------------------------------------ */

void wm_journal_close(struct wm_journal *journal)
{
	/* Else it would last while a child between fork and exec, or somebody who
	 * looks into /proc, still has the open file. */
	flock(journal->fd, LOCK_UN);
	close(journal->fd);
	journal->fd = -1;
}

void wm_journal_forget(struct wm_journal *journal)
{
	journal->records = 0;
	if (ftruncate(journal->fd, (off_t)record_offset(0)) < 0 || fsync(journal->fd) < 0)
		wm_log_warning("journal of a job that is given up cannot be cut (%s): %s",
			       strerror(errno), journal->path);
}

void wm_journal_remove(struct wm_journal *journal)
{
	int ret = 0;

	if (wm_file_is_named(journal->fd, journal->path) && unlink(journal->path) < 0)
		ret = -errno;
	if (ret == 0)
		ret = wm_path_sync(journal->path);

	if (ret < 0)
		wm_log_warning("journal of a finished job cannot be removed (%s): %s",
			       wm_errno_text(-ret), journal->path);
	wm_journal_close(journal);
}
