/* SPDX-License-Identifier: BSD-3-Clause */
#include "gen.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "clock.h"
#include "eal.h"
#include "log.h"
#include "mac.h"
#include "number.h"
#include "port_dpdk.h"
#include "port_queues.h"
#include "signals.h"

/* How often control frames are looked at while the engine polls. */
#define SERVE_NS (2 * WM_NS_PER_MS)
/* How often its link is looked at. */
#define LINK_NS (10 * WM_NS_PER_MS)
/* Nodes ask to be let in twice a second: then all that hear us have come. */
#define SETTLE_NS (2 * WM_NS_PER_S)

/* As wiremilld gives its nodes. */
#define PREPARE_NS (10 * WM_NS_PER_S)

static volatile sig_atomic_t signalled;

static void note_signal(int number)
{
	signalled = number;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t to_end;

	wm_signals_to_end(&to_end);
	for (int number = 1; number < SIGRTMIN; number++) {
		if (sigismember(&to_end, number) == 1)
			sigaction(number, &action, NULL);
	}
}

/* ---- bring-up ------------------------------------------------------------------ */

static uint32_t recorder_hugepages(const struct wm_gen *gen, uint16_t mtu)
{
	const struct wm_gen_options *options = gen->options;

	return options->write_path ? wm_recorder_hugepages(mtu, options->snap_bytes) : 0;
}

static int eal_start(struct wm_gen *gen, struct wm_port_config *config, unsigned *lcore,
		     struct wm_error *error)
{
	const struct wm_port_device *device = &gen->options->device;
	uint32_t hugepages;
	struct wm_eal_config eal = {
		.program = "wiremill-gen",
		.devices = device,
		.device_count = 1,
		.hugepages = &hugepages,
		.lanes = 1,
		.lcores = gen->options->lcores,
	};
	uint16_t mtu;
	int ret = wm_port_mtu(device, &mtu, error);

	if (ret < 0)
		return ret;
	*config = wm_engine_port_config(mtu);
	hugepages = wm_port_hugepages(config, mtu) + wm_engine_hugepages() +
		    recorder_hugepages(gen, mtu);
	ret = wm_eal_start(&eal, error);
	if (ret < 0)
		return ret;
	*lcore = rte_get_next_lcore((unsigned)-1, 1, 0);
	config->device = device;
	config->socket = (int)rte_lcore_to_socket_id(*lcore);
	return 0;
}

/* The capture that is to be replayed must not be replaced by what is recorded of it. */
static bool is_replayed(const struct wm_gen_options *options)
{
	struct stat replayed, written;

	return options->command == WM_GEN_REPLAY && stat(options->file, &replayed) == 0 &&
	       stat(options->write_path, &written) == 0 && replayed.st_dev == written.st_dev &&
	       replayed.st_ino == written.st_ino;
}

static int recorder_start(struct wm_gen *gen, struct wm_error *error)
{
	const struct wm_gen_options *options = gen->options;

	if (!options->write_path)
		return 0;
	if (is_replayed(options))
		return wm_error_set(error, EINVAL,
				    "%s: replaying it and writing to it: name another file",
				    options->write_path);
	return wm_recorder_create(&gen->recorder, &gen->port, options->write_path,
				  options->snap_bytes, error);
}

static int engine_start(struct wm_gen *gen, unsigned lcore, struct wm_error *error)
{
	int ret = wm_engine_create(&gen->engine, &gen->port, gen->recorder, lcore, error);

	if (ret < 0)
		return ret;
	ret = wm_engine_launch(gen->engine, error);
	if (ret < 0)
		wm_engine_destroy(&gen->engine);
	return ret;
}

/* Who only receives is no controller: nodes are not to join it. */
static int rack_start(struct wm_gen *gen, struct wm_error *error)
{
	if (!gen->has_rack)
		return 0;
	gen->rack = wm_rack_create(wm_engine_get_link(gen->engine), gen->key);
	return gen->rack ? 0 : wm_error_set(error, ENOMEM, "no memory for the nodes");
}

