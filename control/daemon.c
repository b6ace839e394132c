/* SPDX-License-Identifier: BSD-3-Clause */
#include "daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "clock.h"
#include "frame.h"
#include "key.h"
#include "log.h"

#define TICK_NS (20 * WM_NS_PER_MS)

/* ---- what membership needs ---------------------------------------------------- */

static void send_control(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			 const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct wm_daemon *daemon = context;
	uint8_t frame[WM_FRAME_HEADER_BYTES + WM_MESSAGE_BYTES_MAX];
	size_t bytes = wm_frame_encode_control(frame, sizeof(frame), mac, daemon->port.mac, header,
					       body, body_bytes);

	if (!wm_lane_transmit(daemon->lane, frame, bytes))
		wm_log_debug("no room for a control frame");
}

static void member_changed(void *context, uint32_t index, enum wm_member_change change)
{
	struct wm_daemon *daemon = context;

	wm_jobs_member_change(&daemon->jobs, index, change);
}

/* ---- the loop -------------------------------------------------------------------- */

static void receive_control(struct wm_daemon *daemon)
{
	uint8_t frame[WM_FRAME_HEADER_BYTES + WM_MESSAGE_BYTES_MAX];
	const struct wm_ether_header *ether = (const struct wm_ether_header *)frame;
	struct wm_wire_header header;
	const uint8_t *body;
	size_t bytes;

	/* The lane has checked it; decoding again finds header and body. */
	while ((bytes = wm_lane_receive(daemon->lane, frame, sizeof(frame))) > 0) {
		if (wm_frame_decode_control(frame, bytes, &header, &body) == WM_DROP_NONE)
			wm_membership_receive(&daemon->membership, ether->source, &header, body,
					      wm_clock_ns());
	}
}

static void serve_lane(struct wm_daemon *daemon)
{
	struct wm_lane_event event;
	uint64_t count;

	if (read(daemon->wake_fd, &count, sizeof(count)) < 0)
		return; /* woken for nothing */
	receive_control(daemon);
	while (wm_lane_event(daemon->lane, &event))
		wm_jobs_lane_event(&daemon->jobs, &event, wm_clock_ns());
}

/* Nobody is late before what has arrived is heard: opening a job's files may have
 * taken this thread seconds. */
