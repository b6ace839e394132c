/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of wiremill-gen, and what each of its commands takes of it. */
#include "options.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "harness.h"
#include "option_check.h"

static struct wm_gen_options options;
static struct wm_error error;

static int parse(int argc, const char *const *argv)
{
	options = (struct wm_gen_options){ 0 };
	error.text[0] = '\0';
	return wm_gen_options_parse(&options, argc, (char **)(uintptr_t)argv, &error);
}

#define PARSE(...)                                                                  \
	parse((int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)), \
	      (const char *const[]){ __VA_ARGS__, NULL })
#define BAD(words, ...)                                       \
	do {                                                  \
		CU_ASSERT_EQUAL(PARSE(__VA_ARGS__), -EINVAL); \
		CU_ASSERT_STRING_EQUAL(error.text, words);    \
	} while (0)

static void tables_of_all_commands_hold(void)
{
	option_check(&wm_gen_schema);
	for (unsigned i = 0; i < wm_gen_schema.command_count; i++)
		option_check(&wm_gen_schema.commands[i]);
}

static void defaults_are_those_of_the_command(void)
{
	CU_ASSERT_EQUAL(PARSE("roundtrip"), 0);
	CU_ASSERT_STRING_EQUAL(options.op, "echo");
	CU_ASSERT_STRING_EQUAL(options.sizes_text, "64");
	CU_ASSERT_STRING_EQUAL(options.rate_text, "max");
	CU_ASSERT(options.duration_ns == 10 * WM_NS_PER_S && options.idle_ns == 2 * WM_NS_PER_S);
	CU_ASSERT(options.wait_ns == 20 * WM_NS_PER_S && options.depth_ns == WM_NS_PER_MS);
	CU_ASSERT(options.flows == 1 && options.burst == 1 && options.window == 0);
	CU_ASSERT_EQUAL(PARSE("receive"), 0);
	CU_ASSERT(options.duration_ns == 0 && options.idle_ns == 0 && options.flows == 16);
	CU_ASSERT_EQUAL(PARSE("throughput", "--op", "map"), 0);
	CU_ASSERT_STRING_EQUAL(options.sizes_text, "jumbo");
	CU_ASSERT(options.resolution_ppm == 10000 && options.tolerated_ppm == 0);
	CU_ASSERT(options.confidence_ppm == 950000 && options.failure_ppm == 100000);
	CU_ASSERT_EQUAL(PARSE("replay", "f"), 0);
	CU_ASSERT(options.passes == 1 && options.speed_ppm == 1000000 && !options.rate_text);
	CU_ASSERT_STRING_EQUAL(options.file, "f");
	CU_ASSERT_EQUAL(PARSE("run", "-", "--keep-going"), 0);
	CU_ASSERT_STRING_EQUAL(options.file, "-");
	CU_ASSERT(options.keep_going);
}

static void values_are_taken(void)
{
	CU_ASSERT_EQUAL(PARSE("critical", "--mac", "02:00:00:00:00:07", "--failure=0.5%",
			      "--line-rate", "2.5Gbit", "--depth", "500us", "--live", "lines"),
			0);
	CU_ASSERT(options.has_mac && options.mac[0] == 2 && options.mac[5] == 7);
	CU_ASSERT(options.failure_ppm == 5000 && options.line_bits_per_s == 2500000000);
	CU_ASSERT(options.depth_ns == 500000 && options.live == WM_LIVE_LINES);
	CU_ASSERT_EQUAL(PARSE("replay", "f", "--speed", "0.5x"), 0);
	CU_ASSERT_EQUAL(options.speed_ppm, 500000);
	CU_ASSERT_EQUAL(PARSE("replay", "--speed=1000", "f"), 0);
	CU_ASSERT_EQUAL(options.speed_ppm, 1000000000);
}

static void wrong_values_are_named(void)
{
	BAD("there is no command 'shout'", "shout");
	BAD("echo knows no --size", "echo", "--size", "64");
	BAD("FILE is missing", "replay");
	BAD("'f' is one word too many", "echo", "f");
	BAD("--op is echo or map, not 'add'", "roundtrip", "--op", "add");
	BAD("--live is auto, screen, lines or off, not 'on'", "echo", "--live", "on");
	BAD("--speed is a factor from 0.001 to 1000, such as 2 or 0.5x, not '0.0009'", "replay",
	    "f", "--speed", "0.0009");
	BAD("--speed is a factor from 0.001 to 1000, such as 2 or 0.5x, not '1001x'", "replay", "f",
	    "--speed", "1001x");
	BAD("--mac is a machine's address such as 02:00:00:00:00:07, not 'ff:ff:ff:ff:ff:ff'",
	    "transmit", "--mac", "ff:ff:ff:ff:ff:ff");
	BAD("--duration needs a unit with its time: 10us, 10ms, 10s, 10m or 10h", "echo",
	    "--duration", "10");
	BAD("--tolerate is a share such as 1% or 0.1%, at the finest 0.0001%, from 0.0001% to "
	    "99.9999%, not '100%'",
	    "throughput", "--tolerate", "100%");
}

static void options_that_exclude_each_other_are_named(void)
{
	BAD("either --node or --nodes", "roundtrip", "--node", "a", "--nodes", "2");
	BAD("either --rate or --speed", "replay", "f", "--rate", "max", "--speed", "2");
	BAD("--json - and --csv - would both be on standard output: name a file for one of them",
	    "receive", "--json", "-", "--csv", "-");
	BAD("--snaplen is for --write", "echo", "--snaplen", "64");
	BAD("--op map is for nodes, with one flow: not with --flows", "roundtrip", "--op", "map",
	    "--flows", "2");
}

static const struct wm_test tests[] = {
	WM_TEST(tables_of_all_commands_hold),
	WM_TEST(defaults_are_those_of_the_command),
	WM_TEST(values_are_taken),
	WM_TEST(wrong_values_are_named),
	WM_TEST(options_that_exclude_each_other_are_named),
};

int main(void)
{
	return WM_TESTS_RUN("gen-options", tests);
}
