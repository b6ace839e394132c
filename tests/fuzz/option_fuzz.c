/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any lines as the words of a command line. What is accepted must keep its bounds, and be the
 * same when each value is given the other way, --name=VALUE; what is not is told.
 */
#include <stdlib.h>
#include <string.h>

#include "option_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS_MAX 64

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static int split(char *text, char *words[WORDS_MAX])
{
	int count = 0;

	for (char *word = text; word && count < WORDS_MAX; count++)
		words[count] = strsep(&word, "\n");
	return count;
}

static bool is_between(uint64_t number, uint64_t min, uint64_t max)
{
	return number >= min && number <= max;
}

static void check_values(const struct option_sample *taken)
{
	check(taken->path && *taken->path);
	check(!taken->word || strcmp(taken->word, "yes") == 0 || strcmp(taken->word, "no") == 0);
	check(is_between(taken->mtu, 1280, 9000) && is_between(taken->bytes, 1, 1u << 30));
	check(taken->seconds <= 365u * 24 * 3600 && taken->time_us <= 3600000000u);
	check(taken->share_ppm <= 1000000 && taken->bits_per_s <= 1000000000000);
	check(taken->level >= 0 && taken->level <= 2);
}

static bool is_same_text(const char *one, const char *other)
{
	return one == other || (one && other && strcmp(one, other) == 0);
}

static void check_same(const struct option_sample *one, const struct option_sample *other)
{
	check(is_same_text(one->text, other->text) && is_same_text(one->path, other->path));
	check(is_same_text(one->word, other->word) && is_same_text(one->maybe, other->maybe));
	check(one->count == other->count && one->bytes == other->bytes);
	check(one->seconds == other->seconds && one->share_ppm == other->share_ppm);
	check(one->bits_per_s == other->bits_per_s && one->time_us == other->time_us);
	check(one->mtu == other->mtu && one->level == other->level && one->many == other->many);
	check(one->flag == other->flag && one->json == other->json);
}

/* Does the next word go with this one? */
static bool takes_next(const char *word)
{
	static const char *const valued[] = { "--text", "--path",  "--word", "--count",
					      "--mtu",	"--bytes", "--time", "--seconds",
					      "--rate", "--share", "--many", "--level" };

	for (unsigned i = 0; i < sizeof(valued) / sizeof(valued[0]); i++) {
		if (strcmp(word, valued[i]) == 0)
			return true;
	}
	return false;
}

static void check_joined(int argc, char **argv, const struct option_sample *taken)
{
	char *words[WORDS_MAX];
	struct option_sample again;
	struct wm_option_line line;
	struct wm_error error;
	bool only_operands = false;
	int count = 0;

	for (int i = 0; i < argc; i++, count++) {
		only_operands = only_operands || strcmp(argv[i], "--") == 0;
		if (only_operands || !takes_next(argv[i]))
			check((words[count] = strdup(argv[i])) != NULL);
		else
			check(i + 1 < argc &&
			      asprintf(&words[count], "%s=%s", argv[i], argv[i + 1]) > 0 && ++i);
	}
	check(option_sample_parse(&again, count, words, &line, &error) == 0);
	check_same(taken, &again);
	while (count > 0)
		free(words[--count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wm_error error = { "" };
	struct option_sample taken;
	struct wm_option_line line;
	char *text = malloc(size + 1), *words[WORDS_MAX];
	int argc;

	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	argc = split(text, words);
	if (option_sample_parse(&taken, argc, words, &line, &error) < 0) {
		check(*error.text);
	} else if (line.request == WM_OPTION_RUN) {
		check(line.operand);
		check_values(&taken);
		check_joined(argc, words, &taken);
	}
	free(text);
	return 0;
}
