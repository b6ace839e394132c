/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "end.h"
#include "feed.h"
#include "log.h"
#include "number.h"
#include "replay.h"
#include "save.h"
#include "utc.h"

/* How long the nodes that are there have to prepare. */
#define PREPARE_WAIT_NS (10 * WM_NS_PER_S)
/* And a kernel that they get first, and that their drivers have not seen. */
#define PREPARE_OBJECT_WAIT_NS (PREPARE_WAIT_NS + WM_PREPARE_MAX_NS)
/* A job that waits for less than this is not worth a line. */
#define SAY_NS (1 * WM_NS_PER_S)
/* Once somebody is ready, the others get this long before it starts without them. */
#define PREPARE_GRACE_NS (2 * WM_NS_PER_S)

static const char the_controller_stops[] = "the controller stops";

/* ---- preparing ------------------------------------------------------------------- */

bool wm_job_has_nodes(const struct wm_jobs *jobs)
{
	return wm_membership_count_in(jobs->membership) > 0;
}

static uint32_t governing_mtu(const struct wm_jobs *jobs)
{
	uint32_t index = WM_NODES_MAX;
	uint32_t mtu = wm_membership_find_mtu(jobs->membership, jobs->port_mtu, &index);
	const struct wm_member *member = &jobs->membership->members[index % WM_NODES_MAX];

	if (index < WM_NODES_MAX)
		wm_log_warning("MTUs differ: the smallest, %" PRIu32
			       " of %snode %s, governs (the port has %" PRIu32 ")",
			       mtu, wm_member_path_is_narrow(member) ? "the path to " : "",
			       member->hello.name, jobs->port_mtu);
	return mtu;
}

static uint64_t quarantined_nodes(const struct wm_membership *membership)
{
	uint64_t nodes = 0;

	for (uint32_t i = 0; i < membership->count; i++) {
		if (membership->members[i].state == WM_MEMBER_QUARANTINED)
			nodes |= wm_journal_node_bit(membership->members[i].mac);
	}
	return nodes;
}

void wm_job_handle_opened(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	assert(job->state == WM_JOB_PREPARING && job->open && !job->work);
	/* By which journal: whoever finds the manifest that it became knows that it was done. */
	job->journal = job->lane.journal.random;
	wm_jobs_save(jobs);
	if (jobs->stopping) {
		job->resume_on_start = true; /* also one that had given its turn away */
		wm_job_suspend(jobs, job, the_controller_stops, now_ns);
		return;
	}
	job->lane.quarantined = quarantined_nodes(jobs->membership) & job->unsettled_nodes;
	/* A crash came after the last extent. Without its name the output may still be doubted. */
	if (job->committed ||
	    (wm_job_is_made(job) && !job->lane.quarantined && !job->lane.unchecked)) {
		job->start_ns = now_ns;
		wm_job_mark_made(job);
		wm_job_finish(jobs, job, now_ns);
	}
}

/* One from the spool has no shape. False: it has failed, since its kernel is gone. */
static bool know_kernel(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	const struct wm_kernel_entry *entry;
	struct wm_error error = { "" };

	if (wm_kernel_is_builtin(&job->kernel))
		return true;
	if (wm_kernel_library_use(&jobs->library, job->kernel.hash, &error) < 0) {
		wm_job_fail(jobs, job, error.text, now_ns);
		return false;
	}
	entry = wm_kernel_library_look_up(&jobs->library, job->kernel.hash);
	job->kernel = entry->kernel;
	return true;
}

/* There are nodes: opens the files, which may take its time. */
static void job_prepare(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	assert(jobs->current == job && job->state == WM_JOB_QUEUED && !job->work);
	if (!know_kernel(jobs, job, now_ns))
		return;
	job->mtu = governing_mtu(jobs);
	/* Spooled as started before there is a journal: whoever finds none begins anew. */
	wm_job_enter(job, WM_JOB_PREPARING);
	wm_jobs_save(jobs);
	if (wm_job_open(jobs, job, now_ns))
		wm_job_handle_opened(jobs, job, now_ns);
}

/* Their time begins when they are asked, once the files are open. */
static void ask_nodes(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	struct wm_error error = { "" };

	assert(job->state == WM_JOB_PREPARING && job->open && !job->work);
	if (!wm_kernel_is_builtin(&job->kernel) &&
	    wm_kernel_library_hold(&jobs->library, job->lane.id, job->kernel.hash, &error) < 0) {
		wm_job_suspend(jobs, job, error.text, now_ns);
		return;
	}
	job->prepare_ns = now_ns;
	wm_membership_job_begin(jobs->membership, job->lane.id, &job->lane.layout, job->mtu,
				now_ns);
}

