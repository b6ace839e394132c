/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "scratch.h"
#include "stream.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"

#define EXTENT_VECTORS (WM_EXTENT_BYTES / 32)

/* ---- a job: real files, and a store between them ------------------------- */

struct job {
	char input[PATH_MAX], output[PATH_MAX];
	uint8_t *bytes;
	uint64_t input_bytes;
	struct wm_layout layout;
	struct wm_source source;
	struct wm_sink sink;
	struct wm_store *store;
	struct iovec buffers[4];
};

static void begin_in(struct job *job, const char *directory, const struct wm_kernel *kernel,
		     uint64_t input_bytes)
{
	struct wm_error error = { "" };

	memset(job, 0, sizeof(*job));
	snprintf(job->input, sizeof(job->input), "%s/input", directory);
	snprintf(job->output, sizeof(job->output), "%s/output", directory);
	job->input_bytes = input_bytes;
	job->bytes = wm_scratch_bytes(input_bytes, input_bytes);
	wm_scratch_write(job->input, job->bytes, input_bytes);
	CU_ASSERT_EQUAL_FATAL(wm_layout_init(&job->layout, kernel,
					     input_bytes / kernel->in_bytes * kernel->in_bytes,
					     9000, NULL),
			      0);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&job->source, job->input, &error), 0);
	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&job->sink, job->output, job->layout.output_bytes,
					     false, &job->source, &error),
			      0);
}

static void begin(struct job *job, uint64_t input_bytes)
{
	begin_in(job, wm_scratch_path("."), wm_kernel_find("xor"), input_bytes);
}

static void end(struct job *job)
{
	if (job->sink.fd >= 0)
		wm_sink_abandon(&job->sink);
	wm_source_close(&job->source);
	unlink(job->input);
	unlink(job->output);
	free(job->bytes);
}

static void open_store(struct job *job, uint32_t depth)
{
	struct wm_store_config config = { depth, job->buffers, 4 };
	struct wm_error error = { "" };

	for (unsigned i = 0; i < 4; i++) {
		job->buffers[i].iov_len = wm_store_buffer_bytes(&job->layout);
		job->buffers[i].iov_base = wm_stream_memory(job->buffers[i].iov_len);
	}
	CU_ASSERT_EQUAL_FATAL(wm_store_create(&job->store, &config, &error), 0);
	wm_store_attach(job->store, &job->layout, &job->source, &job->sink);
}

static void close_store(struct job *job)
{
	CU_ASSERT_EQUAL(wm_store_detach(job->store), 0);
	wm_store_destroy(&job->store);
	CU_ASSERT_PTR_NULL(job->store);
	for (unsigned i = 0; i < 4; i++)
		free(job->buffers[i].iov_base);
}

static struct wm_store_event next_event(struct job *job)
{
	struct wm_store_event event;

	CU_ASSERT_EQUAL_FATAL(wm_store_submit(job->store), 0);
	while (wm_store_poll(job->store, &event, 1) == 0)
		;
	return event;
}

static bool buffer_holds_extent(const struct job *job, unsigned buffer, uint64_t extent)
{
	struct wm_span span = wm_layout_extent(&job->layout, extent);
	const uint8_t *memory = job->buffers[buffer].iov_base;

	return memcmp(memory + wm_store_buffer_skew(&job->layout, extent),
		      job->bytes + span.in_offset, span.in_bytes) == 0;
}

/* Commits and compares with what is computed here at once. */
static bool output_is_right(struct job *job)
{
	uint8_t *expected = malloc(job->layout.output_bytes);
	bool right;

	if (wm_sink_commit(&job->sink, NULL) < 0)
		abort();
	wm_stream_xor(expected, job->bytes, job->layout.input_bytes);
	right = wm_scratch_holds(job->output, expected, job->layout.output_bytes);
	free(expected);
	return right;
}

