/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The controller's methods by their lines, without a lane or a port: what they do to
 * the membership, and what they refuse before anything begins.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "harness.h"
#include "methods.h"

static struct {
	struct wm_lanes lanes;
	struct wm_membership membership;
	struct wm_jobs jobs;
} parts;
static struct wm_controller controller = { .lanes = &parts.lanes,
					   .membership = &parts.membership,
					   .jobs = &parts.jobs };
static char directory[64];

static const char *spool_path(void)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/jobs.json", directory);
	return path;
}

static struct wm_member *member_add(const char *name, enum wm_member_state state)
{
	struct wm_membership *membership = &parts.membership;
	struct wm_member *member = &membership->members[membership->count];

	snprintf(member->hello.name, sizeof(member->hello.name), "%s", name);
	member->mac[0] = 2;
	member->mac[5] = (uint8_t)(0xa0 + membership->count++);
	member->state = state;
	snprintf(member->reason, sizeof(member->reason), "computed batch 7 of job 3 wrong");
	return member;
}

static void line_wake(struct wm_rpc_line *line)
{
	(void)line;
}

static char *answer_bytes(const char *bytes)
{
	struct wm_rpc_line line = { .tables = wm_methods,
				    .context = &controller,
				    .wake = line_wake };

	wm_rpc_line_begin(&line, bytes, strlen(bytes));
	while (!wm_rpc_line_step(&line)) {
		/* A thread looks at files. */
		while (line.waits) {
			usleep(1000);
			wm_jobs_tick(&parts.jobs, wm_clock_ns());
		}
	}
	return wm_rpc_line_end(&line);
}

/* The answer's "result" or "error", for json_decref. */
static json_t *call(const char *method, const char *params, const char *part)
{
	char line[512], *text;
	json_t *answer, *value;

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);
	text = answer_bytes(line);
	answer = json_loads(text, 0, NULL);
	value = json_incref(json_object_get(answer, part));
	if (!value)
		printf("# no %s in %s\n", part, text);
	json_decref(answer);
	free(text);
	return value;
}

static void refuses(const char *method, const char *params, int code, const char *words)
{
	json_t *error = call(method, params, "error");
	const char *message = json_string_value(json_object_get(error, "message"));

	CU_ASSERT_EQUAL(json_integer_value(json_object_get(error, "code")), code);
	if (!message || !strstr(message, words))
		printf("# expected '%s', not '%s'\n", words, message ? message : "");
	CU_ASSERT(message && strstr(message, words));
	json_decref(error);
}

/* ---- nodes ----------------------------------------------------------------------- */

static void rack_begin(void)
{
	static const struct wm_membership_calls none = { 0 };
	static const uint8_t mac[WM_ETHER_ADDR_BYTES] = { 2 };

	wm_membership_init(&parts.membership, &none, mac);
	parts.jobs.membership = &parts.membership;
	parts.jobs.state_directory = directory;
}

static void quarantined_node_is_listed_with_its_reason(void)
{
	json_t *result, *node;

	rack_begin();
	member_add("n1", WM_MEMBER_QUARANTINED);
	result = call("node.list", "{}", "result");
	node = json_array_get(json_object_get(result, "nodes"), 0);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(node, "state")), "quarantined");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(node, "reason")),
			       "computed batch 7 of job 3 wrong");
	json_decref(result);
}

static void admitted(const char *params, const struct wm_member *member)
{
	json_t *node = call("node.admit", params, "result");

	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(node, "name")),
			       member->hello.name);
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(node, "state")), "gone");
	CU_ASSERT_EQUAL(member->state, WM_MEMBER_GONE);
	json_decref(node);
}

/* In quarantine for the next life of the controller. */
static bool spool_has(const char *mac)
{
	json_t *root = json_load_file(spool_path(), 0, NULL);
	json_t *list = json_object_get(root, "quarantine"), *entry;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		found |= strcmp(json_string_value(json_object_get(entry, "mac")), mac) == 0;
	}
	json_decref(root);
	return found;
}

static void node_is_admitted_by_name_or_address(void)
{
	struct wm_member *first, *second;

	rack_begin();
	member_add("n0", WM_MEMBER_READY);
	first = member_add("n1", WM_MEMBER_QUARANTINED);
	second = member_add("n2", WM_MEMBER_QUARANTINED);
	admitted("{\"name\":\"n2\"}", second);
	CU_ASSERT_EQUAL(first->state, WM_MEMBER_QUARANTINED);
	CU_ASSERT(spool_has("02:00:00:00:00:a1") && !spool_has("02:00:00:00:00:a2"));
	admitted("{\"name\":\"02:00:00:00:00:a1\"}", first);
}