static void node_join(struct wm_jobs *jobs, uint32_t index)
{
	const struct wm_member *member = &jobs->membership->members[index];

	assert(jobs->current->state == WM_JOB_RUNNING && member->state == WM_MEMBER_READY);
	wm_lanes_post_to_node(jobs->lanes,
			      &(struct wm_lane_command){ .op = WM_LANE_NODE_JOIN,
							 .node = index,
							 .session = member->session,
							 .window_max = member->hello.capacity });
	jobs->current->nodes++;
}

/* Drawn anew for each life of a job, so that no node can know what is audited. */
static void draw_audit(struct wm_job *job)
{
	job->lane.audit_threshold = (uint32_t)((uint64_t)job->audit_ppm * UINT32_MAX / 1000000);
	if (getrandom(&job->lane.audit_seed, sizeof(job->lane.audit_seed), 0) < 0)
		abort(); /* never fails once the kernel is up (getrandom(2)) */
}

static void job_run(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	char nodes[WM_COUNT_BYTES];
	struct wm_hindrance_seen seen = { 0 };

	assert(jobs->current == job);
	if (wm_job_feed_create(job) < 0) {
		wm_job_suspend(jobs, job, "no memory to run it with", now_ns);
		return;
	}
	draw_audit(job);
	/* While it waited for its turn another job may have caught somebody. */
	job->lane.quarantined = quarantined_nodes(jobs->membership) & job->unsettled_nodes;
	wm_job_enter(job, WM_JOB_RUNNING);
	job->start_ns = now_ns;
	job->lost_count = 0;
	wm_lanes_sum_drops(jobs->lanes, &seen.drops);
	wm_hindrance_begin(&job->hindrance, &seen, now_ns);
	wm_silence_begin(&job->silence, now_ns);
	if (job->origin.started_ms == 0)
		job->origin.started_ms = wm_utc_ms();
	job->stalled_since_ns = 0;
	job->stall_logged = false;
	job->resumed_bytes = job->lane.progress.durable *
			     wm_layout_extent(&job->lane.layout, 0).out_bytes;
	/* Until the lane publishes its own. */
	job->counters.extents_done = job->lane.progress.durable;
	job->counters.output_bytes_done = job->resumed_bytes;
	wm_lanes_start(jobs->lanes, &job->lane);
	for (uint32_t i = 0; i < jobs->membership->count; i++) {
		if (jobs->membership->members[i].state == WM_MEMBER_READY)
			node_join(jobs, i);
	}
	wm_log_info("job %" PRIu32 " runs: %" PRIu64 " batches of %" PRIu32 " elements on %s"
		    ", MTU %" PRIu32,
		    job->lane.id, job->lane.layout.batches, job->lane.layout.batch_elements,
		    wm_number_format_count(nodes, sizeof(nodes), job->nodes, "node"), job->mtu);
}

/* Why no node got ready: what the last of them said. */
static const char *not_ready_reason(const struct wm_jobs *jobs)
{
	for (uint32_t i = 0; i < jobs->membership->count; i++) {
		const struct wm_member *member = &jobs->membership->members[i];

		if (wm_member_is_in(member) && member->reason[0])
			return member->reason;
	}
	return "no node prepared the kernel in time: see 'wiremill node list'";
}

/* How long nobody has been there, or has gone on; said once. */
static uint64_t note_stall(struct wm_job *job, const char *what, uint64_t now_ns)
{
	if (job->stalled_since_ns == 0)
		job->stalled_since_ns = now_ns;
	if (!job->stall_logged && now_ns - job->stalled_since_ns >= SAY_NS) {
		job->stall_logged = true;
		wm_log_warning("job %" PRIu32 " waits: %s", job->lane.id, what);
	}
	return now_ns - job->stalled_since_ns;
}

static void end_stall(struct wm_job *job)
{
	job->stalled_since_ns = 0;
	job->stall_logged = false;
}

/* No node is there: its turn has come, and it waits, unless it was told for how long. A rack
 * whose switch is away is to find its jobs again. */