static bool run_is_right(struct job *job, const struct wm_stream *stream,
			 struct wm_store_counters *counters)
{
	int ret = wm_stream_run(stream, &job->layout, &job->source, &job->sink, counters);

	if (ret < 0)
		printf("# stream of %llu bytes: %s\n", (unsigned long long)job->input_bytes,
		       strerror(-ret));
	return ret == 0 && counters->reads == job->layout.extents &&
	       counters->writes == job->layout.extents &&
	       counters->write_bytes == job->layout.output_bytes && output_is_right(job);
}

/* ---- whole jobs --------------------------------------------------------- */

static const uint64_t boundary_vectors[] = {
	2,
	16,
	17,
	18,
	127,
	128,
	129,
	130,
	255,
	256,
	257,
	258,
	513,
	EXTENT_VECTORS - 1,
	EXTENT_VECTORS,
	EXTENT_VECTORS + 1,
	EXTENT_VECTORS + 2,
	EXTENT_VECTORS + 18,
	2 * EXTENT_VECTORS + 1,
	3 * EXTENT_VECTORS + 1000,
};

static void boundaries_are_exact(const char *directory, uint32_t part_bytes)
{
	struct wm_stream stream = { .depth = 3, .part_bytes = part_bytes };

	for (unsigned i = 0; i < sizeof(boundary_vectors) / sizeof(boundary_vectors[0]); i++) {
		struct wm_store_counters counters = { 0 };
		struct job job;

		begin_in(&job, directory, wm_kernel_find("xor"), boundary_vectors[i] * 32);
		CU_ASSERT(run_is_right(&job, &stream, &counters));
		CU_ASSERT_EQUAL(counters.reads_direct, job.source.direct ? counters.reads : 0);
		end(&job);
	}
}

static void sizes_around_boundaries_are_exact_as_one_part(void)
{
	boundaries_are_exact(wm_scratch_path("."), 0);
}

static void sizes_around_boundaries_are_exact_in_parts_of_8192(void)
{
	boundaries_are_exact(wm_scratch_path("."), 8192);
}

static void sizes_around_boundaries_are_exact_in_parts_of_3072(void)
{
	boundaries_are_exact(wm_scratch_path("."), 3072);
}

static void more_parts_than_one_call_takes_are_exact(void)
{
	boundaries_are_exact(wm_scratch_path("."), 512);
}

static void buffered_files_take_parts_of_any_length(void)
{
	CU_ASSERT_PTR_NOT_NULL_FATAL(wm_scratch_shm());
	boundaries_are_exact(wm_scratch_shm(), 1440);
	boundaries_are_exact(wm_scratch_shm(), 480);
}

static void an_input_that_is_longer_than_the_job_is_cut(void)
{
	struct wm_stream stream = { .depth = 2 };
	struct wm_store_counters counters;
	struct job job;

	begin(&job, 3 * WM_EXTENT_BYTES + 32 + 31);
	CU_ASSERT_EQUAL(job.layout.input_bytes, 3 * WM_EXTENT_BYTES + 32);
	CU_ASSERT(run_is_right(&job, &stream, &counters));
	end(&job);
}

static void extents_may_come_in_any_order(void)
{
	struct wm_stream stream = { .depth = 4, .part_bytes = 8192, .reverse = true };
	struct wm_store_counters counters;
	struct job job;

	begin(&job, 11 * WM_EXTENT_BYTES + 4000);
	CU_ASSERT(run_is_right(&job, &stream, &counters));
	end(&job);
}

static void events_may_be_taken_one_at_a_time(void)
{
	struct wm_stream stream = { .depth = 4, .events_max = 1 };
	struct wm_store_counters counters;
	struct job job;

	begin(&job, 9 * WM_EXTENT_BYTES + 64);
	CU_ASSERT(run_is_right(&job, &stream, &counters));
	end(&job);
}

