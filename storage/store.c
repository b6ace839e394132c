/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lane's ring. A request is one extent on its way in or out (or, beside them,
 * the one append to a journal): it has at most one SQE in flight, and when that completes it either
 * goes on where the kernel stopped or becomes an event.
 *
 *   read    one fixed buffer          until the extent and its halo are there
 *   write   parts [0, tail_first)     through fd, IOV_MAX of them at a time
 *           parts [tail_first, count) through fd_tail, then
 *
 * The tail begins at a page of the file and waits for the rest: a page that is
 * written both past and through the page cache would end up as either.
 *
 * Completions are left to the kernel to post when the lane next enters it, which
 * it asks for with a flag in the ring (IORING_SQ_TASKRUN). So a completion never
 * interrupts the lane, and a poll that finds nothing makes no system call.
 */
#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

#include "append.h"
#include "parts.h"
#include "rights.h"
#include "ring.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"

/* CQEs taken from the ring at a time. */
#define POLL_BURST 16u

/* Both ends of one. */
struct job {
	const struct wm_layout *layout; /* NULL: a free entry */
	const struct wm_source *source;
	const struct wm_sink *sink;
};

static_assert(WM_RUNNING_JOBS_MAX == 1, "reads and writes do not say of which job");

struct request {
	struct request *next_free;
	const struct job *job;
	enum wm_store_op op;
	bool direct;
	uint64_t extent;
	uint64_t offset;      /* in the file, of the next byte */
	uint32_t asked_bytes; /* of the SQE in flight */
	/* of a read */
	uint32_t buffer;
	uint32_t room_bytes;   /* left in the buffer */
	uint32_t needed_bytes; /* left until extent and halo are there */
	uint8_t *memory;
	/* of a write */
	uint32_t part_next, part_count, tail_first;
	struct iovec *parts; /* WM_PARTS_MAX */
};

struct wm_store {
	struct io_uring ring;
	struct job jobs[WM_RUNNING_JOBS_MAX];
	struct request *free;
	uint32_t in_flight;
	bool unsubmitted; /* the kernel has to be asked again */
	/* What it did not take, and why: events of the next polls. */
	struct request *refused;
	bool append_refused;
	int refused_code;
	struct wm_store_counters counters;
	struct iovec *buffers;
	uint32_t buffer_count, depth;
	struct iovec *parts;
	struct wm_append append;
	struct request requests[];
};

/* ---- arithmetic --------------------------------------------------------- */

static uint32_t page_rest(uint64_t bytes)
{
	return (uint32_t)(bytes % WM_STORE_ALIGN_BYTES);
}

static uint64_t page_round_up(uint64_t bytes)
{
	return (bytes + WM_STORE_ALIGN_BYTES - 1) / WM_STORE_ALIGN_BYTES * WM_STORE_ALIGN_BYTES;
}

uint32_t wm_store_buffer_skew(const struct wm_layout *layout, uint64_t extent)
{
	return page_rest(wm_layout_extent(layout, extent).in_offset);
}

uint32_t wm_store_buffer_bytes(const struct wm_layout *layout)
{
	const struct wm_kernel *kernel = &layout->kernel;
	uint64_t step = (uint64_t)layout->extent_elements * kernel->in_bytes;
	uint64_t halo = (uint64_t)(kernel->halo_before + kernel->halo_after) * kernel->in_bytes;
	uint64_t skew_max = page_rest(step) ? WM_STORE_ALIGN_BYTES - 1 : 0;

	return (uint32_t)page_round_up(skew_max + step + halo);
}

/* ---- life --------------------------------------------------------------- */

static int register_buffers(struct wm_store *store, struct wm_error *error)
{
	uint64_t bytes = 0;
	int ret = io_uring_register_buffers(&store->ring, store->buffers, store->buffer_count);

	if (ret == 0)
		return 0;
	for (uint32_t i = 0; i < store->buffer_count; i++)
		bytes += store->buffers[i].iov_len;
	if (ret == -ENOMEM && wm_rights_check_memlock(bytes, error) == 0)
		return wm_error_set(error, ENOMEM,
				    "no memory for the kernel to lock %llu MiB of I/O buffers: "
				    "free some, or raise LimitMEMLOCK= (ulimit -l), of which this "
				    "user's other programs have a part",
				    (unsigned long long)(bytes >> 20));
	if (ret == -ENOMEM)
		return ret;
	if (ret == -EPERM && wm_rights_are_filtered())
		return wm_error_set(error, EPERM,
				    "a seccomp filter forbids io_uring_register: allow it in the "
				    "container's profile or the unit's SystemCallFilter=");
	return wm_error_set(error, -ret, "%u I/O buffers cannot be registered (%s)",
			    store->buffer_count, wm_errno_text(-ret));
}

