/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a line on the control socket of the real controller: its own parser,
 * its own methods with their parameters, its own membership. Behind them stand the
 * jobs and the lane of this file, which look at what they are handed. Whatever comes
 * in, the answer is one line of JSON that the specification knows, or none.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "end.h"
#include "methods.h"
#include "port_counters.h"
#include "spool.h"
#include "wiremill/limits.h"

#define YEAR_NS (365ull * 24 * 3600 * WM_NS_PER_S)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct wm_port ports[1];
	unsigned lcores[1];
	struct wm_lanes lanes;
	struct wm_membership membership;
	struct wm_jobs jobs;
} parts;
static struct wm_controller controller = { .lanes = &parts.lanes,
					   .membership = &parts.membership,
					   .jobs = &parts.jobs,
					   .ports = parts.ports,
					   .lcores = parts.lcores };
static struct wm_job job;

/* ---- jobs ----------------------------------------------------------------------- */

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

/* A job for what could be one; refusals are part of the answers. */
static void job_take(const char *output, uint64_t fail_after_ns, const struct wm_jobs_reply *reply)
{
	struct wm_error error = { "" };

	check(output && fail_after_ns <= YEAR_NS);
	if (output[0] != '/')
		wm_error_set(&error, EINVAL, "output '%s' is no absolute path", output);
	reply->answer(reply->context, reply->request, output[0] == '/' ? &job : NULL, &error);
}

/* Each number and line of it is one that the parser may be given. */
static void check_text(const struct wm_kernel_text *text)
{
	struct wm_kernel_text *copy = wm_kernel_text_copy(text);

	check(copy && text->setting_count <= WM_KERNEL_SETTINGS_MAX);
	check(strlen(copy->code) == text->code_bytes && !strchr(copy->file, '\n'));
	for (uint32_t i = 0; i < copy->setting_count; i++)
		check(copy->settings[i] && !strchr(copy->settings[i], '\n'));
	free(copy);
}

void wm_jobs_add_kernel(struct wm_jobs *jobs, const struct wm_kernel_text *text, uint64_t now_ns,
			const struct wm_jobs_reply *reply)
{
	struct wm_error error = { "kernel.glsl:1: it is none" };

	check(jobs == &parts.jobs && now_ns > 0);
	check_text(text);
	reply->answer(reply->context, reply->request, NULL, &error);
}

const struct wm_job *wm_jobs_find_user(const struct wm_jobs *jobs,
				       const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	check(jobs == &parts.jobs && hash);
	return &job;
}

void wm_jobs_submit(struct wm_jobs *jobs, const struct wm_job_request *request, uint64_t now_ns,
		    const struct wm_jobs_reply *reply)
{
	check(jobs == &parts.jobs && now_ns > 0);
	check(!request->kernel != !request->text);
	check(request->input && request->audit_ppm <= 1000000);
	if (request->text)
		check_text(request->text);
	check(request->origin && strlen(request->origin->name) < WM_JOB_NAME_BYTES);
	job_take(request->output, request->fail_after_ns, reply);
}

void wm_jobs_resume(struct wm_jobs *jobs, const struct wm_job_resumption *wanted, uint64_t now_ns,
		    const struct wm_jobs_reply *reply)
{
	check(jobs == &parts.jobs && now_ns > 0 && wanted->origin);
	job_take(wanted->output, wanted->fail_after_ns, reply);
}

void wm_jobs_discard(struct wm_jobs *jobs, const char *output, uint64_t now_ns,
		     const struct wm_jobs_reply *reply)
{
	check(jobs == &parts.jobs && now_ns > 0);
	job_take(output, 0, reply);
}

struct wm_job *wm_jobs_find(struct wm_jobs *jobs, uint64_t id)
{
	return id == job.lane.id ? jobs->jobs[0] : NULL;
}

int wm_job_cancel(struct wm_jobs *jobs, struct wm_job *which, uint64_t now_ns,
		  struct wm_error *error)
{
	check(jobs == &parts.jobs && which == &job && now_ns > 0);
	return wm_error_set(error, EINVAL, "job 1 is over");
}

uid_t wm_rpc_caller(const struct wm_rpc *rpc)
{
	check(!rpc);
	return 0;
}