static void direct_writes_are_counted_but_for_a_lone_tail(void)
{
	struct wm_stream stream = { .depth = 2 };
	struct wm_store_counters counters;
	struct job job;

	/* Two full extents, and a third of one vector: less than a page. */
	begin(&job, (2 * EXTENT_VECTORS + 2) * 32);
	CU_ASSERT(run_is_right(&job, &stream, &counters));
	CU_ASSERT_EQUAL(counters.writes, 3);
	CU_ASSERT_EQUAL(counters.writes_direct, job.sink.direct ? 2 : 0);
	CU_ASSERT_EQUAL(counters.read_bytes, 2 * (WM_EXTENT_BYTES + 32) + 64);
	CU_ASSERT_EQUAL(counters.short_ios, 0);
	end(&job);
}

/* ---- reads -------------------------------------------------------------- */

static void extents_that_begin_inside_a_page_land_at_their_skew(void)
{
	static const struct wm_kernel kernel = { "odd", 24, 96, 1, 2, { 0 } };
	struct job job;
	bool skewed = false;

	begin_in(&job, wm_scratch_path("."), &kernel, 24 * 40000);
	open_store(&job, 4);
	for (uint64_t extent = 0; extent < job.layout.extents; extent++) {
		struct wm_store_event event;

		skewed |= wm_store_buffer_skew(&job.layout, extent) != 0;
		CU_ASSERT_EQUAL(wm_store_read(job.store, extent, extent % 4), 0);
		event = next_event(&job);
		CU_ASSERT_EQUAL(event.result, 0);
		CU_ASSERT_EQUAL(event.extent, extent);
		CU_ASSERT(buffer_holds_extent(&job, extent % 4, extent));
	}
	CU_ASSERT(skewed);
	close_store(&job);
	end(&job);
}

static void reads_in_flight_each_fill_their_own_buffer(void)
{
	struct job job;

	begin(&job, 4 * WM_EXTENT_BYTES + 32);
	open_store(&job, 4);
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(wm_store_read(job.store, 3 - i, i), 0);
	CU_ASSERT_EQUAL(wm_store_in_flight(job.store), 4);
	for (unsigned i = 0; i < 4; i++) {
		struct wm_store_event event = next_event(&job);

		CU_ASSERT_EQUAL(event.op, WM_STORE_READ);
		CU_ASSERT_EQUAL(event.result, 0);
		CU_ASSERT(buffer_holds_extent(&job, 3 - (unsigned)event.extent, event.extent));
	}
	CU_ASSERT_EQUAL(wm_store_in_flight(job.store), 0);
	close_store(&job);
	end(&job);
}

static void an_input_that_shrank_is_an_error(void)
{
	static const off_t lengths[] = {
		0, 100, 4096, 700000, 512 * 1024, WM_EXTENT_BYTES, WM_EXTENT_BYTES + 31
	};

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct job job;

		begin(&job, 2 * WM_EXTENT_BYTES);
		open_store(&job, 1);
		CU_ASSERT_EQUAL(truncate(job.input, lengths[i]), 0);
		CU_ASSERT_EQUAL(wm_store_read(job.store, 0, 0), 0);
		CU_ASSERT_EQUAL(next_event(&job).result, -WM_STORE_INPUT_CHANGED);
		close_store(&job);
		end(&job);
	}
}

/* Of the kernel: NULL takes what is submitted. */
static int submit_error;
int __real_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring);

int __wrap_io_uring_submit(struct io_uring *ring)
{
	return submit_error ? submit_error : __real_io_uring_submit(ring);
}

