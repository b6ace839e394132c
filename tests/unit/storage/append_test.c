/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal on a lane's ring, and outputs that are suspended and resumed. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crc32c.h"
#include "harness.h"
#include "scratch.h"
#include "stream.h"
#include "wiremill/journal.h"
#include "wiremill/limits.h"
#include "wiremill/side.h"

/* Of a killed job the kernel gives the locked memory back some time later: its and
 * the next one's are to fit in the usual 8 MiB. */
#define DEPTH 2u
#define EXTENTS_MAX 64u

/* ---- a job: every extent is read, XORed, written, and journalled ---------- */

struct job {
	char input[PATH_MAX], output[PATH_MAX], journal_path[PATH_MAX];
	uint8_t *bytes, *expected;
	struct wm_layout layout;
	struct wm_source source;
	struct wm_sink sink;
	struct wm_journal journal;
	struct wm_journal_identity identity;
	struct wm_store *store;
	struct iovec buffers[DEPTH];
	bool durable[EXTENTS_MAX];
	uint64_t extents_durable;
};

static void describe(struct job *job, uint64_t input_bytes)
{
	struct wm_error error = { "" };

	memset(job, 0, sizeof(*job));
	snprintf(job->input, PATH_MAX, "%s", wm_scratch_path("input"));
	snprintf(job->output, PATH_MAX, "%s", wm_scratch_path("output"));
	job->bytes = wm_scratch_bytes(input_bytes, input_bytes);
	wm_scratch_write(job->input, job->bytes, input_bytes);
	CU_ASSERT_EQUAL_FATAL(
		wm_layout_init(&job->layout, wm_kernel_find("xor"), input_bytes, 9000, NULL), 0);
	job->expected = malloc(job->layout.output_bytes);
	wm_stream_xor(job->expected, job->bytes, input_bytes);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&job->source, job->input, &error), 0);
	CU_ASSERT_EQUAL_FATAL(wm_journal_identify(&job->identity, &job->source, &job->layout, false,
						  false, &error),
			      0);
	CU_ASSERT_EQUAL_FATAL(
		wm_side_path(job->journal_path, job->output, WM_SIDE_JOURNAL, "/", &error), 0);
}

static void open_store(struct job *job)
{
	struct wm_store_config config = { DEPTH, job->buffers, DEPTH };

	for (unsigned i = 0; i < DEPTH; i++) {
		job->buffers[i].iov_len = wm_store_buffer_bytes(&job->layout);
		job->buffers[i].iov_base = wm_stream_memory(job->buffers[i].iov_len);
	}
	CU_ASSERT_EQUAL_FATAL(wm_store_create(&job->store, &config, NULL), 0);
	wm_store_attach(job->store, &job->layout, &job->source, &job->sink);
}

static void close_store(struct job *job)
{
	CU_ASSERT_EQUAL(wm_store_detach(job->store), 0);
	wm_store_destroy(&job->store);
	for (unsigned i = 0; i < DEPTH; i++)
		free(job->buffers[i].iov_base);
}

static void begin(struct job *job, uint64_t input_bytes)
{
	struct wm_error error = { "" };

	describe(job, input_bytes);
	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&job->sink, job->output, job->layout.output_bytes,
					     false, &job->source, &error),
			      0);
	CU_ASSERT_EQUAL_FATAL(
		wm_journal_create(&job->journal, job->journal_path, &job->identity, &error), 0);
	open_store(job);
}

static void end(struct job *job)
{
	if (job->store)
		close_store(job);
	if (job->sink.fd >= 0)
		wm_sink_abandon(&job->sink);
	if (job->journal.fd >= 0)
		wm_journal_remove(&job->journal);
	wm_source_close(&job->source);
	unlink(job->input);
	unlink(job->output);
	free(job->expected);
	free(job->bytes);
}

static struct wm_store_event next_event(struct job *job)
{
	struct wm_store_event event;

