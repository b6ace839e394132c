/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask for: the methods that wiremill/control.h lists. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "daemon.h"
#include "job_end.h"
#include "job_json.h"
#include "mac.h"
#include "page.h"
#include "port_counters.h"

#define FAIL_AFTER_SECONDS_MAX (365u * 24 * 3600)

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BEAT(field) WM_JSON_NUMBER(struct wm_beat, #field, field)
#define LOST(field) WM_JSON_NUMBER(struct wm_port_counters, #field, field)
#define LANE(field) WM_JSON_NUMBER(struct wm_lane_counters, #field, field)

/* ---- jobs --------------------------------------------------------------------- */

static json_t *seconds_left(const struct wm_job *job, const struct wm_lane_job_counters *counters,
			    double seconds)
{
	uint64_t done = counters->output_bytes_done - job->resumed_bytes;
	uint64_t left = job->lane.layout.output_bytes - counters->output_bytes_done;

	if (job->state != WM_JOB_RUNNING || counters->output_bytes_done <= job->resumed_bytes)
		return json_null();
	return json_real(seconds * (double)left / (double)done);
}

static void describe_pace(json_t *object, const struct wm_job *job,
			  const struct wm_lane_job_counters *counters)
{
	double seconds = wm_job_seconds(job, wm_clock_ns());
	uint64_t done = counters->output_bytes_done;
	double rate = 0;

	/* Of this life: what an earlier one did took other seconds. */
	if (seconds > 0 && done > job->resumed_bytes)
		rate = (double)(done - job->resumed_bytes) / seconds;
	json_object_set_new(object, "seconds", json_real(seconds));
	json_object_set_new(object, "bytes_per_second", json_real(rate));
	json_object_set_new(object, "seconds_left", seconds_left(job, counters, seconds));
}

static json_t *job_object(struct wm_daemon *daemon, const struct wm_job *job)
{
	struct wm_lane_job_counters counters;
	json_t *object = json_object();

	json_object_set_new(object, "job", wm_json_number(job->lane.id));
	json_object_set_new(object, "kernel", json_string(job->kernel->name));
	json_object_set_new(object, "input", json_string(job->input));
	json_object_set_new(object, "output", json_string(job->output));
	json_object_set_new(object, "state", json_string(wm_job_state_name(job->state)));
	wm_job_origin_describe(object, &job->origin);
	json_object_set_new(object, "reason", wm_json_text(job->reason));
	json_object_set_new(object, "waiting", json_string(wm_jobs_waiting(&daemon->jobs, job)));
	json_object_set_new(object, "cancelling",
			    json_boolean(job->cancelled && !wm_job_has_ended(job)));
	wm_jobs_counters(&daemon->jobs, job, &counters);
	wm_job_json_put(object, job, &counters);
	describe_pace(object, job, &counters);
	return object;
}

static int check_fail_after(uint64_t seconds, int *code, struct wm_error *error)
{
	if (seconds <= FAIL_AFTER_SECONDS_MAX)
		return 0;
	*code = WM_RPC_INVALID_PARAMS;
	return wm_error_set(error, ERANGE, "fail_after_seconds is %" PRIu64 ": at most %u", seconds,
			    FAIL_AFTER_SECONDS_MAX);
}

/* Of who asks, with the name that the job is to have. */
static int origin_init(struct wm_job_origin *origin, const struct wm_daemon *daemon,
		       const char *name, int *code, struct wm_error *error)
{
	int ret = wm_job_origin_init(origin, wm_rpc_caller(daemon->rpc), name, error);

	if (ret < 0)
		*code = WM_RPC_INVALID_PARAMS;
	return ret;
}

/* Of a request that waited for the job's files. */
static void job_answer(void *context, void *request, struct wm_job *job,
		       const struct wm_error *error)
{
	wm_rpc_request_answer(request, job ? job_object(context, job) : NULL, WM_RPC_FAILED, error);
}

static int check_submission(const char *tail, uint64_t audit_ppm, int *code, struct wm_error *error)
{
	*code = WM_RPC_INVALID_PARAMS;
	if (strcmp(tail, "refuse") != 0 && strcmp(tail, "drop") != 0)
		return wm_error_set(error, EINVAL,
				    "tail is '%.40s': it must be \"refuse\" or \"drop\"", tail);
	if (audit_ppm > 1000000)
		return wm_error_set(error, ERANGE, "audit_ppm is %" PRIu64 ": at most 1000000",
				    audit_ppm);
	*code = WM_RPC_FAILED;
	return 0;
}

static int unpack_submission(struct wm_daemon *daemon, const json_t *params,
			     struct wm_job_request *wanted, struct wm_job_origin *origin, int *code,
			     struct wm_error *error)
{
	const char *tail = "refuse", *name = "";
	uint64_t fail_after_seconds = 0, audit_ppm = 0;
	const struct wm_rpc_param expected[] = {
		{ "kernel", WM_RPC_STRING, 0, &wanted->kernel },
		{ "input", WM_RPC_STRING, 0, &wanted->input },
		{ "input_device", WM_RPC_NUMBER, 1, &wanted->meant.device },
		{ "input_inode", WM_RPC_NUMBER, 1, &wanted->meant.inode },
		{ "output", WM_RPC_STRING, 0, &wanted->output },
		{ "force", WM_RPC_BOOL, 1, &wanted->force },
		{ "tail", WM_RPC_STRING, 1, &tail },
		{ "fail_after_seconds", WM_RPC_NUMBER, 1, &fail_after_seconds },
		{ "audit_ppm", WM_RPC_NUMBER, 1, &audit_ppm },
		{ "name", WM_RPC_STRING, 1, &name },
	};

	if (wm_rpc_params_unpack(params, expected, COUNT(expected), code, error) < 0 ||
	    check_fail_after(fail_after_seconds, code, error) < 0 ||
	    origin_init(origin, daemon, name, code, error) < 0 ||
	    check_submission(tail, audit_ppm, code, error) < 0)
		return -EINVAL;
	wanted->origin = origin;
	wanted->audit_ppm = (uint32_t)audit_ppm;
	wanted->fail_after_ns = fail_after_seconds * WM_NS_PER_S;
	wanted->drop_tail = strcmp(tail, "drop") == 0;
	return 0;
}

static void job_submit(void *context, const json_t *params, struct wm_rpc_request *request)
{
	const struct wm_jobs_reply reply = { job_answer, context, request };
	struct wm_daemon *daemon = context;
	struct wm_job_request wanted = { 0 };
	struct wm_job_origin origin;
	struct wm_error error = { "" };
	int code;

	if (unpack_submission(daemon, params, &wanted, &origin, &code, &error) < 0)
		wm_rpc_request_answer(request, NULL, code, &error);
	else
		wm_jobs_submit(&daemon->jobs, &wanted, wm_clock_ns(), &reply);
}

static void job_resume(void *context, const json_t *params, struct wm_rpc_request *request)
{
	const struct wm_jobs_reply reply = { job_answer, context, request };
	struct wm_daemon *daemon = context;
	uint64_t fail_after_seconds = 0;
	const char *output, *name = "";
	const struct wm_rpc_param expected[] = {
		{ "output", WM_RPC_STRING, 0, &output },
		{ "fail_after_seconds", WM_RPC_NUMBER, 1, &fail_after_seconds },
		{ "name", WM_RPC_STRING, 1, &name },
	};
	struct wm_job_origin origin;
	struct wm_error error = { "" };
	int code;

	if (wm_rpc_params_unpack(params, expected, COUNT(expected), &code, &error) < 0 ||
	    check_fail_after(fail_after_seconds, &code, &error) < 0 ||
	    origin_init(&origin, daemon, name, &code, &error) < 0)
		wm_rpc_request_answer(request, NULL, code, &error);
	else
		wm_jobs_resume(&daemon->jobs, output, fail_after_seconds * WM_NS_PER_S, &origin,
			       wm_clock_ns(), &reply);
}

static void add_removed(json_t *list, const char *path)
{
	if (*path)
		json_array_append_new(list, json_string(path));
}

static void discard_answer(void *context, void *request, struct wm_job *job,
			   const struct wm_error *error)
{
	json_t *removed = job ? json_array() : NULL;

	(void)context;
	if (job) {
		add_removed(removed, job->lane.journal.path);
		add_removed(removed, job->lane.sink.path_partial);
		removed = json_pack("{s:s, s:o}", "output", job->output, "removed", removed);
	}
	wm_rpc_request_answer(request, removed, WM_RPC_FAILED, error);
}

static void job_discard(void *context, const json_t *params, struct wm_rpc_request *request)
{
	const struct wm_jobs_reply reply = { discard_answer, context, request };
	struct wm_daemon *daemon = context;
	const char *output;
	const struct wm_rpc_param expected[] = { { "output", WM_RPC_STRING, 0, &output } };
	struct wm_error error = { "" };
	int code;

	if (wm_rpc_params_unpack(params, expected, 1, &code, &error) < 0)
		wm_rpc_request_answer(request, NULL, code, &error);
	else
		wm_jobs_discard(&daemon->jobs, output, wm_clock_ns(), &reply);
}

static struct wm_job *find_job(struct wm_daemon *daemon, const json_t *params, int *code,
			       struct wm_error *error)
{
	uint64_t id = 0;
	const struct wm_rpc_param expected[] = { { "job", WM_RPC_NUMBER, 0, &id } };
	struct wm_job *job;

	if (wm_rpc_params_unpack(params, expected, 1, code, error) < 0)
		return NULL;
	job = wm_jobs_find(&daemon->jobs, id);
	if (!job)
		wm_error_set(error, ENOENT, "no job %" PRIu64 " here: see 'wiremill job list'", id);
	return job;
}

static json_t *job_show(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_job *job = find_job(context, params, code, error);

	return job ? job_object(context, job) : NULL;
}

static json_t *job_cancel(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_daemon *daemon = context;
	struct wm_job *job = find_job(daemon, params, code, error);

	if (!job || wm_job_cancel(&daemon->jobs, job, wm_clock_ns(), error) < 0)
		return NULL;
	return job_object(daemon, job);
}

/* WM_JOB_STATES, as their number is, stands for any state: "". */
static int state_parse(const char *name, enum wm_job_state *state, int *code,
		       struct wm_error *error)
{
	for (*state = 0; *state < WM_JOB_STATES; (*state)++) {
		if (strcmp(wm_job_state_name(*state), name) == 0)
			return 0;
	}
	if (!*name)
		return 0;
	*code = WM_RPC_INVALID_PARAMS;
	return wm_error_set(error, EINVAL,
			    "state is '%.40s': it must be queued, preparing, running, finishing, "
			    "done, failed or cancelled",
			    name);
}

static bool is_listed(const struct wm_job *job, enum wm_job_state state, uint64_t after)
{
	return job->lane.id > after && (state == WM_JOB_STATES || job->state == state);
}

/* Where the last so many of them begin. */
static uint32_t first_of_last(const struct wm_jobs *jobs, enum wm_job_state state, uint64_t after,
			      uint64_t last)
{
	uint32_t first = jobs->count;

	while (first > 0 && last > 0)
		last -= is_listed(jobs->jobs[--first], state, after);
	return first;
}

static json_t *job_list(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_daemon *daemon = context;
	uint64_t after = 0, limit = 0, last = UINT64_MAX;
	const char *state_name = "";
	const struct wm_rpc_param expected[] = {
		{ "state", WM_RPC_STRING, 1, &state_name },
		{ "after", WM_RPC_NUMBER, 1, &after },
		{ "limit", WM_RPC_NUMBER, 1, &limit },
		{ "last", WM_RPC_NUMBER, 1, &last },
	};
	const struct wm_jobs *jobs = &daemon->jobs;
	enum wm_job_state state;
	struct wm_page page;

	if (wm_rpc_params_unpack(params, expected, COUNT(expected), code, error) < 0 ||
	    state_parse(state_name, &state, code, error) < 0)
		return NULL;
	wm_page_init(&page, limit);
	for (uint32_t i = first_of_last(jobs, state, after, last); i < jobs->count; i++) {
		const struct wm_job *job = jobs->jobs[i];

		if (!is_listed(job, state, after))
			continue;
		if (!wm_page_has_room(&page))
			break;
		wm_page_add(&page, job->lane.id, job_object(daemon, job));
	}
	return wm_page_fini(&page, "jobs");
}

/* ---- nodes ---------------------------------------------------------------------- */

static void describe_flow(json_t *object, struct wm_daemon *daemon, const struct wm_member *member,
			  uint32_t index)
{
	struct wm_dispatch_node_state flow = { 0 };
	bool running = member->state == WM_MEMBER_READY && daemon->jobs.current &&
		       daemon->jobs.current->state == WM_JOB_RUNNING;

	if (running)
		wm_lanes_node_state(&daemon->lanes, index, &flow);
	json_object_set_new(
		object, "state",
		json_string(flow.silent ? "silent" : wm_member_state_name(member->state)));
	json_object_set_new(object, "window", wm_json_number(flow.window));
	json_object_set_new(object, "in_flight", wm_json_number(flow.in_flight));
	json_object_set_new(object, "rtt_us", wm_json_number(flow.rtt_ns / WM_NS_PER_US));
	json_object_set_new(object, "batches", wm_json_number(member->results + flow.results));
	json_object_set_new(object, "resends", wm_json_number(flow.flow.lost));
}

static void describe_obtained(json_t *object, const struct wm_hello *hello)
{
	json_object_set_new(object, "mtu", wm_json_number(hello->mtu));
	json_object_set_new(object, "capacity", wm_json_number(hello->capacity));
	json_object_set_new(object, "device", json_string(hello->device));
	json_object_set_new(object, "driver", json_string(hello->driver));
	json_object_set_new(object, "software", json_boolean(hello->software));
	json_object_set_new(object, "xdp_mode", json_string(hello->xdp_mode));
	json_object_set_new(object, "zero_copy", json_boolean(hello->zero_copy));
	json_object_set_new(object, "multi_buffer", json_boolean(hello->multi_buffer));
}

/* What the node counts itself. */
static const struct wm_json_number beat_numbers[] = {
	BEAT(results),	 BEAT(submissions),   BEAT(copied_bytes), BEAT(dropped),
	BEAT(ring_full), BEAT(device_losses), BEAT(unheard),
};

static json_t *node_object(struct wm_daemon *daemon, uint32_t index)
{
	const struct wm_member *member = &daemon->membership.members[index];
	json_t *object = json_object();
	char mac[WM_MAC_TEXT_BYTES];

	wm_mac_format(mac, member->mac);
	json_object_set_new(object, "name", json_string(member->hello.name));
	json_object_set_new(object, "mac", json_string(mac));
	json_object_set_new(object, "lane", wm_json_number(daemon->lanes.of_node[index]));
	json_object_set_new(object, "reason", wm_json_text(member->reason));
	json_object_set_new(object, "path_mtu", wm_json_number(member->path.mtu));
	json_object_set_new(object, "path_narrow", json_boolean(wm_member_path_is_narrow(member)));
	json_object_set_new(object, "beat_age_ms",
			    wm_json_number((wm_clock_ns() - member->heard_ns) / WM_NS_PER_MS));
	describe_flow(object, daemon, member, index);
	describe_obtained(object, &member->hello);
	wm_json_put(object, beat_numbers, COUNT(beat_numbers), &member->beat);
	return object;
}

static json_t *node_list(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_daemon *daemon = context;
	uint64_t after = 0, limit = 0;
	const struct wm_rpc_param expected[] = {
		{ "after", WM_RPC_NUMBER, 1, &after },
		{ "limit", WM_RPC_NUMBER, 1, &limit },
	};
	struct wm_page page;

	if (wm_rpc_params_unpack(params, expected, COUNT(expected), code, error) < 0)
		return NULL;
	wm_page_init(&page, limit);
	/* Their numbers are their places, from 1. */
	for (uint64_t i = after; i < daemon->membership.count; i++) {
		if (daemon->membership.members[i].state == WM_MEMBER_UNKNOWN)
			continue;
		if (!wm_page_has_room(&page))
			break;
		wm_page_add(&page, i + 1, node_object(daemon, (uint32_t)i));
	}
	return wm_page_fini(&page, "nodes");
}

static bool is_called(const struct wm_member *member, const char *name)
{
	char mac[WM_MAC_TEXT_BYTES];

	wm_mac_format(mac, member->mac);
	return member->state != WM_MEMBER_UNKNOWN &&
	       (strcmp(member->hello.name, name) == 0 || strcmp(mac, name) == 0);
}

/* The one in quarantine that is called so; names need not differ, MACs do. */
static const struct wm_member *find_quarantined(const struct wm_membership *membership,
						const char *name, struct wm_error *error)
{
	const struct wm_member *called = NULL, *found = NULL;
	uint32_t count = 0;

	for (uint32_t i = 0; i < membership->count; i++) {
		if (!is_called(&membership->members[i], name))
			continue;
		called = &membership->members[i];
		if (called->state == WM_MEMBER_QUARANTINED)
			found = called, count++;
	}
	if (count == 1)
		return found;
	if (!called)
		wm_error_set(error, ENOENT, "no node '%.64s' here: see 'wiremill node list'", name);
	else if (count == 0)
		wm_error_set(error, EINVAL, "node %.64s is not in quarantine, but %s", name,
			     wm_member_state_name(called->state));
	else
		wm_error_set(error, EINVAL,
			     "%" PRIu32 " nodes in quarantine are called %.64s: give a MAC "
			     "address, as 'wiremill node list --json' shows it",
			     count, name);
	return NULL;
}

static json_t *node_admit(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_daemon *daemon = context;
	const char *name = NULL;
	const struct wm_rpc_param expected[] = { { "name", WM_RPC_STRING, 0, &name } };
	const struct wm_member *member;
	uint32_t index;

	if (wm_rpc_params_unpack(params, expected, 1, code, error) < 0)
		return NULL;
	member = find_quarantined(&daemon->membership, name, error);
	if (!member)
		return NULL;
	index = (uint32_t)(member - daemon->membership.members);
	wm_membership_admit(&daemon->membership, index);
	wm_jobs_save(&daemon->jobs);
	return node_object(daemon, index);
}

/* ---- statistics ------------------------------------------------------------------- */

static const struct wm_json_number port_numbers[] = {
	LANE(frames_sent),    LANE(frames_received),  LANE(bytes_sent),
	LANE(bytes_received), LANE(transmit_refused),
};
static const struct wm_json_number lost_numbers[] = {
	LOST(missed),	       LOST(no_buffer),	       LOST(receive_errors),
	LOST(transmit_errors), LOST(transmit_dropped),
};
static const struct wm_json_number batch_numbers[] = {
	LANE(sent),
	LANE(resent),
	LANE(results),
	LANE(duplicates),
};

static json_t *port_object(const struct wm_port *port, const struct wm_port_link *link,
			   const struct wm_lane_counters *counters)
{
	struct wm_port_counters lost;
	json_t *object = json_object();
	char mac[WM_MAC_TEXT_BYTES];

	wm_mac_format(mac, port->mac);
	wm_port_counters(port, &lost);
	json_object_set_new(object, "name", json_string(port->name));
	json_object_set_new(object, "driver", json_string(port->driver));
	json_object_set_new(object, "mtu", wm_json_number(port->mtu));
	json_object_set_new(object, "mac", json_string(mac));
	json_object_set_new(object, "link", json_string(wm_port_link_name(link->state)));
	json_object_set_new(object, "link_megabits_per_s", wm_json_number(link->megabits_per_s));
	json_object_set_new(object, "ring_frames", wm_json_number(port->ring_frames));
	json_object_set_new(object, "multi_segment_transmit", json_boolean(port->multi_segment));
	wm_json_put(object, port_numbers, COUNT(port_numbers), counters);
	wm_json_put(object, lost_numbers, COUNT(lost_numbers), &lost);
	return object;
}

static const char *storage_path(const struct wm_lane_snapshot *snapshot, bool direct)
{
	return snapshot->job.job == 0 ? "none" : direct ? "direct" : "buffered";
}

static json_t *obtained_object(const struct wm_daemon *daemon, uint32_t lane,
			       const struct wm_lane_snapshot *snapshot)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "transmit",
			 daemon->ports[lane].multi_segment ? "attached" : "linearised", "receive",
			 snapshot->why_copied ? "copied" : "in place", "receive_why",
			 snapshot->why_copied ? snapshot->why_copied : "", "source",
			 storage_path(snapshot, snapshot->source_direct), "sink",
			 storage_path(snapshot, snapshot->sink_direct), "auth",
			 daemon->config.auth == WM_WIRE_AEAD ? "aead" : "crc32c");
}

