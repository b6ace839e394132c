/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

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

static const struct wm_test tests[] = {
	WM_TEST(columns_are_as_wide_as_what_they_hold),
	WM_TEST(empty_cells_keep_their_place),
	WM_TEST(width_counts_characters_not_bytes),
	WM_TEST(narrow_screen_leaves_columns_out_before_values_are_cut),
	WM_TEST(long_values_are_cut_in_the_middle_and_sentences_at_their_end),
	WM_TEST(cut_path_keeps_its_last_component),
	WM_TEST(column_is_left_out_before_paths_say_nothing),
};

int main(void)
{
	return WM_TESTS_RUN("table", tests);
}
