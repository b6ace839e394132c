/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON-RPC 2.0 over a UNIX stream socket: the server's side of
 * wiremill/control.h.
 *
 *   rpc_answer.c   one line in, one line out; pure but for the methods it calls
 *   rpc_socket.c   the socket's file
 *   rpc.c          its clients, their turns and their buffers
 *
 * One thread, the caller's: it waits on wm_rpc_fd (an epoll descriptor) beside
 * whatever else it waits for, and calls wm_rpc_serve when that is readable.
 * Methods run inside wm_rpc_serve and must not block: what has to wait for a disk
 * answers later (wm_rpc_begin), and the other clients are served meanwhile.
 *
 * Time is bounded: a client's turn is so many requests (of a batch too) or so many
 * milliseconds, and so is wm_rpc_serve as a whole; what is left waits for the next turn.
 *
 * Memory is bounded: so many clients, each with at most one line on its way in and one on its
 * way out, and all of them together with WM_RPC_MEMORY_BYTES_MAX: beyond that requests are
 * refused. A client that does not read its answers is not read from. One that keeps a line, or
 * an answer, unfinished too long (rpc.c) loses its connection. When all places are taken,
 * a new client waits in the socket's backlog; it gets the place of one that has asked nothing
 * for a minute, never of one that waits for an answer.
 */
#ifndef WM_RPC_H
#define WM_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wiremill/control.h"
#include "wiremill/error.h"

/* Requests in one batch: with the bound of a line, what its answers may take. */
#define WM_RPC_BATCH_MAX 64u

/*
 * Returns a new reference to the result, or NULL with error filled in; *code is
 * WM_RPC_FAILED unless the method sets it. params is an object, never NULL.
 */
typedef json_t *wm_rpc_call(void *context, const json_t *params, int *code, struct wm_error *error);

/*
 * The same for a method that may answer later. It, or whoever it hands request to, calls
 * wm_rpc_request_answer exactly once, on the server's thread, whatever became of the
 * client. Until then that client is not read from, and what else is in its line waits.
 */
struct wm_rpc_request;
typedef void wm_rpc_begin(void *context, const json_t *params, struct wm_rpc_request *request);
/* Takes over request and result; NULL: refused, with code and error. */
void wm_rpc_request_answer(struct wm_rpc_request *request, json_t *result, int code,
			   const struct wm_error *error);

struct wm_rpc_method {
	const char *name;
	wm_rpc_call *call; /* NULL: it begins */
	wm_rpc_begin *begin;
};

/* ---- the socket --------------------------------------------------------- */

struct wm_rpc;

struct wm_rpc_config {
	const char *socket_path;
	/* Of methods: each ends with one without a name, and they end with NULL. Kept. */
	const struct wm_rpc_method *const *tables;
	void *context;	      /* handed to every method */
	unsigned clients_max; /* 0: WM_RPC_CLIENTS_MAX, or as many as RLIMIT_NOFILE has room for */
};

/*
 * Listens at socket_path, mode 0660. Creates its directory (0755, one level) if
 * missing, replaces the socket that a dead daemon left, refuses that of a live
 * one with -EADDRINUSE. 0 or a negative errno.
 */
int wm_rpc_create(struct wm_rpc **rpc, const struct wm_rpc_config *config, struct wm_error *error);
/* Readable when wm_rpc_serve has something to do. Stays the server's. */
int wm_rpc_fd(const struct wm_rpc *rpc);
/* Takes, answers and sends what can be without waiting, for some milliseconds. */
void wm_rpc_serve(struct wm_rpc *rpc);
/* Now and then, at least once a second: ends the connections of clients that stall, and
 * makes the socket again if its file was removed. */
void wm_rpc_tick(struct wm_rpc *rpc, uint64_t now_ns);
/* Who asks, for a method while it runs; -1: not known, or no socket (rpc NULL). */
uid_t wm_rpc_caller(const struct wm_rpc *rpc);
/* Closes all connections and removes the socket. Leaves NULL. */
void wm_rpc_destroy(struct wm_rpc **rpc);

/* ---- one line ----------------------------------------------------------- */

/*
 * One line (without its '\n'; any bytes at all) being answered: a request, a notification or
 * a batch, one request at a step, so that a client with a long batch takes turns with others.
 *
 *	wm_rpc_line_begin(&line, bytes, count);
 *	while (!wm_rpc_line_step(&line))
 *		(somebody else's turn; while it waits, until wake)
 *	answer = wm_rpc_line_end(&line);
 */
struct wm_rpc_line {
	const struct wm_rpc_method *const *tables; /* the first three are set by the caller, once */
	void *context;
	void (*wake)(struct wm_rpc_line *line); /* what it waits for is answered */
	struct wm_rpc_request *waits;		/* it is being run; NULL: none is */
	json_t *request; /* what the line says; NULL: nothing is left to run */
	bool batch;
	size_t next;  /* request of the batch */
	char *answer; /* as far as it is made */
	size_t answer_bytes;
};

/* Takes the line apart; runs nothing. The bytes are not kept. */
void wm_rpc_line_begin(struct wm_rpc_line *line, const char *bytes, size_t count);
/* Runs one request, if any is left. True: all are answered. */
bool wm_rpc_line_step(struct wm_rpc_line *line);
/*
 * Returns the answer without '\n', for free(), at most WM_RPC_LINE_BYTES_MAX - 1 bytes long,
 * or NULL where none is due. Each request has its answer: one that is too long is replaced by
 * an error with its id. Also ends a line before its last step. It can begin again.
 */
char *wm_rpc_line_end(struct wm_rpc_line *line);
/* An error without a request that it belongs to (id null), likewise. */
char *wm_rpc_answer_error(int code, const char *message);

/* ---- parameters of a method --------------------------------------------- */

enum wm_rpc_type {
	WM_RPC_STRING,	/* const char *, borrowed from params */
	WM_RPC_NUMBER,	/* uint64_t */
	WM_RPC_BOOL,	/* bool */
	WM_RPC_STRINGS, /* const json_t *, an array of them, borrowed from params */
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
