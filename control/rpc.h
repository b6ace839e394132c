/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON-RPC 2.0 over a UNIX stream socket: the server's side of
 * wiremill/control.h.
 *
 *   rpc_answer.c   one line in, one line out; pure but for the methods it calls
 *   rpc.c          the socket, its clients and their buffers
 *
 * One thread, the caller's: it waits on wm_rpc_fd (an epoll descriptor) beside
 * whatever else it waits for, and calls wm_rpc_serve when that is readable.
 * Methods run inside wm_rpc_serve and should not block.
 *
 * Memory is bounded: WM_RPC_CLIENTS_MAX clients, each with at most one line on
 * its way in and one on its way out. A client that does not read its answers is
 * not read from; when all places are taken, a new client gets the place of the
 * one that has been still for longest, so slow readers go first.
 */
#ifndef WM_RPC_H
#define WM_RPC_H

#include <jansson.h>
#include <stddef.h>

#include "wiremill/control.h"
#include "wiremill/error.h"

#define WM_RPC_CLIENTS_MAX 64u
/* Requests in one batch: with the bound of a line, what its answers may take. */
#define WM_RPC_BATCH_MAX 64u

/*
 * Returns a new reference to the result, or NULL with error filled in; *code is
 * WM_RPC_FAILED unless the method sets it. params is an object, never NULL.
 */
typedef json_t *wm_rpc_call(void *context, const json_t *params, int *code, struct wm_error *error);

struct wm_rpc_method {
	const char *name;
	wm_rpc_call *call;
};

/* ---- the socket --------------------------------------------------------- */

struct wm_rpc;

struct wm_rpc_config {
	const char *socket_path;
	const struct wm_rpc_method *methods; /* kept by reference */
	unsigned method_count;
	void *context; /* handed to every method */
};

/*
 * Listens at socket_path, mode 0660. Creates its directory (0755, one level) if
 * missing, replaces the socket that a dead daemon left, refuses that of a live
 * one with -EADDRINUSE. 0 or a negative errno.
 */
int wm_rpc_create(struct wm_rpc **rpc, const struct wm_rpc_config *config, struct wm_error *error);
/* Readable when wm_rpc_serve has something to do. Stays the server's. */
int wm_rpc_fd(const struct wm_rpc *rpc);
/* Takes, answers and sends what can be without waiting. */
void wm_rpc_serve(struct wm_rpc *rpc);
/* Closes all connections and removes the socket. Leaves NULL. */
void wm_rpc_destroy(struct wm_rpc **rpc);

/* ---- one line ----------------------------------------------------------- */

/*
 * Answers one line (without its '\n'; any bytes at all): a request, a
 * notification or a batch. Returns the answer without '\n', for free(), at most
 * WM_RPC_LINE_BYTES_MAX - 1 bytes long, or NULL where none is due.
 */
char *wm_rpc_answer(const struct wm_rpc_method *methods, unsigned method_count, void *context,
		    const char *line, size_t line_bytes);
/* An error without a request that it belongs to (id null), likewise. */
char *wm_rpc_answer_error(int code, const char *message);

/* ---- parameters of a method --------------------------------------------- */

enum wm_rpc_type {
	WM_RPC_STRING, /* const char *, borrowed from params */
	WM_RPC_NUMBER, /* uint64_t */
	WM_RPC_BOOL,   /* bool */
};

struct wm_rpc_param {
	const char *name;
	enum wm_rpc_type type;
	int optional; /* left out: *value stays as it is */
	void *value;
};

/*
 * Takes params apart. A missing, mistyped or unknown parameter is refused by
 * its name: -EINVAL, with *code = WM_RPC_INVALID_PARAMS and error filled in, so
 * that a method begins with
 *
 *	if (wm_rpc_params_unpack(params, expected, count, code, error) < 0)
 *		return NULL;
 *
 * count = 0 (and expected NULL) for a method that takes none.
 */
int wm_rpc_params_unpack(const json_t *params, const struct wm_rpc_param *expected, unsigned count,
			 int *code, struct wm_error *error);

#endif
