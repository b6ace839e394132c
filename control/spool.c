/* SPDX-License-Identifier: BSD-3-Clause */
#include "spool.h"

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

static int spool_path(char *path, const struct wm_jobs *jobs, const char *suffix,
		      struct wm_error *error)
{
	int length = snprintf(path, PATH_MAX, "%s/jobs.json%s", jobs->state_directory, suffix);

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
			    state_directory, strerror(errno));
}

/* ---- out ---------------------------------------------------------------------- */

static json_t *job_entry(const struct wm_job *job)
{
	bool started = job->resume || job->state != WM_JOB_QUEUED;

	return json_pack("{s:I, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:b}", "job",
			 (json_int_t)job->lane.id, "kernel", job->kernel->name, "input", job->input,
			 "output", job->output, "force", job->force, "drop_tail", job->drop_tail,
			 "fail_after_ms", (json_int_t)(job->fail_after_ns / WM_NS_PER_MS),
			 "audit_ppm", (json_int_t)job->audit_ppm, "started", started);
}

static int write_file(const char *path, const json_t *root)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (json_dumpfd(root, fd, JSON_INDENT(1)) < 0)
		ret = -EIO;
	else if (fsync(fd) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* A rename is on disk when its directory is. */
static int sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	/* EINVAL: a file system whose directories need no such thing. */
	if (fsync(fd) < 0 && errno != EINVAL)
		ret = -errno;
	close(fd);
	return ret;
}

static int replace_file(const char *path, const char *aside, const char *directory,
			const json_t *root)
{
	int ret = write_file(aside, root);

	if (ret == 0 && rename(aside, path) < 0)
		ret = -errno;
	return ret < 0 ? ret : sync_directory(directory);
}

int wm_spool_save(const struct wm_jobs *jobs, struct wm_error *error)
{
	char path[PATH_MAX], aside[PATH_MAX];
	json_t *list = json_array(), *root;
	int ret;

	for (uint32_t i = 0; i < jobs->count; i++) {
		if (!wm_job_has_ended(jobs->jobs[i]) || jobs->jobs[i]->goes_on)
			json_array_append_new(list, job_entry(jobs->jobs[i]));
	}
	root = json_pack("{s:I, s:o}", "next", (json_int_t)jobs->next_id, "jobs", list);
	ret = spool_path(path, jobs, "", error);
	if (ret == 0)
		ret = spool_path(aside, jobs, ".new", error);
	if (ret == 0) {
		ret = replace_file(path, aside, jobs->state_directory, root);
		if (ret < 0)
			wm_error_set(error, -ret, "cannot write %.300s: %s", path, strerror(-ret));
	}
	json_decref(root);
	return ret;
}

/* ---- in ------------------------------------------------------------------------- */

static bool is_path(const char *text)
{
	return text[0] == '/' && strlen(text) < PATH_MAX;
}

static struct wm_job *parse_job(json_t *entry)
{
	const char *kernel, *input, *output;
	json_int_t id, fail_after_ms, audit_ppm;
	int force, drop_tail, started;
	struct wm_job *job;

	if (json_unpack(entry, "{s:I, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:b}", "job", &id,
			"kernel", &kernel, "input", &input, "output", &output, "force", &force,
			"drop_tail", &drop_tail, "fail_after_ms", &fail_after_ms, "audit_ppm",
			&audit_ppm, "started", &started) < 0 ||
	    id < 1 || id >= UINT32_MAX || fail_after_ms < 0 ||
	    fail_after_ms > (json_int_t)(INT64_MAX / WM_NS_PER_MS) || audit_ppm < 0 ||
	    audit_ppm > 1000000 || !is_path(input) || !is_path(output) || !wm_kernel_find(kernel))
		return NULL;
	job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->lane.id = (uint32_t)id;
	job->kernel = wm_kernel_find(kernel);
	strcpy(job->input, input);
	strcpy(job->output, output);
	job->force = force;
	job->drop_tail = drop_tail;
	job->fail_after_ns = (uint64_t)fail_after_ms * WM_NS_PER_MS;
	job->audit_ppm = (uint32_t)audit_ppm;
	job->resume = started;
	return job;
}

static bool has_id(const struct wm_jobs *jobs, uint32_t id)
{
	for (uint32_t i = 0; i < jobs->count; i++) {
		if (jobs->jobs[i]->lane.id == id)
			return true;
	}
	return false;
}

/* The job, which has its place in jobs then, or NULL. */
static struct wm_job *append_job(struct wm_jobs *jobs, json_t *entry)
{
	struct wm_job *job = parse_job(entry);

	if (job && has_id(jobs, job->lane.id)) {
		free(job);
		return NULL;
	}
	if (job)
		jobs->jobs[jobs->count++] = job;
	return job;
}

int wm_spool_parse(struct wm_jobs *jobs, const char *text, size_t text_bytes,
		   struct wm_error *error)
{
	json_t *root = json_loadb(text, text_bytes, JSON_REJECT_DUPLICATES, NULL);
	json_t *list = json_object_get(root, "jobs"), *entry;
	json_int_t next = json_integer_value(json_object_get(root, "next"));
	int ret = 0;
	size_t i;

	if (!json_is_array(list) || next < 1 || next > UINT32_MAX ||
	    json_array_size(list) > WM_JOBS_MAX - jobs->count)
		ret = -EBADMSG;
	json_array_foreach(list, i, entry)
	{
		struct wm_job *job = ret == 0 ? append_job(jobs, entry) : NULL;

		if (!job) {
			ret = -EBADMSG;
			break;
		}
		if (job->lane.id >= next)
			next = (json_int_t)job->lane.id + 1;
	}
	json_decref(root);
	if (ret < 0)
		return wm_error_set(error, -ret, "it is no list of jobs");
	jobs->next_id = (uint32_t)next;
	return 0;
}

int wm_spool_load(struct wm_jobs *jobs, struct wm_error *error)
{
	struct wm_error reason = { "" };
	char path[PATH_MAX], *text = NULL;
	size_t room = 0;
	ssize_t bytes;
	FILE *file;
	int ret;

	ret = spool_path(path, jobs, "", error);
	if (ret < 0)
		return ret;
	file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		return wm_error_set(error, errno, "cannot read %.300s: %s", path, strerror(errno));
	bytes = getdelim(&text, &room, '\0', file);
	ret = wm_spool_parse(jobs, text ? text : "", bytes > 0 ? (size_t)bytes : 0, &reason);
	if (ret < 0)
		wm_error_set(error, -ret,
			     "%.300s is damaged (%.100s): move it away; the journals "
			     "beside the outputs can be resumed one by one",
			     path, reason.text);
	free(text);
	fclose(file);
	return ret;
}
