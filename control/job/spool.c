/* SPDX-License-Identifier: BSD-3-Clause */
#include "spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "kernel_json.h"
#include "mac.h"
#include "numbers.h"
#include "replace.h"
#include "wiremill/kernel_object.h"
#include "wiremill/side.h"

static int spool_path(char *path, const struct wm_jobs *jobs, struct wm_error *error)
{
	int length = snprintf(path, PATH_MAX, "%s/jobs.json", jobs->state_directory);

	if (length < PATH_MAX)
		return 0;
	return wm_error_set(error, ENAMETOOLONG, "the state directory's path is too long");
}

int wm_spool_prepare(const char *state_directory, struct wm_error *error)
{
	if (mkdir(state_directory, 0750) == 0 || errno == EEXIST)
		return 0;
	return wm_error_set(error, errno,
			    "cannot make the state directory %s: %s: name another "
			    "with --state",
			    state_directory, wm_errno_text(errno));
}

/* ---- out ---------------------------------------------------------------------- */

/* resume_on_start: it has ended for this life only. */
static bool is_over(const struct wm_job *job)
{
	return wm_job_has_ended(job) && !job->resume_on_start;
}

static json_t *job_entry(const struct wm_job *job)
{
	json_t *entry = json_pack("{s:I, s:s, s:s, s:s, s:b, s:b, s:I, s:I}", "job",
				  (json_int_t)job->lane.id, "kernel", job->kernel.name, "input",
				  job->input, "output", job->output, "force", job->force,
				  "drop_tail", job->drop_tail, "fail_after_ms",
				  (json_int_t)(job->fail_after_ns / WM_NS_PER_MS), "audit_ppm",
				  (json_int_t)job->audit_ppm);

	if (!wm_kernel_is_builtin(&job->kernel))
		json_object_set_new(entry, "kernel_hash", wm_kernel_hash_json(&job->kernel));
	wm_job_origin_put(entry, &job->origin);
	return entry;
}

static json_t *queued_entry(const struct wm_job *job)
{
	json_t *entry = job_entry(job);

	json_object_set_new(entry, "started",
			    json_boolean(job->resume || job->state != WM_JOB_QUEUED));
	if (job->cancelled)
		json_object_set_new(entry, "cancelled", json_true());
	if (job->trust_output)
		json_object_set_new(entry, "trust_output", json_true());
	if (job->journal != 0)
		json_object_set_new(entry, "journal", wm_json_number(job->journal));
	return entry;
}

static json_t *ended_entry(const struct wm_job *job)
{
	json_t *entry = job_entry(job);

	json_object_set_new(entry, "state", json_string(wm_job_state_name(job->state)));
	json_object_set_new(entry, "reason", wm_json_text(job->reason));
	json_object_set_new(entry, "run_ns", wm_json_number(job->run_ns));
	if (job->discarded)
		json_object_set_new(entry, "discarded", json_true());
	wm_job_numbers_put(entry, job, &job->counters);
	return entry;
}

typedef int parse_rest(json_t *entry, struct wm_job *job);

static parse_rest parse_job, parse_queued, parse_ended;

/* What the next controller would refuse must not get there: it would refuse all of it. */
static int append_checked(json_t *list, json_t *entry, parse_rest *rest, struct wm_job *scratch)
{
	int ret = parse_job(entry, scratch);

	if (ret == 0)
		ret = rest(entry, scratch);
	if (ret == 0)
		ret = json_array_append(list, entry);
	json_decref(entry);
	return ret;
}

static json_t *quarantine_list(const struct wm_membership *membership)
{
	json_t *list = json_array();
	char mac[WM_MAC_TEXT_BYTES];

	for (uint32_t i = 0; i < membership->count; i++) {
		const struct wm_member *member = &membership->members[i];

		if (member->state != WM_MEMBER_QUARANTINED)
			continue;
		wm_mac_format(mac, member->mac);
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "mac", mac, "name",
						      member->hello.name, "reason",
						      wm_json_text(member->reason)));
	}
	return list;
}