int wm_gen_open(struct wm_gen *gen, const struct wm_gen_options *options, const struct wm_key *key,
		struct wm_error *error)
{
	struct wm_port_config config;
	unsigned lcore;
	int ret;

	*gen = (struct wm_gen){
		.options = options,
		.key = key,
		.has_rack = wm_gen_options_want_nodes(options),
	};
	catch_signals();
	ret = wm_live_open(&gen->live, options->live, error);
	if (ret < 0)
		return ret;
	/* Room to count up from; 0 is no job. */
	wm_auth_random(&gen->next_run, sizeof(gen->next_run));
	gen->next_run = gen->next_run / 2 + 1;
	ret = eal_start(gen, &config, &lcore, error);
	if (ret < 0)
		goto close_live;
	ret = wm_port_open(&gen->port, &config, error);
	if (ret < 0)
		goto stop_eal;
	ret = recorder_start(gen, error);
	if (ret < 0)
		goto close_port;
	ret = engine_start(gen, lcore, error);
	if (ret < 0)
		goto destroy_recorder;
	ret = rack_start(gen, error);
	if (ret == 0)
		return 0;

	wm_engine_quit(gen->engine);
	wm_port_stop(&gen->port);
	wm_engine_destroy(&gen->engine);
destroy_recorder:
	wm_recorder_destroy(&gen->recorder);
close_port:
	wm_port_close(&gen->port);
stop_eal:
	wm_eal_stop();
close_live:
	wm_live_close(&gen->live);
	return ret;
}

int wm_gen_end(struct wm_gen *gen, struct wm_error *error)
{
	int ret = 0;

	wm_live_close(&gen->live);
	wm_rack_destroy(&gen->rack);
	wm_engine_quit(gen->engine);
	wm_engine_get_counters(gen->engine, &gen->counters);
	if (gen->recorder) {
		ret = wm_recorder_finish(gen->recorder, error);
		gen->recorded = wm_recorder_get_counts(gen->recorder);
	}
	gen->ended = true;
	return ret;
}

void wm_gen_close(struct wm_gen *gen)
{
	if (!gen->ended)
		wm_gen_end(gen, NULL);
	/* The port before the filler that mbufs in its ring point into. */
	wm_port_stop(&gen->port);
	wm_engine_destroy(&gen->engine);
	wm_recorder_destroy(&gen->recorder);
	wm_port_close(&gen->port);
	wm_eal_stop();
}

/* The lab's drivers say a speed too, which is made up. */
uint64_t wm_gen_line_bits_per_s(const struct wm_gen *gen)
{
	struct rte_eth_link link;

	if (gen->options->line_bits_per_s || !gen->options->device.pci ||
	    rte_eth_link_get_nowait(gen->port.id, &link) < 0 ||
	    link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN)
		return gen->options->line_bits_per_s;
	return link.link_speed * 1000000ull;
}

/* ---- time passes ----------------------------------------------------------------- */

/* False: a signal came. */
static bool serve(struct wm_gen *gen)
{
	const struct timespec nap = { .tv_nsec = SERVE_NS };

	if (gen->rack)
		wm_rack_serve(gen->rack);
	if (gen->recorder)
		wm_recorder_serve(gen->recorder);
	nanosleep(&nap, NULL);
	gen->interrupted = signalled != 0;
	return !gen->interrupted;
}

static const char *port_title(const struct wm_gen *gen)
{
	return gen->port.interface ? gen->port.interface : gen->port.name;
}

/* What is lost without a link says nothing of the rack. */
static void watch_link(struct wm_gen *gen, struct wm_traffic *traffic, uint64_t now_ns)
{
	const enum wm_port_link_state before = gen->link.state;

	if (now_ns < gen->link_next_ns)
		return;
	gen->link_next_ns = now_ns + LINK_NS;
	wm_port_read_link(&gen->port, &gen->link);
	if (gen->link.state == before)
		return;
	if (before == WM_PORT_LINK_UP)
		traffic->link_downs++;
	wm_log_warning("port %s: its link is %s%s", port_title(gen),
		       wm_port_link_name(gen->link.state),
		       gen->link.state == WM_PORT_LINK_UP ? " again" : "");
}

