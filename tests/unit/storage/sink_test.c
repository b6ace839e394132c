/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "scratch.h"
#include "wiremill/journal.h"

#define BYTES 10000u

/* Of every test anew: names that do not exist yet. */
static char output[PATH_MAX], partial[PATH_MAX + 16];

static void name_output(const char *name)
{
	snprintf(output, sizeof(output), "%s", wm_scratch_path(name));
	snprintf(partial, sizeof(partial), "%s.wm-partial", output);
}

static void create(struct wm_sink *sink, bool force)
{
	struct wm_error error = { "" };

	CU_ASSERT_EQUAL_FATAL(wm_sink_create(sink, output, BYTES, force, NULL, &error), 0);
}

static uint8_t *fill(const struct wm_sink *sink)
{
	uint8_t *bytes = wm_scratch_bytes(BYTES, 1);
	int fd = sink->direct ? sink->fd_tail : sink->fd;

	CU_ASSERT_EQUAL(pwrite(fd, bytes, BYTES, 0), BYTES);
	return bytes;
}

/* By the check and by the creation, and neither leaves anything. */
static void refused_for(const char *path, uint64_t bytes, bool force,
			const struct wm_source *source, int code)
{
	struct wm_error error = { "" };
	char left[PATH_MAX + 16];
	struct wm_sink sink;

	CU_ASSERT_EQUAL(wm_sink_check(path, bytes, force, source, &error), -code);
	CU_ASSERT(wm_scratch_is_line(&error));
	error.text[0] = '\0';
	CU_ASSERT_EQUAL(wm_sink_create(&sink, path, bytes, force, source, &error), -code);
	CU_ASSERT(wm_scratch_is_line(&error));
	snprintf(left, sizeof(left), "%s.wm-partial", path);
	CU_ASSERT_FALSE(wm_scratch_exists(left));
}

/* Of the output that was named last; what lies there stays. */
static void refused_with_partial(int code)
{
	struct wm_error error = { "" };
	struct wm_sink sink;

	for (unsigned force = 0; force < 2; force++) {
		error.text[0] = '\0';
		CU_ASSERT_EQUAL(wm_sink_check(output, BYTES, force, NULL, &error), -code);
		CU_ASSERT(wm_scratch_is_line(&error));
		error.text[0] = '\0';
		CU_ASSERT_EQUAL(wm_sink_create(&sink, output, BYTES, force, NULL, &error), -code);
		CU_ASSERT(wm_scratch_is_line(&error));
		CU_ASSERT(wm_scratch_exists(partial));
	}
}

static void refused(const char *path, int code)
{
	refused_for(path, BYTES, false, NULL, code);
	if (code != EEXIST)
		refused_for(path, BYTES, true, NULL, code);
}

/* ---- the life of an output ---------------------------------------------- */

static void output_gets_its_name_only_when_committed(void)
{
	struct wm_sink sink;
	uint8_t *bytes;

	name_output("committed");
	CU_ASSERT_EQUAL(wm_sink_check(output, BYTES, false, NULL, NULL), 0);
	CU_ASSERT_FALSE(wm_scratch_exists(partial));
	create(&sink, false);
	CU_ASSERT_STRING_EQUAL(sink.path, output);
	CU_ASSERT_STRING_EQUAL(sink.path_partial, partial);
	CU_ASSERT(wm_scratch_exists(partial));
	CU_ASSERT_FALSE(wm_scratch_exists(output));
	bytes = fill(&sink);
	CU_ASSERT_FALSE(wm_scratch_exists(output));
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, NULL), 0);
	CU_ASSERT_FALSE(wm_scratch_exists(partial));
	CU_ASSERT(wm_scratch_holds(output, bytes, BYTES));
	free(bytes);
}

static void space_is_reserved_at_the_start(void)
{
	struct wm_sink sink;
	struct stat status;

	name_output("reserved");
	create(&sink, false);
	CU_ASSERT_EQUAL(stat(partial, &status), 0);
	CU_ASSERT_EQUAL(status.st_size, BYTES);
	CU_ASSERT(status.st_blocks * 512 >= BYTES);
	wm_sink_abandon(&sink);
}

static void direct_and_tail_descriptors_are_apart(void)
{
	struct wm_sink sink;

	name_output("direct");
	create(&sink, false);
	CU_ASSERT_EQUAL((fcntl(sink.fd, F_GETFL) & O_DIRECT) != 0, sink.direct);
	CU_ASSERT_EQUAL(sink.fd_tail >= 0, sink.direct);
	if (sink.direct) {
		CU_ASSERT_EQUAL(fcntl(sink.fd_tail, F_GETFL) & O_DIRECT, 0);
	}
	wm_sink_abandon(&sink);
}

