/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "payload.h"

/* While nothing wakes this program for what it waits for: room to transmit. */
#define RETRY_NS (1 * WM_NS_PER_MS)
/* While the GPU computes: a result cannot be missed, a frame may wait so long. */
#define COMPUTE_WAIT_NS (1 * WM_NS_PER_MS)
/* A submission takes milliseconds; a device that needs this long is lost. */
#define FINISH_NS (10 * WM_NS_PER_S)
/* Frames of one step, so that completions and beats get their turn. */
#define RECEIVE_MAX (2 * WM_WORKER_ROWS_MAX)

#define CONTROL_FRAME_BYTES_MAX (WM_FRAME_HEADER_BYTES + WM_MESSAGE_BYTES_MAX)
#define NO_GROUP UINT32_MAX

/* One batch from its acceptance until its result is sent. */
struct task {
	struct wm_wire_header header; /* of the MAP frame */
	struct wm_xsk_frame input;    /* count 0: recycled already */
	uint32_t copy;		      /* group of an input that was copied, or NO_GROUP */
	uint32_t output;	      /* group */
	uint32_t out_bytes;
};

/* The tasks of one submission. The one being gathered has no ticket yet. */
struct submission {
	uint64_t ticket;
	uint32_t count;
	struct task tasks[WM_WORKER_ROWS_MAX];
};

/* What MAP frames of a job may ask for. */
struct job {
	bool prepared; /* else a free entry */
	uint32_t id;
	struct wm_kernel kernel;
	uint32_t batch_elements;
};

static_assert(WM_RUNNING_JOBS_MAX == 1, "a job takes the place of the one before");

struct wm_worker {
	struct wm_xsk *xsk;
	struct wm_executor *executor;
	wm_worker_control control;
	void *context;
	uint8_t *memory;
	uint8_t address[WM_ETHER_ADDR_BYTES];
	uint8_t controller[WM_ETHER_ADDR_BYTES];

	uint32_t session;
	const uint8_t *frame_key; /* NULL: no tags */
	struct job jobs[WM_RUNNING_JOBS_MAX];

	/* A ring: oldest .. oldest + in_flight are with the GPU, the next gathers. */
	struct submission submissions[WM_EXECUTOR_SUBMISSIONS + 1];
	uint32_t oldest, in_flight;
	struct wm_row *rows; /* of the one that gathers; NULL: no table yet */

	bool blocked; /* a frame waits in the ring for room here */
	int flushed;  /* what the last flush of the port returned */
	struct wm_worker_counters counters;
};

int wm_worker_create(struct wm_worker **out, const struct wm_worker_config *config)
{
	struct wm_worker *worker = calloc(1, sizeof(*worker));
	struct wm_xsk_obtained obtained;

	if (!worker)
		return -ENOMEM;
	wm_xsk_get_obtained(config->xsk, &obtained);
	worker->xsk = config->xsk;
	worker->executor = config->executor;
	worker->control = config->control;
	worker->context = config->context;
	worker->memory = wm_xsk_memory(config->xsk);
	memcpy(worker->address, obtained.address, WM_ETHER_ADDR_BYTES);
	*out = worker;
	return 0;
}

void wm_worker_destroy(struct wm_worker **worker)
{
	free(*worker);
	*worker = NULL;
}

void wm_worker_set_session(struct wm_worker *worker, uint32_t session,
			   const uint8_t controller[WM_ETHER_ADDR_BYTES])
{
	worker->session = session;
	memcpy(worker->controller, controller, WM_ETHER_ADDR_BYTES);
}

void wm_worker_set_frame_key(struct wm_worker *worker, const uint8_t *key)
{
	worker->frame_key = key;
}

void wm_worker_set_job(struct wm_worker *worker, uint32_t id, const struct wm_kernel *kernel,
		       uint32_t batch_elements)
{
	struct job *job = &worker->jobs[0];

	*job = (struct job){ 0 };
	if (kernel)
		*job = (struct job){ .prepared = true,
				     .id = id,
				     .kernel = *kernel,
				     .batch_elements = batch_elements };
}

