/* SPDX-License-Identifier: BSD-3-Clause */
#include "rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "wiremill/limits.h"

/* Taken from one client before the others get their turn. */
#define RECEIVE_BYTES 65536u
#define EVENTS_MAX 16

struct client {
	int fd;		/* -1: the place is free */
	bool skipping;	/* the rest of a line that was too long */
	bool finished;	/* it sends no more; what is due still goes out */
	uint64_t moved; /* when bytes last went in or out, in turns of the server */
	char *in;	/* what came of lines not yet answered */
	size_t in_bytes;
	char *out; /* the answer on its way, with its '\n' */
	size_t out_bytes, out_bytes_sent;
};

struct wm_rpc {
	struct wm_rpc_config config;
	int epoll_fd, listen_fd;
	uint64_t turn;
	struct sockaddr_un address;
	dev_t socket_device; /* to remove the socket only if it still is this one */
	ino_t socket_inode;
	struct client clients[WM_RPC_CLIENTS_MAX];
};

/* ---- clients ------------------------------------------------------------ */

static void client_close(struct client *client)
{
	close(client->fd);
	free(client->in);
	free(client->out);
	*client = (struct client){ .fd = -1 };
}

/* A free place, else that of the client that has been still for longest. */
static struct client *client_place(struct wm_rpc *rpc)
{
	struct client *stillest = &rpc->clients[0];

	for (unsigned i = 0; i < WM_RPC_CLIENTS_MAX; i++) {
		if (rpc->clients[i].fd < 0)
			return &rpc->clients[i];
		if (rpc->clients[i].moved < stillest->moved)
			stillest = &rpc->clients[i];
	}
	client_close(stillest);
	return stillest;
}

static void client_accept(struct wm_rpc *rpc)
{
	struct client *client;
	struct epoll_event event = { .events = EPOLLIN };
	int fd = accept4(rpc->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	client = client_place(rpc);
	client->fd = fd;
	client->moved = rpc->turn;
	event.data.ptr = client;
	if (epoll_ctl(rpc->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		client_close(client);
}

/* ---- answers go out ----------------------------------------------------- */

/* Takes over the answer; NULL where none is due. */
static void client_reply(struct client *client, char *answer)
{
	if (!answer)
		return;
	client->out = answer;
	client->out_bytes = strlen(answer) + 1;
	client->out_bytes_sent = 0;
	/* Counted from here on, so the '\n' may replace the NUL. */
	answer[client->out_bytes - 1] = '\n';
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
		client->moved = rpc->turn;
	}
	free(client->out);
	client->out = NULL;
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
	client->moved = rpc->turn;
	return 0;
}

static bool line_is_blank(const char *line, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	}
	return true;
}

static void line_answer(const struct wm_rpc_config *config, struct client *client, const char *line,
			size_t bytes)
{
	_Static_assert(WM_RPC_LINE_BYTES_MAX == 1024 * 1024, "the message names it");

	if (client->skipping || line_is_blank(line, bytes))
		return;
	if (bytes >= WM_RPC_LINE_BYTES_MAX)
		client_reply(client, wm_rpc_answer_error(WM_RPC_INVALID_REQUEST,
							 "a line has at most 1 MiB"));
	else
		client_reply(client, wm_rpc_answer(config->methods, config->method_count,
						   config->context, line, bytes));
}

/* Answers whole lines, in order, until an answer has to wait for its reader. */
static int lines_answer(struct wm_rpc *rpc, struct client *client)
{
	char *line = client->in, *end = client->in + client->in_bytes, *newline;
	int ret = 0;

	while (!ret && !client->out && line < end) {
		newline = memchr(line, '\n', (size_t)(end - line));
		/* The last line of a client that sends no more needs no '\n'. */
		if (!newline && !client->finished)
			break;
		newline = newline ? newline : end;
		line_answer(&rpc->config, client, line, (size_t)(newline - line));
		client->skipping = false;
		line = newline < end ? newline + 1 : end;
		ret = client_send(rpc, client);
	}
	client->in_bytes = (size_t)(end - line);
	memmove(client->in, line, client->in_bytes);
	return ret;
}

/* A line too long is answered once and skipped to its end, so that a client
 * cannot fill memory; what follows that line is answered again. */
static int line_bound(struct wm_rpc *rpc, struct client *client)
{
	if (client->out || client->in_bytes < WM_RPC_LINE_BYTES_MAX)
		return 0;
	line_answer(&rpc->config, client, client->in, client->in_bytes);
	client->skipping = true;
	client->in_bytes = 0;
	return client_send(rpc, client);
}

static void client_serve(struct wm_rpc *rpc, struct client *client)
{
	struct epoll_event event = { .data.ptr = client };
	int ret = client->out ? client_send(rpc, client) : client_receive(rpc, client);

	if (!ret)
		ret = lines_answer(rpc, client);
	if (!ret)
		ret = line_bound(rpc, client);
	/* Read from it only while no answer waits to be read by it. */
	event.events = client->out ? EPOLLOUT : EPOLLIN;
	if (!ret)
		ret = epoll_ctl(rpc->epoll_fd, EPOLL_CTL_MOD, client->fd, &event);
	if (ret || (client->finished && !client->out))
		client_close(client);
}

/* ---- the socket --------------------------------------------------------- */

static int address_set(struct sockaddr_un *address, const char *path, struct wm_error *error)
{
	size_t bytes = strlen(path);

	if (bytes == 0 || bytes >= sizeof(address->sun_path))
		return wm_error_set(error, ENAMETOOLONG,
				    "socket path '%s' has %zu bytes, and must have 1 to %zu", path,
				    bytes, sizeof(address->sun_path) - 1);
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, bytes + 1);
	return 0;
}

