/* SPDX-License-Identifier: BSD-3-Clause */
/* What the CLI prints, as text: progress and tables; and the paths that it sends. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "clock.h"
#include "harness.h"
#include "progress.h"
#include "table.h"

/* ---- progress ----------------------------------------------------------- */

static const char *line(uint64_t done, uint64_t total, double rate, unsigned width)
{
	static char text[WM_PROGRESS_LINE_BYTES];

	return wm_progress_format(text, sizeof(text), done, total, rate, width);
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
	struct wm_progress progress;
	char *text = NULL;
	size_t bytes;
	FILE *stream = tmpfile();

	wm_progress_init(&progress, stream);
	for (unsigned i = 0; i < count; i++) {
		wm_progress_show(&progress, i, 10, 0, times_ns[i]);
		wm_progress_note(&progress, note);
		wm_progress_note(&progress, note);
	}
	wm_progress_clear(&progress);
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

/* ---- tables ------------------------------------------------------------- */

static char *table_text(struct wm_table *table, unsigned width)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	wm_table_print(table, stream, width);
	fclose(stream);
	wm_table_destroy(&table);
	return text;
}

static const struct wm_column columns[] = { { "NAME", 0 }, { "N", WM_COLUMN_RIGHT }, { "END", 0 } };

static void columns_are_as_wide_as_what_they_hold(void)
{
	struct wm_table *table = wm_table_create(columns, 3);
	char *text;

	wm_table_add(table, "a");
	wm_table_add(table, "%d", 1);
	wm_table_add(table, "%s", "");
	wm_table_add(table, "a longer one");
	wm_table_add(table, "%d", 12345);
	wm_table_add(table, "x");
	text = table_text(table, 0);
	CU_ASSERT_STRING_EQUAL(text, "NAME              N  END\n"
				     "a                 1\n"
				     "a longer one  12345  x\n");
	free(text);
}

static void empty_cells_keep_their_place(void)
{
	struct wm_table *table = wm_table_create(columns, 3);
	char *text;

	wm_table_add(table, "%s", "");
	wm_table_add(table, "%s", "");
	wm_table_add(table, "x");
	text = table_text(table, 0);
	CU_ASSERT_STRING_EQUAL(text, "NAME  N  END\n"
				     "         x\n");
	free(text);
}

static void width_counts_characters_not_bytes(void)
{
	struct wm_table *table = wm_table_create(columns, 3);
	char *text;

	wm_table_add(table, "K\xc3\xb6ln");
	wm_table_add(table, "1");
	wm_table_add(table, "\x1b[31m");
	text = table_text(table, 0);
	CU_ASSERT_STRING_EQUAL(text, "NAME  N  END\n"
				     "K\xc3\xb6ln  1  \\x1b[31m\n");
	free(text);
}

static const struct wm_column narrow[] = {
	{ "N", WM_COLUMN_RIGHT },
	{ "PATH", WM_COLUMN_CUT },
	{ "MORE", WM_COLUMN_WIDE },
	{ "REMARK", WM_COLUMN_CUT | WM_COLUMN_TEXT | WM_COLUMN_OPTIONAL },
};

/* One row, and its lines at that width. */
static const char *narrow_text(const char *path, const char *more, const char *remark,
			       unsigned width)
{
	struct wm_table *table = wm_table_create(narrow, 4);
	static char *text;

	wm_table_add(table, "1");
	wm_table_add(table, "%s", path);
	wm_table_add(table, "%s", more);
	wm_table_add(table, "%s", remark);
	free(text);
	text = table_text(table, width);
	return text;
}

static void narrow_screen_leaves_columns_out_before_values_are_cut(void)
{
	CU_ASSERT_STRING_EQUAL(narrow_text("/data/input", "more", "why", 80),
			       "N  PATH         MORE  REMARK\n"
			       "1  /data/input  more  why\n");
	CU_ASSERT_STRING_EQUAL(narrow_text("/data/input", "more", "why", 24),
			       "N  PATH         REMARK\n"
			       "1  /data/input  why\n");
	CU_ASSERT_STRING_EQUAL(narrow_text("/data/input", "more", "", 80),
			       "N  PATH         MORE\n"
			       "1  /data/input  more\n");
}

