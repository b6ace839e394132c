/* SPDX-License-Identifier: BSD-3-Clause */
/* What the CLI says of wrong usage, and the verbs that are about no job. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli_rig.h"

/* ---- wrong usage -------------------------------------------------------- */

static void wrong_verb_is_named(void)
{
	WRONG("there is no verb 'fly'", "fly");
	WRONG("there is no verb 'job fly': 'job' goes with submit, list,", "job", "fly");
	WRONG("'job' alone is no verb: it goes with submit, list,", "job");
	WRONG("'node' alone is no verb: it goes with list, admit", "node", "--json");
	WRONG("'--json' needs a verb", "--json");
	WRONG("'--socket' needs a verb", "--socket");
}

static void wrong_option_is_named(void)
{
	WRONG("there is no option '--fly'", "stats", "--fly");
	WRONG("there is no option '-x'", "stats", "-x");
	WRONG("there is no option '-y' in '-hy'", "stats", "-hy");
	WRONG("there is no option '--fly'", "--fly", "stats");
	WRONG("there is no option '--js'", "stats", "--js");
	WRONG("--json takes no value", "stats", "--json=1");
	WRONG("--json is given twice", "--json", "stats", "--json");
	WRONG("--socket needs a value, PATH", "stats", "--socket");
	WRONG("--socket needs a value, PATH", "stats", "--socket=");
	WRONG("--input needs a value, FILE", "job", "submit", "--input", "--output", "x");
	WRONG("--tail is refuse or drop, not 'keep'", "job", "submit", "--tail", "keep");
	WRONG("--manifest needs a value, FILE", "verify", "--manifest=", "--output", "x");
	WRONG("'m' is one word too many", "verify", "--output", "x", "--manifest", "m");
	WRONG("--manifest is given twice", "verify", "--manifest", "--manifest=m");
	WRONG("--wait takes no value", "job", "resume", "x", "--wait=1");
	WRONG("'x' is one word too many", "stats", "x");
}

static void what_is_missing_is_named(void)
{
	WRONG("wiremill job submit: --kernel NAME|FILE is missing", "job", "submit");
	WRONG("--input FILE is missing", "job", "submit", "--kernel", "xor", "--output", "b");
	WRONG("--output FILE is missing", "verify", "--kernel=xor", "--input=a");
	WRONG("--output FILE is missing", "verify", "--manifest");
	WRONG("--kernel NAME is missing, or --manifest", "verify", "--input=a", "--output=b");
	WRONG("--input FILE is missing, or --manifest", "verify", "--kernel=xor", "--output=b");
	WRONG("OUTPUT is missing", "job", "resume", "--wait");
	WRONG("NAME is missing", "node", "admit");
	WRONG("ID is missing", "job", "show");
	WRONG("'one' is no number of a job", "job", "watch", "one");
	WRONG("'99999999999' is no number of a job", "job", "cancel", "99999999999");
	WRONG("one ID at a time: '1' and '2' are two", "job", "show", "1", "2");
}

static void values_that_make_no_sense_are_named(void)
{
	WRONG("--audit is a share such as 1% or 0.1%, at the finest 0.0001%, from 0% to 100%, not "
	      "'1'",
	      SUBMIT("xor", "--audit", "1"));
	WRONG("0.0001%, from 0% to 100%, not '101%'", SUBMIT("xor", "--audit", "101%"));
	WRONG("--audit needs a value, SHARE", SUBMIT("xor", "--audit", "--wait"));
	WRONG("--fail-after is a time such as 30s, 5m or 2h, from 1s to 8760h, not 'soon'",
	      SUBMIT("xor", "--fail-after", "soon"));
	WRONG("--fail-after is a time such as 30s, 5m or 2h, from 1s to 8760h, not '0'",
	      SUBMIT("xor", "--fail-after=0"));
	WRONG("--fail-after needs a unit with its time: 5s, 5m or 5h",
	      SUBMIT("xor", "--fail-after=5"));
	WRONG("--reconnect is for --wait: without it nothing waits",
	      SUBMIT("xor", "--reconnect", "5m"));
	WRONG("--last is a number from 1 to 4294967295, not '0'", "job", "list", "--last", "0");
	WRONG("wiremill job resume: --fail-after is a time such as 30s, 5m or 2h, from 1s to "
	      "8760h, not '9999h'",
	      "job", "resume", "/b", "--fail-after", "9999h");
	WRONG("--fail-after needs a value, DURATION", "job", "resume", "/b", "--fail-after");
	WRONG("--kernel does not go with --manifest", "verify", "--manifest", "--output=b",
	      "--kernel=xor");
	WRONG("--input does not go with --manifest", "verify", "--manifest", "--output=b",
	      "--input=a");
	WRONG("--tail does not go with --manifest", "verify", "--manifest", "--output=b",
	      "--tail=drop");
}