static int takes_no_frames(const struct wm_gen *gen, const struct wm_traffic *traffic,
			   struct wm_error *error)
{
	bool is_up = gen->link.state == WM_PORT_LINK_UP;

	return wm_error_set(error, -traffic->result, "port %s (%s) takes no frames: %s%s",
			    port_title(gen), gen->port.driver,
			    is_up ? "is its link up?" : "its link is ",
			    is_up ? "" : wm_port_link_name(gen->link.state));
}

int wm_gen_run(struct wm_gen *gen, struct wm_traffic *traffic, struct wm_error *error)
{
	/* One that is down when it begins counts as well. */
	gen->link.state = WM_PORT_LINK_UP;
	gen->link_next_ns = 0;
	wm_live_begin(&gen->live, traffic, wm_gen_line_bits_per_s(gen), wm_clock_ns());
	wm_engine_start(gen->engine, traffic);
	wm_log_info("runs on port %s (%s)", gen->port.name, gen->port.driver);
	while (wm_engine_is_running(gen->engine)) {
		wm_live_show(&gen->live, wm_clock_ns());
		watch_link(gen, traffic, wm_clock_ns());
		if (!serve(gen))
			wm_engine_stop(gen->engine);
	}
	return traffic->result < 0 ? takes_no_frames(gen, traffic, error) : 0;
}

/* ---- targets ----------------------------------------------------------------------- */

static void take_member(struct wm_gen_targets *targets, const struct wm_member *member)
{
	struct wm_traffic_address *address = &targets->addresses[targets->count++];

	snprintf(address->name, sizeof(address->name), "%s", member->hello.name);
	memcpy(address->mac, member->mac, sizeof(address->mac));
	address->session = member->session;
	if (member->hello.mtu < targets->mtu)
		targets->mtu = (uint16_t)member->hello.mtu;
}

static void take_machine(struct wm_gen_targets *targets, const uint8_t mac[WM_ETHER_ADDR_BYTES])
{
	struct wm_traffic_address *address = &targets->addresses[targets->count++];

	memcpy(address->mac, mac, sizeof(address->mac));
	wm_mac_format(address->name, mac);
}

/* The next name of a list with commas; NULL past the last. */
static const char *next_name(const char **list, char name[WM_NODE_NAME_BYTES])
{
	size_t bytes = strcspn(*list, ",");

	if (**list == '\0')
		return NULL;
	snprintf(name, WM_NODE_NAME_BYTES, "%.*s", (int)bytes, *list);
	*list += bytes + ((*list)[bytes] == ',');
	return name;
}

/* missing: the first that is not there, or "". */
static void take_named(struct wm_gen *gen, const char *list, struct wm_gen_targets *targets,
		       char missing[WM_NODE_NAME_BYTES])
{
	char name[WM_NODE_NAME_BYTES];

	missing[0] = '\0';
	while (targets->count < WM_NODES_MAX && next_name(&list, name)) {
		const struct wm_member *member = wm_rack_find(gen->rack, name);

		if (member)
			take_member(targets, member);
		else if (missing[0] == '\0')
			strcpy(missing, name);
	}
}

static void take_all(struct wm_gen *gen, struct wm_gen_targets *targets)
{
	const struct wm_member *member;

	while ((member = wm_rack_at(gen->rack, targets->count)))
		take_member(targets, member);
}

static bool have_all(struct wm_gen *gen, const struct wm_gen_options *options,
		     struct wm_gen_targets *targets, char missing[WM_NODE_NAME_BYTES])
{
	targets->count = 0;
	targets->mtu = gen->port.mtu;
	if (options->nodes) {
		take_named(gen, options->nodes, targets, missing);
		return missing[0] == '\0';
	}
	take_all(gen, targets);
	if (options->node_count > 0)
		return targets->count >= options->node_count;
	return targets->count > 0 && wm_clock_ns() >= wm_rack_changed_ns(gen->rack) + SETTLE_NS;
}

