/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "rpc_socket.h"
#include "wiremill/limits.h"

/* Taken from one client before the others get their turn. */
#define RECEIVE_BYTES 65536u
#define EVENTS_MAX 16
/* Run for one client before the others get their turn; and in one wm_rpc_serve. */
#define TURN_REQUESTS 16u
#define TURN_NS (5 * WM_NS_PER_MS)
#define SERVE_NS (20 * WM_NS_PER_MS)
/* Without a byte in or out: of a client in the middle of something, and of one that
 * has a place which another waits for. */
#define STALL_NS (30 * WM_NS_PER_S)
#define IDLE_NS (60 * WM_NS_PER_S)
/* An answer of that size, or a line, leaves the heap larger than it has to be. */
#define LARGE_BYTES (256u * 1024u)

struct wm_rpc;

struct client {
	int fd; /* -1: the place is free */
	uid_t uid;
	bool skipping;	   /* the rest of a line that was too long */
	bool finished;	   /* it sends no more; what is due still goes out */
	bool answering;	   /* line has begun */
	bool whole_left;   /* `in` has a whole line, for the next turn */
	uint64_t moved_ns; /* when bytes last went in or out */
	char *in;	   /* what came of lines not yet answered */
	size_t in_bytes;
	struct wm_rpc *rpc;
	struct wm_rpc_line line;
	char *out; /* the answer on its way, with its '\n' */
	size_t out_bytes, out_bytes_sent;
};

struct wm_rpc {
	struct wm_rpc_config config;
	int epoll_fd;
	struct wm_rpc_socket socket;
	bool listening; /* there is a place for another */
	bool lost;	/* something else has the place of its file */
	bool large;	/* buffers were, since the last tick */
	uint64_t now_ns, tick_ns;
	const struct client *caller;
	unsigned client_count;
	struct client clients[WM_RPC_CLIENTS_MAX];
};

/* ---- clients ------------------------------------------------------------ */

/* Who comes while it is off waits in the backlog. */
static void listen_switch(struct wm_rpc *rpc, bool on)
{
	struct epoll_event event = { .events = on ? EPOLLIN : 0, .data.ptr = NULL };

	if (rpc->listening != on &&
	    epoll_ctl(rpc->epoll_fd, EPOLL_CTL_MOD, rpc->socket.fd, &event) == 0)
		rpc->listening = on;
}

static void client_close(struct wm_rpc *rpc, struct client *client)
{
	close(client->fd);
	free(client->in);
	free(client->out);
	free(wm_rpc_line_end(&client->line));
	*client = (struct client){ .fd = -1 };
	rpc->client_count--;
	listen_switch(rpc, true);
}

static struct client *client_place(struct wm_rpc *rpc)
{
	struct client *client = rpc->clients;

	while (client->fd >= 0)
		client++;
	return client;
}

static uid_t peer_uid(int fd)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 ? peer.uid : (uid_t)-1;
}

/* Its next turn comes at once, since it may be sent to. */
static void client_wake(struct wm_rpc_line *line)
{
	struct client *client = (struct client *)((char *)line - offsetof(struct client, line));
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = client };

	client->moved_ns = wm_clock_ns();
	if (client->rpc->caller != client &&
	    epoll_ctl(client->rpc->epoll_fd, EPOLL_CTL_MOD, client->fd, &event) < 0)
		client_close(client->rpc, client);
}

static void client_init(struct wm_rpc *rpc, struct client *client, int fd)
{
	*client = (struct client){
		.fd = fd,
		.uid = peer_uid(fd),
		.moved_ns = rpc->now_ns,
		.rpc = rpc,
		.line = {
			.tables = rpc->config.tables,
			.context = rpc->config.context,
			.wake = client_wake,
		},
	};
	rpc->client_count++;
}