static void nodeless_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	const char *link = wm_links_missing(&jobs->lanes->links);
	uint64_t waited_ns = note_stall(job, link ? link : "there is no node", now_ns);
	char reason[160];

	/* Whoever comes is asked anew. */
	job->prepare_ns = 0;
	if (job->fail_after_ns == 0 || waited_ns < job->fail_after_ns)
		return;
	snprintf(reason, sizeof(reason), "no node for %.1f s: %s%s",
		 (double)job->fail_after_ns / WM_NS_PER_S, link ? "it waited " : "",
		 link ? link : WM_JOBS_START_NODES);
	if (job->open)
		wm_job_suspend(jobs, job, reason, now_ns);
	else if (job->resume)
		wm_job_fail(jobs, job, reason, now_ns);
	else
		wm_job_end(jobs, job, WM_JOB_FAILED, reason, now_ns);
}

static uint64_t prepare_wait_ns(const struct wm_job *job)
{
	return wm_kernel_is_builtin(&job->kernel) ? PREPARE_WAIT_NS : PREPARE_OBJECT_WAIT_NS;
}

static void preparing_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	uint32_t ready = wm_membership_count(jobs->membership, WM_MEMBER_READY);
	bool answered = wm_membership_job_is_answered(jobs->membership, job->lane.id);
	uint64_t waited_ns = now_ns - job->prepare_ns;

	end_stall(job);
	if (job->prepare_ns == 0)
		ask_nodes(jobs, job, now_ns);
	else if (ready > 0 && (answered || waited_ns > PREPARE_GRACE_NS))
		job_run(jobs, job, now_ns);
	else if (ready == 0 && waited_ns > prepare_wait_ns(job))
		wm_job_suspend(jobs, job, not_ready_reason(jobs), now_ns);
}

/* Its turn has come, and it is not with the lane. */
static void waiting_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	if (job->work)
		return;
	if (!wm_job_has_nodes(jobs))
		nodeless_tick(jobs, job, now_ns);
	else if (job->state != WM_JOB_QUEUED)
		preparing_tick(jobs, job, now_ns);
	/* Its batches are cut for what reaches the nodes. */
	else if (!wm_membership_paths_are_open(jobs->membership, now_ns))
		job_prepare(jobs, job, now_ns);
}

/* ---- what the lane tells ------------------------------------------------------------ */

/* Adds what a node did in this job, which ends for it, to what it did before. */
static void keep_results(struct wm_jobs *jobs, uint32_t index)
{
	struct wm_dispatch_node_state state;

	wm_lanes_read_node_state(jobs->lanes, index, &state);
	jobs->membership->members[index].results += state.results;
	jobs->membership->members[index].resends += state.flow.lost;
}

static void node_wrong(struct wm_jobs *jobs, const struct wm_lane_event *event)
{
	char reason[WM_MESSAGE_TEXT_BYTES];

	assert(event->node_wrong.node < jobs->membership->count);
	snprintf(reason, sizeof(reason), "computed batch %" PRIu64 " of job %" PRIu32 " wrong",
		 event->node_wrong.batch, event->job);
	wm_membership_quarantine(jobs->membership, event->node_wrong.node, reason);
	wm_jobs_save(jobs);
}

/* Several at once have one event. */
static void look_at_silent(struct wm_jobs *jobs, uint64_t now_ns)
{
	struct wm_dispatch_node_state state;

	for (uint32_t i = 0; i < jobs->membership->count; i++) {
		if (jobs->membership->members[i].state != WM_MEMBER_READY)
			continue;
		wm_lanes_read_node_state(jobs->lanes, i, &state);
		if (state.silent)
			wm_membership_look(jobs->membership, i, now_ns);
	}
}

/* It beats, or its session would have ended. */
static void node_silent(struct wm_jobs *jobs, const struct wm_lane_event *event, uint64_t now_ns)
{
	const struct wm_member *member = &jobs->membership->members[event->node_silent.node];

	wm_log_warning("job %" PRIu32 ": node %s%s not answer, its batches go to others%s",
		       event->job, member->hello.name,
		       event->node_silent.count > 1 ? " and more do" : " does",
		       member->beat.batches == 0 ? " (it has received none by its own count)" : "");
	look_at_silent(jobs, now_ns);
}

static const char *failed_operation(const struct wm_job *job, const struct wm_lane_ending *ending,
				    char text[WM_ERROR_TEXT_BYTES / 2])
{
	const size_t room = WM_ERROR_TEXT_BYTES / 2;

	switch (ending->failed_op) {
	case WM_STORE_READ:
		snprintf(text, room, "reading extent %" PRIu64 " of %.200s", ending->extent,
			 job->input);
		break;
	case WM_STORE_WRITE:
		snprintf(text, room, "writing extent %" PRIu64 " of %.200s", ending->extent,
			 job->output);
		break;
	case WM_LANE_FAILED_COMPUTE:
		snprintf(text, room, "batch %" PRIu64 ": three nodes could not compute it",
			 ending->batch);
		break;
	case WM_LANE_FAILED_AUDIT:
		snprintf(text, room, "batch %" PRIu64 ": three nodes gave three results",
			 ending->batch);
		break;
	default:
		snprintf(text, room, "making the progress of %.200s durable", job->output);
		break;
	}
	return text;
}