void wm_worker_get_counters(const struct wm_worker *worker, struct wm_worker_counters *counters)
{
	*counters = worker->counters;
	for (unsigned i = 0; i < WM_EXECUTOR_SUBMISSIONS + 1; i++)
		counters->held += worker->submissions[i].count;
}

/* ---- MAP ---------------------------------------------------------------- */

static void drop(struct wm_worker *worker, const struct wm_xsk_frame *frame, enum wm_drop reason)
{
	worker->counters.drops.count[reason]++;
	wm_xsk_recycle(worker->xsk, frame);
}

/* NULL: it is none of those that were prepared. */
static const struct job *find_job(const struct wm_worker *worker, uint32_t id)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++) {
		if (worker->jobs[i].prepared && worker->jobs[i].id == id)
			return &worker->jobs[i];
	}
	return NULL;
}

static enum wm_drop check_map(const struct wm_worker *worker, const struct wm_xsk_frame *frame,
			      const struct wm_wire_header *header, const struct job **asked)
{
	const struct job *job = find_job(worker, header->job);
	enum wm_drop reason;
	uint32_t bytes;

	if (header->session != worker->session || worker->session == 0)
		return WM_DROP_SESSION;
	if (!job)
		return WM_DROP_JOB;
	*asked = job;
	if (header->count == 0 || header->count > job->batch_elements)
		return WM_DROP_BATCH;
	bytes = wm_frame_map_bytes(&job->kernel, header->count);
	reason = wm_frame_check_length(frame->bytes, bytes + wm_tag_bytes(worker->frame_key));
	if (reason != WM_DROP_NONE)
		return reason;
	return wm_payload_check(frame, bytes, worker->memory, header, worker->frame_key);
}

/* A driver put the frame where the GPU cannot read it: into a group, in one
 * piece. False: no group is free. */
static bool linearise(struct wm_worker *worker, struct task *task, struct wm_payload *payload)
{
	uint32_t at;

	if (!wm_xsk_group_acquire(worker->xsk, &task->copy))
		return false;
	at = task->copy + WM_XSK_GROUP_PAYLOAD;
	wm_payload_copy(payload, worker->memory, worker->memory + at);
	worker->counters.copied_bytes += payload->bytes;
	payload->pieces[0] = (struct wm_xsk_piece){ .offset = at, .bytes = payload->bytes };
	payload->count = 1;
	return true;
}

static void write_row(struct wm_row *row, const struct wm_payload *payload, uint32_t output,
		      uint32_t count)
{
	uint32_t end = 0;

	*row = (struct wm_row){ .out = output + WM_XSK_GROUP_PAYLOAD, .count = count };
	for (uint32_t i = 0; i < WM_ROW_PIECES; i++) {
		/* A piece that is not there is never reached; it still has to be a
		 * place within the region. */
		const struct wm_xsk_piece *piece = &payload->pieces[i < payload->count ? i : 0];

		row->in[i] = piece->offset;
		if (i < payload->count)
			end += piece->bytes;
		if (i < WM_ROW_PIECES - 1)
			row->in_end[i] = end;
	}
}

/* The submission that gathers, with a table of rows; NULL: all are in flight,
 * or it is full. */
static struct submission *gathering(struct wm_worker *worker)
{
	uint32_t slot = (worker->oldest + worker->in_flight) % (WM_EXECUTOR_SUBMISSIONS + 1);
	struct submission *submission = &worker->submissions[slot];

	if (worker->in_flight == WM_EXECUTOR_SUBMISSIONS || submission->count == WM_WORKER_ROWS_MAX)
		return NULL;
	if (!worker->rows)
		worker->rows = wm_executor_rows(worker->executor);
	return worker->rows ? submission : NULL;
}

/* Whether one more batch can be taken in: a row, a group for its output, and
 * one should its input have to be copied. */
static bool has_room(struct wm_worker *worker)
{
	return wm_xsk_groups_free(worker->xsk) >= 2 && gathering(worker) != NULL;
}

