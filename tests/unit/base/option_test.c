/* SPDX-License-Identifier: BSD-3-Clause */
/* Command lines, good and bad, by a table that has one option of each type. */
#include "option_sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static struct option_sample taken;
static struct wm_option_line line;
static struct wm_error error;

static int parse(const char *const *argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	error.text[0] = '\0';
	return option_sample_parse(&taken, argc, (char *const *)(uintptr_t)argv, &line, &error);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })
/* With what is required. */
#define GOOD(...) CU_ASSERT_EQUAL(PARSE("--path=p", "o", __VA_ARGS__), 0)
#define BAD(words, ...)                                                        \
	do {                                                                   \
		CU_ASSERT_EQUAL(PARSE("--path=p", "o", __VA_ARGS__), -EINVAL); \
		CU_ASSERT_STRING_EQUAL(error.text, words);                     \
	} while (0)

static void values_go_to_their_fields(void)
{
	GOOD("--text", "a b", "--word", "no", "--count=7", "--mtu", "9000", "--bytes", "1G",
	     "--seconds", "5m", "--time", "250ms", "--share", "0.1%", "--rate", "2.5Gbit",
	     "--level", "high", "--flag", "--json");
	CU_ASSERT_STRING_EQUAL(taken.text, "a b");
	CU_ASSERT_STRING_EQUAL(taken.path, "p");
	CU_ASSERT_STRING_EQUAL(taken.word, "no");
	CU_ASSERT(taken.count == 7 && taken.mtu == 9000 && taken.bytes == 1u << 30);
	CU_ASSERT(taken.seconds == 300 && taken.time_us == 250000 && taken.share_ppm == 1000);
	CU_ASSERT(taken.bits_per_s == 2500000000 && taken.level == 2);
	CU_ASSERT(taken.flag && taken.json);
	CU_ASSERT_STRING_EQUAL(line.operand, "o");
}

static void what_is_not_given_is_preset_or_stays(void)
{
	GOOD("--flag");
	CU_ASSERT(taken.mtu == 1500 && taken.bytes == 128u << 10 && taken.level == 1);
	CU_ASSERT(taken.count == OPTION_SAMPLE_UNTOUCHED && !taken.text && !taken.json &&
		  taken.many == 0);
	CU_ASSERT(wm_option_is_given(&option_sample_schema, &line, "flag"));
	CU_ASSERT(!wm_option_is_given(&option_sample_schema, &line, "mtu"));
	CU_ASSERT(!wm_option_is_given(&option_sample_schema, &line, "json"));
}

static void options_and_operand_come_in_any_order(void)
{
	CU_ASSERT_EQUAL(PARSE("o", "--path", "p", "--json"), 0);
	CU_ASSERT_EQUAL(PARSE("--json", "--path", "p", "--", "--flag"), 0);
	CU_ASSERT_STRING_EQUAL(line.operand, "--flag");
	CU_ASSERT(!taken.flag);
	CU_ASSERT_EQUAL(PARSE("--path", "-", "-"), 0);
	CU_ASSERT_STRING_EQUAL(taken.path, "-");
	CU_ASSERT_STRING_EQUAL(line.operand, "-");
	GOOD("--text=--odd");
	CU_ASSERT_STRING_EQUAL(taken.text, "--odd");
	GOOD("--text=a=b");
	CU_ASSERT_STRING_EQUAL(taken.text, "a=b");
}

static void value_that_is_optional_goes_with_its_sign(void)
{
	GOOD("--maybe");
	CU_ASSERT(wm_option_is_given(&option_sample_schema, &line, "maybe") && !taken.maybe);
	GOOD("--maybe=m");
	CU_ASSERT_STRING_EQUAL(taken.maybe, "m");
	BAD("one FILE at a time: 'o' and 'm' are two", "--maybe", "m");
}

static void unknown_options_are_named_whole(void)
{
	BAD("there is no option '--fly'", "--fly");
	BAD("there is no option '--fly=1'", "--fly=1");
	BAD("there is no option '--tex'", "--tex", "a");
	BAD("there is no option '--texts=a'", "--texts=a");
	BAD("there is no option '-x'", "-x");
	BAD("there is no option '-y' in '-hy'", "-hy");
	BAD("there is no option '-x' in '-xy'", "-xy");
	BAD("there is no option '---flag'", "---flag");
	BAD("there is no option '--=x'", "--=x");
	BAD("first knows no --burst", "--burst", "2");
}