static void link_requests(struct wm_store *store)
{
	for (uint32_t i = store->depth; i-- > 0;) {
		struct request *request = &store->requests[i];

		request->parts = store->parts + (size_t)i * WM_PARTS_MAX;
		request->next_free = store->free;
		store->free = request;
	}
}

static void free_memory(struct wm_store *store)
{
	free(store->buffers);
	free(store->parts);
	free(store);
}

static struct wm_store *allocate(const struct wm_store_config *config)
{
	struct wm_store *store;

	store = calloc(1, sizeof(*store) + config->depth * sizeof(store->requests[0]));
	if (!store)
		return NULL;
	store->parts = calloc((size_t)config->depth * WM_PARTS_MAX, sizeof(store->parts[0]));
	store->buffers = calloc(config->buffer_count, sizeof(store->buffers[0]));
	if (!store->parts || !store->buffers) {
		free_memory(store);
		return NULL;
	}
	store->depth = config->depth;
	store->buffer_count = config->buffer_count;
	memcpy(store->buffers, config->buffers, config->buffer_count * sizeof(store->buffers[0]));
	link_requests(store);
	return store;
}

int wm_store_create(struct wm_store **store, const struct wm_store_config *config,
		    struct wm_error *error)
{
	struct wm_store *made;
	int ret;

	assert(config->depth > 0 && config->buffer_count > 0);
	made = allocate(config);
	if (!made)
		return wm_error_set(error, ENOMEM, "no memory for %u storage requests",
				    config->depth);
	ret = wm_ring_create(&made->ring, made->depth + 1, /* the append's */
			     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN |
				     IORING_SETUP_TASKRUN_FLAG,
			     error);
	if (ret < 0)
		goto free_store;
	ret = register_buffers(made, error);
	if (ret < 0)
		goto exit_ring;
	*store = made;
	return 0;

exit_ring:
	io_uring_queue_exit(&made->ring);
free_store:
	free_memory(made);
	return ret;
}

void wm_store_destroy(struct wm_store **store)
{
	struct wm_store *gone = *store;

	*store = NULL;
	if (!gone)
		return;
	assert(gone->in_flight == 0);
	/* Else the kernel gives the locked memory back some time after the exit,
	 * and the next store may not get its own. */
	io_uring_unregister_buffers(&gone->ring);
	io_uring_queue_exit(&gone->ring);
	free_memory(gone);
}

void wm_store_attach(struct wm_store *store, const struct wm_layout *layout,
		     const struct wm_source *source, const struct wm_sink *sink)
{
	struct job *job = &store->jobs[0];

	assert(store->in_flight == 0 && !job->layout);
	assert(source->bytes >= layout->input_bytes && sink->bytes == layout->output_bytes);
	*job = (struct job){ .layout = layout, .source = source, .sink = sink };
}

int wm_store_detach(struct wm_store *store)
{
	if (store->in_flight)
		return -EBUSY;
	store->jobs[0] = (struct job){ 0 };
	return 0;
}

uint32_t wm_store_in_flight(const struct wm_store *store)
{
	return store->in_flight;
}

void wm_store_get_counters(const struct wm_store *store, struct wm_store_counters *counters)
{
	*counters = store->counters;
}

/* ---- requests ----------------------------------------------------------- */

static struct request *acquire(struct wm_store *store, const struct job *job, enum wm_store_op op,
			       uint64_t extent)
{
	struct request *request = store->free;

	store->free = request->next_free;
	store->in_flight++;
	request->job = job;
	request->op = op;
	request->extent = extent;
	return request;
}

static void release(struct wm_store *store, struct request *request)
{
	request->next_free = store->free;
	store->free = request;
	store->in_flight--;
}

/* Of a request, or of the append: what its requests to the kernel are counted under. */
static struct wm_store_requests *requests_of(struct wm_store *store, const void *data)
{
	const struct request *request = data;
	bool input = data == &store->append ? store->append.step == WM_APPEND_LOOK
					    : request->op == WM_STORE_READ;

	return &store->counters.requests[input ? WM_STORE_INPUT : WM_STORE_OUTPUT];
}

static void queue_read(struct io_uring_sqe *sqe, struct request *request)
{
	request->asked_bytes = request->room_bytes;
	io_uring_prep_read_fixed(sqe, request->job->source->fd, request->memory,
				 request->room_bytes, request->offset, (int)request->buffer);
}