static void take_map(struct wm_worker *worker, const struct job *job,
		     const struct wm_xsk_frame *frame, const struct wm_wire_header *header)
{
	struct submission *submission = gathering(worker);
	struct task *task = &submission->tasks[submission->count];
	struct wm_payload payload =
		wm_payload_of(frame, wm_frame_map_bytes(&job->kernel, header->count));
	bool taken;

	*task = (struct task){
		.header = *header,
		.input = *frame,
		.copy = NO_GROUP,
		.out_bytes = wm_frame_result_bytes(&job->kernel, header->count),
	};
	taken = wm_xsk_group_acquire(worker->xsk, &task->output);
	if (!wm_payload_lies_well(&payload)) {
		taken = taken && linearise(worker, task, &payload);
		wm_xsk_recycle(worker->xsk, frame);
		task->input.count = 0;
	}
	assert(taken); /* has_room() said so */
	write_row(&worker->rows[submission->count], &payload, task->output, header->count);
	submission->count++;
	worker->counters.batches++;
	worker->counters.drops.count[WM_DROP_NONE]++;
}

static void receive_map(struct wm_worker *worker, const struct wm_xsk_frame *frame,
			const struct wm_wire_header *header)
{
	const struct job *job = NULL;
	enum wm_drop reason = check_map(worker, frame, header, &job);

	if (reason != WM_DROP_NONE)
		drop(worker, frame, reason);
	else
		take_map(worker, job, frame, header);
}

/* ---- ECHO and control --------------------------------------------------- */

/* Writes the Ethernet header before a wire header that stands in the group, and
 * pads a short frame. */
static void send_group(struct wm_worker *worker, uint32_t group, uint32_t payload_bytes)
{
	uint8_t *frame = worker->memory + group + WM_XSK_GROUP_FRAME;
	uint32_t bytes = WM_FRAME_HEADER_BYTES + payload_bytes;

	wm_frame_ether((struct wm_ether_header *)frame, worker->controller, worker->address);
	if (bytes < WM_FRAME_BYTES_MIN) {
		memset(frame + bytes, 0, WM_FRAME_BYTES_MIN - bytes);
		bytes = WM_FRAME_BYTES_MIN;
	}
	wm_xsk_send(worker->xsk, group, bytes);
}

/* The answer to an ECHO is the frame itself: its CRC still holds. It has no tag. */
static void receive_echo(struct wm_worker *worker, const struct wm_xsk_frame *frame,
			 const struct wm_wire_header *header)
{
	enum wm_drop reason = WM_DROP_SESSION;
	struct wm_payload payload;
	uint32_t group;

	if (header->session == worker->session && worker->session != 0)
		reason = wm_frame_check_length(frame->bytes, header->count);
	if (reason == WM_DROP_NONE)
		reason = wm_payload_check(frame, header->count, worker->memory, header, NULL);
	if (reason == WM_DROP_NONE && !wm_xsk_group_acquire(worker->xsk, &group))
		reason = WM_DROP_FULL;
	if (reason == WM_DROP_NONE) {
		payload = wm_payload_of(frame, header->count);
		memcpy(worker->memory + group + WM_XSK_GROUP_HEADER, header, sizeof(*header));
		wm_payload_copy(&payload, worker->memory,
				worker->memory + group + WM_XSK_GROUP_PAYLOAD);
		send_group(worker, group, payload.bytes);
		worker->counters.echoes++;
	}
	drop(worker, frame, reason);
}

static void receive_control(struct wm_worker *worker, const struct wm_xsk_frame *frame)
{
	uint8_t copy[CONTROL_FRAME_BYTES_MAX] = { 0 };
	struct wm_wire_header header;
	const uint8_t *body;
	enum wm_drop reason = WM_DROP_LENGTH;

	/* It lies in one chunk; what the XDP program trimmed stays zero. */
	if (frame->bytes <= sizeof(copy)) {
		memcpy(copy + WM_XDP_TRIM_BYTES, worker->memory + frame->pieces[0].offset,
		       frame->pieces[0].bytes);
		reason = wm_frame_decode_control(copy, frame->bytes, &header, &body);
	}
	wm_xsk_recycle(worker->xsk, frame);
	if (reason == WM_DROP_NONE)
		reason = worker->control(worker->context, &header, body);
	worker->counters.drops.count[reason]++;
}