static void memory_backed_output_is_buffered(void)
{
	struct wm_sink sink;

	CU_ASSERT_PTR_NOT_NULL_FATAL(wm_scratch_shm());
	snprintf(output, sizeof(output), "%s/output", wm_scratch_shm());
	create(&sink, false);
	CU_ASSERT_FALSE(sink.direct);
	CU_ASSERT_EQUAL(sink.align_bytes, 1);
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, NULL), 0);
	CU_ASSERT(wm_scratch_exists(output));
}

static void abandon_leaves_nothing(void)
{
	struct wm_sink sink;

	name_output("abandoned");
	create(&sink, false);
	free(fill(&sink));
	wm_sink_abandon(&sink);
	CU_ASSERT_FALSE(wm_scratch_exists(output));
	CU_ASSERT_FALSE(wm_scratch_exists(partial));
}

static void force_keeps_the_old_output_until_commit(void)
{
	struct wm_sink sink;
	uint8_t *bytes;

	name_output("forced");
	wm_scratch_write(output, "old", 3);
	create(&sink, true);
	bytes = fill(&sink);
	CU_ASSERT(wm_scratch_holds(output, "old", 3));
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, NULL), 0);
	CU_ASSERT(wm_scratch_holds(output, bytes, BYTES));
	free(bytes);
}

static void abandon_with_force_keeps_the_old_output(void)
{
	struct wm_sink sink;

	name_output("kept");
	wm_scratch_write(output, "old", 3);
	create(&sink, true);
	wm_sink_abandon(&sink);
	CU_ASSERT(wm_scratch_holds(output, "old", 3));
	CU_ASSERT_FALSE(wm_scratch_exists(partial));
}

static void a_file_that_appeared_meanwhile_is_not_replaced(void)
{
	struct wm_error error = { "" };
	struct wm_sink sink;
	uint8_t *bytes;

	name_output("appeared");
	create(&sink, false);
	bytes = fill(&sink);
	wm_scratch_write(output, "theirs", 6);
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, &error), -EEXIST);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, partial));
	CU_ASSERT(wm_scratch_holds(output, "theirs", 6));
	CU_ASSERT(wm_scratch_holds(partial, bytes, BYTES));
	/* Whoever resumes has no --force. */
	CU_ASSERT_EQUAL(wm_sink_resume(&sink, output, BYTES, false, NULL, &error), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "move it away, and resume again"));
	CU_ASSERT_PTR_NULL(strstr(error.text, "--force"));
	free(bytes);
}

static void what_took_the_partial_name_meanwhile_is_not_published(void)
{
	struct wm_error error = { "" };
	struct wm_sink sink;

	name_output("taken");
	wm_scratch_write(output, "old", 3);
	create(&sink, true);
	free(fill(&sink));
	CU_ASSERT_EQUAL(unlink(partial), 0);
	wm_scratch_write(partial, "theirs", 6);
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, &error), -ESTALE);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, partial));
	CU_ASSERT(wm_scratch_holds(output, "old", 3));
	CU_ASSERT(wm_scratch_holds(partial, "theirs", 6));
}

static void a_moved_output_is_not_said_to_be_there(void)
{
	struct wm_error error = { "" };
	struct wm_sink sink;
	char moved[PATH_MAX];

	name_output("moved");
	snprintf(moved, sizeof(moved), "%s", wm_scratch_path("moved-away"));
	create(&sink, false);
	free(fill(&sink));
	CU_ASSERT_EQUAL(rename(partial, moved), 0);
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, &error), -ESTALE);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "put it back"));
	CU_ASSERT_FALSE(wm_scratch_exists(output));
	CU_ASSERT(wm_scratch_exists(moved));
}

static void a_link_stays_and_its_file_is_replaced(void)
{
	char name[PATH_MAX];
	struct wm_sink sink;
	struct stat status;
	uint8_t *bytes;

	name_output("linked-file");
	wm_scratch_write(output, "old", 3);
	snprintf(name, sizeof(name), "%s", wm_scratch_path("link"));
	CU_ASSERT_EQUAL(symlink("linked-file", name), 0);
	CU_ASSERT_EQUAL(wm_sink_check(name, BYTES, false, NULL, NULL), -EEXIST);
	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&sink, name, BYTES, true, NULL, NULL), 0);
	CU_ASSERT_STRING_EQUAL(sink.path, name);
	CU_ASSERT(wm_scratch_exists(partial));
	bytes = fill(&sink);
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, NULL), 0);
	CU_ASSERT(lstat(name, &status) == 0 && S_ISLNK(status.st_mode));
	CU_ASSERT(wm_scratch_holds(output, bytes, BYTES));
	free(bytes);
}