static void input_changed(const struct wm_job *job, const struct wm_lane_ending *ending,
			  char reason[WM_ERROR_TEXT_BYTES])
{
	static const char advice[] = "begin anew with --force, or put it back as it was";

	if (ending->failed_op == WM_STORE_READ)
		snprintf(reason, WM_ERROR_TEXT_BYTES,
			 "input was cut while it was read, it ends at extent %" PRIu64
			 " of %" PRIu64 ": %s: %.200s",
			 ending->extent, job->lane.layout.extents, advice, job->input);
	else
		snprintf(reason, WM_ERROR_TEXT_BYTES,
			 "input was modified while it was read: %s: %.200s", advice, job->input);
}

void wm_jobs_handle_lane_event(struct wm_jobs *jobs, const struct wm_lane_event *event,
			       uint64_t now_ns)
{
	struct wm_job *job = jobs->current;
	char reason[WM_ERROR_TEXT_BYTES], what[WM_ERROR_TEXT_BYTES / 2];

	if (event->op == WM_LANE_NODE_WRONG) {
		node_wrong(jobs, event);
		return;
	}
	if (event->op == WM_LANE_RECOMPUTE) {
		if (job && job->lane.id == event->job)
			wm_recompute_begin(&job->recompute, event->recompute.nodes,
					   event->recompute.record, event->recompute.pass);
		return;
	}
	if (event->op == WM_LANE_NODE_SILENT) {
		node_silent(jobs, event, now_ns);
		return;
	}
	assert(event->op == WM_LANE_JOB_ENDED);
	assert(job && job->lane.id == event->job && job->state == WM_JOB_RUNNING);
	job->held = false;
	wm_jobs_read_counters(jobs, job, &job->counters);
	for (uint32_t i = 0; i < jobs->membership->count; i++) {
		if (jobs->membership->members[i].state == WM_MEMBER_READY)
			keep_results(jobs, i);
	}
	if (job->cancelled) {
		wm_job_abandon(jobs, job, WM_JOB_CANCELLED, "on request", now_ns);
	} else if (job->suspended) {
		wm_job_suspend(jobs, job, job->reason, now_ns);
	} else if (event->job_ended.result == 0) {
		wm_job_finish(jobs, job, now_ns);
	} else if (event->job_ended.result == -WM_STORE_INPUT_CHANGED) {
		input_changed(job, &event->job_ended, reason);
		wm_job_suspend(jobs, job, reason, now_ns);
	} else {
		snprintf(reason, sizeof(reason), "%s: %s",
			 failed_operation(job, &event->job_ended, what),
			 wm_errno_text(-event->job_ended.result));
		wm_job_suspend(jobs, job, reason, now_ns);
	}
}

/* ---- the rest ------------------------------------------------------------------------ */

/* The lane lets go of it; what is durable stays. */
static void job_stop(struct wm_jobs *jobs, struct wm_job *job, const char *reason)
{
	assert(job->state == WM_JOB_RUNNING && !job->suspended);
	job->suspended = true;
	snprintf(job->reason, sizeof(job->reason), "%s", reason);
	wm_lanes_post(jobs->lanes, &(struct wm_lane_command){ .op = WM_LANE_JOB_STOP });
}

/* What an earlier life wrote, or a wrong node had a part in. */
static void feed_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	struct wm_error error = { "" };

	if (wm_job_feed_tick(jobs, job, now_ns, &error) < 0)
		job_stop(jobs, job, error.text);
}

/* Nobody answers: do its frames arrive? */
static void look_for_unreached(const struct wm_jobs *jobs, struct wm_job *job,
			       const struct wm_lane_job_counters *counters)
{
	const struct wm_member *member = wm_membership_find_unreached(jobs->membership);

	job->unreached[0] = '\0';
	if (counters->job == job->lane.id && counters->nodes_alive == 0 && member)
		snprintf(job->unreached, sizeof(job->unreached),
			 "frames of MTU %" PRIu32 " do not reach node %s, those of %" PRIu32
			 " do (%s)",
			 job->mtu, member->hello.name, member->path.mtu,
			 wm_membership_port_is_below(jobs->membership, member, job->mtu)
				 ? "the controller's own port was set lower"
				 : "the switch's ports");
}

