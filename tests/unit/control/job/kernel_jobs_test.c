/* SPDX-License-Identifier: BSD-3-Clause */
/* Jobs of kernels that are not built in: whose object is held, gone, damaged, and who may not go.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jobs_rig.h"
#include "wiremill/kernel_object.h"

/* Into the library. */
static struct wm_kernel add(const char *name, uint32_t version)
{
	static const uint32_t code[] = { 0x07230203, 0x00010500, 0, 8, 0 };
	struct wm_kernel_object object = { .kernel = { .in_bytes = 16, .out_bytes = 16 },
					   .version = version,
					   .code = code,
					   .code_bytes = sizeof(code) };
	uint32_t bytes[64];

	strcpy(object.kernel.name, name);
	CU_ASSERT_FATAL(wm_kernel_object_bytes(&object) <= sizeof(bytes));
	wm_kernel_object_encode((uint8_t *)bytes, &object);
	CU_ASSERT_EQUAL_FATAL(wm_kernel_library_add(&jobs.library, (const uint8_t *)bytes,
						    wm_kernel_object_bytes(&object), NULL),
			      0);
	return object.kernel;
}

static void file_remove(const struct wm_kernel *kernel)
{
	char digits[WM_KERNEL_HASH_TEXT_BYTES], path[256];

	wm_kernel_hash_text(digits, kernel->hash);
	snprintf(path, sizeof(path), "%s/kernels/%s.wmk", directory, digits);
	CU_ASSERT_EQUAL(unlink(path), 0);
}

static bool is_held(const struct wm_kernel *kernel)
{
	size_t bytes_count;

	return wm_kernel_library_find(&jobs.library, kernel->hash, &bytes_count) != NULL;
}

static struct wm_job *submit_kernel(const char *name, const char *output)
{
	struct reply reply;

	submit_kernel_for(&reply, name, output);
	CU_ASSERT_EQUAL(reply.count, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reply.job);
	return reply.job;
}

static void library_empty(void)
{
	while (jobs.library.count > 0)
		wm_kernel_library_remove(&jobs.library, jobs.library.entries[0].kernel.hash, NULL);
}

/* ---- tests ---------------------------------------------------------------------- */

static void object_is_held_while_nodes_may_ask_for_it(void)
{
	struct wm_kernel kernel;
	struct wm_job *job;

	begin();
	kernel = add("blend", 1);
	node_joins();
	job = submit_kernel("blend", "/output");
	CU_ASSERT(wm_kernel_is_same(&job->kernel, &kernel));
	pass(TICK_NS);
	CU_ASSERT_EQUAL(asked_job, job->lane.id);
	CU_ASSERT(is_held(&kernel));
	node_is_ready();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_RUNNING);
	CU_ASSERT(is_held(&kernel));
	lane_ends(job, 0);
	CU_ASSERT_EQUAL(job->state, WM_JOB_DONE);
	CU_ASSERT_FALSE(is_held(&kernel));
	library_empty();
	controller_dies();
}

static void job_whose_kernel_is_gone_fails_and_the_next_goes_on(void)
{
	struct wm_kernel kernel;
	struct wm_job *job;

	begin();
	kernel = add("blend", 1);
	submit_kernel("blend", "/output");
	controller_dies();
	file_remove(&kernel);

	controller_starts();
	CU_ASSERT_EQUAL_FATAL(jobs.count, 1);
	job = jobs.jobs[0];
	CU_ASSERT_STRING_EQUAL(job->kernel.name, "blend");
	CU_ASSERT_EQUAL(memcmp(job->kernel.hash, kernel.hash, WM_KERNEL_HASH_BYTES), 0);
	node_joins();
	pass(2 * TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "not in the library any more: add it again"));
	CU_ASSERT_EQUAL(opened, 0);
	job = submit(0);
	pass(TICK_NS);
	node_is_ready();
	pass(TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_RUNNING);
	controller_dies();
}

/* Its entry is there: it shows when the bytes are read. */
static void object_that_cannot_be_read_ends_it_with_its_files_closed(void)
{
	struct wm_kernel kernel;
	struct wm_job *job;

	begin();
	kernel = add("blend", 1);
	job = submit_kernel("blend", "/output");
	file_remove(&kernel);
	node_joins();
	pass(4 * TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(job->reason, "add it again"));
	CU_ASSERT_EQUAL(opened, 1);
	CU_ASSERT_EQUAL(suspended + abandoned, 1);
	CU_ASSERT_EQUAL(asked_job, 0);
	library_empty();
	controller_dies();
}