/* Nothing waits for ever, and what is asked later, when it takes it again, is done. */
static void what_the_kernel_does_not_take_ends_with_its_error(void)
{
	bool ended[4] = { false };
	struct wm_store_event events[8];
	struct job job;

	begin(&job, 4 * WM_EXTENT_BYTES);
	open_store(&job, 4);
	for (unsigned round = 0; round < 3; round++) {
		submit_error = -ENXIO;
		for (unsigned i = 0; i < 4; i++)
			CU_ASSERT_EQUAL(wm_store_read(job.store, i, i), 0);
		CU_ASSERT_EQUAL(wm_store_submit(job.store), -ENXIO);
		memset(ended, 0, sizeof(ended));
		CU_ASSERT_EQUAL(wm_store_poll(job.store, events, 3), 3);
		CU_ASSERT_EQUAL(wm_store_poll(job.store, events + 3, 5), 1);
		for (unsigned i = 0; i < 4; i++) {
			CU_ASSERT_EQUAL(events[i].op, WM_STORE_READ);
			CU_ASSERT_EQUAL(events[i].result, -ENXIO);
			ended[events[i].extent] = true;
		}
		CU_ASSERT(ended[0] && ended[1] && ended[2] && ended[3]);
		CU_ASSERT_EQUAL(wm_store_in_flight(job.store), 0);
		CU_ASSERT_EQUAL(wm_store_poll(job.store, events, 8), 0);
	}
	submit_error = 0;
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(wm_store_submit(job.store), 0);
		CU_ASSERT_EQUAL(wm_store_read(job.store, i, i), 0);
		CU_ASSERT_EQUAL(next_event(&job).result, 0);
		CU_ASSERT(buffer_holds_extent(&job, i, i));
	}
	close_store(&job);
	end(&job);
}

static int ring_descriptor(void)
{
	for (int fd = 3; fd < 1024; fd++) {
		char link[64], target[64] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) > 0 &&
		    strcmp(target, "anon_inode:[io_uring]") == 0)
			return fd;
	}
	return -1;
}

/* Until the kernel has posted what the store is not yet asked for. */
static void wait_for_completion(void)
{
	struct pollfd ring = { .fd = ring_descriptor(), .events = POLLIN };

	CU_ASSERT_EQUAL_FATAL(poll(&ring, 1, 10000), 1);
}

static void a_short_read_goes_on_where_it_stopped(void)
{
	const size_t half = WM_EXTENT_BYTES / 2 + 7;
	struct wm_store_counters counters;
	struct wm_store_event event;
	struct job job;
	int fd;

	CU_ASSERT_PTR_NOT_NULL_FATAL(wm_scratch_shm());
	begin_in(&job, wm_scratch_shm(), wm_kernel_find("xor"), WM_EXTENT_BYTES + 32);
	open_store(&job, 1);
	/* Half as long while it is read, whole when that is noticed. */
	CU_ASSERT_EQUAL(truncate(job.input, (off_t)half), 0);
	CU_ASSERT_EQUAL(wm_store_read(job.store, 0, 0), 0);
	CU_ASSERT_EQUAL(wm_store_submit(job.store), 0);
	wait_for_completion();
	fd = open(job.input, O_WRONLY | O_CLOEXEC);
	CU_ASSERT(pwrite(fd, job.bytes + half, job.input_bytes - half, (off_t)half) > 0);
	close(fd);
	event = next_event(&job);
	CU_ASSERT_EQUAL(event.result, 0);
	CU_ASSERT(buffer_holds_extent(&job, 0, 0));
	wm_store_get_counters(job.store, &counters);
	CU_ASSERT_EQUAL(counters.short_ios, 1);
	close_store(&job);
	end(&job);
}

/* ---- writes ------------------------------------------------------------- */

