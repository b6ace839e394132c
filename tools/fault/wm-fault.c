/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wm-fault: puts the fault program on an interface of this network namespace,
 * in both directions, or takes it away. Used by tools/lab.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wm_fault.h"
#include "wm_fault.skel.h"

#define EXIT_USAGE 2
#define FILTER_HANDLE 1
#define FILTER_PRIORITY 1

static const char usage[] =
	"usage: wm-fault set INTERFACE [--loss P] [--corrupt P] [--duplicate P] [--frames A-B]\n"
	"       wm-fault clear INTERFACE\n"
	"       wm-fault show INTERFACE\n"
	"P is a percentage such as 1% or 0.1%, of the frames that pass, or of those from number A\n"
	"to number B in each direction (the first is 1). 'set' replaces what was set before.\n";

static const enum bpf_tc_attach_point directions[] = { BPF_TC_INGRESS, BPF_TC_EGRESS };

static const char *direction_name(enum bpf_tc_attach_point direction)
{
	/* Seen from the machine at the other end of the bridge's port. */
	return direction == BPF_TC_INGRESS ? "from" : "to";
}

static int parse_percentage(const char *text, __u64 *threshold)
{
	char *end;
	double percent;

	errno = 0;
	percent = strtod(text, &end);
	if (errno || end == text || strcmp(end, "%") != 0 || !(percent >= 0 && percent <= 100))
		return -EINVAL;
	*threshold = (__u64)(percent / 100 * (double)WM_FAULT_ALWAYS + 0.5);
	return 0;
}

static int parse_frames(const char *text, struct wm_fault_config *config)
{
	char first[20], last[20];
	int used = 0;

	if (sscanf(text, "%19[0-9]-%19[0-9]%n", first, last, &used) != 2 || text[used] != '\0')
		return -EINVAL;
	config->first = strtoull(first, NULL, 10);
	config->last = strtoull(last, NULL, 10);
	return config->first >= 1 && config->first <= config->last ? 0 : -EINVAL;
}

static int parse_option(int option, const char *text, struct wm_fault_config *config)
{
	__u64 *threshold = option == 'l'   ? &config->loss
			   : option == 'c' ? &config->corrupt
					   : &config->duplicate;

	if (option == '?')
		return -EINVAL;
	if (option == 'f' && parse_frames(text, config) < 0) {
		fprintf(stderr, "wm-fault: '%s' is no range of frames: write 1-100\n", text);
		return -EINVAL;
	}
	if (option != 'f' && parse_percentage(text, threshold) < 0) {
		fprintf(stderr, "wm-fault: '%s' is no percentage: write 1%% or 0.1%%\n", text);
		return -EINVAL;
	}
	return 0;
}

static int parse_config(int argc, char **argv, struct wm_fault_config *config)
{
	static const struct option options[] = {
		{ "loss", required_argument, NULL, 'l' },
		{ "corrupt", required_argument, NULL, 'c' },
		{ "duplicate", required_argument, NULL, 'd' },
		{ "frames", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*config = (struct wm_fault_config){ .first = 1, .last = UINT64_MAX };
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (parse_option(option, optarg, config) < 0)
			return -EINVAL;
	}
	return optind == argc ? 0 : -EINVAL;
}

static int attach(int ifindex, enum bpf_tc_attach_point direction,
		  const struct bpf_program *program)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = direction);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
			    .flags = BPF_TC_F_REPLACE, .prog_fd = bpf_program__fd(program));
	int ret;

	/* -EEXIST: the hook is there from before, and shared by both directions. */
	ret = bpf_tc_hook_create(&hook);
	if (ret < 0 && ret != -EEXIST)
		return ret;
	return bpf_tc_attach(&hook, &opts);
}

static int clear_faults(int ifindex)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
			    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int ret = bpf_tc_hook_destroy(&hook);

	/* Nothing was set: what was asked for is so. */
	return ret == -ENOENT || ret == -EINVAL ? 0 : ret;
}