static void wrong_lines_are_refused(void)
{
	BAD("--text needs a value, TEXT", "--text");
	BAD("--text needs a value, TEXT", "--text", "--flag");
	BAD("--text needs a value, TEXT", "--text=");
	BAD("--text needs a value, TEXT", "--text", "");
	BAD("--text needs a value, TEXT", "--text", "--", "x");
	BAD("--maybe needs a value, FILE", "--maybe=");
	BAD("--flag takes no value", "--flag=1");
	BAD("--flag takes no value", "--flag=");
	BAD("--json is given twice", "--json", "--json");
	BAD("--path is given twice", "--path", "q");
	BAD("one FILE at a time: 'o' and 'q' are two", "q");
	CU_ASSERT_EQUAL(PARSE("o"), -EINVAL);
	CU_ASSERT_STRING_EQUAL(error.text, "--path FILE is missing");
	CU_ASSERT_EQUAL(PARSE("--path", "p"), -EINVAL);
	CU_ASSERT_STRING_EQUAL(error.text, "FILE is missing");
}

static void what_may_come_often_adds_up(void)
{
	GOOD("--many", "a", "--many=b");
	CU_ASSERT_EQUAL(taken.many, 2);
	BAD("--many is anything good, not 'bad'", "--many", "a", "--many", "bad");
}

static void values_out_of_range_are_refused_with_their_range(void)
{
	BAD("--mtu is a number from 1280 to 9000, not '1279'", "--mtu", "1279");
	BAD("--mtu is a number from 1280 to 9000, not '9001'", "--mtu", "9001");
	BAD("--mtu is a number from 1280 to 9000, not '65536000'", "--mtu", "65536000");
	BAD("--mtu is a number from 1280 to 9000, not '1500.0'", "--mtu", "1500.0");
	BAD("--count is a number from 1 to 18446744073709551615, not '0'", "--count=0");
	BAD("--count is a number from 1 to 18446744073709551615, not '18446744073709551616'",
	    "--count", "18446744073709551616");
	BAD("--count is a number from 1 to 18446744073709551615, not '-1'", "--count", "-1");
	BAD("--bytes is a number of bytes such as 4096, 128K or 1M, from 1 to 1G, not '2G'",
	    "--bytes", "2G");
	BAD("--bytes is a number of bytes such as 4096, 128K or 1M, from 1 to 1G, not '1X'",
	    "--bytes", "1X");
	BAD("--share is a share such as 1% or 0.1%, at the finest 0.0001%, from 0% to 100%, not "
	    "'101%'",
	    "--share", "101%");
	BAD("--rate is bits a second such as 900Mbit or 2.5Gbit, from 1bit to 1000Gbit, not "
	    "'1001Gbit'",
	    "--rate", "1001Gbit");
	BAD("--level is low, middle or high, not 'Low'", "--level", "Low");
	BAD("--word is yes or no, not 'maybe'", "--word", "maybe");
}

static void a_time_without_its_unit_is_asked_for_it(void)
{
	BAD("--seconds needs a unit with its time: 5s, 5m or 5h", "--seconds", "5");
	BAD("--time needs a unit with its time: 90us, 90ms, 90s, 90m or 90h", "--time", "90");
	BAD("--seconds is a time such as 30s, 5m or 2h, from 1s to 8760h, not '0'", "--seconds",
	    "0");
	BAD("--time is a time such as 500us, 250ms, 10s, 5m or 2h, from 1us to 1h, not '61m'",
	    "--time", "61m");
}

/* Each alone: what it is, or that it is refused and leaves the field. */
static void expect_number(const char *option, const char *text, const uint64_t *field,
			  uint64_t expected)
{
	char word[128];
	int ret;

	snprintf(word, sizeof(word), "%s=%s", option, text);
	ret = PARSE("--path=p", "o", word);
	CU_ASSERT_EQUAL(ret, expected == UINT64_MAX ? -EINVAL : 0);
	CU_ASSERT_EQUAL(*field, expected == UINT64_MAX ? 0 : expected);
	CU_ASSERT_EQUAL(ret < 0, error.text[0] != '\0');
}

static void durations_are_numbers_with_a_unit(void)
{
	static const char *const wrong[] = {
		"s",
		"m",
		"0s",
		"-1s",
		"+1s",
		" ",
		"1 s",
		"s1",
		"1d",
		"1ms",
		"1.5h",
		"8761h",
		"x",
		"1sm",
		"0x1s",
		"31536001s",
		"1e3s",
		"1,5h",
		"99999999999999999999999999s",
		"1S",
	};

	expect_number("--seconds", "1s", &taken.seconds, 1);
	expect_number("--seconds", "90s", &taken.seconds, 90);
	expect_number("--seconds", "5m", &taken.seconds, 300);
	expect_number("--seconds", "8760h", &taken.seconds, 365u * 24 * 3600);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_number("--seconds", wrong[i], &taken.seconds, UINT64_MAX);
}