static void node_that_is_not_in_quarantine_is_named_with_its_state(void)
{
	rack_begin();
	member_add("n1", WM_MEMBER_READY);
	member_add("n2", WM_MEMBER_GONE);
	refuses("node.admit", "{\"name\":\"n1\"}", WM_RPC_FAILED,
		"node n1 is not in quarantine, but ready");
	refuses("node.admit", "{\"name\":\"n2\"}", WM_RPC_FAILED,
		"node n2 is not in quarantine, but gone");
}

static void unknown_node_is_named(void)
{
	rack_begin();
	/* Places without a node have no name, and a MAC of zeroes. */
	parts.membership.count = 2;
	refuses("node.admit", "{\"name\":\"n9\"}", WM_RPC_FAILED,
		"no node 'n9' here: see 'wiremill node list'");
	refuses("node.admit", "{\"name\":\"\"}", WM_RPC_FAILED, "no node ''");
	refuses("node.admit", "{\"name\":\"00:00:00:00:00:00\"}", WM_RPC_FAILED, "no node '00:");
	refuses("node.admit", "{}", WM_RPC_INVALID_PARAMS, "parameter 'name' is missing");
	refuses("node.admit", "{\"name\":1}", WM_RPC_INVALID_PARAMS, "'name' must be a string");
}

static void of_several_that_are_called_so_one_must_be_chosen(void)
{
	struct wm_member *first, *second;

	rack_begin();
	member_add("twin", WM_MEMBER_READY);
	first = member_add("twin", WM_MEMBER_QUARANTINED);
	second = member_add("twin", WM_MEMBER_QUARANTINED);
	refuses("node.admit", "{\"name\":\"twin\"}", WM_RPC_FAILED,
		"2 nodes in quarantine are called twin: give a MAC address");
	CU_ASSERT_EQUAL(first->state, WM_MEMBER_QUARANTINED);
	admitted("{\"name\":\"02:00:00:00:00:a1\"}", first);
	/* The one that is left cannot be meant otherwise. */
	admitted("{\"name\":\"twin\"}", second);
}

/* ---- jobs ------------------------------------------------------------------------- */

#define SUBMIT(more) "{\"kernel\":\"xor\",\"input\":\"/a\",\"output\":\"/b\"" more "}"

static void values_out_of_range_begin_nothing(void)
{
	refuses("job.submit", SUBMIT(",\"audit_ppm\":1000001"), WM_RPC_INVALID_PARAMS,
		"audit_ppm is 1000001: at most 1000000");
	refuses("job.submit", SUBMIT(",\"fail_after_seconds\":31536001"), WM_RPC_INVALID_PARAMS,
		"fail_after_seconds is 31536001: at most 31536000");
	refuses("job.submit", SUBMIT(",\"tail\":\"keep\""), WM_RPC_INVALID_PARAMS,
		"tail is 'keep'");
	refuses("job.submit", SUBMIT(",\"audit\":1"), WM_RPC_INVALID_PARAMS,
		"there is no parameter 'audit'");
	refuses("job.resume", "{\"output\":\"/b\",\"fail_after_seconds\":99999999999}",
		WM_RPC_INVALID_PARAMS, "fail_after_seconds is 99999999999");
	refuses("job.resume", "{}", WM_RPC_INVALID_PARAMS, "parameter 'output' is missing");
	CU_ASSERT_EQUAL(parts.jobs.count, 0);
}

static void resume_without_a_journal_is_refused(void)
{
	refuses("job.resume", "{\"output\":\"/nonexistent/out\"}", WM_RPC_FAILED,
		"/nonexistent/out.wm-journal");
	refuses("job.resume", "{\"output\":\"out\"}", WM_RPC_FAILED,
		"output 'out' is no absolute path");
	refuses("job.discard", "{\"output\":\"/nonexistent/out\"}", WM_RPC_FAILED,
		"nothing to discard: no unfinished job left anything beside /nonexistent/out");
	refuses("job.show", "{\"job\":1}", WM_RPC_FAILED, "no job 1 here");
	CU_ASSERT_EQUAL(parts.jobs.count, 0);
}

static void name_that_is_not_printable_is_refused(void)
{
	refuses("job.submit", SUBMIT(",\"name\":\"a\\nb\""), WM_RPC_INVALID_PARAMS,
		"no control characters: 'a\\x0ab' cannot be one");
	refuses("job.submit",
		SUBMIT(",\"name\":"
		       "\"0123456789012345678901234567890123456789012345678901234567890123\""),
		WM_RPC_INVALID_PARAMS, "a job's name has at most 63 bytes");
	refuses("job.resume", "{\"output\":\"/b\",\"name\":\"\\u202e\"}", WM_RPC_INVALID_PARAMS,
		"cannot be one");
	CU_ASSERT_EQUAL(parts.jobs.count, 0);
}

