/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>

#include "cli.h"
#include "client.h"
#include "number.h"

static void bytes_print(const char *before, uint64_t bytes, const char *after)
{
	char text[32];

	printf("%s%s%s", before, wm_number_format_bytes(text, sizeof(text), bytes), after);
}

static void label(const char *text)
{
	printf("  %-12s ", text);
}

static void controller_print(const json_t *stats)
{
	const json_t *jobs = json_object_get(stats, "jobs");
	const json_t *memory = json_object_get(stats, "memory");
	char text[32];

	printf("controller %s, up %s\n", wm_cli_text(stats, "version"),
	       wm_number_format_seconds(text, sizeof(text), wm_cli_real(stats, "uptime_seconds")));
	label("nodes");
	printf("%" PRIu64 "\n", wm_cli_number(stats, "nodes"));
	label("jobs");
	printf("%" PRIu64 " running, %" PRIu64 " queued, %" PRIu64 " done, %" PRIu64
	       " failed, %" PRIu64 " cancelled\n",
	       wm_cli_number(jobs, "running"), wm_cli_number(jobs, "queued"),
	       wm_cli_number(jobs, "done"), wm_cli_number(jobs, "failed"),
	       wm_cli_number(jobs, "cancelled"));
	label("memory");
	bytes_print("", wm_cli_number(memory, "hugepage_bytes"), " in huge pages, ");
	bytes_print("", wm_cli_number(memory, "pinned_bytes"), " pinned\n");
}

static void port_print(const json_t *port)
{
	label("port");
	printf("%s (%s), MTU %" PRIu64 ", %s, %s\n", wm_cli_text(port, "name"),
	       wm_cli_text(port, "driver"), wm_cli_number(port, "mtu"), wm_cli_text(port, "mac"),
	       wm_cli_bool(port, "multi_segment_transmit") ? "sends in several segments"
							   : "sends in one segment");
	label("link");
	printf("%s", wm_cli_text(port, "link"));
	if (wm_cli_number(port, "link_megabits_per_s") > 0)
		printf(", %" PRIu64 " Mb/s", wm_cli_number(port, "link_megabits_per_s"));
	printf("; a ring of %" PRIu64 " frames\n", wm_cli_number(port, "ring_frames"));
	label("sent");
	printf("%" PRIu64 " frames", wm_cli_number(port, "frames_sent"));
	bytes_print(", ", wm_cli_number(port, "bytes_sent"), "");
	printf("; %" PRIu64 " times refused for now, %" PRIu64 " dropped by the driver\n",
	       wm_cli_number(port, "transmit_refused"),
	       wm_cli_number(port, "transmit_errors") + wm_cli_number(port, "transmit_dropped"));
	label("received");
	printf("%" PRIu64 " frames", wm_cli_number(port, "frames_received"));
	bytes_print(", ", wm_cli_number(port, "bytes_received"), "");
	printf("; %" PRIu64 " missed, %" PRIu64 " without a buffer, %" PRIu64 " refused\n",
	       wm_cli_number(port, "missed"), wm_cli_number(port, "no_buffer"),
	       wm_cli_number(port, "receive_errors"));
}

static void obtained_print(const json_t *obtained)
{
	const char *why = wm_cli_text(obtained, "receive_why");

	label("obtained");
	printf("transmit %s, receive %s%s%s%s, source %s, sink %s, frames by %s\n",
	       wm_cli_text(obtained, "transmit"), wm_cli_text(obtained, "receive"),
	       *why ? " (" : "", why, *why ? ")" : "", wm_cli_text(obtained, "source"),
	       wm_cli_text(obtained, "sink"), wm_cli_text(obtained, "auth"));
}

static void copied_print(const json_t *copied, const json_t *payload)
{
	label("copied");
	bytes_print("transmit ", wm_cli_number(copied, "transmit"), "");
	bytes_print(" of ", wm_cli_number(payload, "transmit"), " payload, ");
	bytes_print("receive ", wm_cli_number(copied, "receive"), "");
	bytes_print(" of ", wm_cli_number(payload, "receive"), " payload\n");
}

static void extents_print(const json_t *extents)
{
	label("extents");
	printf("%" PRIu64 " read (%" PRIu64 " direct), %" PRIu64 " written (%" PRIu64 " direct)\n",
	       wm_cli_number(extents, "read"), wm_cli_number(extents, "read_direct"),
	       wm_cli_number(extents, "written"), wm_cli_number(extents, "written_direct"));
}

static void batches_print(const json_t *batches)
{
	label("batches");
	printf("%" PRIu64 " sent, %" PRIu64 " resent, %" PRIu64 " results, %" PRIu64
	       " duplicates\n",
	       wm_cli_number(batches, "sent"), wm_cli_number(batches, "resent"),
	       wm_cli_number(batches, "results"), wm_cli_number(batches, "duplicates"));
}

static void drops_print(const json_t *drops)
{
	const char *reason, *separator = "";
	json_t *count;

	label("drops");
	/* jansson walks an object only by a pointer that is not const. */
	json_object_foreach((json_t *)(uintptr_t)drops, reason, count)
	{
		if (json_integer_value(count) == 0)
			continue;
		printf("%s%" PRIu64 " %s", separator, wm_cli_number(drops, reason), reason);
		separator = ", ";
	}
	printf("%s\n", *separator ? "" : "none");
}

static void lane_print(const json_t *lane)
{
	printf("lane %" PRIu64 " on lcore %" PRIu64 "\n", wm_cli_number(lane, "lane"),
	       wm_cli_number(lane, "lcore"));
	port_print(json_object_get(lane, "port"));
	obtained_print(json_object_get(lane, "obtained"));
	copied_print(json_object_get(lane, "copied_bytes"), json_object_get(lane, "payload_bytes"));
	extents_print(json_object_get(lane, "extents"));
	batches_print(json_object_get(lane, "batches"));
	drops_print(json_object_get(lane, "drops"));
}

static void stats_print(const json_t *stats)
{
	const json_t *lane;
	size_t i;

	controller_print(stats);
	json_array_foreach(json_object_get(stats, "lanes"), i, lane) lane_print(lane);
}

static int run(const struct wm_cli *cli)
{
	int status;
	json_t *stats = wm_client_ask(cli->socket_path, "stats", json_object(), &status);

	if (!stats)
		return status;
	if (cli->json)
		wm_cli_print_json(stats);
	else
		stats_print(stats);
	json_decref(stats);
	return WM_EXIT_DONE;
}

const struct wm_verb wm_verb_stats = {
	.schema = {
	.version = WM_CLI_VERSION,
	.name = "wiremill stats",
	.summary = "what the controller obtained, and its counters",
	.about =
		"Counters run since the controller started. 'copied' are bytes of payload that a\n"
		"processor moved on the way; 'drops' are received frames that were not taken.",
	WM_CLI_NO_SETS,
	},
	.run = run,
};