bool wm_worker_send_control(struct wm_worker *worker,
			    const uint8_t destination[WM_ETHER_ADDR_BYTES],
			    const struct wm_wire_header *header, const void *body,
			    size_t body_bytes)
{
	size_t bytes;
	uint32_t group;

	if (!wm_xsk_group_acquire(worker->xsk, &group))
		return false;
	bytes = wm_frame_encode_control(worker->memory + group + WM_XSK_GROUP_FRAME,
					CONTROL_FRAME_BYTES_MAX, destination, worker->address,
					header, body, body_bytes);
	if (bytes == 0) {
		wm_xsk_group_release(worker->xsk, group);
		return false;
	}
	wm_xsk_send(worker->xsk, group, (uint32_t)bytes);
	worker->flushed = wm_xsk_flush(worker->xsk);
	return true;
}

/* ---- the steps ---------------------------------------------------------- */

static void receive_frame(struct wm_worker *worker, const struct wm_xsk_frame *frame)
{
	struct wm_wire_header header;
	enum wm_drop reason = WM_DROP_SHORT;

	if (wm_payload_read_header(worker->memory, frame, &header))
		reason = wm_frame_check_header(&header, frame->bytes);
	if (reason != WM_DROP_NONE)
		drop(worker, frame, reason);
	else if (header.op == WM_OP_MAP)
		receive_map(worker, frame, &header);
	else if (header.op == WM_OP_ECHO)
		receive_echo(worker, frame, &header);
	else if (header.op == WM_OP_RESULT)
		drop(worker, frame, WM_DROP_OP);
	else
		receive_control(worker, frame);
}

/* What kind a frame is shows only once it is taken, so room is seen to first. */
static int receive_frames(struct wm_worker *worker)
{
	struct wm_xsk_frame frame;
	int count = 0;

	worker->blocked = false;
	while (count < (int)RECEIVE_MAX) {
		if (!has_room(worker)) {
			worker->blocked = true;
			break;
		}
		if (!wm_xsk_receive(worker->xsk, &frame))
			break;
		receive_frame(worker, &frame);
		count++;
	}
	return count;
}

static uint32_t gathered(const struct wm_worker *worker)
{
	uint32_t slot = (worker->oldest + worker->in_flight) % (WM_EXECUTOR_SUBMISSIONS + 1);

	return worker->submissions[slot].count;
}

/* Two keep the GPU busy: one that computes, one that follows. The one that follows goes
 * once it is as large, so that little is computed at once while little comes, and much
 * in few submissions when much does. */
static bool is_time_to_submit(const struct wm_worker *worker)
{
	uint32_t count = gathered(worker);

	switch (worker->in_flight) {
	case 0:
		return count > 0;
	case 1:
		return count >= worker->submissions[worker->oldest].count;
	default:
		return count == WM_WORKER_ROWS_MAX;
	}
}

static void release_input(struct wm_worker *worker, const struct task *task)
{
	if (task->input.count > 0)
		wm_xsk_recycle(worker->xsk, &task->input);
	if (task->copy != NO_GROUP)
		wm_xsk_group_release(worker->xsk, task->copy);
}

/* A batch that was not computed is answered with no elements, so that the controller
 * need not wait to give it to another node. */
static void send_result(struct wm_worker *worker, const struct task *task, bool computed)
{
	struct wm_wire_header header = task->header;
	uint8_t *payload = worker->memory + task->output + WM_XSK_GROUP_PAYLOAD;
	uint32_t bytes = computed ? task->out_bytes : 0;
	const struct wm_tag_payload sealed = { { { payload, bytes } }, 1 };

	release_input(worker, task);
	/* The session has ended meanwhile: nobody waits for it. */
	if (header.session != worker->session) {
		wm_xsk_group_release(worker->xsk, task->output);
		return;
	}
	header.op = WM_OP_RESULT;
	header.count = computed ? header.count : 0;
	wm_tag_seal(&header, &sealed, worker->frame_key, payload + bytes);
	memcpy(worker->memory + task->output + WM_XSK_GROUP_HEADER, &header, sizeof(header));
	send_group(worker, task->output, bytes + wm_tag_bytes(worker->frame_key));
	worker->counters.results += computed;
	worker->counters.failures += !computed;
}

static void send_results(struct wm_worker *worker, struct submission *submission, bool computed)
{
	for (uint32_t i = 0; i < submission->count; i++)
		send_result(worker, &submission->tasks[i], computed);
	submission->count = 0;
}