static json_t *drops_object(const struct wm_drops *drops)
{
	json_t *object = json_object();

	for (unsigned reason = WM_DROP_NONE + 1; reason < WM_DROP_REASONS; reason++)
		json_object_set_new(object, wm_drop_name(reason),
				    wm_json_number(drops->count[reason]));
	return object;
}

static json_t *pair(const char *first, uint64_t first_value, const char *second,
		    uint64_t second_value)
{
	return json_pack("{s:o, s:o}", first, wm_json_number(first_value), second,
			 wm_json_number(second_value));
}

static json_t *lane_object(struct wm_daemon *daemon, uint32_t lane)
{
	struct wm_lane_snapshot snapshot;
	const struct wm_lane_counters *counters = &snapshot.counters;
	json_t *object = json_object(), *batches = json_object();

	wm_lane_snapshot(daemon->lanes.lanes[lane], &snapshot);
	json_object_set_new(object, "lane", wm_json_number(lane));
	json_object_set_new(object, "lcore", wm_json_number(daemon->lcores[lane]));
	json_object_set_new(
		object, "port",
		port_object(&daemon->ports[lane], &daemon->lanes.links.now[lane], counters));
	json_object_set_new(object, "obtained", obtained_object(daemon, lane, &snapshot));
	json_object_set_new(object, "copied_bytes",
			    pair("transmit", counters->transmit_copied_bytes, "receive",
				 counters->receive_copied_bytes));
	json_object_set_new(object, "payload_bytes",
			    pair("transmit", counters->transmit_payload_bytes, "receive",
				 counters->receive_payload_bytes));
	json_object_set_new(object, "extents",
			    json_pack("{s:o, s:o, s:o, s:o}", "read",
				      wm_json_number(counters->store.reads), "read_direct",
				      wm_json_number(counters->store.reads_direct), "written",
				      wm_json_number(counters->store.writes), "written_direct",
				      wm_json_number(counters->store.writes_direct)));
	wm_json_put(batches, batch_numbers, COUNT(batch_numbers), counters);
	json_object_set_new(object, "batches", batches);
	json_object_set_new(object, "drops", drops_object(&counters->drops));
	json_object_set_new(object, "busy_seconds",
			    json_real((double)counters->busy_ns / WM_NS_PER_S));
	return object;
}