static void help_is_on_stdout(void)
{
	CU_ASSERT_EQUAL(RUN(), 0);
	CU_ASSERT(strstr(out, "job submit") && strstr(out, "verify") && !err[0]);
	CU_ASSERT_EQUAL(RUN("--help"), 0);
	CU_ASSERT(strstr(out, "job submit") && !err[0]);
	CU_ASSERT_EQUAL(RUN("job", "--help"), 0);
	CU_ASSERT(strstr(out, "job submit") && !err[0]);
	CU_ASSERT_EQUAL(RUN("job", "submit", "--help", "--fly"), 0);
	CU_ASSERT(strstr(out, "--tail refuse|drop") && strstr(out, "--socket PATH") && !err[0]);
	CU_ASSERT_EQUAL(RUN("verify", "--help"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\n       wiremill verify --manifest[=FILE] --output"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "\n  --manifest[=FILE] "));
	CU_ASSERT_EQUAL(RUN("job", "resume", "--help"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "job resume OUTPUT [--wait] [--reconnect DURATION]"));
	CU_ASSERT_EQUAL(RUN("--version"), 0);
	CU_ASSERT_EQUAL(strncmp(out, "wiremill ", 9), 0);
	CU_ASSERT_EQUAL(RUN("-V"), 0);
	CU_ASSERT_EQUAL(strncmp(out, "wiremill ", 9), 0);
	CU_ASSERT_EQUAL(RUN("help", "job", "submit"), 0);
	CU_ASSERT(out_has("wiremill job submit: ") && !err[0]);
	CU_ASSERT_EQUAL(RUN("help", "stats"), 0);
	CU_ASSERT(out_has("wiremill stats: "));
	CU_ASSERT_EQUAL(RUN("help", "job"), 0);
	CU_ASSERT(out_has("  job watch ") && !strstr(out, "node list") && !err[0]);
	WRONG("there is no verb 'fly'", "help", "fly");
	WRONG("there is no verb 'job fly'", "help", "job", "fly");
}

static void no_line_of_help_is_longer_than_a_screen(void)
{
	static const char *const verbs[][2] = {
		{ "job", "submit" },	{ "job", "list" },   { "job", "show" },
		{ "job", "watch" },	{ "job", "cancel" }, { "job", "resume" },
		{ "node", "list" },	{ "node", "admit" }, { "stats", "--help" },
		{ "verify", "--help" }, { "key", "--help" }, { "--help", NULL },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		CU_ASSERT_EQUAL(RUN(verbs[i][0], verbs[i][1], "--help"), 0);
		for (const char *line = out; *line; line += strcspn(line, "\n") + 1) {
			CU_ASSERT(strcspn(line, "\n") <= 80);
			CU_ASSERT(line[0] == '\n' || line[strcspn(line, "\n") - 1] != ' ');
		}
	}
}

static void without_a_controller_it_says_what_to_start(void)
{
	CU_ASSERT_EQUAL(RUN("job", "list", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT(says("no controller answers at /nonexistent/sock: start wiremilld, or name its "
		       "socket with --socket"));
	CU_ASSERT_EQUAL(RUN("job", "list", "--json", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT(says("no controller answers"));
	CU_ASSERT_EQUAL(RUN("stats", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT_EQUAL(RUN("node", "admit", "n", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT_EQUAL(RUN("job", "watch", "1", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT_EQUAL(RUN("job", "cancel", "1", "--socket", "/nonexistent/sock"), 3);
	CU_ASSERT(says("no controller answers"));
	CU_ASSERT_EQUAL(RUN("version", "--socket", "/nonexistent/sock"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "no controller answers at /nonexistent/sock"));
}

/* ---- the other verbs ---------------------------------------------------- */

static bool lines_fit(size_t width)
{
	for (const char *line = out; *line; line += strcspn(line, "\n") + 1) {
		if (strcspn(line, "\n") > width)
			return false;
	}
	return true;
}

static void lists_are_tables(void)
{
	CU_ASSERT_EQUAL(RUN("job", "list"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "JOB  STATE"));
	/* both pages */
	CU_ASSERT(out_has("  1  running ") && out_has("  2  failed "));
	CU_ASSERT(lines_fit(80));
	CU_ASSERT_EQUAL(RUN("job", "list", "--wide"), 0);
	CU_ASSERT(out_has("out of luck  root  2026-11-27T13:44:05  xor\n"));
	CU_ASSERT_EQUAL(RUN("node", "list"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "no Vulkan device\n"));
	CU_ASSERT(out_has("n02   quarantined"));
	CU_ASSERT(lines_fit(80));
	CU_ASSERT_EQUAL(RUN("node", "list", "--wide"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "llvmpipe [CPU]  native, copy"));
	CU_ASSERT(out_has("computed batch 7 of job 3 wrong\n"));
	CU_ASSERT_EQUAL(RUN("job", "list", "--json"), 0);
	CU_ASSERT(out_has("\"job\": 1,") && out_has("\"job\": 2,") && !strstr(out, "next"));
}

static void jobs_are_listed_by_state_and_the_newest_alone(void)
{
	CU_ASSERT_EQUAL(RUN("job", "list", "--state", "finishing", "--last", "5"), 0);
	CU_ASSERT(out_has("  5  finishing "));
	WRONG("--last is a number from 1 to 4294967295, not '0'", "job", "list", "--last", "0");
	WRONG("--state is queued, preparing, running, finishing, done, failed or cancelled, not "
	      "'ready'",
	      "job", "list", "--state", "ready");
}

static void node_is_admitted_by_its_name(void)
{
	CU_ASSERT_EQUAL(RUN("node", "admit", "n02"), 0);
	CU_ASSERT_STRING_EQUAL(out, "node n02 is trusted again: if it runs, it is back within "
				    "seconds\n");
	CU_ASSERT_EQUAL(RUN("node", "admit", "n02", "--json"), 0);
	CU_ASSERT(json_has("state", "gone"));
	CU_ASSERT_EQUAL(RUN("node", "admit", "n09"), 1);
	CU_ASSERT(says("no node 'n09' here: see 'wiremill node list'"));
}

static void stats_shows_only_drops_that_happened(void)
{
	CU_ASSERT_EQUAL(RUN("stats"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "transmit attached"));
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "drops        3 crc\n"));
	CU_ASSERT_EQUAL(RUN("stats", "--json"), 0);
	CU_ASSERT(json_has("version", "9.9"));
}

static void version_names_both(void)
{
	CU_ASSERT_EQUAL(RUN("version"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, "controller 9.9, process 77\n"));
}

static void result_that_cannot_be_written_fails(void)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int nowhere = open("/dev/null", O_WRONLY);

		dup2(full, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execl(program, "wiremill", "version", NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(full);
}

static const struct wm_test tests[] = {
	WM_TEST(wrong_verb_is_named),
	WM_TEST(wrong_option_is_named),
	WM_TEST(what_is_missing_is_named),
	WM_TEST(values_that_make_no_sense_are_named),
	WM_TEST(help_is_on_stdout),
	WM_TEST(no_line_of_help_is_longer_than_a_screen),
	WM_TEST(without_a_controller_it_says_what_to_start),
	WM_TEST(lists_are_tables),
	WM_TEST(jobs_are_listed_by_state_and_the_newest_alone),
	WM_TEST(node_is_admitted_by_its_name),
	WM_TEST(stats_shows_only_drops_that_happened),
	WM_TEST(version_names_both),
	WM_TEST(result_that_cannot_be_written_fails),
};

WM_TESTS_ARGUMENTS(1, 1, "WIREMILL");

int main(int argc, char **argv)
{
	return rig_run("cli", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