static void a_name_without_directory_is_of_the_current_one(void)
{
	struct wm_sink sink;

	CU_ASSERT_EQUAL_FATAL(chdir(wm_scratch_path("")), 0);
	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&sink, "plain", BYTES, false, NULL, NULL), 0);
	CU_ASSERT(wm_scratch_exists(wm_scratch_path("plain.wm-partial")));
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, NULL), 0);
	CU_ASSERT(wm_scratch_exists(wm_scratch_path("plain")));
}

static void commit_as(const char *name, mode_t input, mode_t old, mode_t expected)
{
	struct wm_error error = { "" };
	struct wm_source source;
	struct wm_sink sink;
	struct stat status;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", wm_scratch_path("mode-input"));
	wm_scratch_write(path, "input", 5);
	CU_ASSERT_EQUAL(chmod(path, input), 0);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, path, NULL), 0);
	name_output(name);
	if (old) {
		wm_scratch_write(output, "old", 3);
		CU_ASSERT_EQUAL(chmod(output, old), 0);
	}
	CU_ASSERT_EQUAL_FATAL(wm_sink_create(&sink, output, BYTES, true, &source, &error), 0);
	CU_ASSERT_EQUAL_FATAL(stat(partial, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
	free(fill(&sink));
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, &error), 0);
	CU_ASSERT_EQUAL_FATAL(stat(output, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 0777, expected);
	wm_source_close(&source);
	unlink(path);
}

static void an_output_is_open_to_no_more_than_its_input(void)
{
	mode_t mask = umask(022);

	commit_as("mode-new", 0644, 0, 0644);
	commit_as("mode-new-open", 0666, 0, 0644);
	commit_as("mode-new-private", 0600, 0, 0600);
	commit_as("mode-new-group", 0640, 0, 0640);
	umask(077);
	commit_as("mode-new-masked", 0644, 0, 0600);
	umask(mask);
}

static void an_output_that_is_replaced_keeps_its_mode(void)
{
	commit_as("mode-old-private", 0644, 0600, 0600);
	commit_as("mode-old-group", 0666, 0660, 0660);
	commit_as("mode-old-wide", 0600, 0644, 0600);
}

/* ---- partial files of others -------------------------------------------- */

static void a_stale_partial_file_is_replaced(void)
{
	struct wm_sink sink;
	uint8_t *bytes;

	name_output("stale");
	wm_scratch_write(partial, "WMPART\0\1remainder", 17);
	create(&sink, false);
	bytes = fill(&sink);
	CU_ASSERT_EQUAL(wm_sink_commit(&sink, NULL), 0);
	CU_ASSERT(wm_scratch_holds(output, bytes, BYTES));
	free(bytes);
}

/* Once its first extent is written, only the journal beside it says what it is. */
static void a_stale_partial_file_with_its_journal_is_replaced(void)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES] = "WMJRNL\0\1";
	char journal[PATH_MAX + 16];
	struct wm_sink sink;

	name_output("stale-with-journal");
	snprintf(journal, sizeof(journal), "%s.wm-journal", output);
	wm_scratch_write(partial, "remainder", 9);
	wm_scratch_write(journal, header, sizeof(header) - 1);
	refused_with_partial(EEXIST);
	wm_scratch_write(journal, header, sizeof(header));
	create(&sink, false);
	wm_sink_abandon(&sink);
	CU_ASSERT_FALSE(wm_scratch_exists(partial));
}

static void a_partial_file_that_is_not_ours_is_refused_and_kept(void)
{
	static const char *const theirs[] = { "precious", "W", "WMPARX\0\1", "\0\0\0\0\0\0\0\0\0" };

	for (unsigned i = 0; i < 4; i++) {
		size_t count = i < 2 ? strlen(theirs[i]) : 8;

		name_output("theirs");
		wm_scratch_write(partial, theirs[i], count);
		/* A file as short as that is one which was cut short. */
		if (i != 1)
			refused_with_partial(EEXIST);
		CU_ASSERT(wm_scratch_holds(partial, theirs[i], count));
		unlink(partial);
	}
}

static void what_cannot_be_a_partial_file_is_refused_at_once(void)
{
	name_output("pipe-partial");
	CU_ASSERT_EQUAL(mkfifo(partial, 0600), 0);
	refused_with_partial(EINVAL);
	name_output("folder-partial");
	CU_ASSERT_EQUAL(mkdir(partial, 0700), 0);
	refused_with_partial(EISDIR);
}

