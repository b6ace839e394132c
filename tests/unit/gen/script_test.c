/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static struct wm_script *script;

static bool parse(const char *text)
{
	wm_script_destroy(&script);
	script = wm_script_parse("test", text, strlen(text), NULL);
	return script != NULL;
}

/* The steps as "line: word|word" each. */
static char *written_out(void)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; script && i < script->step_count; i++) {
		const struct wm_script_step *step = &script->steps[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%u:", step->line);
		for (int word = 0; word < step->argc; word++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 word ? "|" : "", step->argv[word]);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "\n");
		CU_ASSERT_PTR_NULL(step->argv[step->argc]);
	}
	return text;
}

static void expect(const char *text, const char *steps)
{
	CU_ASSERT_TRUE(parse(text));
	CU_ASSERT_STRING_EQUAL(written_out(), steps);
}

static void each_line_is_a_step_of_words(void)
{
	expect("echo --size 64,1518\n\n\ttransmit  --rate\tmax  \r\n", "1:echo|--size|64,1518\n"
								       "3:transmit|--rate|max\n");
	expect("echo", "1:echo\n");
}

static void comments_begin_where_a_word_would(void)
{
	expect("# all\necho # rest\n  # more\necho a#b \"#c\" \\#d\n",
	       "2:echo\n4:echo|a#b|#c|#d\n");
}

static void quotes_and_backslashes_keep_what_separates(void)
{
	expect("echo \"a b\" c\\ d \"\" e\"f g\"h \"\\\"\" \\\\", "1:echo|a b|c d||ef gh|\"|\\\n");
}

static void values_are_part_of_their_word(void)
{
	expect("set A 1\nset B_2 \"x y\"\necho $A ${B_2}z $A$A \"$B_2\" \\$A\n",
	       "3:echo|1|x yz|11|x y|$A\n");
}

static void the_value_set_last_counts(void)
{
	expect("set A 1\necho $A\nset A 2$A\necho $A\n", "2:echo|1\n4:echo|21\n");
}

static void repeats_are_written_out(void)
{
	expect("repeat 2\necho a\nrepeat 3\necho b\nend\nend\necho c\n",
	       "2:echo|a\n4:echo|b\n4:echo|b\n4:echo|b\n2:echo|a\n4:echo|b\n4:echo|b\n4:echo|b\n"
	       "7:echo|c\n");
}

static void set_in_a_repeat_is_done_each_time(void)
{
	expect("set A x\nrepeat 3\nset A ${A}y\necho $A\nend\n",
	       "4:echo|xy\n4:echo|xyy\n4:echo|xyyy\n");
}

static void expect_error(const char *text, const char *message)
{
	struct wm_error error = { "" };

	CU_ASSERT_PTR_NULL(wm_script_parse("test", text, strlen(text), &error));
	CU_ASSERT_EQUAL(errno, EINVAL);
	CU_ASSERT_EQUAL(strncmp(error.text, message, strlen(message)), 0);
	CU_ASSERT_PTR_NULL(strchr(error.text, '\n'));
}

static void errors_name_their_line(void)
{
	expect_error("", "test: there is no step");
	expect_error("# nothing\nset A 1\n", "test: there is no step");
	expect_error("echo\necho \"a\n", "test:2: a quote is not closed");
	expect_error("echo \\", "test:1: a backslash ends the line");
	expect_error("\n\necho $A", "test:3: $A was not set: 'set A VALUE'");
	expect_error("echo $", "test:1: $ has no name");
	expect_error("echo ${}", "test:1: $ has no name");
	expect_error("set A 1\necho ${A", "test:2: ${A has no }");
	expect_error("set A\n", "test:1: set takes");
	expect_error("set A 1 2\n", "test:1: set takes");
	expect_error("set A-B 1\n", "test:1: 'A-B' is no name");
	expect_error("repeat 2\nrepeat 3\necho\nend\n", "test:1: this repeat has no end");
	expect_error("echo\nend\n", "test:2: end without");
	expect_error("repeat 2\necho\nend 2\n", "test:3: end stands alone");
	expect_error("repeat 0\nend\n", "test:1: repeat takes");
	expect_error("repeat\nend\n", "test:1: repeat takes");
	expect_error("repeat x\nend\n", "test:1: repeat takes");
}

static void a_byte_of_zero_is_refused(void)
{
	struct wm_error error = { "" };

	CU_ASSERT_PTR_NULL(wm_script_parse("test", "ec\0ho", 5, &error));
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "test:1: a byte of 0"));
}

static void what_grows_without_end_is_refused(void)
{
	static char long_word[WM_SCRIPT_WORD_BYTES_MAX + 8], many_words[3 * WM_SCRIPT_WORDS_MAX];

	memset(long_word, 'a', sizeof(long_word) - 1);
	expect_error(long_word, "test:1: a word is longer");
	for (unsigned i = 0; i < sizeof(many_words) - 1; i++)
		many_words[i] = i % 2 ? ' ' : 'a';
	expect_error(many_words, "test:1: more than");
	expect_error("repeat 10000\nrepeat 2\necho\nend\nend\n", "test:3: more than 10000 steps");
	expect_error("repeat 10000\nrepeat 10000\nset A 1\nend\nend\n", "test:");
	expect_error("set A aaaaaaaa\nrepeat 100\nset A $A$A\nend\n", "test:3: a word is longer");
}

static void repeats_too_deep_are_refused(void)
{
	char text[256] = "";

	for (unsigned i = 0; i <= WM_SCRIPT_REPEAT_DEPTH_MAX; i++)
		strcat(text, "repeat 1\n");
	expect_error(text, "test:9: more than 8 repeats");
}

static void a_file_is_read_as_its_text_is(void)
{
	char path[] = "/tmp/wm-script-XXXXXX";
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, "echo a\n", 7), 7);
	close(fd);
	wm_script_destroy(&script);
	script = wm_script_load(path, NULL);
	CU_ASSERT_STRING_EQUAL(written_out(), "1:echo|a\n");
	unlink(path);
}

static void a_file_that_is_not_there_or_no_file_is_named(void)
{
	struct wm_error error = { "" };

	CU_ASSERT_PTR_NULL(wm_script_load("/nowhere", &error));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "/nowhere: the script cannot be read"));
	CU_ASSERT_PTR_NULL(wm_script_load("/", &error));
	CU_ASSERT_EQUAL(errno, EISDIR);
	CU_ASSERT_PTR_NULL(wm_script_load("/dev/zero", &error));
	CU_ASSERT_EQUAL(errno, EFBIG);
}

static const struct wm_test tests[] = {
	WM_TEST(each_line_is_a_step_of_words),
	WM_TEST(comments_begin_where_a_word_would),
	WM_TEST(quotes_and_backslashes_keep_what_separates),
	WM_TEST(values_are_part_of_their_word),
	WM_TEST(the_value_set_last_counts),
	WM_TEST(repeats_are_written_out),
	WM_TEST(set_in_a_repeat_is_done_each_time),
	WM_TEST(errors_name_their_line),
	WM_TEST(a_byte_of_zero_is_refused),
	WM_TEST(what_grows_without_end_is_refused),
	WM_TEST(repeats_too_deep_are_refused),
	WM_TEST(a_file_is_read_as_its_text_is),
	WM_TEST(a_file_that_is_not_there_or_no_file_is_named),
};

int main(void)
{
	int failed = WM_TESTS_RUN("script", tests);

	wm_script_destroy(&script);
	return failed;
}