bool wm_job_has_ended(const struct wm_job *which)
{
	return which->state >= WM_JOB_DONE;
}

void wm_jobs_read_counters(const struct wm_jobs *jobs, const struct wm_job *which,
			   struct wm_lane_job_counters *counters)
{
	check(jobs == &parts.jobs);
	*counters = which->counters;
}

int wm_spool_save(const struct wm_jobs *jobs, struct wm_error *error)
{
	(void)error;
	check(jobs == &parts.jobs);
	return 0;
}

const char *wm_jobs_explain_waiting(const struct wm_jobs *jobs, const struct wm_job *which)
{
	check(jobs == &parts.jobs && which == &job);
	return "";
}

double wm_job_seconds(const struct wm_job *which, uint64_t now_ns)
{
	check(which == &job && now_ns > 0);
	return 2;
}

const char *wm_job_state_name(enum wm_job_state state)
{
	static const char *const names[WM_JOB_STATES] = { "queued",    "preparing", "running",
							  "finishing", "done",	    "failed",
							  "cancelled" };

	return names[state];
}

/* ---- the lane and its port --------------------------------------------------------- */

void wm_lane_take_snapshot(struct wm_lane *lane, struct wm_lane_snapshot *snapshot)
{
	check(lane == parts.lanes.lanes[0]);
	memset(snapshot, 0, sizeof(*snapshot));
}

void wm_lanes_read_node_state(struct wm_lanes *lanes, uint32_t node,
			      struct wm_dispatch_node_state *state)
{
	check(lanes == &parts.lanes && node < parts.membership.count);
	memset(state, 0, sizeof(*state));
}

void wm_port_read_counters(const struct wm_port *port, struct wm_port_counters *counters)
{
	check(port == &parts.ports[0]);
	memset(counters, 0, sizeof(*counters));
}

/* ---- one line ----------------------------------------------------------------------- */

/* Two of one name in quarantine, and one who is not; the MAC ends with the index. */
static void members_set(void)
{
	static const char *const names[] = { "n1", "twin", "twin", "n4" };

	parts.lanes.count = 1;
	parts.membership.count = 4;
	for (uint32_t i = 0; i < 4; i++) {
		struct wm_member *member = &parts.membership.members[i];

		strcpy(member->hello.name, names[i]);
		member->mac[5] = (uint8_t)i;
		member->state = i ? WM_MEMBER_QUARANTINED : WM_MEMBER_READY;
		strcpy(member->reason, i ? "computed wrong" : "");
	}
}

static void controller_set(void)
{
	job.lane.id = 1;
	job.kernel = *wm_kernel_find("xor");
	job.state = WM_JOB_RUNNING;
	job.lane.layout.output_bytes = 64;
	strcpy(job.output, "/data/out");
	parts.jobs.jobs[0] = parts.jobs.current = &job;
	parts.jobs.count = 1;
	members_set();
}

static void check_answer(const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const char *message = json_string_value(json_object_get(error, "message"));

	check(json_is_object(answer) && json_object_get(answer, "id"));
	check(!error == !!json_object_get(answer, "result"));
	check(!error || (message && message[0] && !strchr(message, '\n')));
}

static void check_line(const char *line)
{
	/* An id is given back as it is. */
	json_t *answer = json_loads(line, JSON_ALLOW_NUL, NULL), *one;
	size_t i;

	check(answer && !strchr(line, '\n') && strlen(line) < WM_RPC_LINE_BYTES_MAX);
	if (!json_is_array(answer))
		check_answer(answer);
	check(!json_is_array(answer) || json_array_size(answer) > 0);
	json_array_foreach(answer, i, one) check_answer(one);
	json_decref(answer);
}

static void line_wake(struct wm_rpc_line *line)
{
	check(!line->waits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wm_rpc_line line = { .tables = wm_methods,
				    .context = &controller,
				    .wake = line_wake };
	char *answer;

	controller_set();
	wm_rpc_line_begin(&line, (const char *)data, size);
	while (!wm_rpc_line_step(&line))
		check(!line.waits);
	answer = wm_rpc_line_end(&line);
	if (answer)
		check_line(answer);
	free(answer);
	return 0;
}
