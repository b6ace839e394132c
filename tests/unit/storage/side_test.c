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
#include "wiremill/side.h"

#define SIDES 5u

static const char *const suffixes[SIDES] = { ".wm-partial", ".wm-journal", ".wm-journal.new",
					     ".wm-manifest", ".wm-manifest.new" };
static const char marks[SIDES][9] = { "WMPART\0\1", "WMJRNL\0\1", "WMJRNL\0\1", "WMMNFT\0\1",
				      "WMMNFT\0\1" };

static char output[PATH_MAX];

/* The name of the output's side file: static memory. */
static const char *name(const char *of, unsigned side)
{
	static char path[PATH_MAX];

	snprintf(output, sizeof(output), "%s", wm_scratch_path(of));
	snprintf(path, sizeof(path), "%.4000s%s", output, suffixes[side]);
	return path;
}

static void checked(const struct wm_source *source, int expected)
{
	struct wm_error error = { "" };

	CU_ASSERT_EQUAL(wm_side_check(output, "/", source, &error), expected);
	if (expected < 0)
		CU_ASSERT(wm_scratch_is_line(&error));
}

/* ---- whose they are ----------------------------------------------------- */

static void ours_is_what_is_empty_or_begins_with_its_mark(void)
{
	for (unsigned i = 0; i < SIDES; i++) {
		const char *path = name("ours", i);

		wm_scratch_write(path, "", 0);
		checked(NULL, 0);
		wm_scratch_write(path, marks[i], 3);
		checked(NULL, 0);
		wm_scratch_write(path, marks[i], 8);
		checked(NULL, 0);
		CU_ASSERT_EQUAL(wm_side_remove(path, (enum wm_side)i), 0);
		CU_ASSERT_FALSE(wm_scratch_exists(path));
		CU_ASSERT_EQUAL(wm_side_remove(path, (enum wm_side)i), 0);
	}
}

static void what_is_not_ours_is_neither_replaced_nor_removed(void)
{
	for (unsigned i = 0; i < SIDES; i++) {
		const char *path = name("theirs", i);

		wm_scratch_write(path, "precious", 8);
		checked(NULL, -EEXIST);
		CU_ASSERT_EQUAL(wm_side_remove(path, (enum wm_side)i), -EEXIST);
		CU_ASSERT_EQUAL(wm_side_create(path, (enum wm_side)i, 0), -EEXIST);
		CU_ASSERT(wm_scratch_holds(path, "precious", 8));
		unlink(path);
	}
}

static void kept_out(const char *path, unsigned side, int code)
{
	checked(NULL, -code);
	CU_ASSERT_EQUAL(wm_side_open(path, O_RDWR), -code);
	CU_ASSERT_EQUAL(wm_side_create(path, (enum wm_side)side, 0), -code);
	CU_ASSERT(wm_scratch_exists(path));
	remove(path);
}

/* A pipe would wait for ever, and a link leads to what somebody else chose. */
static void pipes_links_and_directories_are_refused_at_once(void)
{
	for (unsigned i = 0; i < SIDES; i++) {
		const char *path = name("odd", i);

		CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
		kept_out(path, i, EINVAL);
		CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
		kept_out(path, i, EISDIR);
		CU_ASSERT_EQUAL(symlink("nowhere", path), 0);
		kept_out(path, i, ELOOP);
	}
}

static void a_new_one_is_its_makers_alone(void)
{
	const char *path = name("new", WM_SIDE_JOURNAL_NEW);
	int fd = wm_side_create(path, WM_SIDE_JOURNAL_NEW, O_DSYNC);
	struct stat status;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL_FATAL(fstat(fd, &status), 0);
	CU_ASSERT_EQUAL(status.st_mode & 0777, 0600);
	CU_ASSERT(wm_side_is_ours(fd, path, WM_SIDE_JOURNAL_NEW));
	close(fd);
}

/* ---- names -------------------------------------------------------------- */

static void an_output_with_the_name_of_a_side_file_is_refused(void)
{
	static const char *const names[] = { "p.wm-partial", "q.wm-manifest", "r.wm-journal.new",
					     "S.WM-PARTIAL", ".wm-journal" };

	for (unsigned i = 0; i < 5; i++) {
		name(names[i], 0);
		checked(NULL, -EINVAL);
	}
	name("wm-partial", 0);
	checked(NULL, 0);
	name("p.wm-partial.gz", 0);
	checked(NULL, 0);
}

static void a_name_has_room_for_every_suffix(void)
{
	char odd[300];

	memset(odd, 'n', sizeof(odd));
	odd[240] = '\0'; /* itself short enough, with a suffix not */
	name(odd, 0);
	checked(NULL, -ENAMETOOLONG);
	odd[255 - 16] = '\0';
	name(odd, 0);
	checked(NULL, 0);
}

/* ---- the input ---------------------------------------------------------- */

static void begin_input(struct wm_source *source, const char *path)
{
	wm_scratch_write(path, "WMMNFT\0\1 and so on", 19);
	CU_ASSERT_EQUAL_FATAL(wm_source_open(source, path, NULL), 0);
}

static void an_input_that_the_output_would_need_for_itself_is_refused(void)
{
	char input[PATH_MAX], elsewhere[PATH_MAX];
	struct wm_source source;

	for (unsigned i = 0; i < SIDES; i++) {
		snprintf(input, sizeof(input), "%s", name("x", i));
		begin_input(&source, input);
		checked(&source, -EINVAL);

		/* Under another name, by a link of either kind. */
		snprintf(elsewhere, sizeof(elsewhere), "%s", name("y", i));
		CU_ASSERT_EQUAL(link(input, elsewhere), 0);
		checked(&source, -EINVAL);
		unlink(elsewhere);
		CU_ASSERT_EQUAL(symlink(input, elsewhere), 0);
		checked(&source, -EINVAL);
		unlink(elsewhere);
		checked(&source, 0);
		wm_source_close(&source);
		CU_ASSERT(wm_scratch_exists(input));
		unlink(input);
	}
}

static const struct wm_test tests[] = {
	WM_TEST(ours_is_what_is_empty_or_begins_with_its_mark),
	WM_TEST(what_is_not_ours_is_neither_replaced_nor_removed),
	WM_TEST(pipes_links_and_directories_are_refused_at_once),
	WM_TEST(a_new_one_is_its_makers_alone),
	WM_TEST(an_output_with_the_name_of_a_side_file_is_refused),
	WM_TEST(a_name_has_room_for_every_suffix),
	WM_TEST(an_input_that_the_output_would_need_for_itself_is_refused),
};

int main(void)
{
	int failed;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	failed = WM_TESTS_RUN("side", tests);
	wm_scratch_end();
	return failed;
}