/* ---- kernels ------------------------------------------------------------------------ */

#define OWN(more) "{\"input\":\"/a\",\"output\":\"/b\"" more "}"

static void kernel_is_a_name_or_a_text(void)
{
	refuses("job.submit", OWN(""), WM_RPC_INVALID_PARAMS, "parameter 'kernel' is missing");
	refuses("job.submit", OWN(",\"kernel\":\"xor\",\"kernel_source\":\"a\""),
		WM_RPC_INVALID_PARAMS, "are two kernels");
	refuses("job.submit", OWN(",\"kernel\":\"xor\",\"params\":[\"k=3\"]"),
		WM_RPC_INVALID_PARAMS, "params are for a kernel_source");
	refuses("job.submit", OWN(",\"kernel_source\":\"a\",\"params\":[3]"), WM_RPC_INVALID_PARAMS,
		"'params' must be an array of strings");
	refuses("job.submit", OWN(",\"kernel_source\":\"a\",\"params\":\"k=3\""),
		WM_RPC_INVALID_PARAMS, "'params' must be an array of strings");
	refuses("job.submit", OWN(",\"kernel_source\":\"a\",\"params\":[\"k=3\\n\"]"),
		WM_RPC_INVALID_PARAMS, "params have control characters");
	refuses("kernel.add", "{\"kernel_source\":\"a\",\"kernel_file\":\"a\\nb\"}",
		WM_RPC_INVALID_PARAMS, "kernel_file has control characters");
	refuses("kernel.add",
		"{\"kernel_source\":\"a\",\"params\":[\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\","
		"\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]}",
		WM_RPC_INVALID_PARAMS, "params are more than a kernel has");
	refuses("job.submit", OWN(",\"kernel\":\"fft\""), WM_RPC_FAILED, "no kernel 'fft' here");
	/* Its text is looked at by the thread of the request. */
	refuses("kernel.add", "{\"kernel_source\":\"a\"}", WM_RPC_FAILED, "kernel.glsl:1: ");
	CU_ASSERT_EQUAL(parts.jobs.count, 0);
}

static void built_in_kernel_is_listed_and_stays(void)
{
	json_t *result = call("kernel.list", "{}", "result");
	const json_t *kernel = json_array_get(json_object_get(result, "kernels"), 0);

	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(kernel, "name")), "xor");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(kernel, "hash")), "");
	CU_ASSERT_EQUAL(json_array_size(json_object_get(result, "kernels")), 1);
	CU_ASSERT(json_is_null(json_object_get(result, "next")));
	json_decref(result);
	refuses("kernel.remove", "{\"kernel\":\"xor\"}", WM_RPC_FAILED,
		"kernel xor is built in, and stays");
	refuses("kernel.remove", "{\"kernel\":\"fft\"}", WM_RPC_FAILED, "no kernel 'fft' here");
}

/* ---- lists ------------------------------------------------------------------------- */

static void jobs_add(uint32_t count, const char *output)
{
	struct wm_jobs *jobs = &parts.jobs;

	for (uint32_t i = 0; i < count; i++) {
		struct wm_job *job = calloc(1, sizeof(*job));

		job->lane.id = ++jobs->next_id;
		job->kernel = *wm_kernel_find("xor");
		job->state = i % 3 ? WM_JOB_DONE : WM_JOB_FAILED;
		snprintf(job->output, sizeof(job->output), "%s", output);
		jobs->jobs[jobs->count++] = job;
	}
}

static void jobs_end(void)
{
	while (parts.jobs.count > 0)
		free(parts.jobs.jobs[--parts.jobs.count]);
	parts.jobs.next_id = 0;
}

/* Asks for pages until there is none; each number once and in order. Returns how many. */
static unsigned listed(const char *method, const char *list, const char *more, unsigned *pages)
{
	json_int_t before = 0, after = 0;
	unsigned count = 0;
	bool last = false;

	for (*pages = 0; !last; ++*pages) {
		char params[128];
		json_t *result, *item;
		size_t i;

		snprintf(params, sizeof(params), "{\"after\":%d%s}", (int)after, more);
		result = call(method, params, "result");
		json_array_foreach(json_object_get(result, list), i, item)
		{
			json_int_t number = json_integer_value(json_object_get(item, "job"));

			CU_ASSERT(number > before || strcmp(list, "nodes") == 0);
			before = number;
			count++;
		}
		last = json_is_null(json_object_get(result, "next"));
		CU_ASSERT(last || json_integer_value(json_object_get(result, "next")) > after);
		after = json_integer_value(json_object_get(result, "next"));
		json_decref(result);
	}
	return count;
}