static void queue_write(struct io_uring_sqe *sqe, struct request *request)
{
	const struct wm_sink *sink = request->job->sink;
	const struct iovec *parts = request->parts + request->part_next;
	bool tail = request->part_next >= request->tail_first;
	uint32_t count = (tail ? request->part_count : request->tail_first) - request->part_next;

	if (count > IOV_MAX)
		count = IOV_MAX;
	request->asked_bytes = wm_parts_bytes(parts, count);
	io_uring_prep_writev(sqe, tail ? sink->fd_tail : sink->fd, parts, count, request->offset);
}

static void refuse(void *context, void *data)
{
	struct wm_store *store = context;
	struct request *request = data;

	if (data == &store->append) {
		store->append_refused = true;
		return;
	}
	request->next_free = store->refused;
	store->refused = request;
}

static void queue(struct wm_store *store, struct request *request)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&store->ring);

	requests_of(store, request)->asked++;
	/* The ring has an SQE for each request, and each request one at a time; none is
	 * left where the kernel takes nothing any more. */
	if (!sqe) {
		refuse(store, request);
		return;
	}
	if (request->op == WM_STORE_READ)
		queue_read(sqe, request);
	else
		queue_write(sqe, request);
	io_uring_sqe_set_data(sqe, request);
}

int wm_store_read(struct wm_store *store, uint64_t extent, uint32_t buffer)
{
	const struct job *job = &store->jobs[0];
	struct wm_span span = wm_layout_extent(job->layout, extent);
	uint32_t skew = page_rest(span.in_offset);
	struct request *request;

	assert(buffer < store->buffer_count);
	assert(page_round_up(skew + span.in_bytes) <= store->buffers[buffer].iov_len);
	if (!store->free)
		return -EAGAIN;
	request = acquire(store, job, WM_STORE_READ, extent);
	request->direct = job->source->direct;
	request->offset = span.in_offset - skew;
	request->buffer = buffer;
	request->memory = store->buffers[buffer].iov_base;
	request->needed_bytes = skew + span.in_bytes;
	request->room_bytes = (uint32_t)page_round_up(request->needed_bytes);
	queue(store, request);
	return 0;
}

int wm_store_write(struct wm_store *store, uint64_t extent, const struct iovec *parts,
		   uint32_t part_count)
{
	const struct job *job = &store->jobs[0];
	struct wm_span span = wm_layout_extent(job->layout, extent);
	const struct wm_sink *sink = job->sink;
	struct request *request;
	uint32_t head;

	if (!wm_parts_fit(sink, &span, parts, part_count))
		return -EINVAL;
	if (!store->free)
		return -EAGAIN;
	head = wm_parts_head_bytes(sink, &span);
	request = acquire(store, job, WM_STORE_WRITE, extent);
	request->direct = sink->direct && head > 0;
	request->offset = span.out_offset;
	request->part_next = 0;
	request->part_count =
		wm_parts_cut(request->parts, &request->tail_first, parts, part_count, head);
	queue(store, request);
	return 0;
}

/* ---- the journal -------------------------------------------------------- */

static void queue_append(struct wm_store *store)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&store->ring);

	requests_of(store, &store->append)->asked++;
	if (!sqe) {
		refuse(store, &store->append);
		return;
	}
	wm_append_prepare(&store->append, sqe);
	io_uring_sqe_set_data(sqe, &store->append);
}

int wm_store_journal(struct wm_store *store, struct wm_journal *journal,
		     const struct wm_journal_record *records, uint32_t record_count)
{
	const struct job *job = &store->jobs[0];

	assert(record_count > 0 && record_count <= WM_STORE_JOURNAL_RECORDS_MAX);
	if (store->append.journal)
		return -EBUSY;
	if (journal->failed)
		return -EIO;
	if (record_count > UINT32_MAX - journal->records)
		return -EFBIG;
	wm_append_begin(&store->append, journal, job->source, job->sink->fd, records, record_count);
	store->in_flight++;
	queue_append(store);
	return 0;
}

static bool complete_append(struct wm_store *store, int res, struct wm_store_event *event)
{
	int result;

	if (!wm_append_advance(&store->append, res, &result)) {
		queue_append(store);
		store->unsubmitted = true;
		return false;
	}
	store->in_flight--;
	*event = (struct wm_store_event){ WM_STORE_JOURNAL, result, store->append.record_count };
	return true;
}

/* ---- submission --------------------------------------------------------- */

int wm_store_submit(struct wm_store *store)
{
	int ret;

	if (io_uring_sq_ready(&store->ring) == 0)
		return 0;
	ret = io_uring_submit(&store->ring);
	/* What the kernel did not take now stays queued; poll asks again. */
	store->unsubmitted = io_uring_sq_ready(&store->ring) > 0;
	if (ret >= 0 || ret == -EAGAIN || ret == -EBUSY || ret == -EINTR)
		return 0;
	store->refused_code = ret;
	wm_ring_take_back(&store->ring, refuse, store);
	return ret;
}