static void client_accept(struct wm_rpc *rpc)
{
	struct client *client;
	struct epoll_event event = { .events = EPOLLIN };
	int fd;

	/* As long as there is no place, or no descriptor, it is not looked at again. */
	if (rpc->client_count == rpc->config.clients_max) {
		listen_switch(rpc, false);
		return;
	}
	fd = accept4(rpc->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			listen_switch(rpc, false);
		return;
	}
	client = client_place(rpc);
	client_init(rpc, client, fd);
	event.data.ptr = client;
	if (epoll_ctl(rpc->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		client_close(rpc, client);
}

static bool is_in_the_middle(const struct client *client)
{
	return client->out || client->in_bytes > 0 || client->answering;
}

static size_t client_bytes(const struct client *client)
{
	return client->in_bytes + client->out_bytes + client->line.answer_bytes;
}

/* So much waits for clients that do not go on that no more is begun. */
static bool memory_is_short(const struct wm_rpc *rpc)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < rpc->config.clients_max; i++)
		bytes += client_bytes(&rpc->clients[i]);
	return bytes > WM_RPC_MEMORY_BYTES_MAX;
}

/* ---- answers go out ----------------------------------------------------- */

/* Takes over the answer; NULL where none is due. */
static void client_reply(struct wm_rpc *rpc, struct client *client, char *answer)
{
	if (!answer)
		return;
	client->out = answer;
	client->out_bytes = strlen(answer) + 1;
	client->out_bytes_sent = 0;
	/* Counted from here on, so the '\n' may replace the NUL. */
	answer[client->out_bytes - 1] = '\n';
	rpc->large |= client->out_bytes > LARGE_BYTES;
}