static int add_all(const struct wm_jobs *jobs, json_t *queued, json_t *ended,
		   struct wm_error *error)
{
	struct wm_job *scratch = malloc(sizeof(*scratch));
	int ret = scratch ? 0 : wm_error_set(error, ENOMEM, "no memory to save the queue");

	for (uint32_t i = 0; i < jobs->count && ret == 0; i++) {
		const struct wm_job *job = jobs->jobs[i];

		ret = is_over(job)
			      ? append_checked(ended, ended_entry(job), parse_ended, scratch)
			      : append_checked(queued, queued_entry(job), parse_queued, scratch);
		if (ret < 0)
			wm_error_set(error, EINVAL,
				     "job %" PRIu32
				     " has a path that is not absolute or not UTF-8, "
				     "or an option out of its range: %.200s",
				     job->lane.id, job->output);
	}
	free(scratch);
	return ret < 0 ? -EINVAL : 0;
}

/* NULL with the error. */
static json_t *whole(const struct wm_jobs *jobs, struct wm_error *error)
{
	json_t *queued = json_array(), *ended = json_array();

	if (add_all(jobs, queued, ended, error) == 0)
		return json_pack("{s:I, s:o, s:o, s:o}", "next", (json_int_t)jobs->next_id, "jobs",
				 queued, "ended", ended, "quarantine",
				 quarantine_list(jobs->membership));
	json_decref(queued);
	json_decref(ended);
	return NULL;
}

/* As one text: json_dumpfd makes a system call of each of its tokens. */
static int write_file(const char *path, const json_t *root, struct wm_error *error)
{
	char *text = json_dumps(root, JSON_INDENT(1));
	int ret = text ? wm_replace_file(path, 0640, text, strlen(text), error)
		       : wm_error_set(error, ENOMEM, "no memory to save the queue");

	free(text);
	return ret;
}

int wm_spool_save(const struct wm_jobs *jobs, struct wm_error *error)
{
	char path[PATH_MAX];
	json_t *root = whole(jobs, error);
	int ret = root ? spool_path(path, jobs, error) : -EINVAL;

	if (ret == 0)
		ret = write_file(path, root, error);
	json_decref(root);
	return ret;
}

/* ---- in ------------------------------------------------------------------------- */

static bool is_path(const char *text)
{
	return text[0] == '/' && strlen(text) < PATH_MAX;
}

/* Of one that is not built in the library knows the shape. */
static int parse_kernel(struct wm_kernel *kernel, const char *name, const char *digits)
{
	const struct wm_kernel *builtin = wm_kernel_find(name);

	if (!digits && !builtin)
		return -EBADMSG;
	if (!digits) {
		*kernel = *builtin;
		return 0;
	}
	*kernel = (struct wm_kernel){ .in_bytes = 0 };
	if (!wm_kernel_name_is_valid(name) || wm_kernel_hash_parse(kernel->hash, digits) < 0 ||
	    wm_kernel_is_builtin(kernel))
		return -EBADMSG;
	strcpy(kernel->name, name);
	return 0;
}

/* What every entry has. Fills the job. */
static int parse_job(json_t *entry, struct wm_job *job)
{
	const char *kernel, *hash = NULL, *input, *output;
	json_int_t id, fail_after_ms, audit_ppm;
	int force, drop_tail;

	if (json_unpack(entry, "{s:I, s:s, s?s, s:s, s:s, s:b, s:b, s:I, s:I}", "job", &id,
			"kernel", &kernel, "kernel_hash", &hash, "input", &input, "output", &output,
			"force", &force, "drop_tail", &drop_tail, "fail_after_ms", &fail_after_ms,
			"audit_ppm", &audit_ppm) < 0 ||
	    id < 1 || id >= UINT32_MAX || fail_after_ms < 0 ||
	    fail_after_ms > (json_int_t)(INT64_MAX / WM_NS_PER_MS) || audit_ppm < 0 ||
	    audit_ppm > 1000000 || !is_path(input) || !is_path(output) ||
	    parse_kernel(&job->kernel, kernel, hash) < 0)
		return -EBADMSG;
	job->lane.id = (uint32_t)id;
	strcpy(job->input, input);
	strcpy(job->output, output);
	job->force = force;
	job->drop_tail = drop_tail;
	job->fail_after_ns = (uint64_t)fail_after_ms * WM_NS_PER_MS;
	job->audit_ppm = (uint32_t)audit_ppm;
	return wm_job_origin_take(entry, &job->origin);
}