static json_t *lanes_array(struct wm_daemon *daemon)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < daemon->lanes.count; i++)
		json_array_append_new(array, lane_object(daemon, i));
	return array;
}

static json_t *jobs_object(const struct wm_jobs *jobs)
{
	uint64_t counts[WM_JOB_STATES] = { 0 };
	json_t *object = json_object();

	for (uint32_t i = 0; i < jobs->count; i++)
		counts[jobs->jobs[i]->state]++;
	for (unsigned state = 0; state < WM_JOB_STATES; state++)
		json_object_set_new(object, wm_job_state_name(state),
				    wm_json_number(counts[state]));
	return object;
}

static uint64_t pinned_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	uint64_t kilobytes = 0;
	char line[256];

	/* What io_uring pins counts there; hugepages count nowhere else. */
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmPin: %" SCNu64, &kilobytes) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kilobytes * 1024;
}

/* Control frames that had no effect, by reason. */
static json_t *control_object(const struct wm_membership *membership)
{
	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "authenticated", membership->key != NULL,
			 "ignored", wm_json_number(membership->ignored), "forged",
			 wm_json_number(membership->counts.forged), "replayed",
			 wm_json_number(membership->counts.replayed), "unkeyed",
			 wm_json_number(membership->counts.unkeyed));
}