static int missing_nodes(const struct wm_gen_options *options, uint32_t count, const char *missing,
			 struct wm_error *error)
{
	char nodes[WM_COUNT_BYTES];
	if (missing[0])
		return wm_error_set(error, ETIMEDOUT,
				    "node %s does not come: is it up, and is its --key the same?",
				    missing);
	if (count == 0)
		return wm_error_set(error, ETIMEDOUT,
				    "no node comes: are any up, and is their --key the same?");
	return wm_error_set(
		error, ETIMEDOUT, "%" PRIu32 " of %s came in time", count,
		wm_number_format_count(nodes, sizeof(nodes), options->node_count, "node"));
}

static int find_nodes(struct wm_gen *gen, const struct wm_gen_options *options,
		      struct wm_gen_targets *targets, struct wm_error *error)
{
	const uint64_t deadline_ns = wm_clock_ns() + options->wait_ns;
	char missing[WM_NODE_NAME_BYTES] = "";

	while (!have_all(gen, options, targets, missing)) {
		if (!serve(gen))
			return wm_error_set(error, EINTR, "interrupted before all nodes came");
		if (wm_clock_ns() >= deadline_ns)
			return missing_nodes(options, targets->count, missing, error);
	}
	return 0;
}

static int check_sizes(const struct wm_gen_options *options, const struct wm_gen_targets *targets,
		       struct wm_error *error)
{
	for (uint32_t i = 0; i < options->sizes.count; i++) {
		const struct wm_size_point *point = &options->sizes.points[i];

		if (point->last > wm_rate_frame_bytes_max(targets->mtu))
			return wm_error_set(error, EMSGSIZE,
					    "frames of %s bytes are too large for a node whose "
					    "MTU is %u",
					    point->name, targets->mtu);
	}
	return 0;
}

int wm_gen_targets_find(struct wm_gen *gen, const struct wm_gen_options *options,
			struct wm_gen_targets *targets, struct wm_error *error)
{
	int ret = 0;

	*targets = (struct wm_gen_targets){ .mtu = gen->port.mtu };
	targets->addresses = calloc(WM_NODES_MAX, sizeof(*targets->addresses));
	if (!targets->addresses)
		return wm_error_set(error, ENOMEM, "no memory for the targets");
	if (options->has_mac)
		take_machine(targets, options->mac);
	else if (wm_gen_options_want_nodes(options))
		ret = find_nodes(gen, options, targets, error);
	return ret < 0 ? ret : check_sizes(options, targets, error);
}

void wm_gen_targets_free(struct wm_gen_targets *targets)
{
	free(targets->addresses);
	targets->addresses = NULL;
}

/* ---- a kernel on the nodes --------------------------------------------------------- */

static int all_ready(const struct wm_gen *gen, const struct wm_gen_targets *targets,
		     struct wm_error *error)
{
	int ret = 0;

	for (uint32_t i = 0; i < targets->count && ret == 0; i++)
		ret = wm_rack_is_ready(gen->rack, targets->addresses[i].session, error);
	return ret;
}

int wm_gen_prepare(struct wm_gen *gen, const struct wm_kernel *kernel, uint32_t job,
		   const struct wm_gen_targets *targets, uint32_t *elements_max,
		   struct wm_error *error)
{
	const uint64_t deadline_ns = wm_clock_ns() + PREPARE_NS;
	struct wm_layout layout;
	int ret;

	/* How much there is to compute does not matter, only the shape of a batch. */
	ret = wm_layout_init(&layout, kernel, (uint64_t)kernel->in_bytes * WM_EXTENT_BYTES,
			     targets->mtu, error);
	if (ret < 0)
		return ret;
	*elements_max = layout.batch_elements;
	wm_rack_prepare(gen->rack, job, &layout, targets->mtu);
	while ((ret = all_ready(gen, targets, error)) == -EAGAIN) {
		if (!serve(gen))
			return wm_error_set(error, EINTR,
					    "interrupted before all nodes were ready");
		if (wm_clock_ns() >= deadline_ns)
			return wm_error_set(error, ETIMEDOUT,
					    "a node does not answer KERNEL within 10 s: see its "
					    "log");
	}
	return ret;
}
