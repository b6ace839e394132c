/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <rte_lcore.h>
#include <rte_log.h>

#include "clock.h"
#include "eal.h"
#include "frame.h"
#include "key.h"
#include "link.h"
#include "log.h"
#include "number.h"
#include "port_dpdk.h"
#include "port_queues.h"
#include "rpc_socket.h"
#include "run.h"
#include "save.h"
#include "signals.h"
#include "spool.h"

#define TICK_NS (20 * WM_NS_PER_MS)
/* What close said goes out before the lanes end. */
#define CLOSE_SAID_US 20000
/* A controller that was killed takes a second to go on a busy machine. */
#define STATE_WAIT_NS (5 * WM_NS_PER_S)

static_assert(WM_PORTS_MAX >= WM_LANES_MAX, "each lane has a port");

/* ---- what membership needs ---------------------------------------------------- */

/* Where who sent the frame in hand was heard, or where that member is. */
static uint32_t lane_of(const struct wm_daemon *daemon, const uint8_t mac[WM_ETHER_ADDR_BYTES])
{
	if (memcmp(daemon->received_mac, mac, WM_ETHER_ADDR_BYTES) == 0)
		return daemon->received_lane;
	for (uint32_t i = 0; i < daemon->membership.count; i++) {
		if (memcmp(daemon->membership.members[i].mac, mac, WM_ETHER_ADDR_BYTES) == 0)
			return daemon->lanes.of_node[i];
	}
	return 0;
}

static struct wm_link *link_to(const struct wm_daemon *daemon,
			       const uint8_t mac[WM_ETHER_ADDR_BYTES])
{
	return wm_lane_get_link(daemon->lanes.lanes[lane_of(daemon, mac)]);
}

static void send_control(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			 const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct wm_daemon *daemon = context;

	if (!wm_link_send_control(link_to(daemon, mac), mac, header, body, body_bytes))
		wm_log_debug("no room for a control frame");
}

/* As large as that MTU takes. The body says nothing. */
static void send_probe(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
		       const struct wm_wire_header *header, uint32_t mtu)
{
	static const uint8_t body[WM_MTU_MAX];
	struct wm_daemon *daemon = context;

	if (!wm_link_send_control(link_to(daemon, mac), mac, header, body,
				  mtu - WM_WIRE_HEADER_BYTES))
		wm_log_debug("no room for a probe of MTU %" PRIu32, mtu);
}

static uint32_t port_mtu(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES])
{
	struct wm_daemon *daemon = context;
	struct wm_port_link link;

	wm_port_read_link(&daemon->ports[lane_of(daemon, mac)], &link);
	return link.mtu;
}

static void member_changed(void *context, uint32_t index, enum wm_member_change change)
{
	struct wm_daemon *daemon = context;

	/* A frame of it did that, so it is where that was heard. */
	if (change == WM_MEMBER_CHANGE_ADMITTED)
		daemon->lanes.of_node[index] = (uint8_t)daemon->received_lane;
	wm_jobs_handle_member_change(&daemon->jobs, index, change);
}

/* ---- the loop -------------------------------------------------------------------- */

static void receive_message(struct wm_daemon *daemon, uint32_t lane,
			    const struct wm_link_control *control)
{
	daemon->received_lane = lane;
	memcpy(daemon->received_mac, control->source, sizeof(daemon->received_mac));
	wm_membership_receive_on(&daemon->membership, daemon->ports[lane].mac);
	wm_membership_receive(&daemon->membership, control->source, &control->header, control->body,
			      wm_clock_ns());
	memset(daemon->received_mac, 0, sizeof(daemon->received_mac));
}

static void receive_control(struct wm_daemon *daemon)
{
	struct wm_link_control control;

	for (uint32_t lane = 0; lane < daemon->lanes.count; lane++) {
		struct wm_link *link = wm_lane_get_link(daemon->lanes.lanes[lane]);

		while (wm_link_receive_control(link, &control)) {
			if (control.header.op == WM_OP_ECHO)
				wm_membership_receive_echo(&daemon->membership, control.source,
							   &control.header, wm_clock_ns());
			else
				receive_message(daemon, lane, &control);
		}
	}
}

static void serve_lane(struct wm_daemon *daemon)
{
	struct wm_lane_event event;
	uint64_t count;

	if (read(daemon->wake_fd, &count, sizeof(count)) < 0)
		return; /* woken for nothing */
	receive_control(daemon);
	while (wm_lanes_poll_event(&daemon->lanes, &event))
		wm_jobs_handle_lane_event(&daemon->jobs, &event, wm_clock_ns());
	/* A job's thread wakes by the same descriptor. */
	wm_jobs_tick(&daemon->jobs, wm_clock_ns());
}