/* What keeps a running job from going on, "" if it goes on. */
static const char *obstacle(const struct wm_job *job, const struct wm_lane_job_counters *counters)
{
	if (counters->job != job->lane.id)
		return "";
	if (job->unreached[0])
		return job->unreached;
	if (counters->nodes_alive == 0 && counters->nodes_unable > 0)
		return "the nodes that answer cannot compute what is left";
	if (counters->nodes_alive == 0)
		return "no node answered";
	return counters->stuck ? "no node that answers could take what is left (an audit wants two)"
			       : "";
}

static void hindrance_look(struct wm_jobs *jobs, struct wm_job *job,
			   const struct wm_lane_job_counters *counters, uint64_t now_ns)
{
	struct wm_hindrance_seen seen = {
		.batches = counters->batches_done,
		.sent = counters->dispatch.sent + counters->dispatch.resent,
	};

	if (counters->job != job->lane.id)
		return;
	wm_lanes_sum_drops(jobs->lanes, &seen.drops);
	if (wm_hindrance_look(&job->hindrance, &seen, wm_links_missing(&jobs->lanes->links),
			      now_ns))
		wm_log_warning("job %" PRIu32 " waits: %s", job->lane.id, job->hindrance.text);
}

static void silence_look(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	const char *const paths[] = { job->input, job->output };
	struct wm_store_requests requests[WM_STORE_FILES];

	wm_lanes_sum_requests(jobs->lanes, requests);
	switch (wm_silence_look(&job->silence, requests, paths, now_ns)) {
	case WM_SILENCE_NONE:
		break;
	case WM_SILENCE_BEGAN:
		wm_log_warning("job %" PRIu32 " waits %s", job->lane.id, job->silence.text);
		break;
	case WM_SILENCE_ENDED:
		wm_log_info("job %" PRIu32 ": its disk answers again", job->lane.id);
		break;
	}
}

/* The lane lets go when nothing of the job is in the kernel any more, which could still
 * write into its memory. */
static void stopping_tick(struct wm_job *job, uint64_t now_ns)
{
	if (job->stop_ns == 0)
		job->stop_ns = now_ns;
	if (job->held || now_ns - job->stop_ns < SAY_NS)
		return;
	job->held = true;
	wm_log_warning("job %" PRIu32 " ends when its disk answers, and no other runs before "
		       "(" WM_SILENCE_REMEDY "): %s, %s",
		       job->lane.id, job->input, job->output);
}

/* With no node left that can go on a job waits for one, unless it was told for how long. */
static void running_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	struct wm_lane_job_counters counters;
	const char *what;
	uint64_t waited_ns;
	char reason[WM_ERROR_TEXT_BYTES];

	silence_look(jobs, job, now_ns);
	if (job->suspended || job->cancelled) {
		stopping_tick(job, now_ns);
		return;
	}
	feed_tick(jobs, job, now_ns);
	if (job->suspended)
		return;
	wm_jobs_read_counters(jobs, job, &counters);
	hindrance_look(jobs, job, &counters, now_ns);
	look_for_unreached(jobs, job, &counters);
	what = obstacle(job, &counters);
	/* Of several lanes one may be stuck while another goes on. Nodes that join, answer
	 * beats or are asked again are no progress; batches are, and what is read back. */
	if (counters.batches_done + job->checked_bytes != job->progress_seen) {
		job->progress_seen = counters.batches_done + job->checked_bytes;
		end_stall(job);
		return;
	}
	/* Nobody is needed where all is made, and is still being read back. */
	if (!*what || wm_job_is_being_checked(job, &counters))
		return;
	waited_ns = note_stall(job, what, now_ns);
	if (job->fail_after_ns == 0 || waited_ns < job->fail_after_ns)
		return;
	snprintf(reason, sizeof(reason), "%s for %.1f s%s%s", what,
		 (double)job->fail_after_ns / WM_NS_PER_S, job->hindrance.text[0] ? ": " : "",
		 job->hindrance.text);
	job_stop(jobs, job, reason);
}

void wm_job_tick(struct wm_jobs *jobs, struct wm_job *job, uint64_t now_ns)
{
	assert(jobs->current == job && !wm_job_has_ended(job));
	switch (job->state) {
	case WM_JOB_QUEUED:
	case WM_JOB_PREPARING:
		waiting_tick(jobs, job, now_ns);
		break;
	case WM_JOB_RUNNING:
		running_tick(jobs, job, now_ns);
		break;
	default:
		break;
	}
}