static void long_values_are_cut_in_the_middle_and_sentences_at_their_end(void)
{
	CU_ASSERT_STRING_EQUAL(narrow_text("/data/input", "", "none answers: see the log", 29),
			       "N  PATH         REMARK\n"
			       "1  /data/input  none answe...\n");
	CU_ASSERT_STRING_EQUAL(narrow_text("/data/archive/2026/input", "", "", 20),
			       "N  PATH\n"
			       "1  /data/a...6/input\n");
	CU_ASSERT_STRING_EQUAL(
		narrow_text("/d\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
			    "", "", 11),
		"N  PATH\n"
		"1  /d\xc3\xa4...\xc3\xa4\xc3\xa4\n");
	for (unsigned width = 30; width < 90; width++) {
		const char *text = narrow_text("/a/very/long/path/to/a/file/of/some/project",
					       "more", "a remark that has much to tell", width);

		for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
			CU_ASSERT(strcspn(line, "\n") <= width);
	}
}

/* As those of 'job list', in small. */
static const struct wm_column with_paths[] = {
	{ "NAME", WM_COLUMN_CUT | WM_COLUMN_OPTIONAL },
	{ "INPUT", WM_COLUMN_CUT | WM_COLUMN_PATH | WM_COLUMN_SPARE },
	{ "OUTPUT", WM_COLUMN_CUT | WM_COLUMN_PATH },
};

static const char *paths_text(const char *name, const char *input, const char *output,
			      unsigned width)
{
	struct wm_table *table = wm_table_create(with_paths, 3);
	static char *text;

	wm_table_add(table, "%s", name);
	wm_table_add(table, "%s", input);
	wm_table_add(table, "%s", output);
	free(text);
	text = table_text(table, width);
	return text;
}

static void cut_path_keeps_its_last_component(void)
{
	CU_ASSERT_STRING_EQUAL(paths_text("", "/data/archive/2026/input", "/data/out", 33),
			       "INPUT                   OUTPUT\n"
			       "/data/archive.../input  /data/out\n");
	CU_ASSERT_STRING_EQUAL(
		paths_text("", "/data/archive/2026/input", "/data/2026/run-7.bin", 29),
		"INPUT          OUTPUT\n"
		"/dat.../input  /.../run-7.bin\n");
	/* Of a long one its end, by which files of a row differ; never less than that says. */
	CU_ASSERT_STRING_EQUAL(paths_text("", "in", "/data/a-long-name-of-measurement-0007", 25),
			       "INPUT  OUTPUT\n"
			       "in     ...easurement-0007\n");
}

static void column_is_left_out_before_paths_say_nothing(void)
{
	CU_ASSERT_STRING_EQUAL(
		paths_text("a name", "/data/archive/input.bin", "/data/archive/output.bin", 40),
		"NAME    INPUT            OUTPUT\n"
		"a name  /d.../input.bin  /.../output.bin\n");
	CU_ASSERT_STRING_EQUAL(
		paths_text("a name", "/data/archive/input.bin", "/data/archive/output.bin", 34),
		"NAME    OUTPUT\n"
		"a name  /data/archive/output.bin\n");
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
	WM_TEST(columns_are_as_wide_as_what_they_hold),
	WM_TEST(empty_cells_keep_their_place),
	WM_TEST(width_counts_characters_not_bytes),
	WM_TEST(narrow_screen_leaves_columns_out_before_values_are_cut),
	WM_TEST(long_values_are_cut_in_the_middle_and_sentences_at_their_end),
	WM_TEST(cut_path_keeps_its_last_component),
	WM_TEST(column_is_left_out_before_paths_say_nothing),
	WM_TEST(path_becomes_absolute),
};

int main(void)
{
	return WM_TESTS_RUN("cli format", tests);
}