/* Somebody may have removed the lock, or all of the directory. */
static void state_keep(struct wm_daemon *daemon, uint64_t now_ns)
{
	struct wm_error error = { "" };
	int ret;

	if (now_ns - daemon->state_kept_ns < WM_NS_PER_S)
		return;
	daemon->state_kept_ns = now_ns;
	ret = wm_spool_prepare(daemon->config.state_directory, &error);
	if (ret == 0)
		ret = wm_state_lock_keep(&daemon->state_lock, &error);
	if (ret > 0) {
		wm_log_warning("the lock of the state directory was removed, it is made again: %s",
			       daemon->state_lock.path);
		wm_jobs_save(&daemon->jobs);
	} else if (ret < 0 && !daemon->state_lost) {
		wm_log_error("the lock of the state directory is lost: %s", error.text);
	}
	daemon->state_lost = ret < 0;
}

/* Nobody is late before what has arrived is heard: opening a job's files may have
 * taken this thread seconds. */
static void serve_timer(struct wm_daemon *daemon)
{
	uint64_t count;

	if (read(daemon->timer_fd, &count, sizeof(count)) < 0)
		return;
	receive_control(daemon);
	wm_links_tick(&daemon->lanes.links, wm_clock_ns());
	wm_membership_tick(&daemon->membership, wm_clock_ns());
	wm_jobs_tick(&daemon->jobs, wm_clock_ns());
	wm_rpc_tick(daemon->rpc, wm_clock_ns());
	state_keep(daemon, wm_clock_ns());
}

/* Each event reads the clock itself: a time taken before the loop would lie before
 * that of a job which a request has queued meanwhile. */
static void loop(struct wm_daemon *daemon)
{
	struct epoll_event events[8];

	for (;;) {
		int count = epoll_wait(daemon->epoll_fd, events, 8, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == daemon->wake_fd)
				serve_lane(daemon);
			else if (events[i].data.fd == daemon->timer_fd)
				serve_timer(daemon);
			else if (events[i].data.fd == daemon->signal_fd)
				return;
			else
				wm_rpc_serve(daemon->rpc);
		}
	}
}

/* ---- bring-up ----------------------------------------------------------------------- */