	if (wm_store_submit(job->store) < 0)
		abort();
	while (wm_store_poll(job->store, &event, 1) == 0)
		;
	return event;
}

static int result_of(struct job *job, enum wm_store_op op, uint64_t extent)
{
	struct wm_store_event event = next_event(job);

	CU_ASSERT(event.op == op && event.extent == extent);
	return event.result;
}

/* One append: 0 and a line in the journal, or the error. */
static int append(struct job *job, const struct wm_journal_record *records, uint32_t count)
{
	CU_ASSERT_EQUAL_FATAL(wm_store_journal(job->store, &job->journal, records, count), 0);
	return result_of(job, WM_STORE_JOURNAL, count);
}

static struct wm_journal_record record_of(const struct job *job, uint64_t extent)
{
	struct wm_span span = wm_layout_extent(&job->layout, extent);

	return (struct wm_journal_record){
		.type = WM_JOURNAL_EXTENT,
		.crc32c = wm_crc32c(0, job->expected + span.out_offset, span.out_bytes),
		.extent = extent,
		.nodes = 1ull << extent % 64,
	};
}

static int read_extent(struct job *job, uint64_t extent)
{
	CU_ASSERT_EQUAL_FATAL(wm_store_read(job->store, extent, 0), 0);
	return result_of(job, WM_STORE_READ, extent);
}

static int write_extent(struct job *job, uint64_t extent)
{
	struct wm_span span = wm_layout_extent(&job->layout, extent);
	uint8_t *memory = wm_stream_memory(span.out_bytes);
	struct iovec part = { memory, span.out_bytes };
	int ret = read_extent(job, extent);

	if (ret == 0) {
		wm_stream_xor(memory,
			      (uint8_t *)job->buffers[0].iov_base +
				      wm_store_buffer_skew(&job->layout, extent),
			      span.in_bytes);
		CU_ASSERT_EQUAL_FATAL(wm_store_write(job->store, extent, &part, 1), 0);
		ret = result_of(job, WM_STORE_WRITE, extent);
	}
	free(memory);
	return ret;
}

static int write_and_append(struct job *job, uint64_t extent)
{
	struct wm_journal_record record = record_of(job, extent);
	int ret = write_extent(job, extent);

	return ret < 0 ? ret : append(job, &record, 1);
}

static int note_durable(void *context, const struct wm_journal_record *record)
{
	struct job *job = context;
	struct wm_journal_record expected = record_of(job, record->extent);

	CU_ASSERT(memcmp(record, &expected, sizeof(expected)) == 0);
	job->extents_durable += !job->durable[record->extent];
	job->durable[record->extent] = true;
	return 0;
}

static bool journal_holds(struct job *job, uint64_t records)
{
	struct wm_error error = { "" };
	int ret;

	wm_journal_close(&job->journal);
	ret = wm_journal_open(&job->journal, job->journal_path, note_durable, job, &error);
	if (ret < 0)
		printf("# %s\n", error.text);
	return ret == 0 && job->journal.records == records;
}

/* ---- appending ---------------------------------------------------------- */

static void records_follow_their_extents(void)
{
	struct job job;

	begin(&job, 5 * WM_EXTENT_BYTES + 5000 * 32);
	CU_ASSERT_EQUAL(job.layout.extents, 6);
	for (uint64_t extent = 6; extent-- > 0;) {
		CU_ASSERT_EQUAL(write_and_append(&job, extent), 0);
		CU_ASSERT_EQUAL(job.journal.records, 6 - extent);
	}
	CU_ASSERT(journal_holds(&job, 6));
	CU_ASSERT_EQUAL(job.extents_durable, 6);
	CU_ASSERT_EQUAL(wm_sink_commit(&job.sink, NULL), 0);
	CU_ASSERT(wm_scratch_holds(job.output, job.expected, job.layout.output_bytes));
	end(&job);
}

/* Asked of a file and not answered. */
static uint64_t owed(const struct job *job, enum wm_store_file file)
{
	struct wm_store_counters counters;

	wm_store_get_counters(job->store, &counters);
	return counters.requests[file].asked - counters.requests[file].answered;
}