/* The oldest submission in flight is settled. */
static void retire(struct wm_worker *worker)
{
	worker->oldest = (worker->oldest + 1) % (WM_EXECUTOR_SUBMISSIONS + 1);
	worker->in_flight--;
}

static int complete(struct wm_worker *worker)
{
	uint64_t ticket = worker->in_flight > 0 ? wm_executor_completed(worker->executor) : 0;
	int count = 0;

	while (worker->in_flight > 0 && worker->submissions[worker->oldest].ticket <= ticket) {
		send_results(worker, &worker->submissions[worker->oldest], true);
		retire(worker);
		count++;
	}
	return count;
}

/* What the executor refuses is answered at once, and its table filled anew. */
static int submit(struct wm_worker *worker)
{
	uint32_t slot = (worker->oldest + worker->in_flight) % (WM_EXECUTOR_SUBMISSIONS + 1);
	struct submission *submission = &worker->submissions[slot];

	submission->ticket = wm_executor_submit(worker->executor, submission->count);
	if (submission->ticket == 0) {
		if (errno == EIO)
			return -EIO;
		send_results(worker, submission, false);
		return 1;
	}
	worker->rows = NULL;
	worker->in_flight++;
	return 1;
}

int wm_worker_step(struct wm_worker *worker)
{
	int moved = complete(worker), ret;

	if (wm_executor_is_lost(worker->executor))
		return -EIO;
	moved += receive_frames(worker);
	if (is_time_to_submit(worker)) {
		ret = submit(worker);
		if (ret < 0)
			return ret;
		moved += ret;
	}
	worker->flushed = wm_xsk_flush(worker->xsk);
	return worker->flushed == -ENXIO ? -ENXIO : moved;
}

static void sleep_in_poll(const struct wm_worker *worker, int fd, uint64_t timeout_ns)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		/* While frames wait for room the port is readable all the time. */
		{ .fd = worker->blocked ? -1 : wm_xsk_fd(worker->xsk), .events = POLLIN },
	};
	struct timespec timeout = {
		.tv_sec = (time_t)(timeout_ns / WM_NS_PER_S),
		.tv_nsec = (long)(timeout_ns % WM_NS_PER_S),
	};

	(void)ppoll(fds, sizeof(fds) / sizeof(fds[0]), &timeout, NULL);
}

void wm_worker_wait(struct wm_worker *worker, int fd, uint64_t timeout_ns)
{
	const struct submission *oldest = &worker->submissions[worker->oldest];

	if (worker->in_flight > 0) {
		if (timeout_ns > COMPUTE_WAIT_NS)
			timeout_ns = COMPUTE_WAIT_NS;
		/* What it finds, a loss too, the next step finds. */
		(void)wm_executor_wait(worker->executor, oldest->ticket, timeout_ns);
		return;
	}
	if ((worker->flushed < 0 || worker->blocked) && timeout_ns > RETRY_NS)
		timeout_ns = RETRY_NS;
	sleep_in_poll(worker, fd, timeout_ns);
}

int wm_worker_finish(struct wm_worker *worker)
{
	int ret;

	if (gathered(worker) > 0) {
		ret = submit(worker);
		if (ret < 0)
			return ret;
	}
	while (worker->in_flight > 0) {
		const struct submission *oldest = &worker->submissions[worker->oldest];

		if (wm_executor_wait(worker->executor, oldest->ticket, FINISH_NS) < 0)
			return -EIO;
		complete(worker);
	}
	worker->flushed = wm_xsk_flush(worker->xsk);
	return 0;
}

static void forget_tasks(struct wm_worker *worker, struct submission *submission)
{
	for (uint32_t i = 0; i < submission->count; i++) {
		release_input(worker, &submission->tasks[i]);
		wm_xsk_group_release(worker->xsk, submission->tasks[i].output);
	}
	worker->counters.lost += submission->count;
	submission->count = 0;
}

void wm_worker_forget(struct wm_worker *worker)
{
	while (worker->in_flight > 0) {
		forget_tasks(worker, &worker->submissions[worker->oldest]);
		retire(worker);
	}
	forget_tasks(worker, &worker->submissions[worker->oldest]);
	worker->rows = NULL;
}