static void parts_that_do_not_fit_are_refused(void)
{
	uint8_t *memory = wm_stream_memory(WM_EXTENT_BYTES + 4096);
	struct iovec whole = { memory, WM_EXTENT_BYTES };
	struct iovec less = { memory, WM_EXTENT_BYTES - 512 };
	struct iovec more = { memory, WM_EXTENT_BYTES + 512 };
	struct iovec empty[2] = { whole, { memory, 0 } };
	struct iovec odd[2] = { { memory, 1440 }, { memory + 4096, WM_EXTENT_BYTES - 1440 } };
	struct iovec shifted = { memory + 8, WM_EXTENT_BYTES };
	struct job job;

	begin(&job, 2 * WM_EXTENT_BYTES);
	open_store(&job, 1);
	CU_ASSERT_EQUAL(wm_store_write(job.store, 0, &whole, 0), -EINVAL);
	CU_ASSERT_EQUAL(wm_store_write(job.store, 0, &less, 1), -EINVAL);
	CU_ASSERT_EQUAL(wm_store_write(job.store, 0, &more, 1), -EINVAL);
	CU_ASSERT_EQUAL(wm_store_write(job.store, 0, empty, 2), -EINVAL);
	if (job.sink.direct) {
		CU_ASSERT_EQUAL(wm_store_write(job.store, 0, odd, 2), -EINVAL);
		CU_ASSERT_EQUAL(wm_store_write(job.store, 0, &shifted, 1), -EINVAL);
	}
	CU_ASSERT_EQUAL(wm_store_in_flight(job.store), 0);
	CU_ASSERT_EQUAL(wm_store_write(job.store, 0, &whole, 1), 0);
	CU_ASSERT_EQUAL(next_event(&job).result, 0);
	close_store(&job);
	end(&job);
	free(memory);
}

/* The kernel cuts a write at this limit, and refuses what begins past it. */
static void a_write_that_fails_half_way_reports_why(void)
{
	struct rlimit limit, lower = { WM_EXTENT_BYTES / 2, RLIM_INFINITY };
	uint8_t *memory = wm_stream_memory(WM_EXTENT_BYTES);
	struct iovec parts[128];
	struct wm_store_counters counters;
	struct job job;

	for (unsigned i = 0; i < 128; i++)
		parts[i] = (struct iovec){ memory + i * 8192, 8192 };
	begin(&job, 2 * WM_EXTENT_BYTES);
	open_store(&job, 1);
	CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
	lower.rlim_max = limit.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &lower), 0);
	CU_ASSERT_EQUAL(wm_store_write(job.store, 0, parts, 128), 0);
	CU_ASSERT_EQUAL(next_event(&job).result, -EFBIG);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	wm_store_get_counters(job.store, &counters);
	CU_ASSERT_EQUAL(counters.short_ios, 1);
	CU_ASSERT_EQUAL(counters.writes, 0);
	close_store(&job);
	end(&job);
	free(memory);
}

/* ---- the ring ----------------------------------------------------------- */

static void depth_bounds_what_is_in_flight(void)
{
	struct wm_store_event event;
	struct job job;

	begin(&job, 4 * WM_EXTENT_BYTES);
	open_store(&job, 2);
	CU_ASSERT_EQUAL(wm_store_read(job.store, 0, 0), 0);
	CU_ASSERT_EQUAL(wm_store_read(job.store, 1, 1), 0);
	CU_ASSERT_EQUAL(wm_store_read(job.store, 2, 2), -EAGAIN);
	CU_ASSERT_EQUAL(wm_store_detach(job.store), -EBUSY);
	event = next_event(&job);
	CU_ASSERT_EQUAL(wm_store_in_flight(job.store), 1);
	CU_ASSERT_EQUAL(wm_store_read(job.store, 2, (unsigned)event.extent), 0);
	next_event(&job);
	next_event(&job);
	close_store(&job);
	end(&job);
}

