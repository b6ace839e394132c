/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as the controller's list of jobs. What is accepted must make sense, and
 * come back the same when it is saved and loaded again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[64];
static struct wm_membership membership;

static void remove_directory(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/jobs.json", directory);
	unlink(path);
	rmdir(directory);
}

/* In memory: nothing here waits for a disk. */
static void name_directory(void)
{
	if (directory[0])
		return;
	strcpy(directory, "/dev/shm/wm-spool-fuzz-XXXXXX");
	if (!mkdtemp(directory))
		abort();
	atexit(remove_directory);
}

static void jobs_free(struct wm_jobs *jobs)
{
	while (jobs->count > 0)
		free(jobs->jobs[--jobs->count]);
}

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_job(const struct wm_jobs *jobs, uint32_t index)
{
	const struct wm_job *job = jobs->jobs[index];

	check(job->lane.id > 0 && job->lane.id < jobs->next_id);
	check(job->kernel.name[0] && job->input[0] == '/' && job->output[0] == '/');
	check(job->audit_ppm <= 1000000 && job->fail_after_ns <= INT64_MAX);
	for (uint32_t i = 0; i < index; i++)
		check(jobs->jobs[i]->lane.id < job->lane.id);
}

static void check_same(const struct wm_jobs *jobs, const struct wm_jobs *others)
{
	check(jobs->count == others->count && jobs->next_id == others->next_id);
	for (uint32_t i = 0; i < jobs->count; i++) {
		const struct wm_job *job = jobs->jobs[i], *other = others->jobs[i];

		check(job->lane.id == other->lane.id &&
		      wm_kernel_is_same(&job->kernel, &other->kernel));
		check(strcmp(job->input, other->input) == 0);
		check(strcmp(job->output, other->output) == 0);
		check(job->force == other->force && job->drop_tail == other->drop_tail);
		check(job->resume == other->resume && job->audit_ppm == other->audit_ppm);
		check(job->fail_after_ns == other->fail_after_ns);
		check(job->state == other->state && job->journal == other->journal);
		check(strcmp(job->reason, other->reason) == 0 && job->run_ns == other->run_ns);
		check(memcmp(&job->counters, &other->counters, sizeof(job->counters)) == 0);
	}
}

static struct wm_jobs jobs_new(void)
{
	static const struct wm_membership_calls none = { 0 };
	static const uint8_t mac[WM_ETHER_ADDR_BYTES] = { 2 };

	wm_membership_init(&membership, &none, mac);
	return (struct wm_jobs){ .state_directory = directory, .membership = &membership };
}

static void check_comes_back(const struct wm_jobs *jobs)
{
	uint32_t caught = wm_membership_count(&membership, WM_MEMBER_QUARANTINED);
	struct wm_jobs again;

	for (uint32_t i = 0; i < jobs->count; i++)
		check_job(jobs, i);
	check(wm_spool_save(jobs, NULL) == 0);
	again = jobs_new();
	check(wm_spool_load(&again, NULL) == 0);
	check(wm_membership_count(&membership, WM_MEMBER_QUARANTINED) == caught);
	check_same(jobs, &again);
	jobs_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wm_jobs jobs = jobs_new();
	struct wm_error error = { "" };

	name_directory();
	if (wm_spool_parse(&jobs, (const char *)data, size, &error) == 0)
		check_comes_back(&jobs);
	else
		check(error.text[0] != '\0');
	jobs_free(&jobs);
	return 0;
}