static void reads_and_writes_go_on_beside_an_append(void)
{
	struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX];
	struct wm_store_counters counters;
	unsigned reads = 0, appends = 0;
	struct job job;

	begin(&job, 40 * WM_EXTENT_BYTES);
	for (unsigned i = 0; i < WM_STORE_JOURNAL_RECORDS_MAX; i++)
		records[i] = record_of(&job, i % 40);
	for (unsigned round = 0; round < 20; round++) {
		CU_ASSERT_EQUAL_FATAL(wm_store_journal(job.store, &job.journal, records,
						       WM_STORE_JOURNAL_RECORDS_MAX),
				      0);
		CU_ASSERT_EQUAL(wm_store_journal(job.store, &job.journal, records, 1), -EBUSY);
		/* The records are copied, and the whole depth is left to extents. */
		memset(&records[round], 0, sizeof(records[0]));
		for (uint32_t i = 0; i < DEPTH; i++)
			CU_ASSERT_EQUAL(wm_store_read(job.store, (round + i) % 40, i), 0);
		CU_ASSERT_EQUAL(wm_store_read(job.store, 0, 0), -EAGAIN);
		CU_ASSERT_EQUAL(wm_store_in_flight(job.store), DEPTH + 1);
		CU_ASSERT_EQUAL(wm_store_detach(job.store), -EBUSY);
		CU_ASSERT_EQUAL(owed(&job, WM_STORE_INPUT), DEPTH);
		CU_ASSERT_EQUAL(owed(&job, WM_STORE_OUTPUT), 1);
		while (wm_store_in_flight(job.store) > 0) {
			struct wm_store_event event = next_event(&job);

			CU_ASSERT_EQUAL(event.result, 0);
			reads += event.op == WM_STORE_READ;
			appends += event.op == WM_STORE_JOURNAL;
		}
		records[round] = record_of(&job, round);
	}
	CU_ASSERT(reads == 20 * DEPTH && appends == 20);
	CU_ASSERT_EQUAL(owed(&job, WM_STORE_INPUT), 0);
	CU_ASSERT_EQUAL(owed(&job, WM_STORE_OUTPUT), 0);
	wm_store_get_counters(job.store, &counters);
	/* Each append looks at the input, and syncs the output and writes to its journal. */
	CU_ASSERT(counters.requests[WM_STORE_INPUT].asked >= 20 * (DEPTH + 1));
	CU_ASSERT(counters.requests[WM_STORE_OUTPUT].asked >= 20 * 2);
	CU_ASSERT(journal_holds(&job, 20 * WM_STORE_JOURNAL_RECORDS_MAX));
	end(&job);
}

/* The journal as it is when it cannot be trusted further: what it counts is right. */
static void takes_no_more(struct job *job, uint32_t records)
{
	struct wm_journal_record record = record_of(job, 0);

	CU_ASSERT_TRUE(job->journal.failed);
	CU_ASSERT_EQUAL(job->journal.records, records);
	CU_ASSERT_EQUAL(wm_store_journal(job->store, &job->journal, &record, 1), -EIO);
	CU_ASSERT_EQUAL(wm_store_in_flight(job->store), 0);
}

static void an_output_that_cannot_be_synced_is_not_vouched_for(void)
{
	struct wm_journal_record record;
	struct stat before, after;
	int pipes[2], fd;
	struct job job;

	begin(&job, 3 * WM_EXTENT_BYTES);
	CU_ASSERT_EQUAL(write_and_append(&job, 0), 0);
	CU_ASSERT_EQUAL_FATAL(fstat(job.journal.fd, &before), 0);
	CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
	fd = job.sink.fd;
	job.sink.fd = pipes[1];
	record = record_of(&job, 1);
	CU_ASSERT_EQUAL(append(&job, &record, 1), -EINVAL);
	takes_no_more(&job, 1);
	CU_ASSERT_EQUAL_FATAL(fstat(job.journal.fd, &after), 0);
	CU_ASSERT_EQUAL(before.st_size, after.st_size);
	job.sink.fd = fd;
	close(pipes[0]);
	close(pipes[1]);

	/* Reading and writing go on; and once opened again, so does the journal. */
	CU_ASSERT_EQUAL(write_extent(&job, 1), 0);
	CU_ASSERT(journal_holds(&job, 1));
	CU_ASSERT_EQUAL(append(&job, &record, 1), 0);
	CU_ASSERT(journal_holds(&job, 2));
	end(&job);
}

