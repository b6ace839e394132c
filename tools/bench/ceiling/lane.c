/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One real lane on a memif, by itself: the nodes are wm-ceiling-echo, the disk takes no
 * time (null_store.c), the job has no end. What is left is what a lane costs.
 *
 *   wm-ceiling-lane --socket PATH --cpu N --control-cpu N --frame BYTES --nodes N
 *                   --seconds N
 *
 * --frame: length of a MAP, one of 64, 1514, 3146, 8266. Prints one JSON object of what
 * the lane counted in so many seconds, which begin half a second after its job, and
 * stays until its input ends.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "lane.h"
#include "memif.h"
#include "number.h"
#include "port_dpdk.h"

#define WARM_UP_NS (500 * WM_NS_PER_MS)
#define QUEUE_TARGET_BYTES (128u * 1024) /* as wiremilld */
#define JOB 1u
/* Of input: more than any run gets through, and no more than a layout takes. */
#define ENDLESS_BYTES (1ull << 55)

/*
 * What fills a frame of that length. 64 bytes are less than any job has, since no link
 * has so small an MTU: a kernel that only measures, one element of 22 bytes a batch.
 */
static const struct shape {
	uint32_t frame_bytes;
	uint16_t mtu;
	struct wm_kernel kernel;
} shapes[] = {
	{ 64, WM_MTU_MIN, { .name = "same", .in_bytes = 22, .out_bytes = 22 } },
	{ 1514, 1500, { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 } },
	{ 3146, 3506, { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 } },
	{ 8266, 9000, { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 } },
};

struct options {
	const char *socket_path;
	const struct shape *shape;
	uint64_t cpu, control_cpu, nodes, seconds;
};

static void sleep_ns(uint64_t ns)
{
	const struct timespec time = { .tv_sec = (time_t)(ns / WM_NS_PER_S),
				       .tv_nsec = (long)(ns % WM_NS_PER_S) };

	nanosleep(&time, NULL);
}

/* ---- a job without an end ---------------------------------------------------- */

/* One element a batch, and as many of them in an extent as an extent may have. */
static void make_tiny(struct wm_layout *layout)
{
	layout->batch_elements = 1;
	layout->extent_elements = layout->batches_per_extent = WM_EXTENT_BATCHES_MAX;
	layout->extents = layout->elements / layout->extent_elements;
	layout->batches = layout->extents * layout->batches_per_extent;
	layout->elements = layout->batches;
	layout->output_bytes = layout->elements * layout->kernel.out_bytes;
}

static int job_init(struct wm_lane_job *job, const struct shape *shape, struct wm_error *error)
{
	uint64_t bytes = ENDLESS_BYTES / shape->kernel.in_bytes * shape->kernel.in_bytes;
	int ret = wm_layout_init(&job->layout, &shape->kernel, bytes, shape->mtu, error);

	if (ret < 0)
		return ret;
	if (shape->frame_bytes == 64)
		make_tiny(&job->layout);
	job->id = JOB;
	/* As on a disk with blocks of 512 bytes. */
	job->source = (struct wm_source){ .direct = true, .align_bytes = 512, .bytes = bytes };
	job->sink = (struct wm_sink){ .direct = true,
				      .align_bytes = 512,
				      .bytes = job->layout.output_bytes };
	wm_progress_init(&job->progress, job->layout.extents);
	return 0;
}

/* ---- what the daemon's control thread does -------------------------------------- */

static void command(struct wm_lane *lane, const struct wm_lane_command *command)
{
	while (!wm_lane_post_command(lane, command))
		sleep_ns(WM_NS_PER_MS);
}

static void start(struct wm_lane *lane, struct wm_lane_job *job, uint32_t nodes)
{
	struct wm_lane_command each = { .window_max = WM_NODE_WINDOW_MAX, .mac = { 2 } };

	command(lane, &(struct wm_lane_command){ .op = WM_LANE_JOB_START, .job = job });
	for (each.node = 0; each.node < nodes; each.node++) {
		each.session = WM_NODES_MAX | each.node;
		each.mac[5] = (uint8_t)each.node;
		each.op = WM_LANE_NODE_SET;
		command(lane, &each);
		each.op = WM_LANE_NODE_JOIN;
		command(lane, &each);
	}
}

/* A node that fell silent, since the other end was not scheduled, is heard of. */
static void beat(struct wm_lane *lane, uint32_t nodes)
{
	for (uint32_t i = 0; i < nodes; i++)
		command(lane, &(struct wm_lane_command){ .op = WM_LANE_NODE_BEAT, .node = i });
}

static void wait_for_end(struct wm_lane *lane)
{
	struct wm_lane_event event = { .op = WM_LANE_NODE_SILENT };

	while (event.op != WM_LANE_JOB_ENDED) {
		if (!wm_lane_poll_event(lane, &event))
			sleep_ns(WM_NS_PER_MS);
	}
}

static void stop(struct wm_lane *lane)
{
	command(lane, &(struct wm_lane_command){ .op = WM_LANE_JOB_STOP });
	wait_for_end(lane);
	command(lane, &(struct wm_lane_command){ .op = WM_LANE_QUIT });
	wm_lane_wait(lane);
}

static uint64_t drops(const struct wm_lane_counters *counters)
{
	uint64_t sum = 0;

	for (unsigned reason = WM_DROP_NONE + 1; reason < WM_DROP_REASONS; reason++)
		sum += counters->drops.count[reason];
	return sum;
}