/* Each direction gets its own copy of the program, so that each has counters. */
static int set_direction(int ifindex, enum bpf_tc_attach_point direction,
			 const struct wm_fault_config *config)
{
	struct wm_fault *fault;
	int ret;

	fault = wm_fault__open();
	if (!fault)
		return -errno;
	memcpy((void *)&fault->rodata->config, config, sizeof(*config));
	ret = wm_fault__load(fault);
	if (ret == 0)
		ret = attach(ifindex, direction,
			     direction == BPF_TC_INGRESS ? fault->progs.fault_ingress
							 : fault->progs.fault_egress);
	/* The filter keeps the program and its map alive. */
	wm_fault__destroy(fault);
	return ret;
}

static int set_faults(int ifindex, const struct wm_fault_config *config)
{
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		int ret = set_direction(ifindex, directions[i], config);

		if (ret < 0) {
			clear_faults(ifindex);
			return ret;
		}
	}
	return 0;
}

/* A descriptor of the counters' map of that program, or a negative errno. */
static int counters_map(__u32 program_id)
{
	struct bpf_prog_info program = { 0 };
	__u32 size = sizeof(program), map_ids[8];
	int program_fd, ret;

	program_fd = bpf_prog_get_fd_by_id(program_id);
	if (program_fd < 0)
		return program_fd;
	program.nr_map_ids = sizeof(map_ids) / sizeof(map_ids[0]);
	program.map_ids = (uintptr_t)map_ids;
	ret = bpf_obj_get_info_by_fd(program_fd, &program, &size);
	for (__u32 i = 0; ret == 0 && i < program.nr_map_ids; i++) {
		struct bpf_map_info map = { 0 };
		__u32 map_size = sizeof(map);
		int fd = bpf_map_get_fd_by_id(map_ids[i]);

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &map, &map_size) == 0 &&
		    map.value_size == sizeof(struct wm_fault_counters) &&
		    strcmp(map.name, "fault_counters") == 0) {
			ret = fd;
			goto close_program;
		}
		if (fd >= 0)
			close(fd);
	}
	ret = -ENOENT;
close_program:
	close(program_fd);
	return ret;
}

static int show_direction(int ifindex, enum bpf_tc_attach_point direction)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = direction);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE,
			    .priority = FILTER_PRIORITY);
	struct wm_fault_counters counters;
	__u32 key = 0;
	int map, ret;

	ret = bpf_tc_query(&hook, &opts);
	if (ret < 0)
		return ret;
	map = counters_map(opts.prog_id);
	if (map < 0)
		return map;
	ret = bpf_map_lookup_elem(map, &key, &counters);
	close(map);
	if (ret < 0)
		return ret;
	printf("%s frames=%" PRIu64 " lost=%" PRIu64 " corrupted=%" PRIu64 " duplicated=%" PRIu64
	       "\n",
	       direction_name(direction), (uint64_t)counters.frames, (uint64_t)counters.lost,
	       (uint64_t)counters.corrupted, (uint64_t)counters.duplicated);
	return 0;
}

static int show_faults(int ifindex)
{
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		int ret = show_direction(ifindex, directions[i]);

		if (ret == -ENOENT || ret == -EINVAL) {
			printf("no faults\n");
			return 0;
		}
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

int main(int argc, char **argv)
{
	struct wm_fault_config config;
	const char *verb, *interface;
	int ifindex, ret;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc < 3)
		goto wrong_usage;
	verb = argv[1];
	interface = argv[2];
	if (parse_config(argc - 2, argv + 2, &config) < 0)
		goto wrong_usage;
	ifindex = (int)if_nametoindex(interface);
	if (ifindex == 0) {
		fprintf(stderr, "wm-fault: no interface %s in this network namespace\n", interface);
		return EXIT_FAILURE;
	}

	/* It reports a hook that exists already as if that were an error. */
	libbpf_set_print(silent);
	if (strcmp(verb, "set") == 0)
		ret = set_faults(ifindex, &config);
	else if (strcmp(verb, "clear") == 0)
		ret = clear_faults(ifindex);
	else if (strcmp(verb, "show") == 0)
		ret = show_faults(ifindex);
	else
		goto wrong_usage;
	if (ret < 0) {
		fprintf(stderr, "wm-fault: cannot %s the faults of %s: %s%s\n", verb, interface,
			strerror(-ret), ret == -EPERM ? " (needs root)" : "");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;

wrong_usage:
	fputs(usage, stderr);
	return EXIT_USAGE;
}