static void set_back(const struct job *job, const struct stat *before)
{
	const struct timespec times[2] = { before->st_atim, before->st_mtim };

	CU_ASSERT_EQUAL(utimensat(AT_FDCWD, job->input, times, 0), 0);
}

/* What was read until then is of two inputs, or may be. */
static void no_record_vouches_for_an_input_that_changed(void)
{
	enum { GROWN, CUT, REWRITTEN, SET_BACK, CHANGES };

	for (int change = 0; change < CHANGES; change++) {
		struct wm_error error = { "" };
		struct wm_journal_record record;
		struct stat before;
		struct job job;
		int fd;

		begin(&job, 3 * WM_EXTENT_BYTES);
		CU_ASSERT_EQUAL(write_and_append(&job, 0), 0);
		CU_ASSERT_EQUAL(write_extent(&job, 1), 0);
		CU_ASSERT_EQUAL_FATAL(stat(job.input, &before), 0);
		fd = open(job.input, O_RDWR | O_CLOEXEC);
		if (change == GROWN || change == CUT) {
			off_t by = change == GROWN ? 1 : -1;

			CU_ASSERT_EQUAL(ftruncate(fd, before.st_size + by), 0);
		} else {
			CU_ASSERT_EQUAL(pwrite(fd, "other", 5, 4096), 5);
		}
		close(fd);
		if (change == SET_BACK)
			set_back(&job, &before);
		record = record_of(&job, 1);
		CU_ASSERT_EQUAL(append(&job, &record, 1), -WM_STORE_INPUT_CHANGED);
		takes_no_more(&job, 1);
		CU_ASSERT(journal_holds(&job, 1));
		CU_ASSERT_EQUAL(wm_source_check(&job.source, &error), -WM_STORE_INPUT_CHANGED);
		CU_ASSERT(wm_scratch_is_line(&error));
		end(&job);
	}
}

static void an_input_that_is_read_linked_or_removed_is_the_same(void)
{
	struct wm_error error = { "" };
	struct job job;
	char other[PATH_MAX], byte;
	int fd;

	begin(&job, 4 * WM_EXTENT_BYTES);
	snprintf(other, sizeof(other), "%s", wm_scratch_path("input-too"));
	fd = open(job.input, O_RDONLY | O_CLOEXEC);
	CU_ASSERT_EQUAL(read(fd, &byte, 1), 1);
	close(fd);
	CU_ASSERT_EQUAL(write_and_append(&job, 0), 0);
	CU_ASSERT_EQUAL(link(job.input, other), 0);
	CU_ASSERT_EQUAL(write_and_append(&job, 1), 0);
	CU_ASSERT_EQUAL(unlink(job.input) | unlink(other), 0);
	CU_ASSERT_EQUAL(write_and_append(&job, 2), 0);
	CU_ASSERT_EQUAL(wm_source_check(&job.source, &error), 0);
	/* But another in its place is not. */
	wm_scratch_write(job.input, job.bytes, 4 * WM_EXTENT_BYTES);
	CU_ASSERT_EQUAL(wm_source_check(&job.source, &error), -WM_STORE_INPUT_CHANGED);
	end(&job);
}