static int parse_queued(json_t *entry, struct wm_job *job)
{
	json_int_t journal = 0;
	int started, cancelled = 0, trust_output = 0;

	if (json_unpack(entry, "{s:b, s?b, s?b, s?I}", "started", &started, "cancelled", &cancelled,
			"trust_output", &trust_output, "journal", &journal) < 0 ||
	    journal < 0 || journal > UINT32_MAX)
		return -EBADMSG;
	job->resume = started;
	job->cancelled = cancelled;
	job->trust_output = trust_output;
	job->origin.ended_ms = 0; /* of its last life, if that ended with the controller */
	job->journal = (uint32_t)journal;
	return 0;
}

static int parse_ended(json_t *entry, struct wm_job *job)
{
	static const struct wm_json_field run = WM_JSON_NUMBER(struct wm_job, "run_ns", run_ns);
	const char *state, *reason;
	int discarded = 0;

	if (json_unpack(entry, "{s:s, s:s, s?b}", "state", &state, "reason", &reason, "discarded",
			&discarded) < 0 ||
	    strlen(reason) >= sizeof(job->reason) || wm_json_take(entry, &run, 1, job) < 0 ||
	    wm_job_numbers_take(entry, job) < 0)
		return -EBADMSG;
	strcpy(job->reason, reason);
	job->discarded = discarded;
	job->state = WM_JOB_DONE;
	while (job->state < WM_JOB_STATES && strcmp(wm_job_state_name(job->state), state) != 0)
		job->state++;
	return job->state < WM_JOB_STATES ? 0 : -EBADMSG;
}

/* In order of submission, and no number twice. */
static int insert(struct wm_jobs *jobs, struct wm_job *job)
{
	uint32_t place = jobs->count;

	assert(jobs->count < WM_JOBS_MAX && job->lane.id > 0 && !job->work && !job->open);
	while (place > 0 && jobs->jobs[place - 1]->lane.id > job->lane.id)
		place--;
	if (place > 0 && jobs->jobs[place - 1]->lane.id == job->lane.id)
		return -EBADMSG;
	memmove(&jobs->jobs[place + 1], &jobs->jobs[place],
		(jobs->count - place) * sizeof(jobs->jobs[0]));
	jobs->jobs[place] = job;
	jobs->count++;
	return 0;
}

static int add_job(struct wm_jobs *jobs, json_t *entry, parse_rest *rest)
{
	struct wm_job *job = calloc(1, sizeof(*job));
	int ret = job ? parse_job(entry, job) : -ENOMEM;

	if (ret == 0)
		ret = rest(entry, job);
	if (ret == 0)
		ret = insert(jobs, job);
	if (ret < 0)
		free(job);
	return ret;
}

static int add_jobs(struct wm_jobs *jobs, const json_t *root, const char *name, parse_rest *rest,
		    struct wm_error *error)
{
	json_t *list = json_object_get(root, name);
	json_t *entry;
	int ret = 0;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > WM_JOBS_MAX - jobs->count)
		return wm_error_set(error, EBADMSG, "'%s' is no list of at most %u jobs", name,
				    WM_JOBS_MAX);
	json_array_foreach(list, i, entry)
	{
		ret = add_job(jobs, entry, rest);
		if (ret < 0)
			return wm_error_set(error, -ret, "entry %zu of '%s' is no job", i + 1,
					    name);
	}
	return 0;
}