static void shares_are_exact_to_a_millionth(void)
{
	static const char *const wrong[] = {
		"1",
		"%",
		".5%",
		"1.%",
		"1.2.3%",
		"-1%",
		"+1%",
		"1%%",
		"101%",
		"1 %",
		"0.00001%",
		"1e1%",
		"100.0001%",
		"x",
		"1,5%",
		"0.1",
		"99999999999999999999999999%",
		"4294967295%",
	};

	expect_number("--share", "100%", &taken.share_ppm, 1000000);
	expect_number("--share", "1%", &taken.share_ppm, 10000);
	expect_number("--share", "12.3456%", &taken.share_ppm, 123456);
	expect_number("--share", "0.0001%", &taken.share_ppm, 1);
	expect_number("--share", "0%", &taken.share_ppm, 0);
	expect_number("--share", "0.7%", &taken.share_ppm, 7000);
	expect_number("--share", "99.9999%", &taken.share_ppm, 999999);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_number("--share", wrong[i], &taken.share_ppm, UINT64_MAX);
}

static void rates_are_bits_a_second(void)
{
	static const char *const wrong[] = { "1",     "bit",   "0bit",	"1Tbit",  "1Gb",
					     "-1bit", "1 bit", "1Gpps", "0.9bit", "1001Gbit" };

	expect_number("--rate", "1bit", &taken.bits_per_s, 1);
	expect_number("--rate", "900mbit", &taken.bits_per_s, 900000000);
	expect_number("--rate", "10Gbit", &taken.bits_per_s, 10000000000);
	expect_number("--rate", "0.5kbit", &taken.bits_per_s, 500);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_number("--rate", wrong[i], &taken.bits_per_s, UINT64_MAX);
}

static void help_and_version_end_the_line(void)
{
	CU_ASSERT(PARSE("--help", "--fly") == 0 && line.request == WM_OPTION_HELP);
	CU_ASSERT(PARSE("--text", "x", "-h") == 0 && line.request == WM_OPTION_HELP);
	CU_ASSERT(PARSE("--version") == 0 && line.request == WM_OPTION_VERSION);
	CU_ASSERT(PARSE("-V", "--fly") == 0 && line.request == WM_OPTION_VERSION);
	CU_ASSERT(PARSE("-hV") == 0 && line.request == WM_OPTION_HELP);
	CU_ASSERT(PARSE("--fly", "--help") == -EINVAL);
	CU_ASSERT(PARSE("--path=p", "--", "--help") == 0 && line.request == WM_OPTION_RUN);
	CU_ASSERT_STRING_EQUAL(line.operand, "--help");
}

static char *help_of(unsigned width)
{
	size_t bytes;
	char *text;
	FILE *stream = open_memstream(&text, &bytes);

	wm_option_print_help(&option_sample_schema, stream, width);
	fclose(stream);
	return text;
}

static void help_is_the_table(void)
{
	char *text = help_of(80);

	CU_ASSERT_EQUAL(strncmp(text,
				"tool first: does what a test wants\n\nusage: tool first FILE "
				"[--text TEXT] --path FILE ",
				40),
			0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  --bytes BYTES          how much (128K)\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  --maybe[=FILE]         perhaps a file\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n\nOne paragraph of words.\n\nAnd another one, "));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  -V, --version          print"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  -h, --help             print this\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n\nExit status: 0.\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "--burst"));
	free(text);
}

static void help_keeps_to_its_width(void)
{
	for (unsigned width = 40; width <= 120; width++) {
		char *text = help_of(width);

		for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
			size_t bytes = strcspn(at, "\n");

			CU_ASSERT(bytes <= width);
			CU_ASSERT(bytes == 0 || at[bytes - 1] != ' ');
		}
		free(text);
	}
}

static const struct wm_test tests[] = {
	WM_TEST(values_go_to_their_fields),
	WM_TEST(what_is_not_given_is_preset_or_stays),
	WM_TEST(options_and_operand_come_in_any_order),
	WM_TEST(value_that_is_optional_goes_with_its_sign),
	WM_TEST(unknown_options_are_named_whole),
	WM_TEST(wrong_lines_are_refused),
	WM_TEST(what_may_come_often_adds_up),
	WM_TEST(values_out_of_range_are_refused_with_their_range),
	WM_TEST(a_time_without_its_unit_is_asked_for_it),
	WM_TEST(durations_are_numbers_with_a_unit),
	WM_TEST(shares_are_exact_to_a_millionth),
	WM_TEST(rates_are_bits_a_second),
	WM_TEST(help_and_version_end_the_line),
	WM_TEST(help_is_the_table),
	WM_TEST(help_keeps_to_its_width),
};

int main(void)
{
	return WM_TESTS_RUN("option", tests);
}