static json_t *stats(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_daemon *daemon = context;
	uint64_t up_ns = wm_clock_ns() - daemon->start_ns;
	uint32_t nodes;
	json_t *object;

	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	nodes = wm_membership_count(&daemon->membership, WM_MEMBER_ADMITTED) +
		wm_membership_count(&daemon->membership, WM_MEMBER_READY);
	object = json_object();
	json_object_set_new(object, "version", json_string(WM_VERSION));
	json_object_set_new(object, "uptime_seconds", json_real((double)up_ns / WM_NS_PER_S));
	json_object_set_new(object, "nodes", wm_json_number(nodes));
	json_object_set_new(object, "jobs", jobs_object(&daemon->jobs));
	json_object_set_new(object, "control", control_object(&daemon->membership));
	json_object_set_new(object, "lanes", lanes_array(daemon));
	json_object_set_new(object, "memory",
			    pair("hugepage_bytes", (uint64_t)daemon->hugepages << 21,
				 "pinned_bytes", pinned_bytes()));
	return object;
}

static json_t *version(void *context, const json_t *params, int *code, struct wm_error *error)
{
	(void)context;
	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	return json_pack("{s:s, s:i}", "version", WM_VERSION, "pid", (int)getpid());
}

const struct wm_rpc_method wm_daemon_methods[] = {
	{ .name = "job.submit", .begin = job_submit },
	{ .name = "job.show", .call = job_show },
	{ .name = "job.list", .call = job_list },
	{ .name = "job.resume", .begin = job_resume },
	{ .name = "job.discard", .begin = job_discard },
	{ .name = "job.cancel", .call = job_cancel },
	{ .name = "node.list", .call = node_list },
	{ .name = "node.admit", .call = node_admit },
	{ .name = "stats", .call = stats },
	{ .name = "version", .call = version },
};
const unsigned wm_daemon_method_count = sizeof(wm_daemon_methods) / sizeof(wm_daemon_methods[0]);