static int recall(struct wm_membership *membership, json_t *entry)
{
	const char *text, *name, *reason;
	uint8_t mac[WM_ETHER_ADDR_BYTES];

	if (json_unpack(entry, "{s:s, s:s, s:s}", "mac", &text, "name", &name, "reason", &reason) <
		    0 ||
	    wm_mac_parse(mac, text) < 0 || !wm_message_name_is_valid(name, WM_NODE_NAME_BYTES) ||
	    strlen(reason) >= WM_MESSAGE_TEXT_BYTES)
		return -EBADMSG;
	return wm_membership_recall(membership, mac, name, reason);
}

static int add_quarantine(struct wm_membership *membership, json_t *list)
{
	json_t *entry;
	int ret = 0;
	size_t i;

	if (!json_is_array(list))
		return -EBADMSG;
	json_array_foreach(list, i, entry)
	{
		ret = recall(membership, entry);
		if (ret < 0)
			break;
	}
	return ret;
}

static int parse_root(struct wm_jobs *jobs, const json_t *root, struct wm_error *error)
{
	json_t *quarantine = json_object_get(root, "quarantine");
	json_int_t next = json_integer_value(json_object_get(root, "next"));
	int ret;

	if (next < 1 || next > UINT32_MAX)
		return wm_error_set(error, EBADMSG, "it is no list of jobs");
	ret = add_jobs(jobs, root, "jobs", parse_queued, error);
	if (ret == 0 && json_object_get(root, "ended"))
		ret = add_jobs(jobs, root, "ended", parse_ended, error);
	if (ret < 0)
		return ret;
	ret = quarantine ? add_quarantine(jobs->membership, quarantine) : 0;
	if (ret < 0)
		return wm_error_set(error, -ret, "'quarantine' is no list of nodes");
	jobs->next_id = (uint32_t)next;
	if (jobs->count > 0 && jobs->next_id <= jobs->jobs[jobs->count - 1]->lane.id)
		jobs->next_id = jobs->jobs[jobs->count - 1]->lane.id + 1;
	return 0;
}

int wm_spool_parse(struct wm_jobs *jobs, const char *text, size_t text_bytes,
		   struct wm_error *error)
{
	json_error_t fault;
	json_t *root = json_loadb(text, text_bytes, JSON_REJECT_DUPLICATES, &fault);
	int ret = root ? parse_root(jobs, root, error)
		       : wm_error_set(error, EBADMSG, "no JSON at line %d", fault.line);

	json_decref(root);
	return ret;
}

static int refuse_file(const char *path, int code, struct wm_error *error)
{
	if (code == EINVAL || code == EISDIR || code == ELOOP)
		return wm_error_set(error, code, "%.300s is no file: move it away", path);
	return wm_error_set(error, code, "cannot read %.300s: %s", path, wm_errno_text(code));
}

/* NULL without an error: there is none. */
static int open_file(FILE **file, const char *path, struct wm_error *error)
{
	int fd = wm_side_open(path, O_RDONLY);

	*file = NULL;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return refuse_file(path, -fd, error);
	*file = fdopen(fd, "r");
	if (*file)
		return 0;
	close(fd);
	return refuse_file(path, ENOMEM, error);
}

int wm_spool_load(struct wm_jobs *jobs, struct wm_error *error)
{
	struct wm_error reason = { "" };
	char path[PATH_MAX], *text = NULL;
	FILE *file = NULL;
	size_t room = 0;
	ssize_t bytes;
	int ret;

	ret = spool_path(path, jobs, error);
	if (ret == 0)
		ret = open_file(&file, path, error);
	if (ret < 0 || !file)
		return ret;
	bytes = getdelim(&text, &room, '\0', file);
	ret = wm_spool_parse(jobs, text ? text : "", bytes > 0 ? (size_t)bytes : 0, &reason);
	if (ret < 0)
		wm_error_set(
			error, -ret,
			"%.180s is damaged (%.100s). Move it away ('mv %.180s{,.damaged}') and "
			"start again; then 'wiremill job resume OUTPUT' goes on with each "
			"output that has a .wm-journal",
			path, reason.text, path);
	free(text);
	fclose(file);
	return ret;
}