static void report(const struct wm_lane_snapshot *from, const struct wm_lane_snapshot *to)
{
	const struct wm_lane_counters *a = &from->counters, *b = &to->counters;
	const struct {
		const char *name;
		uint64_t value;
	} figures[] = {
		{ "ns", to->job.published_ns - from->job.published_ns },
		{ "batches", to->job.batches_done - from->job.batches_done },
		{ "frames_sent", b->frames_sent - a->frames_sent },
		{ "frames_received", b->frames_received - a->frames_received },
		{ "bytes_sent", b->bytes_sent - a->bytes_sent },
		{ "bytes_received", b->bytes_received - a->bytes_received },
		{ "sent_copied_bytes", b->transmit_copied_bytes - a->transmit_copied_bytes },
		{ "received_copied_bytes", b->receive_copied_bytes - a->receive_copied_bytes },
		{ "resent", b->resent - a->resent },
		{ "dropped", drops(b) - drops(a) },
		{ "busy_ns", b->busy_ns - a->busy_ns },
	};

	for (unsigned i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		printf("%s\"%s\": %" PRIu64, i ? ", " : "{", figures[i].name, figures[i].value);
	puts("}");
	fflush(stdout);
}

static void measure(struct wm_lane *lane, uint32_t nodes, uint64_t seconds)
{
	struct wm_lane_snapshot from, to;

	sleep_ns(WARM_UP_NS);
	wm_lane_take_snapshot(lane, &from);
	while (seconds-- > 0) {
		sleep_ns(WM_NS_PER_S);
		beat(lane, nodes);
	}
	wm_lane_take_snapshot(lane, &to);
	report(&from, &to);
}

/* net_memif does not bear to lose its other end while it polls. So here polling ends
 * first, then the other end is killed, and then our input ends. */
static void wait_for_leave(void)
{
	while (getchar() != EOF)
		;
}

static int run_lane(struct wm_port *port, const struct options *options, struct wm_error *error)
{
	static struct wm_lane_job job;
	struct wm_lane_config config = { .port = port,
					 .lcore = 1,
					 .count = 1,
					 .queue_target_bytes = QUEUE_TARGET_BYTES,
					 .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	struct wm_lane *lane;
	int ret = job_init(&job, options->shape, error);

	if (ret < 0)
		goto close_wake;
	ret = wm_lane_create(&lane, &config, error);
	if (ret < 0)
		goto close_wake;
	ret = wm_lane_launch(lane, error);
	if (ret < 0)
		goto destroy_lane;
	start(lane, &job, (uint32_t)options->nodes);
	measure(lane, (uint32_t)options->nodes, options->seconds);
	stop(lane);
	wait_for_leave();

destroy_lane:
	/* Mbufs in its ring point into the lane's memory. */
	wm_port_stop(port);
	wm_lane_destroy(&lane);
close_wake:
	close(config.wake_fd);
	return ret;
}

static int run(const struct options *options, struct wm_error *error)
{
	const struct wm_port_config config =
		wm_lane_port_config(options->shape->mtu, WM_WIRE_CRC32C);
	struct wm_memif memif = { .socket_path = options->socket_path,
				  .role = "client",
				  .hugepages = wm_lane_hugepages() };
	struct wm_port port;
	int ret;

	memif.lanes = 1;
	snprintf(memif.lcores, sizeof(memif.lcores), "0@%" PRIu64 ",1@%" PRIu64,
		 options->control_cpu, options->cpu);
	ret = wm_memif_open(&port, &memif, &config, error);
	if (ret < 0)
		return ret;
	ret = run_lane(&port, options, error);
	wm_memif_close(&port);
	return ret;
}

/* ---- options --------------------------------------------------------------- */

static int wrong_usage(const char *what, const char *value)
{
	fprintf(stderr, "wm-ceiling-lane: %s'%s'\n", what, value);
	return -EINVAL;
}

static int take_shape(struct options *options, const char *text)
{
	uint64_t bytes;

	if (wm_number_parse(text, 1, WM_MTU_MAX, &bytes) < 0)
		return -EINVAL;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (shapes[i].frame_bytes == bytes)
			options->shape = &shapes[i];
	}
	return options->shape ? 0 : -EINVAL;
}

static int take_option(struct options *options, int option)
{
	switch (option) {
	case 's':
		options->socket_path = optarg;
		return 0;
	case 'p':
		return wm_number_parse(optarg, 0, 1023, &options->cpu);
	case 'q':
		return wm_number_parse(optarg, 0, 1023, &options->control_cpu);
	case 'f':
		return take_shape(options, optarg);
	case 'n':
		return wm_number_parse(optarg, 1, 255, &options->nodes);
	case 't':
		return wm_number_parse(optarg, 1, 3600, &options->seconds);
	default:
		return -EINVAL;
	}
}

static int take_options(int argc, char **argv, struct options *options)
{
	static const struct option table[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "cpu", required_argument, NULL, 'p' },
		{ "control-cpu", required_argument, NULL, 'q' },
		{ "frame", required_argument, NULL, 'f' },
		{ "nodes", required_argument, NULL, 'n' },
		{ "seconds", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (option == '?')
			return -EINVAL;
		if (take_option(options, option) < 0)
			return wrong_usage("not a value it takes: ", optarg);
	}
	if (optind < argc)
		return wrong_usage("unexpected argument ", argv[optind]);
	if (!options->socket_path || !options->shape)
		return wrong_usage("missing option ",
				   options->socket_path ? "--frame" : "--socket");
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .control_cpu = 1, .nodes = 12, .seconds = 1 };
	struct wm_error error = { "" };

	if (take_options(argc, argv, &options) < 0)
		return 2;
	if (run(&options, &error) < 0) {
		fprintf(stderr, "wm-ceiling-lane: %s\n", error.text);
		return 1;
	}
	return 0;
}
