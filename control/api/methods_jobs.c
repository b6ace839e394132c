/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask of jobs. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "end.h"
#include "kernel_json.h"
#include "methods.h"
#include "numbers.h"
#include "page.h"

#define FAIL_AFTER_SECONDS_MAX (365u * 24 * 3600)

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

static json_t *job_object(struct wm_controller *controller, const struct wm_job *job)
{
	struct wm_lane_job_counters counters;
	json_t *object = json_object();

	json_object_set_new(object, "job", wm_json_number(job->lane.id));
	json_object_set_new(object, "kernel", json_string(job->kernel.name));
	json_object_set_new(object, "kernel_hash", wm_kernel_hash_json(&job->kernel));
	json_object_set_new(object, "input", json_string(job->input));
	json_object_set_new(object, "output", json_string(job->output));
	json_object_set_new(object, "state", json_string(wm_job_state_name(job->state)));
	wm_job_origin_describe(object, &job->origin);
	json_object_set_new(object, "reason", wm_json_text(job->reason));
	json_object_set_new(object, "waiting",
			    json_string(wm_jobs_explain_waiting(controller->jobs, job)));
	json_object_set_new(object, "cancelling",
			    json_boolean(job->cancelled && !wm_job_has_ended(job)));
	json_object_set_new(object, "checking", json_boolean(job->checking));
	wm_jobs_read_counters(controller->jobs, job, &counters);
	wm_job_numbers_put(object, job, &counters);
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
static int origin_init(struct wm_job_origin *origin, const struct wm_controller *controller,
		       const char *name, int *code, struct wm_error *error)
{
	int ret = wm_job_origin_init(origin, wm_rpc_caller(controller->rpc), name, error);

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

static int check_kernel(const char *name, const struct wm_kernel_params *kernel, int *code,
			struct wm_error *error)
{
	*code = WM_RPC_INVALID_PARAMS;
	if (!name && !kernel->source)
		return wm_error_set(error, EINVAL, "parameter 'kernel' is missing");
	if (name && kernel->source)
		return wm_error_set(error, EINVAL, "kernel and kernel_source are two kernels");
	if (name && json_array_size(kernel->settings) > 0)
		return wm_error_set(error, EINVAL,
				    "params are for a kernel_source: one that is here has its own");
	*code = WM_RPC_FAILED;
	return 0;
}

static int unpack_submission(struct wm_controller *controller, const json_t *params,
			     struct wm_job_request *wanted, struct wm_kernel_text *text,
			     struct wm_job_origin *origin, int *code, struct wm_error *error)
{
	struct wm_kernel_params kernel = { .file = WM_KERNEL_FILE_PRESET };
	const char *tail = "refuse", *name = "";
	uint64_t fail_after_seconds = 0, audit_ppm = 0;
	const struct wm_rpc_param expected[] = {
		{ "kernel", WM_RPC_STRING, 1, &wanted->kernel },
		{ "kernel_source", WM_RPC_STRING, 1, &kernel.source },
		{ "kernel_file", WM_RPC_STRING, 1, &kernel.file },
		{ "params", WM_RPC_STRINGS, 1, &kernel.settings },
		{ "input", WM_RPC_STRING, 0, &wanted->input },
		{ "input_device", WM_RPC_NUMBER, 1, &wanted->meant.device },
		{ "input_inode", WM_RPC_NUMBER, 1, &wanted->meant.inode },
		{ "output", WM_RPC_STRING, 0, &wanted->output },
		{ "force", WM_RPC_BOOL, 1, &wanted->force },
		{ "tail", WM_RPC_STRING, 1, &tail },
		{ "fail_after_seconds", WM_RPC_NUMBER, 1, &fail_after_seconds },
		{ "audit_ppm", WM_RPC_NUMBER, 1, &audit_ppm },
		{ "name", WM_RPC_STRING, 1, &name },
		{ "dry_run", WM_RPC_BOOL, 1, &wanted->dry_run },
	};

	if (wm_rpc_params_unpack(params, expected, WM_ARRAY_COUNT(expected), code, error) < 0 ||
	    check_fail_after(fail_after_seconds, code, error) < 0 ||
	    origin_init(origin, controller, name, code, error) < 0 ||
	    check_submission(tail, audit_ppm, code, error) < 0 ||
	    check_kernel(wanted->kernel, &kernel, code, error) < 0 ||
	    (kernel.source && wm_methods_take_text(text, &kernel, code, error) < 0))
		return -EINVAL;
	wanted->text = kernel.source ? text : NULL;
	wanted->origin = origin;
	wanted->audit_ppm = (uint32_t)audit_ppm;
	wanted->fail_after_ns = fail_after_seconds * WM_NS_PER_S;
	wanted->drop_tail = strcmp(tail, "drop") == 0;
	return 0;
}

static void job_submit(void *context, const json_t *params, struct wm_rpc_request *request)
{
	const struct wm_jobs_reply reply = { job_answer, context, request };
	struct wm_controller *controller = context;
	struct wm_job_request wanted = { 0 };
	struct wm_job_origin origin;
	struct wm_kernel_text text;
	struct wm_error error = { "" };
	int code;

	if (unpack_submission(controller, params, &wanted, &text, &origin, &code, &error) < 0)
		wm_rpc_request_answer(request, NULL, code, &error);
	else
		wm_jobs_submit(controller->jobs, &wanted, wm_clock_ns(), &reply);
}

static void job_resume(void *context, const json_t *params, struct wm_rpc_request *request)
{
	const struct wm_jobs_reply reply = { job_answer, context, request };
	struct wm_controller *controller = context;
	uint64_t fail_after_seconds = 0;
	const char *name = "";
	struct wm_job_origin origin;
	struct wm_job_resumption wanted = { .origin = &origin };
	const struct wm_rpc_param expected[] = {
		{ "output", WM_RPC_STRING, 0, &wanted.output },
		{ "fail_after_seconds", WM_RPC_NUMBER, 1, &fail_after_seconds },
		{ "name", WM_RPC_STRING, 1, &name },
		{ "trust_output", WM_RPC_BOOL, 1, &wanted.trust_output },
	};
	struct wm_error error = { "" };
	int code;

	if (wm_rpc_params_unpack(params, expected, WM_ARRAY_COUNT(expected), &code, &error) < 0 ||
	    check_fail_after(fail_after_seconds, &code, &error) < 0 ||
	    origin_init(&origin, controller, name, &code, &error) < 0) {
		wm_rpc_request_answer(request, NULL, code, &error);
		return;
	}
	wanted.fail_after_ns = fail_after_seconds * WM_NS_PER_S;
	wm_jobs_resume(controller->jobs, &wanted, wm_clock_ns(), &reply);
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
		add_removed(removed, job->lane.source.path);
		removed = json_pack("{s:s, s:o}", "output", job->output, "removed", removed);
	}
	wm_rpc_request_answer(request, removed, WM_RPC_FAILED, error);
}

static void job_discard(void *context, const json_t *params, struct wm_rpc_request *request)
{
	const struct wm_jobs_reply reply = { discard_answer, context, request };
	struct wm_controller *controller = context;
	const char *output;
	const struct wm_rpc_param expected[] = { { "output", WM_RPC_STRING, 0, &output } };
	struct wm_error error = { "" };
	int code;

	if (wm_rpc_params_unpack(params, expected, 1, &code, &error) < 0)
		wm_rpc_request_answer(request, NULL, code, &error);
	else
		wm_jobs_discard(controller->jobs, output, wm_clock_ns(), &reply);
}

static struct wm_job *find_job(struct wm_controller *controller, const json_t *params, int *code,
			       struct wm_error *error)
{
	uint64_t id = 0;
	const struct wm_rpc_param expected[] = { { "job", WM_RPC_NUMBER, 0, &id } };
	struct wm_job *job;

	if (wm_rpc_params_unpack(params, expected, 1, code, error) < 0)
		return NULL;
	job = wm_jobs_find(controller->jobs, id);
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
	struct wm_controller *controller = context;
	struct wm_job *job = find_job(controller, params, code, error);

	if (!job || wm_job_cancel(controller->jobs, job, wm_clock_ns(), error) < 0)
		return NULL;
	return job_object(controller, job);
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
	struct wm_controller *controller = context;
	uint64_t after = 0, limit = 0, last = UINT64_MAX;
	const char *state_name = "";
	const struct wm_rpc_param expected[] = {
		{ "state", WM_RPC_STRING, 1, &state_name },
		{ "after", WM_RPC_NUMBER, 1, &after },
		{ "limit", WM_RPC_NUMBER, 1, &limit },
		{ "last", WM_RPC_NUMBER, 1, &last },
	};
	const struct wm_jobs *jobs = controller->jobs;
	enum wm_job_state state;
	struct wm_page page;

	if (wm_rpc_params_unpack(params, expected, WM_ARRAY_COUNT(expected), code, error) < 0 ||
	    state_parse(state_name, &state, code, error) < 0)
		return NULL;
	wm_page_init(&page, limit);
	for (uint32_t i = first_of_last(jobs, state, after, last); i < jobs->count; i++) {
		const struct wm_job *job = jobs->jobs[i];

		if (!is_listed(job, state, after))
			continue;
		if (!wm_page_has_room(&page))
			break;
		wm_page_add(&page, job->lane.id, job_object(controller, job));
	}
	return wm_page_fini(&page, "jobs");
}

const struct wm_rpc_method wm_methods_jobs[] = {
	{ .name = "job.submit", .begin = job_submit },
	{ .name = "job.show", .call = job_show },
	{ .name = "job.list", .call = job_list },
	{ .name = "job.resume", .begin = job_resume },
	{ .name = "job.discard", .begin = job_discard },
	{ .name = "job.cancel", .call = job_cancel },
	{ 0 },
};
