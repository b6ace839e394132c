/* SPDX-License-Identifier: BSD-3-Clause */
/* The hugepages that README.md and ARCHITECTURE.md name are those that are asked for.
 * Arguments: the two files. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "lane.h"
#include "port_queues.h"
#include "recorder.h"

static char *readme, *architecture;

/* Where a line ends says nothing: a page may be filled anew. */
static void join_lines(char *text)
{
	char *end = text;

	for (const char *at = text; *at; at++)
		if (!isspace((unsigned char)*at) || !isspace((unsigned char)at[1]))
			*end++ = isspace((unsigned char)*at) ? ' ' : *at;
	*end = 0;
}

static char *load(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 1 << 20);

	if (!file || !text || fread(text, 1, (1 << 20) - 1, file) == 0)
		abort();
	fclose(file);
	join_lines(text);
	return text;
}

static void says(const char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void says(const char *text, const char *format, ...)
{
	char words[256];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	if (strstr(text, words))
		return;
	CU_FAIL("a figure is not true");
	printf("# it is to say '%s'\n", words);
}

static uint32_t port_pages(uint16_t mtu, enum wm_wire_auth auth)
{
	struct wm_port_config config = wm_lane_port_config(mtu, auth);

	return wm_port_hugepages(&config, mtu);
}

static uint32_t all_pages(uint16_t mtu)
{
	return port_pages(mtu, WM_WIRE_CRC32C) + wm_lane_hugepages();
}

static void readme_names_what_a_controller_takes(void)
{
	says(readme, "%u hugepages of 2 MiB for a controller at MTU 9000 (%u at 1500)",
	     all_pages(9000), all_pages(1500));
}

static void architecture_adds_it_up(void)
{
	uint32_t large = all_pages(9000), small = all_pages(1500);
	uint32_t base = WM_PORT_HUGEPAGES_BASE;

	says(architecture, "| %u pages of 2 MiB | %u |", wm_lane_hugepages(), wm_lane_hugepages());
	says(architecture, "| pools: receive, header, attach | %u | %u |",
	     port_pages(9000, WM_WIRE_CRC32C) - base, port_pages(1500, WM_WIRE_CRC32C) - base);
	says(architecture, "| EAL, rings, device | %u | %u |", base, base);
	says(architecture, "| **%u = %u MiB** | **%u = %u MiB** |", large, large * 2, small,
	     small * 2);
}

static void architecture_names_what_aead_takes(void)
{
	says(architecture, "| with `--auth aead`: tags on their way out | %u more | %u more |",
	     port_pages(9000, WM_WIRE_AEAD) - port_pages(9000, WM_WIRE_CRC32C),
	     port_pages(1500, WM_WIRE_AEAD) - port_pages(1500, WM_WIRE_CRC32C));
}

static void architecture_names_what_a_recorder_takes(void)
{
	says(architecture, "%u hugepages more at MTU 9000, %u at 1500",
	     wm_recorder_hugepages(9000, 0), wm_recorder_hugepages(1500, 0));
}

static const struct wm_test tests[] = {
	WM_TEST(readme_names_what_a_controller_takes),
	WM_TEST(architecture_adds_it_up),
	WM_TEST(architecture_names_what_aead_takes),
	WM_TEST(architecture_names_what_a_recorder_takes),
};

WM_TESTS_ARGUMENTS(2, 2, "README ARCHITECTURE");

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	readme = load(argv[1]);
	architecture = load(argv[2]);
	return WM_TESTS_RUN("figures", tests);
}