static int watch(struct wm_daemon *daemon, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(daemon->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int descriptors_open(struct wm_daemon *daemon, struct wm_error *error)
{
	struct itimerspec period = { .it_interval.tv_nsec = TICK_NS, .it_value.tv_nsec = TICK_NS };
	daemon->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	daemon->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	daemon->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	daemon->signal_fd = wm_signals_open();
	if (daemon->epoll_fd < 0 || daemon->wake_fd < 0 || daemon->timer_fd < 0 ||
	    daemon->signal_fd < 0 || timerfd_settime(daemon->timer_fd, 0, &period, NULL) < 0 ||
	    watch(daemon, daemon->wake_fd) < 0 || watch(daemon, daemon->timer_fd) < 0 ||
	    watch(daemon, daemon->signal_fd) < 0)
		return wm_error_set(error, errno, "cannot make the descriptors to wait on: %s",
				    wm_errno_text(errno));
	return 0;
}

static void descriptors_close(struct wm_daemon *daemon)
{
	int fds[] = { daemon->signal_fd, daemon->timer_fd, daemon->wake_fd, daemon->epoll_fd };

	for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* The next lcore for each lane, after the one that controls: there are enough. */
static void lcores_take(struct wm_daemon *daemon)
{
	unsigned lcore = (unsigned)-1;

	for (uint32_t i = 0; i < daemon->config.device_count; i++)
		daemon->lcores[i] = lcore = rte_get_next_lcore(lcore, 1, 0);
}

static int eal_start(struct wm_daemon *daemon, struct wm_error *error)
{
	const struct wm_daemon_config *config = &daemon->config;
	uint32_t hugepages[WM_LANES_MAX];
	struct wm_eal_config eal = {
		.program = "wiremilld",
		.devices = config->devices,
		.device_count = config->device_count,
		.hugepages = hugepages,
		.lanes = config->device_count,
		.lcores = config->lcores,
	};
	struct wm_port_config port_config;
	uint16_t mtu;
	int ret;

	for (uint32_t i = 0; i < config->device_count; i++) {
		ret = wm_port_mtu(&config->devices[i], &mtu, error);
		if (ret < 0)
			return ret;
		port_config = wm_lane_port_config(mtu, config->auth);
		hugepages[i] = wm_port_hugepages(&port_config, mtu) + wm_lane_hugepages();
		daemon->hugepages += hugepages[i];
	}
	ret = wm_eal_start(&eal, error);
	if (ret < 0)
		return ret;
	lcores_take(daemon);
	return 0;
}

static int port_start(struct wm_daemon *daemon, uint32_t index, struct wm_error *error)
{
	const struct wm_port_device *device = &daemon->config.devices[index];
	struct wm_port *port = &daemon->ports[index];
	struct wm_port_config config;
	uint16_t mtu;
	int ret = wm_port_mtu(device, &mtu, error);

	if (ret < 0)
		return ret;
	config = wm_lane_port_config(mtu, daemon->config.auth);
	config.device = device;
	config.index = index;
	config.socket = (int)rte_lcore_to_socket_id(daemon->lcores[index]);
	ret = wm_port_open(port, &config, error);
	if (ret == 0 && (index == 0 || port->mtu < daemon->mtu))
		daemon->mtu = port->mtu;
	return ret;
}

/* Its port, its memory; the thread comes when all lanes are there. */
static int lane_start(struct wm_daemon *daemon, uint32_t index, struct wm_error *error)
{
	struct wm_lane_config config = {
		.port = &daemon->ports[index],
		.lcore = daemon->lcores[index],
		.wake_fd = daemon->wake_fd,
		.queue_target_bytes = daemon->config.queue_target_bytes,
		.auth = daemon->config.auth,
		.index = index,
		.count = daemon->config.device_count,
		.leader = index > 0 ? daemon->lanes.lanes[0] : NULL,
	};
	int ret = port_start(daemon, index, error);

	if (ret < 0)
		return ret;
	ret = wm_lane_create(&daemon->lanes.lanes[index], &config, error);
	if (ret < 0)
		wm_port_close(&daemon->ports[index]);
	else
		daemon->lanes.count++;
	return ret;
}

/* What follows goes before the leader, which has its rings; and a port before the lane whose
 * memory is in its ring. */
static void lanes_close(struct wm_daemon *daemon)
{
	while (daemon->lanes.count > 0) {
		uint32_t index = --daemon->lanes.count;

		wm_port_stop(&daemon->ports[index]);
		wm_lane_destroy(&daemon->lanes.lanes[index]);
		wm_port_close(&daemon->ports[index]);
	}
}

static void lanes_quit(struct wm_daemon *daemon, uint32_t launched)
{
	const struct wm_lane_command quit = { .op = WM_LANE_QUIT };

	for (uint32_t i = 0; i < launched; i++) {
		while (!wm_lane_post_command(daemon->lanes.lanes[i], &quit))
			usleep(100);
		wm_lane_wait(daemon->lanes.lanes[i]);
	}
}

static int lanes_launch(struct wm_daemon *daemon, struct wm_error *error)
{
	for (uint32_t i = 0; i < daemon->lanes.count; i++) {
		int ret = wm_lane_launch(daemon->lanes.lanes[i], error);

		if (ret < 0) {
			lanes_quit(daemon, i);
			return ret;
		}
	}
	return 0;
}

static int lanes_start(struct wm_daemon *daemon, struct wm_error *error)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < daemon->config.device_count; i++)
		ret = lane_start(daemon, i, error);
	if (ret == 0)
		ret = lanes_launch(daemon, error);
	if (ret < 0)
		lanes_close(daemon);
	return ret;
}

static void lanes_stop(struct wm_daemon *daemon)
{
	usleep(CLOSE_SAID_US);
	lanes_quit(daemon, daemon->lanes.count);
	lanes_close(daemon);
}

static void ports_say(const struct wm_daemon *daemon)
{
	for (uint32_t i = 0; i < daemon->lanes.count; i++) {
		const struct wm_port *port = &daemon->ports[i];

		wm_log_info("lane %" PRIu32 ": lcore %u, port %s (%s), MTU %u, %s transmit", i,
			    daemon->lcores[i], port->name, port->driver, port->mtu,
			    port->multi_segment ? "multi-segment" : "single-segment");
	}
}

static const uint8_t *find_object(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES],
				  size_t *bytes_count)
{
	const struct wm_daemon *daemon = context;

	return wm_kernel_library_find(&daemon->jobs.library, hash, bytes_count);
}

static void membership_start(struct wm_daemon *daemon)
{
	struct wm_membership_calls calls = { daemon,	 send_control, member_changed,
					     send_probe, port_mtu,     find_object };

	wm_membership_init(&daemon->membership, &calls, daemon->ports[0].mac);
	daemon->membership.mtu_most = daemon->mtu;
	if (!daemon->config.key) {
		wm_log_warning("no --key: anybody on this wire can join or forge results");
		return;
	}
	wm_secret_lock(&daemon->membership, sizeof(daemon->membership));
	wm_membership_use_key(&daemon->membership, daemon->config.key);
	wm_membership_authenticate_frames(&daemon->membership, daemon->config.auth);
}