/* Ours, but somebody gave it a second name: that one keeps its content. */
static void a_file_that_shares_the_stale_partials_inode_is_not_touched(void)
{
	const char *precious = wm_scratch_path("precious");
	struct wm_sink sink;

	name_output("hard-linked");
	wm_scratch_write(precious, "WMPART\0\1precious", 16);
	CU_ASSERT_EQUAL(link(precious, partial), 0);
	create(&sink, false);
	free(fill(&sink));
	wm_sink_abandon(&sink);
	CU_ASSERT(wm_scratch_holds(precious, "WMPART\0\1precious", 16));
}

/* Claimed, an old partial file is locked and whole: its journal can be removed first. */
static void a_claim_changes_nothing_yet(void)
{
	struct wm_error error = { "" };
	struct wm_sink sink, other;

	name_output("claimed");
	wm_scratch_write(partial, "WMPART\0\1old", 11);
	CU_ASSERT_EQUAL_FATAL(wm_sink_claim(&sink, output, BYTES, true, NULL, &error), 0);
	CU_ASSERT(wm_scratch_holds(partial, "WMPART\0\1old", 11));
	CU_ASSERT_EQUAL(wm_sink_claim(&other, output, BYTES, true, NULL, &error), -EBUSY);
	wm_sink_abandon(&sink);
	CU_ASSERT(wm_scratch_holds(partial, "WMPART\0\1old", 11));
	CU_ASSERT_EQUAL_FATAL(wm_sink_claim(&sink, output, BYTES, true, NULL, &error), 0);
	CU_ASSERT_EQUAL_FATAL(wm_sink_make(&sink, &error), 0);
	CU_ASSERT_EQUAL(wm_sink_claim(&other, output, BYTES, true, NULL, &error), -EBUSY);
	wm_sink_abandon(&sink);
	CU_ASSERT_FALSE(wm_scratch_exists(partial));
}

static void a_partial_name_that_is_a_link_is_refused(void)
{
	const char *precious = wm_scratch_path("precious-too");
	struct wm_error error = { "" };
	struct wm_sink sink;

	name_output("link-partial");
	wm_scratch_write(precious, "precious", 8);
	CU_ASSERT_EQUAL(symlink(precious, partial), 0);
	CU_ASSERT_EQUAL(wm_sink_create(&sink, output, BYTES, false, NULL, &error), -ELOOP);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT(wm_scratch_holds(precious, "precious", 8));
}

static void two_jobs_on_one_output_are_refused(void)
{
	struct wm_error error = { "" };
	struct wm_sink first, second;

	name_output("contested");
	create(&first, false);
	CU_ASSERT_EQUAL(wm_sink_check(output, BYTES, false, NULL, &error), -EBUSY);
	CU_ASSERT(wm_scratch_is_line(&error));
	CU_ASSERT_EQUAL(wm_sink_create(&second, output, BYTES, true, NULL, &error), -EBUSY);
	CU_ASSERT(wm_scratch_exists(partial));
	wm_sink_abandon(&first);
	CU_ASSERT_EQUAL(wm_sink_check(output, BYTES, false, NULL, NULL), 0);
	create(&second, false);
	wm_sink_abandon(&second);
}

static void abandon_does_not_remove_a_partial_file_of_another(void)
{
	struct wm_sink sink;

	name_output("swapped");
	create(&sink, false);
	CU_ASSERT_EQUAL(unlink(partial), 0);
	wm_scratch_write(partial, "other", 5);
	wm_sink_abandon(&sink);
	CU_ASSERT(wm_scratch_holds(partial, "other", 5));
}

/* ---- refusals ----------------------------------------------------------- */

static void an_existing_output_is_refused_without_force(void)
{
	name_output("exists");
	wm_scratch_write(output, "old", 3);
	refused(output, EEXIST);
	CU_ASSERT(wm_scratch_holds(output, "old", 3));
}

static void the_input_is_refused_under_any_of_its_names(void)
{
	char input[PATH_MAX];
	struct wm_source source;

	snprintf(input, sizeof(input), "%s", wm_scratch_path("input"));
	wm_scratch_write(input, "input", 5);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(&source, input, NULL), 0);
	CU_ASSERT_EQUAL(link(input, wm_scratch_path("input-hard")), 0);
	CU_ASSERT_EQUAL(symlink(input, wm_scratch_path("input-soft")), 0);
	for (unsigned force = 0; force < 2; force++) {
		refused_for(input, BYTES, force, &source, EINVAL);
		refused_for(wm_scratch_path("input-hard"), BYTES, force, &source, EINVAL);
		refused_for(wm_scratch_path("input-soft"), BYTES, force, &source, EINVAL);
		refused_for(wm_scratch_path("./input"), BYTES, force, &source, EINVAL);
	}
	CU_ASSERT(wm_scratch_holds(input, "input", 5));
	wm_source_close(&source);
}