/* The directory of path, made if it is missing, and locked: two daemons that
 * start at once must not both take the other's new socket for a dead one. */
static int directory_lock(const char *path, struct wm_error *error)
{
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 2];
	const char *slash = strrchr(path, '/');
	size_t bytes = slash ? (size_t)(slash - path) + 1 : 2;
	int fd;

	memcpy(directory, slash ? path : "./", bytes);
	directory[bytes] = '\0';
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		goto failed;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		goto failed;
	if (flock(fd, LOCK_EX) == 0)
		return fd;
	close(fd);
failed:
	return wm_error_set(error, errno, "no directory for the control socket at %s: %s",
			    directory, strerror(errno));
}

/* 0: somebody listens there; -EAGAIN: and is busy; -ECONNREFUSED: nobody. */
static int path_probe(const struct sockaddr_un *address)
{
	int ret, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	ret = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Removes what a dead daemon left; refuses everything else that is there. */
static int path_clear(const struct sockaddr_un *address, struct wm_error *error)
{
	const char *path = address->sun_path;
	struct stat status;
	int ret;

	if (lstat(path, &status) < 0)
		return errno == ENOENT
			       ? 0
			       : wm_error_set(error, errno, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(status.st_mode))
		return wm_error_set(error, EEXIST,
				    "%s exists and is no socket: remove it, or name another "
				    "control socket",
				    path);
	ret = path_probe(address);
	if (ret == 0 || ret == -EAGAIN)
		return wm_error_set(error, EADDRINUSE,
				    "another wiremilld answers at %s: stop it, or name another "
				    "control socket",
				    path);
	if (ret != -ECONNREFUSED)
		return wm_error_set(error, -ret, "socket %s belongs to something else: %s", path,
				    strerror(-ret));
	if (unlink(path) < 0)
		return wm_error_set(error, errno, "old socket %s cannot be removed: %s", path,
				    strerror(errno));
	return 0;
}

static int socket_listen(struct wm_rpc *rpc, struct wm_error *error)
{
	const struct sockaddr *address = (const struct sockaddr *)&rpc->address;
	const char *path = rpc->address.sun_path;
	struct stat status;
	int ret;

	rpc->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (rpc->listen_fd < 0 || bind(rpc->listen_fd, address, sizeof(rpc->address)) < 0)
		return wm_error_set(error, errno, "no control socket at %s: %s", path,
				    strerror(errno));
	/* Nobody connects before listen, so there is no moment of a wider mode. */
	if (lstat(path, &status) < 0 || chmod(path, 0660) < 0 ||
	    listen(rpc->listen_fd, (int)WM_RPC_CLIENTS_MAX) < 0) {
		ret = wm_error_set(error, errno, "control socket at %s: %s", path, strerror(errno));
		unlink(path);
		return ret;
	}
	rpc->socket_device = status.st_dev;
	rpc->socket_inode = status.st_ino;
	return 0;
}

static int socket_open(struct wm_rpc *rpc, struct wm_error *error)
{
	int ret, directory = directory_lock(rpc->address.sun_path, error);

	if (directory < 0)
		return directory;
	ret = path_clear(&rpc->address, error);
	if (ret == 0)
		ret = socket_listen(rpc, error);
	close(directory);
	return ret;
}

static void socket_remove(const struct wm_rpc *rpc)
{
	struct stat status;

	if (rpc->socket_inode && lstat(rpc->address.sun_path, &status) == 0 &&
	    status.st_ino == rpc->socket_inode && status.st_dev == rpc->socket_device)
		unlink(rpc->address.sun_path);
}

/* ---- the server --------------------------------------------------------- */

/* A listening socket is the event without a client. */
static int epoll_open(struct wm_rpc *rpc, struct wm_error *error)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

	rpc->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (rpc->epoll_fd < 0 ||
	    epoll_ctl(rpc->epoll_fd, EPOLL_CTL_ADD, rpc->listen_fd, &event) < 0)
		return wm_error_set(error, errno, "no epoll for the control socket: %s",
				    strerror(errno));
	return 0;
}

int wm_rpc_create(struct wm_rpc **rpc_out, const struct wm_rpc_config *config,
		  struct wm_error *error)
{
	struct wm_rpc *rpc = calloc(1, sizeof(*rpc));
	int ret;

	if (!rpc)
		return wm_error_set(error, ENOMEM, "no memory for the control socket");
	rpc->config = *config;
	rpc->epoll_fd = rpc->listen_fd = -1;
	for (unsigned i = 0; i < WM_RPC_CLIENTS_MAX; i++)
		rpc->clients[i].fd = -1;

	ret = address_set(&rpc->address, config->socket_path, error);
	if (ret == 0)
		ret = socket_open(rpc, error);
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

void wm_rpc_serve(struct wm_rpc *rpc)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(rpc->epoll_fd, events, EVENTS_MAX, 0);

	rpc->turn++;
	for (int i = 0; i < count; i++) {
		struct client *client = events[i].data.ptr;

		if (!client)
			client_accept(rpc);
		else if (client->fd >= 0)
			client_serve(rpc, client);
	}
}

void wm_rpc_destroy(struct wm_rpc **rpc)
{
	if (!*rpc)
		return;
	for (unsigned i = 0; i < WM_RPC_CLIENTS_MAX; i++) {
		if ((*rpc)->clients[i].fd >= 0)
			client_close(&(*rpc)->clients[i]);
	}
	if ((*rpc)->listen_fd >= 0)
		close((*rpc)->listen_fd);
	if ((*rpc)->epoll_fd >= 0)
		close((*rpc)->epoll_fd);
	socket_remove(*rpc);
	free(*rpc);
	*rpc = NULL;
}