static void long_lists_come_in_pages_that_fit(void)
{
	static char output[PATH_MAX - 1];
	unsigned pages;

	/* six bytes of JSON each */
	memset(output, 1, sizeof(output) - 1);
	output[0] = '/';
	jobs_add(160, output);
	CU_ASSERT_EQUAL(listed("job.list", "jobs", "", &pages), 160);
	CU_ASSERT(pages > 10);
	jobs_end();
	jobs_add(500, "/b");
	CU_ASSERT_EQUAL(listed("job.list", "jobs", "", &pages), 500);
	CU_ASSERT_EQUAL(pages, 4);
	CU_ASSERT_EQUAL(listed("job.list", "jobs", ",\"limit\":50", &pages), 500);
	CU_ASSERT_EQUAL(pages, 10);
	jobs_end();
	CU_ASSERT_EQUAL(listed("job.list", "jobs", "", &pages), 0);
}

static void jobs_are_listed_by_state_and_the_newest_alone(void)
{
	unsigned pages;
	json_t *result, *list;

	jobs_add(9, "/b");
	CU_ASSERT_EQUAL(listed("job.list", "jobs", ",\"state\":\"failed\"", &pages), 3);
	CU_ASSERT_EQUAL(listed("job.list", "jobs", ",\"state\":\"queued\"", &pages), 0);
	CU_ASSERT_EQUAL(listed("job.list", "jobs", ",\"last\":0", &pages), 0);
	CU_ASSERT_EQUAL(listed("job.list", "jobs", ",\"last\":99", &pages), 9);
	result = call("job.list", "{\"state\":\"done\",\"last\":2}", "result");
	list = json_object_get(result, "jobs");
	CU_ASSERT_EQUAL_FATAL(json_array_size(list), 2);
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_array_get(list, 0), "job")), 8);
	json_decref(result);
	jobs_end();
	refuses("job.list", "{\"state\":\"ready\"}", WM_RPC_INVALID_PARAMS, "state is 'ready'");
}

static void long_list_of_nodes_comes_in_pages(void)
{
	unsigned pages;

	rack_begin();
	for (unsigned i = 0; i < 300; i++)
		member_add("n", i % 2 ? WM_MEMBER_GONE : WM_MEMBER_UNKNOWN);
	CU_ASSERT_EQUAL(listed("node.list", "nodes", "", &pages), 150);
	CU_ASSERT_EQUAL(pages, 2);
	rack_begin();
}

/* The file that the state is written to first is a folder. */
static void node_is_not_admitted_where_that_cannot_be_saved(void)
{
	const struct wm_member *member;
	char path[96];

	rack_begin();
	member = member_add("n1", WM_MEMBER_QUARANTINED);
	snprintf(path, sizeof(path), "%s/jobs.json.new", directory);
	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
	refuses("node.admit", "{\"name\":\"n1\"}", WM_RPC_FAILED, "n1 stays in quarantine");
	refuses("node.admit", "{\"name\":\"n1\"}", WM_RPC_FAILED, path);
	CU_ASSERT_EQUAL(member->state, WM_MEMBER_QUARANTINED);
	CU_ASSERT_STRING_EQUAL(member->reason, "computed batch 7 of job 3 wrong");
	CU_ASSERT_EQUAL(rmdir(path), 0);
	admitted("{\"name\":\"n1\"}", member);
}

static const struct wm_test tests[] = {
	WM_TEST(quarantined_node_is_listed_with_its_reason),
	WM_TEST(node_is_admitted_by_name_or_address),
	WM_TEST(node_is_not_admitted_where_that_cannot_be_saved),
	WM_TEST(node_that_is_not_in_quarantine_is_named_with_its_state),
	WM_TEST(unknown_node_is_named),
	WM_TEST(of_several_that_are_called_so_one_must_be_chosen),
	WM_TEST(values_out_of_range_begin_nothing),
	WM_TEST(resume_without_a_journal_is_refused),
	WM_TEST(name_that_is_not_printable_is_refused),
	WM_TEST(kernel_is_a_name_or_a_text),
	WM_TEST(built_in_kernel_is_listed_and_stays),
	WM_TEST(long_lists_come_in_pages_that_fit),
	WM_TEST(jobs_are_listed_by_state_and_the_newest_alone),
	WM_TEST(long_list_of_nodes_comes_in_pages),
};

int main(void)
{
	int status;

	strcpy(directory, "/tmp/wm-rpc-test-XXXXXX");
	if (!mkdtemp(directory))
		return 1;
	parts.jobs.state_directory = directory;
	parts.jobs.wake_fd = -1;
	status = WM_TESTS_RUN("rpc methods", tests);
	unlink(spool_path());
	rmdir(directory);
	return status;
}