static void what_is_no_file_is_refused(void)
{
	refused(wm_scratch_path("."), EISDIR);
	refused(wm_scratch_path("new-directory/"), EISDIR);
	CU_ASSERT_EQUAL(mkfifo(wm_scratch_path("pipe"), 0600), 0);
	refused(wm_scratch_path("pipe"), EINVAL);
	refused("/dev/null", EINVAL);
	refused("/dev/fd/1", EINVAL);
	refused("/dev/stdout", EINVAL);
	refused("/proc/self/cwd/output", EINVAL);
	CU_ASSERT_EQUAL(symlink("nowhere", wm_scratch_path("dangling")), 0);
	refused(wm_scratch_path("dangling"), ENOENT);
}

static void names_that_cannot_be_are_refused(void)
{
	char name[300], path[PATH_MAX + 10];

	refused("", ENOENT);
	memset(name, 'n', sizeof(name));
	name[250] = '\0'; /* itself short enough, its partial name is not */
	refused(wm_scratch_path(name), ENAMETOOLONG);
	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	refused(path, ENAMETOOLONG);
}

static void a_directory_that_cannot_be_written_is_refused(void)
{
	refused(wm_scratch_path("no-such-directory/output"), ENOENT);
	wm_scratch_write(wm_scratch_path("a-file"), "x", 1);
	refused(wm_scratch_path("a-file/output"), ENOTDIR);
	CU_ASSERT_EQUAL(mkdir(wm_scratch_path("locked"), 0555), 0);
	refused(wm_scratch_path("locked/output"), EACCES);
}

static void more_than_the_disk_has_is_refused_with_both_figures(void)
{
	struct wm_error error = { "" };

	name_output("huge");
	refused_for(output, 1ull << 60, false, NULL, ENOSPC);
	CU_ASSERT_EQUAL(wm_sink_check(output, 1ull << 60, false, NULL, &error), -ENOSPC);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "needs 1152921504606846976 bytes, only "));
}

static const struct wm_test tests[] = {
	WM_TEST(output_gets_its_name_only_when_committed),
	WM_TEST(space_is_reserved_at_the_start),
	WM_TEST(direct_and_tail_descriptors_are_apart),
	WM_TEST(memory_backed_output_is_buffered),
	WM_TEST(abandon_leaves_nothing),
	WM_TEST(force_keeps_the_old_output_until_commit),
	WM_TEST(abandon_with_force_keeps_the_old_output),
	WM_TEST(a_file_that_appeared_meanwhile_is_not_replaced),
	WM_TEST(what_took_the_partial_name_meanwhile_is_not_published),
	WM_TEST(a_moved_output_is_not_said_to_be_there),
	WM_TEST(a_link_stays_and_its_file_is_replaced),
	WM_TEST(a_name_without_directory_is_of_the_current_one),
	WM_TEST(a_stale_partial_file_is_replaced),
	WM_TEST(a_stale_partial_file_with_its_journal_is_replaced),
	WM_TEST(a_partial_file_that_is_not_ours_is_refused_and_kept),
	WM_TEST(what_cannot_be_a_partial_file_is_refused_at_once),
	WM_TEST(a_claim_changes_nothing_yet),
	WM_TEST(an_output_is_open_to_no_more_than_its_input),
	WM_TEST(an_output_that_is_replaced_keeps_its_mode),
	WM_TEST(a_file_that_shares_the_stale_partials_inode_is_not_touched),
	WM_TEST(a_partial_name_that_is_a_link_is_refused),
	WM_TEST(two_jobs_on_one_output_are_refused),
	WM_TEST(abandon_does_not_remove_a_partial_file_of_another),
	WM_TEST(an_existing_output_is_refused_without_force),
	WM_TEST(the_input_is_refused_under_any_of_its_names),
	WM_TEST(what_is_no_file_is_refused),
	WM_TEST(names_that_cannot_be_are_refused),
	WM_TEST(a_directory_that_cannot_be_written_is_refused),
	WM_TEST(more_than_the_disk_has_is_refused_with_both_figures),
};

int main(void)
{
	int failed;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	failed = WM_TESTS_RUN("sink", tests);
	wm_scratch_end();
	return failed;
}
