/* SPDX-License-Identifier: BSD-3-Clause */
#include "steps.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static struct wm_step step;

/* The steps as "line:word|word" each; what is wrong at last. */
static char *written_out(struct wm_steps *steps)
{
	static char text[4096];
	struct wm_error error = { "" };
	size_t used = 0;
	int ret;

	while ((ret = wm_steps_next(steps, &step, &error)) > 0) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%u:", step.line);
		for (int word = 0; word < step.argc; word++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 word ? "|" : "", step.argv[word]);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "\n");
		CU_ASSERT_PTR_NULL(step.argv[step.argc]);
	}
	CU_ASSERT(ret == 0 || ret == -EINVAL);
	snprintf(text + used, sizeof(text) - used, "%s", error.text);
	return text;
}

static void expect(const char *text, const char *written)
{
	struct wm_steps steps;

	wm_steps_init(&steps, "test", text, strlen(text));
	CU_ASSERT_STRING_EQUAL(written_out(&steps), written);
	/* And once more. */
	wm_steps_rewind(&steps);
	CU_ASSERT_STRING_EQUAL(written_out(&steps), written);
	wm_steps_close(&steps);
}

static void each_line_is_a_step_of_words(void)
{
	expect("echo --size 64,1518\n\n\ttransmit  --rate\tmax  \r\n", "1:echo|--size|64,1518\n"
								       "3:transmit|--rate|max\n");
	expect("echo", "1:echo\n");
	expect("", "");
	expect("# nothing\n\n", "");
}

static void comments_begin_where_a_word_would(void)
{
	expect("# all\necho # rest\n  # more\necho a#b \"#c\" '#'d\n",
	       "2:echo\n4:echo|a#b|#c|#d\n");
}

static void quotes_keep_what_separates(void)
{
	expect("echo \"a b\" '' e\"f g\"h \"it's\" 'a \"b\"' 'a'\"b\"\n",
	       "1:echo|a b||ef gh|it's|a \"b\"|ab\n");
}

/* Those are a shell's. */
static void nothing_else_means_anything(void)
{
	expect("set A 1\necho $A \\# ~ * `x` ; end\nrepeat 2\n",
	       "1:set|A|1\n2:echo|$A|\\#|~|*|`x`|;|end\n3:repeat|2\n");
}

static void errors_name_their_line(void)
{
	expect("echo\necho \"a\n", "1:echo\ntest:2: a quote is not closed");
	expect("\n\necho 'a\"\necho\n", "test:3: a quote is not closed");
}

static void a_byte_of_zero_is_refused(void)
{
	struct wm_error error = { "" };
	struct wm_steps steps;

	wm_steps_init(&steps, "test", "a\nec\0ho", 7);
	CU_ASSERT_EQUAL(wm_steps_next(&steps, &step, &error), 1);
	CU_ASSERT_EQUAL(wm_steps_next(&steps, &step, &error), -EINVAL);
	CU_ASSERT_STRING_EQUAL(error.text, "test:2: a byte of 0: this is no text");
}

static void what_grows_without_end_is_refused(void)
{
	static char line[WM_STEP_BYTES_MAX + 8], words[2 * WM_STEP_WORDS_MAX + 2];

	memset(line, '\'', WM_STEP_BYTES_MAX - 1);
	expect(line, "test:1: a quote is not closed");
	line[WM_STEP_BYTES_MAX - 1] = '\'';
	expect(line, "test:1: the line is longer than 4095 bytes");
	for (unsigned i = 0; i < sizeof(words) - 1; i++)
		words[i] = i % 2 ? ' ' : 'a';
	expect(words, "test:1: more words than a step has (128 at most)");
}

/* path of a file with that in it; one at a time */
static const char *file_with(const char *text)
{
	static char path[] = "/tmp/wm-steps-XXXXXX";
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

static void a_file_is_read_as_its_text_is(void)
{
	const char *path = file_with("echo a\n");
	struct wm_steps steps;

	CU_ASSERT_EQUAL(wm_steps_open(&steps, path, NULL), 0);
	CU_ASSERT_STRING_EQUAL(written_out(&steps), "1:echo|a\n");
	wm_steps_close(&steps);
	unlink(path);
}

static void so_is_standard_input(void)
{
	const char *path = file_with("echo b\n\"");
	struct wm_steps steps;

	CU_ASSERT_PTR_NOT_NULL_FATAL(freopen(path, "r", stdin));
	CU_ASSERT_EQUAL(wm_steps_open(&steps, "-", NULL), 0);
	CU_ASSERT_STRING_EQUAL(written_out(&steps),
			       "1:echo|b\nstandard input:2: a quote is not closed");
	wm_steps_close(&steps);
	unlink(path);
}

static void expect_unreadable(const char *path, int code, const char *message)
{
	struct wm_error error = { "" };
	struct wm_steps steps;

	CU_ASSERT_EQUAL(wm_steps_open(&steps, path, &error), -code);
	CU_ASSERT_EQUAL(strncmp(error.text, message, strlen(message)), 0);
	CU_ASSERT_PTR_NULL(steps.owned);
}

static void a_file_that_is_not_there_or_no_file_is_named(void)
{
	expect_unreadable("/nowhere", ENOENT, "/nowhere: the steps cannot be read: No such file");
	expect_unreadable("/", EISDIR, "/: the steps cannot be read: ");
	expect_unreadable("/dev/zero", EFBIG, "/dev/zero: steps have at most 1048576 bytes");
}

static const struct wm_test tests[] = {
	WM_TEST(each_line_is_a_step_of_words),
	WM_TEST(comments_begin_where_a_word_would),
	WM_TEST(quotes_keep_what_separates),
	WM_TEST(nothing_else_means_anything),
	WM_TEST(errors_name_their_line),
	WM_TEST(a_byte_of_zero_is_refused),
	WM_TEST(what_grows_without_end_is_refused),
	WM_TEST(a_file_is_read_as_its_text_is),
	WM_TEST(so_is_standard_input),
	WM_TEST(a_file_that_is_not_there_or_no_file_is_named),
};

int main(void)
{
	return WM_TESTS_RUN("steps", tests);
}
