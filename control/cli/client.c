/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "wiremill/limits.h"

/* ---- the connection ----------------------------------------------------- */

static int connect_failed(const struct wm_client *client, int code, struct wm_error *error)
{
	const char *path = client->socket_path;

	if (code == ENOENT || code == ECONNREFUSED || code == ENOTDIR)
		return wm_error_set(error, code,
				    "no controller answers at %s: start wiremilld, or name its "
				    "socket with --socket",
				    path);
	if (code == EACCES)
		return wm_error_set(error, code,
				    "no permission for the controller's socket %s: run as root",
				    path);
	if (code == EAGAIN)
		return wm_error_set(error, ETIMEDOUT,
				    "the controller at %s is busy: it has taken no more clients "
				    "for %u s",
				    path, client->answer_s);
	return wm_error_set(error, code, "controller's socket %s: %s", path, wm_errno_text(code));
}

unsigned wm_client_patience(const json_t *params)
{
	return json_object_get(params, "kernel_source") ? WM_CLIENT_COMPILE_S : WM_CLIENT_ANSWER_S;
}

int wm_client_open(struct wm_client *client, const char *socket_path, unsigned answer_s,
		   struct wm_error *error)
{
	const struct timeval timeout = { .tv_sec = answer_s };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int ret;

	*client = (struct wm_client){ .fd = -1, .socket_path = socket_path, .answer_s = answer_s };
	if (strlen(socket_path) >= sizeof(address.sun_path))
		return wm_error_set(error, ENAMETOOLONG,
				    "socket path %s is longer than the %zu bytes that a UNIX "
				    "socket can have",
				    socket_path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, socket_path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return connect_failed(client, errno, error);
	if (setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
	    connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return 0;
	ret = connect_failed(client, errno, error);
	wm_client_close(client);
	return ret;
}

void wm_client_close(struct wm_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

static int went_away(const struct wm_client *client, int code, struct wm_error *error)
{
	if (code == EAGAIN)
		return wm_error_set(error, ETIMEDOUT,
				    "the controller at %s is busy, or stands still: it has not "
				    "answered for %u s; see its log",
				    client->socket_path, client->answer_s);
	return wm_error_set(error, code,
			    "the controller at %s went away: see its log, and start it again",
			    client->socket_path);
}

/* ---- lines -------------------------------------------------------------- */

static int line_send(struct wm_client *client, const char *line, size_t bytes,
		     struct wm_error *error)
{
	while (bytes > 0) {
		ssize_t sent = send(client->fd, line, bytes, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return went_away(client, errno, error);
		line += sent;
		bytes -= (size_t)sent;
	}
	return 0;
}

/* One line into line[WM_RPC_LINE_BYTES_MAX], its '\n' replaced by NUL. One
 * request is under way at a time, so nothing follows it. */
static int line_receive(struct wm_client *client, char *line, struct wm_error *error)
{
	size_t done = 0;
	ssize_t received;

	while (done == 0 || line[done - 1] != '\n') {
		if (done == WM_RPC_LINE_BYTES_MAX)
			return wm_error_set(error, EPROTO,
					    "what answers at %s is no wiremilld: its line has no "
					    "end",
					    client->socket_path);
		received = recv(client->fd, line + done, WM_RPC_LINE_BYTES_MAX - done, 0);
		if (received < 0 && errno == EINTR)
			continue;
		if (received <= 0)
			return went_away(client, received < 0 ? errno : EPIPE, error);
		done += (size_t)received;
	}
	line[done - 1] = '\0';
	return 0;
}

/* ---- calls -------------------------------------------------------------- */

/* Takes over params. NULL: no memory, or text that is no UTF-8. */
static char *request_new(struct wm_client *client, const char *method, json_t *params)
{
	json_t *request = json_pack("{s:s, s:s, s:o, s:I}", "jsonrpc", "2.0", "method", method,
				    "params", params, "id", (json_int_t)++client->id);
	size_t bytes;
	char *line = json_dumps(request, JSON_COMPACT);

	json_decref(request);
	if (!line)
		return NULL;
	bytes = strlen(line);
	line[bytes] = '\n'; /* counted from here on, so it replaces the NUL */
	return line;
}

static int answer_read(const struct wm_client *client, const char *line, json_t **result,
		       struct wm_error *error)
{
	json_t *answer = json_loads(line, 0, NULL), *fault = json_object_get(answer, "error");
	int ret = 0;

	*result = json_incref(json_object_get(answer, "result"));
	if (fault)
		ret = wm_error_set(error, EREMOTEIO, "%s", wm_cli_text(fault, "message"));
	else if (!*result || wm_cli_number(answer, "id") != client->id)
		ret = wm_error_set(error, EPROTO,
				   "what answers at %s is no wiremilld: that is no JSON-RPC",
				   client->socket_path);
	if (ret < 0) {
		json_decref(*result);
		*result = NULL;
	}
	json_decref(answer);
	return ret;
}

int wm_client_call(struct wm_client *client, const char *method, json_t *params, json_t **result,
		   struct wm_error *error)
{
	char *request = params ? request_new(client, method, params) : NULL, *line = NULL;
	size_t bytes;
	int ret;

	*result = NULL;
	if (!request)
		return wm_error_set(error, EILSEQ,
				    "a request is UTF-8, and this has other bytes: rename the "
				    "file, or link it under another name");
	bytes = strcspn(request, "\n") + 1;
	ret = bytes < WM_RPC_LINE_BYTES_MAX
		      ? line_send(client, request, bytes, error)
		      : wm_error_set(error, EMSGSIZE,
				     "the request has %zu bytes, and one has %u at most: the "
				     "kernel's text is too long",
				     bytes, WM_RPC_LINE_BYTES_MAX);
	free(request);
	if (ret < 0)
		return ret;
	line = malloc(WM_RPC_LINE_BYTES_MAX);
	ret = line ? line_receive(client, line, error) : wm_error_set(error, ENOMEM, "no memory");
	if (ret == 0)
		ret = answer_read(client, line, result, error);
	free(line);
	return ret;
}

/* ---- a question, and its answer ------------------------------------------- */

int wm_client_exit_status(int ret)
{
	if (ret == 0)
		return WM_EXIT_DONE;
	if (ret == -EREMOTEIO || ret == -EILSEQ || ret == -EMSGSIZE || ret == -ENOMEM)
		return WM_EXIT_FAILED;
	return WM_EXIT_NO_CONTROLLER;
}

/* Says what went wrong. Returns how to exit. */
static int said(int ret, const struct wm_error *error)
{
	if (ret < 0)
		wm_cli_failed("%s", error->text);
	return wm_client_exit_status(ret);
}

json_t *wm_client_ask(const char *socket_path, const char *method, json_t *params, int *status)
{
	struct wm_client client;
	struct wm_error error = { "" };
	json_t *result = NULL;
	int ret = wm_client_open(&client, socket_path, wm_client_patience(params), &error);

	if (ret < 0) {
		json_decref(params);
	} else {
		ret = wm_client_call(&client, method, params, &result, &error);
		wm_client_close(&client);
	}
	*status = said(ret, &error);
	return result;
}

/* Adds the next page to all; *more: there is another. */
static int page_add(struct wm_client *client, const char *method, json_t *params, json_t *all,
		    const char *name, bool *more, struct wm_error *error)
{
	json_t *page, *next;
	int ret = wm_client_call(client, method, json_deep_copy(params), &page, error);

	if (ret < 0)
		return ret;
	json_array_extend(all, json_object_get(page, name));
	next = json_object_get(page, "next");
	*more = json_is_integer(next);
	if (*more)
		json_object_set(params, "after", next);
	json_decref(page);
	return 0;
}

json_t *wm_client_list(const char *socket_path, const char *method, json_t *params,
		       const char *name, int *status)
{
	struct wm_client client;
	struct wm_error error = { "" };
	json_t *all = json_array();
	bool more = true;
	int ret = wm_client_open(&client, socket_path, WM_CLIENT_ANSWER_S, &error);

	/* The newest are counted once, for the first page; what follows them is newer. */
	for (; ret == 0 && more; json_object_del(params, "last"))
		ret = page_add(&client, method, params, all, name, &more, &error);
	wm_client_close(&client);
	json_decref(params);
	*status = said(ret, &error);
	if (ret == 0)
		return json_pack("{s:o}", name, all);
	json_decref(all);
	return NULL;
}