/* ---- completion --------------------------------------------------------- */

/* True when the read is complete or, with result set, failed. */
static bool advance_read(const struct wm_source *source, struct request *request, uint32_t bytes,
			 int *result)
{
	if (bytes >= request->needed_bytes)
		return true;
	/* A read that stops inside a block has met the end: the input shrank. */
	if (bytes == 0 || bytes % source->align_bytes) {
		*result = -WM_STORE_INPUT_CHANGED;
		return true;
	}
	request->offset += bytes;
	request->memory += bytes;
	request->room_bytes -= bytes;
	request->needed_bytes -= bytes;
	return false;
}

static bool advance_write(struct request *request, uint32_t bytes, int *result)
{
	if (bytes == 0) {
		*result = -EIO;
		return true;
	}
	request->offset += bytes;
	while (bytes > 0) {
		struct iovec *part = &request->parts[request->part_next];

		if (bytes < part->iov_len) {
			part->iov_base = (uint8_t *)part->iov_base + bytes;
			part->iov_len -= bytes;
			return false;
		}
		bytes -= (uint32_t)part->iov_len;
		request->part_next++;
	}
	return request->part_next == request->part_count;
}

static bool advance(struct request *request, int res, int *result)
{
	*result = 0;
	/* Neither has moved anything: the same request again. */
	if (res == -EAGAIN || res == -EINTR)
		return false;
	if (res < 0) {
		*result = res;
		return true;
	}
	return request->op == WM_STORE_READ
		       ? advance_read(request->job->source, request, (uint32_t)res, result)
		       : advance_write(request, (uint32_t)res, result);
}

static void count(struct wm_store *store, const struct request *request)
{
	struct wm_span span = wm_layout_extent(request->job->layout, request->extent);
	struct wm_store_counters *counters = &store->counters;

	if (request->op == WM_STORE_READ) {
		counters->reads++;
		counters->read_bytes += span.in_bytes;
		counters->reads_direct += request->direct;
	} else {
		counters->writes++;
		counters->write_bytes += span.out_bytes;
		counters->writes_direct += request->direct;
	}
}

/* True when that made an event. */
static bool complete(struct wm_store *store, const struct io_uring_cqe *cqe,
		     struct wm_store_event *event)
{
	struct request *request = io_uring_cqe_get_data(cqe);
	int result;

	if (!request) /* taken back */
		return false;
	requests_of(store, request)->answered++;
	if (io_uring_cqe_get_data(cqe) == &store->append)
		return complete_append(store, cqe->res, event);
	if (!advance(request, cqe->res, &result)) {
		/* Other than a next IOV_MAX of parts, or the tail. */
		if (cqe->res < 0 || (uint32_t)cqe->res < request->asked_bytes)
			store->counters.short_ios++;
		queue(store, request);
		store->unsubmitted = true;
		return false;
	}
	if (result == 0)
		count(store, request);
	*event = (struct wm_store_event){ request->op, result, request->extent };
	release(store, request);
	return true;
}

/* What the kernel did not take, as events. */
static unsigned poll_refused(struct wm_store *store, struct wm_store_event *events,
			     unsigned events_max)
{
	unsigned done = 0;

	if (store->append_refused && events_max > 0) {
		store->append_refused = false;
		requests_of(store, &store->append)->answered++;
		done += complete_append(store, store->refused_code, &events[0]);
	}
	while (store->refused && done < events_max) {
		struct request *request = store->refused;

		store->refused = request->next_free;
		requests_of(store, request)->answered++;
		events[done++] = (struct wm_store_event){ request->op, store->refused_code,
							  request->extent };
		release(store, request);
	}
	return done;
}

unsigned wm_store_poll(struct wm_store *store, struct wm_store_event *events, unsigned events_max)
{
	struct io_uring_cqe *cqes[POLL_BURST];
	unsigned done = poll_refused(store, events, events_max), seen;

	do {
		unsigned room = events_max - done;

		seen = io_uring_peek_batch_cqe(&store->ring, cqes,
					       room < POLL_BURST ? room : POLL_BURST);
		for (unsigned i = 0; i < seen; i++)
			done += complete(store, cqes[i], &events[done]);
		io_uring_cq_advance(&store->ring, seen);
	} while (seen == POLL_BURST && done < events_max);

	if (store->unsubmitted)
		wm_store_submit(store);
	return done;
}