static void blame_kernel(struct wm_jobs *jobs, struct wm_job *job)
{
	const struct wm_member *members = jobs->membership->members;
	const uint32_t *lost = job->lost_nodes;
	char reason[WM_ERROR_TEXT_BYTES];

	static_assert(WM_JOB_DEVICE_LOSSES_MAX == 3, "as many names");
	snprintf(reason, sizeof(reason),
		 "kernel %s hangs GPUs: those of nodes %s, %s and %s were lost while they computed "
		 "it ('wiremill kernel check' measures it)",
		 job->kernel.name, members[lost[0]].hello.name, members[lost[1]].hello.name,
		 members[lost[2]].hello.name);
	job_stop(jobs, job, reason);
}

static bool may_be_the_kernel(const struct wm_jobs *jobs, const struct wm_member *member)
{
	const struct wm_job *job = jobs->current;

	return job && job->state == WM_JOB_RUNNING && !job->suspended && !job->cancelled &&
	       member->state == WM_MEMBER_READY && !wm_kernel_is_builtin(&job->kernel);
}

/* A node whose GPU is lost again and again is one opinion. */
static void note_device_loss(struct wm_jobs *jobs, uint32_t index)
{
	struct wm_job *job = jobs->current;

	if (!may_be_the_kernel(jobs, &jobs->membership->members[index]))
		return;
	for (uint32_t i = 0; i < job->lost_count; i++) {
		if (job->lost_nodes[i] == index)
			return;
	}
	job->lost_nodes[job->lost_count++] = index;
	if (job->lost_count == WM_JOB_DEVICE_LOSSES_MAX)
		blame_kernel(jobs, job);
}

void wm_jobs_handle_member_change(struct wm_jobs *jobs, uint32_t index,
				  enum wm_member_change change)
{
	const struct wm_member *member = &jobs->membership->members[index];
	struct wm_lane_command lane_command = {
		.node = index,
		.session = member->session,
		.window_max = member->hello.capacity,
	};

	memcpy(lane_command.mac, member->mac, sizeof(lane_command.mac));
	memcpy(lane_command.frame_key, member->frame_key, sizeof(lane_command.frame_key));
	assert(index < jobs->membership->count && member->session != 0);
	switch (change) {
	case WM_MEMBER_CHANGE_ADMITTED:
		lane_command.op = WM_LANE_NODE_SET;
		wm_lanes_post_to_node(jobs->lanes, &lane_command);
		break;
	case WM_MEMBER_CHANGE_BEAT:
		lane_command.op = WM_LANE_NODE_BEAT;
		lane_command.works = member->beat.held > 0;
		wm_lanes_post_to_node(jobs->lanes, &lane_command);
		break;
	case WM_MEMBER_CHANGE_DEVICE_LOST:
		note_device_loss(jobs, index);
		break;
	case WM_MEMBER_CHANGE_UNFIT:
		if (!jobs->current || jobs->current->state != WM_JOB_RUNNING)
			break;
		keep_results(jobs, index);
		lane_command.op = WM_LANE_NODE_LEAVE;
		wm_lanes_post_to_node(jobs->lanes, &lane_command);
		break;
	case WM_MEMBER_CHANGE_LEFT:
		if (jobs->current && jobs->current->state == WM_JOB_RUNNING &&
		    wm_membership_has_answered(jobs->membership, member, jobs->current->lane.id))
			keep_results(jobs, index);
		lane_command.op = WM_LANE_NODE_CLEAR;
		wm_lanes_post_to_node(jobs->lanes, &lane_command);
		break;
	case WM_MEMBER_CHANGE_READY:
		if (jobs->current && jobs->current->state == WM_JOB_RUNNING)
			node_join(jobs, index);
		break;
	}
}

void wm_job_leave(struct wm_jobs *jobs, struct wm_job *job)
{
	assert(jobs->stopping && jobs->current == job);
	/* What it ends with is decided. */
	if (job->cancelled || job->suspended || job->state == WM_JOB_FINISHING)
		return;
	job->resume_on_start = true;
	if (job->state == WM_JOB_RUNNING)
		job_stop(jobs, job, the_controller_stops);
	else if (job->state == WM_JOB_PREPARING && !job->work)
		wm_job_suspend(jobs, job, the_controller_stops, wm_clock_ns());
}
