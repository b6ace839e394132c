/* SPDX-License-Identifier: BSD-3-Clause */
/* What the CLI prints, as text: progress; and the paths that it sends. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "harness.h"
#include "progress_bar.h"

/* ---- progress ----------------------------------------------------------- */

static const char *line(uint64_t done, uint64_t total, double rate, unsigned width)
{
	static char text[WM_PROGRESS_LINE_BYTES];

	return wm_progress_bar_format(text, sizeof(text), done, total, rate, width);
}

static void plain_line_has_no_bar(void)
{
	CU_ASSERT_STRING_EQUAL(line(420000000, 1000000000, 210e6, 0),
			       " 42 %  420 MB of 1.00 GB  210 MB/s  3 s left");
}

static void bar_fills_the_terminal_but_for_one_column(void)
{
	CU_ASSERT_STRING_EQUAL(line(500, 1000, 500, 60),
			       "[#######.......]  50 %  500 B of 1.00 kB  500 B/s  1 s left");
	for (unsigned width = 1; width < 200; width++)
		CU_ASSERT(strlen(line(500, 1000, 500, width)) < width);
}

static void bar_has_a_largest_width(void)
{
	const char *text = line(0, 1000, 0, 400);

	CU_ASSERT_EQUAL(strspn(text + 1, "."), 40);
	CU_ASSERT_EQUAL(text[41], ']');
}

static void narrow_terminal_drops_the_bar_first(void)
{
	CU_ASSERT_STRING_EQUAL(line(500, 1000, 500, 50),
			       " 50 %  500 B of 1.00 kB  500 B/s  1 s left");
	CU_ASSERT_STRING_EQUAL(line(500, 1000, 500, 8), " 50 %  ");
}

static void unknown_rate_is_not_shown_and_leaves_no_time(void)
{
	CU_ASSERT_STRING_EQUAL(line(0, 1000, 0, 0), "  0 %  0 B of 1.00 kB");
	CU_ASSERT_STRING_EQUAL(line(10, 1000, 0, 0), "  1 %  10 B of 1.00 kB");
}

static void hundred_percent_is_all(void)
{
	CU_ASSERT_STRING_EQUAL(line(999999, 1000000, 1e6, 0),
			       " 99 %  1.00 MB of 1.00 MB  1.00 MB/s  0 s left");
	CU_ASSERT_STRING_EQUAL(line(UINT64_MAX - 1, UINT64_MAX, 0, 0), " 99 %  18.4 EB of 18.4 EB");
	CU_ASSERT_STRING_EQUAL(line(1000, 1000, 500, 0), "100 %  1.00 kB of 1.00 kB  500 B/s");
	CU_ASSERT_STRING_EQUAL(line(2000, 1000, 500, 0), "100 %  1.00 kB of 1.00 kB  500 B/s");
	CU_ASSERT_STRING_EQUAL(line(0, 0, 0, 0), "100 %  0 B of 0 B");
	CU_ASSERT_STRING_EQUAL(line(1000, 1000, 0, 39), "[##########] 100 %  1.00 kB of 1.00 kB");
}

/* What a progress prints into a file, by the times at which it is shown. */
static char *printed(const uint64_t *times_ns, unsigned count, const char *note)
{
	struct wm_progress_bar progress;
	char *text = NULL;
	size_t bytes;
	FILE *stream = tmpfile();

	wm_progress_bar_init(&progress, stream);
	for (unsigned i = 0; i < count; i++) {
		wm_progress_bar_show(&progress, i, 10, 0, times_ns[i]);
		wm_progress_bar_note(&progress, note);
		wm_progress_bar_note(&progress, note);
	}
	wm_progress_bar_clear(&progress);
	bytes = (size_t)ftell(stream);
	text = calloc(bytes + 1, 1);
	rewind(stream);
	CU_ASSERT_EQUAL(fread(text, 1, bytes, stream), bytes);
	fclose(stream);
	return text;
}

static void elsewhere_a_plain_line_comes_a_second(void)
{
	static const uint64_t times_ns[] = { WM_NS_PER_S,     WM_NS_PER_S + 1, 2 * WM_NS_PER_S,
					     2 * WM_NS_PER_S, 5 * WM_NS_PER_S, 5 * WM_NS_PER_S };
	char *text = printed(times_ns, 6, "");

	CU_ASSERT_STRING_EQUAL(text, " 20 %  2 B of 10 B\n 40 %  4 B of 10 B\n");
	free(text);
}

static void note_is_printed_when_it_changes_without_control_characters(void)
{
	static const uint64_t times_ns[] = { WM_NS_PER_S, WM_NS_PER_S };
	char *text = printed(times_ns, 2, "job 3 waits:\033[2J\n");

	CU_ASSERT_STRING_EQUAL(text, "job 3 waits:\\x1b[2J\\x0a\n");
	free(text);
}

/* ---- paths --------------------------------------------------------------- */

static void path_becomes_absolute(void)
{
	char path[PATH_MAX], longest[PATH_MAX + 2];

	CU_ASSERT_EQUAL(wm_cli_path(path, "/a/b"), WM_EXIT_DONE);
	CU_ASSERT_STRING_EQUAL(path, "/a/b");
	CU_ASSERT_EQUAL(wm_cli_path(path, "b"), WM_EXIT_DONE);
	CU_ASSERT(path[0] == '/' && strcmp(strrchr(path, '/'), "/b") == 0);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[PATH_MAX - 1] = '\0';
	CU_ASSERT_EQUAL(wm_cli_path(path, longest), WM_EXIT_DONE);
	CU_ASSERT_STRING_EQUAL(path, longest);
	longest[PATH_MAX - 1] = 'a';
	longest[PATH_MAX] = '\0';
	CU_ASSERT_EQUAL(wm_cli_path(path, longest), WM_EXIT_FAILED);
}

static const struct wm_test tests[] = {
	WM_TEST(plain_line_has_no_bar),
	WM_TEST(bar_fills_the_terminal_but_for_one_column),
	WM_TEST(bar_has_a_largest_width),
	WM_TEST(narrow_terminal_drops_the_bar_first),
	WM_TEST(unknown_rate_is_not_shown_and_leaves_no_time),
	WM_TEST(hundred_percent_is_all),
	WM_TEST(elsewhere_a_plain_line_comes_a_second),
	WM_TEST(note_is_printed_when_it_changes_without_control_characters),
	WM_TEST(path_becomes_absolute),
};

int main(void)
{
	return WM_TESTS_RUN("cli format", tests);
}