static void one_from_the_spool_has_its_shape_at_its_turn(void)
{
	struct wm_kernel kernel;
	struct wm_job *job;

	begin();
	kernel = add("blend", 1);
	submit_kernel("blend", "/output");
	controller_dies();
	controller_starts();
	job = jobs.jobs[0];
	node_joins();
	pass(2 * TICK_NS);
	CU_ASSERT(wm_kernel_is_same(&job->kernel, &kernel));
	CU_ASSERT(wm_kernel_is_same(&job->lane.layout.kernel, &kernel));
	library_empty();
	controller_dies();
}

static void who_needs_a_kernel_is_known(void)
{
	struct wm_kernel kernel, other;
	struct wm_job *job;

	begin();
	kernel = add("blend", 1);
	other = add("acorn", 1);
	CU_ASSERT_PTR_NULL(wm_jobs_find_user(&jobs, kernel.hash));
	job = submit_kernel("blend", "/output");
	CU_ASSERT_PTR_EQUAL(wm_jobs_find_user(&jobs, kernel.hash), job);
	CU_ASSERT_PTR_NULL(wm_jobs_find_user(&jobs, other.hash));
	CU_ASSERT_EQUAL(wm_job_cancel(&jobs, job, now_ns, NULL), 0);
	pass(TICK_NS);
	CU_ASSERT_EQUAL(job->state, WM_JOB_CANCELLED);
	CU_ASSERT_PTR_NULL(wm_jobs_find_user(&jobs, kernel.hash));
	/* One that failed may be resumed, until another is at its output, or it is discarded. */
	job = submit_kernel("blend", "/output");
	node_joins();
	pass(2 * TICK_NS);
	node_is_ready();
	pass(TICK_NS);
	lane_ends(job, -EIO);
	CU_ASSERT_EQUAL(job->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_EQUAL(wm_jobs_find_user(&jobs, kernel.hash), job);
	job->discarded = true;
	CU_ASSERT_PTR_NULL(wm_jobs_find_user(&jobs, kernel.hash));
	job->discarded = false;
	submit(0);
	CU_ASSERT_PTR_NULL(wm_jobs_find_user(&jobs, kernel.hash));
	library_empty();
	controller_dies();
}

static void take_discarded(void *context, void *request, struct wm_job *job,
			   const struct wm_error *error)
{
	struct reply *reply = context;

	(void)request;
	(void)error;
	reply->job = job;
}

static void discard_lets_the_kernel_go_also_in_the_next_life(void)
{
	struct reply reply = { 0 };
	struct wm_kernel kernel;
	struct wm_job *job;

	begin();
	kernel = add("blend", 1);
	node_joins();
	job = submit_kernel("blend", "/output");
	pass(TICK_NS);
	node_is_ready();
	pass(TICK_NS);
	lane_ends(job, -EIO);
	CU_ASSERT_PTR_NOT_NULL(wm_jobs_find_user(&jobs, kernel.hash));
	wm_jobs_discard(&jobs, "/output", now_ns,
			&(struct wm_jobs_reply){ take_discarded, &reply, &reply });
	CU_ASSERT_PTR_NOT_NULL(reply.job);
	CU_ASSERT_PTR_NULL(wm_jobs_find_user(&jobs, kernel.hash));
	controller_dies();
	controller_starts();
	CU_ASSERT_EQUAL(jobs.jobs[0]->state, WM_JOB_FAILED);
	CU_ASSERT_PTR_NULL(wm_jobs_find_user(&jobs, kernel.hash));
	library_empty();
	controller_dies();
}

static const struct wm_test tests[] = {
	WM_TEST(object_is_held_while_nodes_may_ask_for_it),
	WM_TEST(job_whose_kernel_is_gone_fails_and_the_next_goes_on),
	WM_TEST(object_that_cannot_be_read_ends_it_with_its_files_closed),
	WM_TEST(one_from_the_spool_has_its_shape_at_its_turn),
	WM_TEST(who_needs_a_kernel_is_known),
	WM_TEST(discard_lets_the_kernel_go_also_in_the_next_life),
};

int main(void)
{
	return rig_run("kernel jobs", tests, sizeof(tests) / sizeof(tests[0]));
}