static int rpc_start(struct wm_daemon *daemon, struct wm_error *error)
{
	struct wm_rpc_config config = {
		.socket_path = daemon->config.socket_path,
		.tables = wm_methods,
		.context = &daemon->seen,
	};
	int ret = wm_rpc_create(&daemon->rpc, &config, error);

	if (ret < 0)
		return ret;
	daemon->seen = (struct wm_controller){
		.lanes = &daemon->lanes,
		.membership = &daemon->membership,
		.jobs = &daemon->jobs,
		.ports = daemon->ports,
		.lcores = daemon->lcores,
		.rpc = daemon->rpc,
		.start_ns = daemon->start_ns,
		.hugepages = daemon->hugepages,
		.auth = daemon->config.auth,
	};
	ret = watch(daemon, wm_rpc_fd(daemon->rpc));
	if (ret < 0)
		wm_rpc_destroy(&daemon->rpc);
	return ret;
}

/* A disk that does not answer may still write into what the lane has in flight there:
 * none of it is given back before the process ends. */
static void leave_lane(struct wm_daemon *daemon)
{
	usleep(CLOSE_SAID_US);
	wm_state_lock_release(&daemon->state_lock);
	wm_log_info("stopped, with a disk that does not answer");
	_exit(WM_EXIT_DONE);
}

/* Before anything else: who has it has all that follows. And who finds another controller is
 * told of that, not of the hugepages which that one has. */
static int state_take(struct wm_daemon *daemon, struct wm_error *error)
{
	const char *directory = daemon->config.state_directory;
	int ret = wm_spool_prepare(directory, error);

	if (ret == 0)
		ret = wm_state_lock_take(&daemon->state_lock, directory, STATE_WAIT_NS, error);
	if (ret < 0)
		return ret;
	ret = wm_rpc_socket_check(daemon->config.socket_path, error);
	if (ret < 0)
		wm_state_lock_release(&daemon->state_lock);
	return ret;
}

int wm_daemon_run(const struct wm_daemon_config *config, struct wm_error *error)
{
	char lanes[WM_COUNT_BYTES];
	struct wm_daemon *daemon = calloc(1, sizeof(*daemon));
	bool lane_is_free;
	int ret;

	if (!daemon)
		return wm_error_set(error, ENOMEM, "no memory for the controller");
	daemon->config = *config;
	daemon->start_ns = wm_clock_ns();
	daemon->epoll_fd = daemon->wake_fd = daemon->timer_fd = daemon->signal_fd = -1;
	ret = state_take(daemon, error);
	if (ret < 0)
		goto free_daemon;
	ret = descriptors_open(daemon, error);
	if (ret < 0)
		goto close_descriptors;
	ret = eal_start(daemon, error);
	if (ret < 0)
		goto close_descriptors;
	ret = lanes_start(daemon, error);
	if (ret < 0)
		goto stop_eal;
	membership_start(daemon);
	ret = wm_jobs_init(&daemon->jobs, &daemon->lanes, &daemon->membership, daemon->mtu,
			   config->state_directory, daemon->wake_fd, error);
	if (ret < 0)
		goto stop_lanes;
	ret = rpc_start(daemon, error);
	if (ret < 0)
		goto close_jobs;

	ports_say(daemon);
	wm_links_start(&daemon->lanes.links, daemon->ports, daemon->lanes.count, wm_clock_ns());
	wm_log_info("ready: %s, frames by %s, socket %s",
		    wm_number_format_count(lanes, sizeof(lanes), daemon->lanes.count, "lane"),
		    config->auth == WM_WIRE_AEAD ? "aead" : "crc32c", config->socket_path);
	loop(daemon);
	wm_log_info("stopping");

	wm_rpc_destroy(&daemon->rpc);
close_jobs:
	lane_is_free = wm_jobs_close(&daemon->jobs);
	wm_membership_close(&daemon->membership, "the controller stops");
	if (!lane_is_free)
		leave_lane(daemon);
stop_lanes:
	lanes_stop(daemon);
stop_eal:
	wm_eal_stop();
close_descriptors:
	descriptors_close(daemon);
	wm_state_lock_release(&daemon->state_lock);
	wm_secret_wipe(&daemon->membership, sizeof(daemon->membership));
free_daemon:
	free(daemon);
	return ret;
}