/* In a child that may only read, write and exit: anything else kills it. */
static bool survives_without_system_calls(struct job *job)
{
	struct wm_store_event event;
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
			_exit(1);
		for (unsigned i = 0; i < 1000; i++) {
			wm_store_submit(job->store);
			wm_store_poll(job->store, &event, 1);
		}
		syscall(SYS_exit, 0);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

static void a_poll_that_finds_nothing_makes_no_system_call(void)
{
	struct job job;

	begin(&job, 2 * WM_EXTENT_BYTES);
	open_store(&job, 2);
	CU_ASSERT_EQUAL(wm_store_read(job.store, 0, 0), 0);
	CU_ASSERT_EQUAL(next_event(&job).result, 0);
	CU_ASSERT(survives_without_system_calls(&job));
	close_store(&job);
	end(&job);
}

static void a_store_serves_one_job_after_another(void)
{
	struct job first, second;

	begin(&first, 2 * WM_EXTENT_BYTES);
	open_store(&first, 1);
	CU_ASSERT_EQUAL(wm_store_read(first.store, 0, 0), 0);
	CU_ASSERT_EQUAL(next_event(&first).result, 0);
	CU_ASSERT_EQUAL(wm_store_detach(first.store), 0);

	CU_ASSERT_PTR_NOT_NULL_FATAL(wm_scratch_shm());
	begin_in(&second, wm_scratch_shm(), wm_kernel_find("xor"), 5000 * 32);
	second.store = first.store;
	memcpy(second.buffers, first.buffers, sizeof(first.buffers));
	wm_store_attach(second.store, &second.layout, &second.source, &second.sink);
	CU_ASSERT_EQUAL(wm_store_read(second.store, 0, 3), 0);
	CU_ASSERT_EQUAL(next_event(&second).result, 0);
	CU_ASSERT(buffer_holds_extent(&second, 3, 0));
	close_store(&first);
	end(&second);
	end(&first);
}

/* As root and its CAP_IPC_LOCK nothing is refused. */
static void too_little_lockable_memory_is_said_in_a_line(void)
{
	struct rlimit limit, lower;
	struct iovec buffer = { wm_stream_memory(4 << 20), 4 << 20 };
	struct wm_store_config config = { 2, &buffer, 1 };
	struct wm_error error = { "" };
	struct wm_store *store = NULL;

	CU_ASSERT_EQUAL(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	lower = limit;
	lower.rlim_cur = 64 << 10;
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_MEMLOCK, &lower), 0);
	CU_ASSERT_EQUAL(wm_store_create(&store, &config, &error), -ENOMEM);
	CU_ASSERT_EQUAL(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "LimitMEMLOCK"));
	CU_ASSERT_PTR_NULL(store);
	free(buffer.iov_base);
}

static const struct wm_test tests[] = {
	WM_TEST(sizes_around_boundaries_are_exact_as_one_part),
	WM_TEST(sizes_around_boundaries_are_exact_in_parts_of_8192),
	WM_TEST(sizes_around_boundaries_are_exact_in_parts_of_3072),
	WM_TEST(more_parts_than_one_call_takes_are_exact),
	WM_TEST(buffered_files_take_parts_of_any_length),
	WM_TEST(an_input_that_is_longer_than_the_job_is_cut),
	WM_TEST(extents_may_come_in_any_order),
	WM_TEST(events_may_be_taken_one_at_a_time),
	WM_TEST(direct_writes_are_counted_but_for_a_lone_tail),
	WM_TEST(extents_that_begin_inside_a_page_land_at_their_skew),
	WM_TEST(reads_in_flight_each_fill_their_own_buffer),
	WM_TEST(an_input_that_shrank_is_an_error),
	WM_TEST(what_the_kernel_does_not_take_ends_with_its_error),
	WM_TEST(a_short_read_goes_on_where_it_stopped),
	WM_TEST(parts_that_do_not_fit_are_refused),
	WM_TEST(a_write_that_fails_half_way_reports_why),
	WM_TEST(depth_bounds_what_is_in_flight),
	WM_TEST(a_poll_that_finds_nothing_makes_no_system_call),
	WM_TEST(a_store_serves_one_job_after_another),
	WM_TEST(too_little_lockable_memory_is_said_in_a_line),
};

int main(void)
{
	int failed;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	failed = WM_TESTS_RUN("store", tests);
	wm_scratch_end();
	return failed;
}