/* 0: all is sent, or the socket is full and out waits; else the client is gone. */
static int client_send(struct wm_rpc *rpc, struct client *client)
{
	ssize_t sent;

	while (client->out && client->out_bytes_sent < client->out_bytes) {
		sent = send(client->fd, client->out + client->out_bytes_sent,
			    client->out_bytes - client->out_bytes_sent, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		client->out_bytes_sent += (size_t)sent;
		client->moved_ns = rpc->now_ns;
	}
	free(client->out);
	client->out = NULL;
	client->out_bytes = 0;
	return 0;
}

/* ---- lines come in ------------------------------------------------------ */

/* 0, whatever came; else the client is gone. Called only when no whole line is
 * left in `in`, so that it holds less than a line and RECEIVE_BYTES. */
static int client_receive(struct wm_rpc *rpc, struct client *client)
{
	char *in = realloc(client->in, client->in_bytes + RECEIVE_BYTES);
	ssize_t received;

	if (!in)
		return -ENOMEM;
	client->in = in;
	received = recv(client->fd, in + client->in_bytes, RECEIVE_BYTES, 0);
	if (received < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client->finished = received == 0;
	client->in_bytes += (size_t)received;
	client->moved_ns = rpc->now_ns;
	rpc->large |= client->in_bytes > LARGE_BYTES;
	return 0;
}

/* Of what came, only what is not answered yet is kept. */
static void in_consume(struct client *client, size_t bytes)
{
	char *in = client->in;

	client->in_bytes -= bytes;
	if (client->in_bytes == 0) {
		free(in);
		client->in = NULL;
		return;
	}
	memmove(in, in + bytes, client->in_bytes);
	in = realloc(in, client->in_bytes);
	client->in = in ? in : client->in;
}

static bool line_is_blank(const char *line, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	}
	return true;
}

/* To a line that is not looked at, the answer; else NULL. */
static char *line_refusal(const struct wm_rpc *rpc, size_t bytes)
{
	_Static_assert(WM_RPC_LINE_BYTES_MAX == 1024 * 1024, "the message names it");
	if (bytes >= WM_RPC_LINE_BYTES_MAX)
		return wm_rpc_answer_error(WM_RPC_INVALID_REQUEST, "a line has at most 1 MiB");
	if (memory_is_short(rpc))
		return wm_rpc_answer_error(WM_RPC_FAILED, "answers that nobody reads fill the "
							  "controller's memory: ask again later");
	return NULL;
}

static void line_begin(struct wm_rpc *rpc, struct client *client, const char *line, size_t bytes)
{
	char *refusal;

	if (client->skipping || line_is_blank(line, bytes))
		return;
	refusal = line_refusal(rpc, bytes);
	if (refusal) {
		client_reply(rpc, client, refusal);
		return;
	}
	client->answering = true;
	wm_rpc_line_begin(&client->line, line, bytes);
}

/* The next line of `in` is begun. False: there is no whole one. */
static bool line_next(struct wm_rpc *rpc, struct client *client)
{
	char *newline = client->in_bytes ? memchr(client->in, '\n', client->in_bytes) : NULL;
	size_t bytes = newline ? (size_t)(newline - client->in) : client->in_bytes;

	/* The last line of a client that sends no more needs no '\n'. */
	if (!newline && (!client->finished || bytes == 0))
		return false;
	line_begin(rpc, client, client->in, bytes);
	client->skipping = false;
	in_consume(client, newline ? bytes + 1 : bytes);
	return true;
}

/* The next request of the line that has begun. */
static void line_step(struct wm_rpc *rpc, struct client *client)
{
	rpc->caller = client;
	if (wm_rpc_line_step(&client->line)) {
		client->answering = false;
		client_reply(rpc, client, wm_rpc_line_end(&client->line));
	}
	rpc->caller = NULL;
}

/* Answers whole lines, in order, until the turn is over, a method answers later, or an
 * answer has to wait for its reader. */
static int lines_answer(struct wm_rpc *rpc, struct client *client)
{
	uint64_t end_ns = wm_clock_ns() + TURN_NS;
	int ret = 0;

	client->whole_left = false;
	for (unsigned i = 0; !ret && !client->out && !client->line.waits; i++) {
		if (i == TURN_REQUESTS || wm_clock_ns() > end_ns) {
			client->whole_left = true;
			break;
		}
		if (!client->answering && !line_next(rpc, client))
			break;
		if (client->answering)
			line_step(rpc, client);
		ret = client_send(rpc, client);
	}
	return ret;
}

/* A line too long is answered once and skipped to its end, so that a client
 * cannot fill memory; what follows that line is answered again. */
static int line_bound(struct wm_rpc *rpc, struct client *client)
{
	if (client->out || client->whole_left || client->in_bytes < WM_RPC_LINE_BYTES_MAX)
		return 0;
	line_begin(rpc, client, client->in, client->in_bytes);
	client->skipping = true;
	in_consume(client, client->in_bytes);
	return client_send(rpc, client);
}

static bool has_work(const struct client *client)
{
	return client->out || client->answering || client->whole_left;
}

/* Read from it only while no answer waits to be read by it, and nothing that came waits
 * for its next turn: which it gets at once, since it may be sent to. */
static uint32_t awaited(const struct client *client)
{
	if (client->line.waits)
		return 0;
	return has_work(client) ? EPOLLOUT : EPOLLIN;
}

static void client_serve(struct wm_rpc *rpc, struct client *client)
{
	struct epoll_event event = { .data.ptr = client };
	int ret = 0;

	/* Nothing was awaited of it: it hung up. */
	if (client->line.waits)
		ret = -ECONNRESET;
	else if (client->out)
		ret = client_send(rpc, client);
	else if (!has_work(client))
		ret = client_receive(rpc, client);
	if (!ret)
		ret = lines_answer(rpc, client);
	if (!ret)
		ret = line_bound(rpc, client);
	event.events = awaited(client);
	if (!ret)
		ret = epoll_ctl(rpc->epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
	if (ret || (client->finished && !has_work(client)))
		client_close(rpc, client);
}

/* ---- the server --------------------------------------------------------- */

/* A listening socket is the event without a client. */
static int epoll_open(struct wm_rpc *rpc, struct wm_error *error)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

	rpc->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (rpc->epoll_fd < 0 ||
	    epoll_ctl(rpc->epoll_fd, EPOLL_CTL_ADD, rpc->socket.fd, &event) < 0)
		return wm_error_set(error, errno, "no epoll for the control socket: %s",
				    strerror(errno));
	rpc->listening = true;
	return 0;
}

/* As many as the limit of open files has room for, once it is as high as it may be. */
static unsigned clients_max(unsigned wanted)
{
	const rlim_t most = WM_RPC_CLIENTS_MAX + WM_RPC_FILES_LEFT;
	struct rlimit files;
	rlim_t room;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return WM_RPC_CLIENTS_MAX;
	if (files.rlim_cur < most) {
		files.rlim_cur = files.rlim_max < most ? files.rlim_max : most;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	room = files.rlim_cur > 2 * WM_RPC_FILES_LEFT ? files.rlim_cur - WM_RPC_FILES_LEFT
						      : files.rlim_cur / 2;
	if (room < WM_RPC_CLIENTS_MAX)
		wm_log_warning("control socket: %u clients at once, not %u: no more files may be "
			       "open (ulimit -n is %u)",
			       (unsigned)room, WM_RPC_CLIENTS_MAX, (unsigned)files.rlim_cur);
	if (room > WM_RPC_CLIENTS_MAX)
		room = WM_RPC_CLIENTS_MAX;
	return wanted && wanted < room ? wanted : (unsigned)room;
}

int wm_rpc_create(struct wm_rpc **rpc_out, const struct wm_rpc_config *config,
		  struct wm_error *error)
{
	struct wm_rpc *rpc = calloc(1, sizeof(*rpc));
	int ret;

	if (!rpc)
		return wm_error_set(error, ENOMEM, "no memory for the control socket");
	rpc->config = *config;
	rpc->config.clients_max = clients_max(config->clients_max);
	rpc->epoll_fd = -1;
	for (unsigned i = 0; i < WM_RPC_CLIENTS_MAX; i++)
		rpc->clients[i].fd = -1;

	ret = wm_rpc_socket_open(&rpc->socket, config->socket_path, error);
	if (ret == 0)
		ret = epoll_open(rpc, error);
	if (ret < 0)
		wm_rpc_destroy(&rpc);
	*rpc_out = rpc;
	return ret;
}

int wm_rpc_fd(const struct wm_rpc *rpc)
{
	return rpc->epoll_fd;
}

uid_t wm_rpc_caller(const struct wm_rpc *rpc)
{
	return rpc && rpc->caller ? rpc->caller->uid : (uid_t)-1;
}

void wm_rpc_serve(struct wm_rpc *rpc)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(rpc->epoll_fd, events, EVENTS_MAX, 0);
	uint64_t end_ns;

	rpc->now_ns = wm_clock_ns();
	end_ns = rpc->now_ns + SERVE_NS;
	/* Who is left over is the first of the next time. */
	for (int i = 0; i < count && rpc->now_ns < end_ns; i++) {
		struct client *client = events[i].data.ptr;

		if (!client)
			client_accept(rpc);
		else if (client->fd >= 0)
			client_serve(rpc, client);
		rpc->now_ns = wm_clock_ns();
	}
}

static bool has_stalled(const struct wm_rpc *rpc, const struct client *client, uint64_t now_ns)
{
	if (client->fd < 0 || client->line.waits || now_ns < client->moved_ns)
		return false;
	if (is_in_the_middle(client))
		return now_ns - client->moved_ns > STALL_NS;
	return !rpc->listening && now_ns - client->moved_ns > IDLE_NS;
}

/* Somebody may have removed its file, or have made another in its place. */
static void socket_keep(struct wm_rpc *rpc)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	struct wm_error error = { "" };
	int ret = wm_rpc_socket_keep(&rpc->socket, &error);

	if (ret > 0) {
		wm_log_warning("the control socket was removed, it is made again: %s",
			       rpc->config.socket_path);
		if (epoll_ctl(rpc->epoll_fd, EPOLL_CTL_ADD, rpc->socket.fd, &event) < 0)
			wm_log_error("the control socket takes nobody: %s", strerror(errno));
		rpc->listening = true;
	} else if (ret < 0 && !rpc->lost) {
		wm_log_error("the control socket is lost, nobody reaches this controller: %s",
			     error.text);
	}
	rpc->lost = ret < 0;
}

void wm_rpc_tick(struct wm_rpc *rpc, uint64_t now_ns)
{
	if (now_ns - rpc->tick_ns < WM_NS_PER_S)
		return;
	rpc->tick_ns = now_ns;
	socket_keep(rpc);
	for (unsigned i = 0; i < rpc->config.clients_max; i++) {
		if (has_stalled(rpc, &rpc->clients[i], now_ns))
			client_close(rpc, &rpc->clients[i]);
	}
	if (rpc->client_count < rpc->config.clients_max)
		listen_switch(rpc, true);
	/* What lay between small things that stay is given back too. */
	if (rpc->large)
		malloc_trim(0);
	rpc->large = false;
}

void wm_rpc_destroy(struct wm_rpc **rpc)
{
	if (!*rpc)
		return;
	for (unsigned i = 0; i < WM_RPC_CLIENTS_MAX; i++) {
		if ((*rpc)->clients[i].fd >= 0)
			client_close(*rpc, &(*rpc)->clients[i]);
	}
	if ((*rpc)->epoll_fd >= 0)
		close((*rpc)->epoll_fd);
	wm_rpc_socket_close(&(*rpc)->socket);
	free(*rpc);
	*rpc = NULL;
}