static void a_journal_that_cannot_be_written_says_why(void)
{
	struct wm_journal_record record;
	struct job job;
	int fd;

	begin(&job, 2 * WM_EXTENT_BYTES);
	record = record_of(&job, 0);
	fd = job.journal.fd;
	job.journal.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	CU_ASSERT_EQUAL(append(&job, &record, 1), -ENOSPC);
	close(job.journal.fd);
	job.journal.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	job.journal.failed = false;
	CU_ASSERT_EQUAL(append(&job, &record, 1), -EBADF);
	close(job.journal.fd);
	job.journal.fd = fd;
	takes_no_more(&job, 0);
	CU_ASSERT(journal_holds(&job, 0));
	end(&job);
}

/* The limit cuts the second append in the middle of a record: a short write. */
static void an_append_that_is_cut_short_counts_for_nothing(void)
{
	struct wm_journal_record records[10];
	struct rlimit limit, old;
	struct job job;

	begin(&job, 12 * WM_EXTENT_BYTES);
	for (unsigned i = 0; i < 10; i++)
		records[i] = record_of(&job, i);
	CU_ASSERT_EQUAL(append(&job, records, 10), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = WM_JOURNAL_HEADER_BYTES + 14 * WM_JOURNAL_RECORD_BYTES + 9;
	setrlimit(RLIMIT_FSIZE, &limit);
	CU_ASSERT_EQUAL(append(&job, records, 10), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	takes_no_more(&job, 10);
	/* Their data was durable before: what did get there may be used. */
	CU_ASSERT(journal_holds(&job, 14));
	CU_ASSERT_EQUAL(append(&job, records, 10), 0);
	CU_ASSERT(journal_holds(&job, 24));
	end(&job);
}

/* In a child with a file system of its own, which goes with it. */
static int fill_small_disk(const char *directory)
{
	struct wm_journal_record records[WM_STORE_JOURNAL_RECORDS_MAX];
	char path[PATH_MAX];
	uint32_t good;
	struct job job;
	int ret;

	if (seteuid(0) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("journal", directory, "tmpfs", 0, "size=32k") < 0)
		return 77;
	describe(&job, 2 * WM_EXTENT_BYTES);
	snprintf(path, sizeof(path), "%.4000s/journal", directory);
	if (wm_sink_create(&job.sink, job.output, job.layout.output_bytes, false, &job.source,
			   NULL) < 0 ||
	    wm_journal_create(&job.journal, path, &job.identity, NULL) < 0)
		return 1;
	strcpy(job.journal_path, path);
	open_store(&job);
	for (unsigned i = 0; i < WM_STORE_JOURNAL_RECORDS_MAX; i++)
		records[i] = record_of(&job, i % 2);
	do {
		good = job.journal.records;
		ret = append(&job, records, WM_STORE_JOURNAL_RECORDS_MAX);
	} while (ret == 0 && good < 10000);
	if (ret != -ENOSPC || job.journal.records != good || good == 0 || !job.journal.failed)
		return 2;
	if (!journal_holds(&job, good))
		return 3;
	end(&job);
	return 0;
}

static void a_full_disk_ends_the_journal_at_its_last_append(void)
{
	const char *directory = wm_scratch_path("small-disk");
	int status;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(mkdir(directory, 0700), 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(fill_small_disk(directory));
	CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		printf("# no small file system without root: not looked at\n");
	else
		CU_ASSERT_EQUAL(status, 0);
}

/* ---- suspended and resumed ---------------------------------------------- */

static void resume(struct job *job, int code)
{
	struct wm_error error = { "" };

	CU_ASSERT_EQUAL(wm_sink_resume(&job->sink, job->output, job->layout.output_bytes, false,
				       &job->source, &error),
			-code);
	if (code)
		CU_ASSERT(wm_scratch_is_line(&error));
}

static void a_suspended_output_keeps_its_bytes(void)
{
	uint64_t extents;
	struct job job;

	begin(&job, 5 * WM_EXTENT_BYTES + 777 * 32);
	extents = job.layout.extents;
	/* The last extent too: its tail goes another way than the rest. */
	CU_ASSERT_EQUAL(write_and_append(&job, extents - 1), 0);
	CU_ASSERT_EQUAL(write_and_append(&job, 1), 0);
	close_store(&job);
	wm_journal_close(&job.journal);
	wm_sink_suspend(&job.sink);
	CU_ASSERT_FALSE(wm_scratch_exists(job.output));

	resume(&job, 0);
	CU_ASSERT_EQUAL_FATAL(
		wm_journal_open(&job.journal, job.journal_path, note_durable, &job, NULL), 0);
	CU_ASSERT(job.durable[1] && job.durable[extents - 1] && job.extents_durable == 2);
	open_store(&job);
	for (uint64_t extent = 0; extent < extents; extent++) {
		if (!job.durable[extent])
			CU_ASSERT_EQUAL(write_and_append(&job, extent), 0);
	}
	CU_ASSERT_EQUAL(job.journal.records, extents);
	CU_ASSERT_EQUAL(wm_sink_commit(&job.sink, NULL), 0);
	CU_ASSERT(wm_scratch_holds(job.output, job.expected, job.layout.output_bytes));
	end(&job);
}

static void a_child_does_not_keep_a_suspended_output_in_use(void)
{
	struct job job;
	pid_t child;

	begin(&job, 2 * WM_EXTENT_BYTES);
	child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	close_store(&job);
	wm_sink_suspend(&job.sink);
	resume(&job, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	end(&job);
}

static void only_what_was_left_is_resumed(void)
{
	char partial[PATH_MAX];
	struct wm_sink other;
	struct job job;

	describe(&job, 2 * WM_EXTENT_BYTES);
	job.journal.fd = -1;
	snprintf(partial, sizeof(partial), "%s", wm_scratch_path("output.wm-partial"));
	resume(&job, ENOENT);

	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&other, job.output, job.layout.output_bytes, false,
					     &job.source, NULL),
			      0);
	resume(&job, EBUSY);
	wm_sink_suspend(&other);
	resume(&job, 0);
	CU_ASSERT_EQUAL(wm_sink_create(&other, job.output, job.layout.output_bytes, false,
				       &job.source, NULL),
			-EBUSY);
	wm_sink_suspend(&job.sink);

	CU_ASSERT_EQUAL_FATAL(truncate(partial, 4096), 0);
	resume(&job, EINVAL);
	CU_ASSERT(wm_scratch_exists(partial));
	CU_ASSERT_EQUAL_FATAL(truncate(partial, (off_t)job.layout.output_bytes), 0);
	wm_scratch_write(job.output, "x", 1);
	resume(&job, EEXIST);
	unlink(job.output);
	resume(&job, 0);
	wm_sink_abandon(&job.sink);
	CU_ASSERT_FALSE(wm_scratch_exists(partial));

	CU_ASSERT_EQUAL_FATAL(symlink("input", partial), 0);
	resume(&job, ELOOP);
	unlink(partial);
	CU_ASSERT_EQUAL_FATAL(mkdir(partial, 0700), 0);
	resume(&job, EISDIR);
	rmdir(partial);
	job.sink.fd = -1;
	end(&job);
}

/* ---- killed ------------------------------------------------------------- */

/* Says each extent that the journal has, until it is killed. */
static void work_until_killed(uint64_t input_bytes, int said)
{
	struct job job;

	begin(&job, input_bytes);
	for (uint64_t extent = job.layout.extents; extent-- > 0;) {
		uint8_t number = (uint8_t)extent;

		if (write_and_append(&job, extent) < 0 || write(said, &number, 1) != 1)
			_exit(1);
	}
	pause();
}

/* What the worker said that was durable, when it had said so `count` times. */
static void kill_after(uint64_t input_bytes, unsigned count, bool said[EXTENTS_MAX])
{
	uint8_t number;
	int pipes[2];
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_CLOEXEC), 0);
	fflush(stdout);
	child = fork();
	if (child == 0)
		work_until_killed(input_bytes, pipes[1]);
	close(pipes[1]);
	for (; count > 0 && read(pipes[0], &number, 1) == 1; count--)
		said[number] = true;
	CU_ASSERT_EQUAL(count, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(pipes[0]);
}

static void check_partial(struct job *job)
{
	uint8_t *found = malloc(job->layout.output_bytes);
	int fd = open(wm_scratch_path("output.wm-partial"), O_RDONLY | O_CLOEXEC);

	CU_ASSERT_EQUAL_FATAL(pread(fd, found, job->layout.output_bytes, 0),
			      (ssize_t)job->layout.output_bytes);
	for (uint64_t extent = 0; extent < job->layout.extents; extent++) {
		struct wm_span span = wm_layout_extent(&job->layout, extent);

		if (job->durable[extent])
			CU_ASSERT(memcmp(found + span.out_offset, job->expected + span.out_offset,
					 span.out_bytes) == 0);
	}
	close(fd);
	free(found);
}

static void a_killed_job_goes_on_from_what_was_durable(void)
{
	static const unsigned counts[] = { 1, 2, 7, 12 };
	uint64_t input_bytes = 12 * WM_EXTENT_BYTES - 5 * 32;

	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct wm_journal_identity now;
		bool said[EXTENTS_MAX] = { false };
		struct wm_error error = { "" };
		struct timespec times[2];
		struct stat status;
		struct job job;

		kill_after(input_bytes, counts[i], said);
		CU_ASSERT_EQUAL_FATAL(stat(wm_scratch_path("input"), &status), 0);
		times[0] = status.st_atim;
		times[1] = status.st_mtim;
		describe(&job, input_bytes); /* the same bytes again */
		CU_ASSERT_EQUAL(utimensat(AT_FDCWD, job.input, times, 0), 0);
		wm_source_close(&job.source);
		CU_ASSERT_EQUAL_FATAL(wm_source_open(&job.source, job.input, NULL), 0);
		CU_ASSERT_EQUAL(
			wm_journal_identify(&now, &job.source, &job.layout, false, false, NULL), 0);
		CU_ASSERT_EQUAL_FATAL(
			wm_journal_open(&job.journal, job.journal_path, note_durable, &job, &error),
			0);
		CU_ASSERT_EQUAL(wm_journal_match(&job.journal.identity, &now, &error), 0);
		for (unsigned extent = 0; extent < EXTENTS_MAX; extent++)
			CU_ASSERT(!said[extent] || job.durable[extent]);
		check_partial(&job);

		resume(&job, 0);
		open_store(&job);
		for (uint64_t extent = 0; extent < job.layout.extents; extent++) {
			if (!job.durable[extent])
				CU_ASSERT_EQUAL(write_and_append(&job, extent), 0);
		}
		CU_ASSERT_EQUAL(wm_sink_commit(&job.sink, NULL), 0);
		CU_ASSERT(wm_scratch_holds(job.output, job.expected, job.layout.output_bytes));
		end(&job);
	}
}

static const struct wm_test tests[] = {
	WM_TEST(records_follow_their_extents),
	WM_TEST(reads_and_writes_go_on_beside_an_append),
	WM_TEST(an_output_that_cannot_be_synced_is_not_vouched_for),
	WM_TEST(no_record_vouches_for_an_input_that_changed),
	WM_TEST(an_input_that_is_read_linked_or_removed_is_the_same),
	WM_TEST(a_journal_that_cannot_be_written_says_why),
	WM_TEST(an_append_that_is_cut_short_counts_for_nothing),
	WM_TEST(a_full_disk_ends_the_journal_at_its_last_append),
	WM_TEST(a_suspended_output_keeps_its_bytes),
	WM_TEST(a_child_does_not_keep_a_suspended_output_in_use),
	WM_TEST(only_what_was_left_is_resumed),
	WM_TEST(a_killed_job_goes_on_from_what_was_durable),
};

int main(void)
{
	int ret;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	ret = WM_TESTS_RUN("append", tests);
	wm_scratch_end();
	return ret;
}