static void serve_timer(struct wm_daemon *daemon)
{
	uint64_t count;

	if (read(daemon->timer_fd, &count, sizeof(count)) < 0)
		return;
	receive_control(daemon);
	wm_membership_tick(&daemon->membership, wm_clock_ns());
	wm_jobs_tick(&daemon->jobs, wm_clock_ns());
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
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	daemon->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	daemon->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	daemon->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	daemon->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (daemon->epoll_fd < 0 || daemon->wake_fd < 0 || daemon->timer_fd < 0 ||
	    daemon->signal_fd < 0 || timerfd_settime(daemon->timer_fd, 0, &period, NULL) < 0 ||
	    watch(daemon, daemon->wake_fd) < 0 || watch(daemon, daemon->timer_fd) < 0 ||
	    watch(daemon, daemon->signal_fd) < 0)
		return wm_error_set(error, errno, "cannot make the descriptors to wait on: %s",
				    strerror(errno));
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

static int eal_start(struct wm_daemon *daemon, struct wm_error *error)
{
	struct wm_port_config port_config;
	uint16_t mtu;
	int ret;

	ret = wm_port_mtu(&daemon->config.device, &mtu, error);
	if (ret < 0)
		return ret;
	port_config = wm_lane_port_config(mtu, daemon->config.auth);
	daemon->hugepages = wm_port_hugepages(&port_config, mtu) + wm_lane_hugepages();
	ret = wm_port_eal_init("wiremilld", &daemon->config.device, daemon->config.lcores,
			       daemon->hugepages, error);
	if (ret < 0)
		return ret;
	daemon->lane_lcore = rte_get_next_lcore(-1, 1, 0);
	if (daemon->lane_lcore == RTE_MAX_LCORE) {
		wm_port_eal_fini();
		return wm_error_set(error, EINVAL,
				    "--lcores %s has one core: a lane needs a second one, such as "
				    "--lcores 0,1",
				    daemon->config.lcores);
	}
	return 0;
}

static int port_start(struct wm_daemon *daemon, struct wm_error *error)
{
	struct wm_port_config config;
	uint16_t mtu;
	int ret = wm_port_mtu(&daemon->config.device, &mtu, error);

	if (ret < 0)
		return ret;
	config = wm_lane_port_config(mtu, daemon->config.auth);
	return wm_port_open(&daemon->port, &config, error);
}

static int lane_start(struct wm_daemon *daemon, struct wm_error *error)
{
	struct wm_lane_config config = {
		.port = &daemon->port,
		.lcore = daemon->lane_lcore,
		.wake_fd = daemon->wake_fd,
		.queue_target_bytes = daemon->config.queue_target_bytes,
		.auth = daemon->config.auth,
	};
	int ret = wm_lane_create(&daemon->lane, &config, error);

	if (ret < 0)
		return ret;
	ret = wm_lane_launch(daemon->lane, error);
	if (ret < 0)
		wm_lane_destroy(&daemon->lane);
	return ret;
}

static void lane_stop(struct wm_daemon *daemon)
{
	/* What close said goes out before the lane ends. */
	usleep(20000);
	while (!wm_lane_command(daemon->lane, &(struct wm_lane_command){ .op = WM_LANE_QUIT }))
		usleep(100);
	wm_lane_wait(daemon->lane);
	wm_lane_destroy(&daemon->lane);
}

static void membership_start(struct wm_daemon *daemon)
{
	struct wm_membership_calls calls = { daemon, send_control, member_changed };

	wm_membership_init(&daemon->membership, &calls, daemon->port.mac);
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
		.methods = wm_daemon_methods,
		.method_count = wm_daemon_method_count,
		.context = daemon,
	};
	int ret = wm_rpc_create(&daemon->rpc, &config, error);

	if (ret < 0)
		return ret;
	ret = watch(daemon, wm_rpc_fd(daemon->rpc));
	if (ret < 0)
		wm_rpc_destroy(&daemon->rpc);
	return ret;
}

int wm_daemon_run(const struct wm_daemon_config *config, struct wm_error *error)
{
	struct wm_daemon *daemon = calloc(1, sizeof(*daemon));
	int ret;

	if (!daemon)
		return wm_error_set(error, ENOMEM, "no memory for the controller");
	daemon->config = *config;
	daemon->start_ns = wm_clock_ns();
	daemon->epoll_fd = daemon->wake_fd = daemon->timer_fd = daemon->signal_fd = -1;
	ret = descriptors_open(daemon, error);
	if (ret < 0)
		goto close_descriptors;
	ret = eal_start(daemon, error);
	if (ret < 0)
		goto close_descriptors;
	ret = port_start(daemon, error);
	if (ret < 0)
		goto stop_eal;
	ret = lane_start(daemon, error);
	if (ret < 0)
		goto close_port;
	membership_start(daemon);
	ret = wm_jobs_init(&daemon->jobs, daemon->lane, &daemon->membership, daemon->port.mtu,
			   config->state_directory, error);
	if (ret < 0)
		goto stop_lane;
	ret = rpc_start(daemon, error);
	if (ret < 0)
		goto close_jobs;

	wm_log_info("ready: port %s (%s), MTU %u, %s transmit, frames by %s, socket %s",
		    daemon->port.name, daemon->port.driver, daemon->port.mtu,
		    daemon->port.multi_segment ? "multi-segment" : "single-segment",
		    config->auth == WM_WIRE_AEAD ? "aead" : "crc32c", config->socket_path);
	loop(daemon);
	wm_log_info("stopping");

	wm_rpc_destroy(&daemon->rpc);
close_jobs:
	wm_jobs_close(&daemon->jobs);
	wm_membership_close(&daemon->membership, "the controller stops");
stop_lane:
	lane_stop(daemon);
close_port:
	wm_port_close(&daemon->port);
stop_eal:
	wm_port_eal_fini();
close_descriptors:
	descriptors_close(daemon);
	wm_secret_wipe(&daemon->membership, sizeof(daemon->membership));
	free(daemon);
	return ret;
}
