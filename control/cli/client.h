/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection to the controller's socket; calls wait for their answer. */
#ifndef WM_CLI_CLIENT_H
#define WM_CLI_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "wiremill/error.h"

struct wm_client {
	int fd;			 /* -1: closed */
	const char *socket_path; /* the caller's */
	unsigned answer_s;	 /* how long a call waits for its answer */
	uint64_t id;		 /* of the last request */
};

/* The controller answers from memory; a submission looks at two files before, which may take
 * ten seconds, and waits for the spool. */
#define WM_CLIENT_ANSWER_S 30u

/* And compiles a kernel before, in a minute at most beside others. */
#define WM_CLIENT_COMPILE_S 90u

/* How long the answer to a request with these parameters may take, in seconds. */
unsigned wm_client_patience(const json_t *params);
/* 0 or a negative errno with the line for it. */
int wm_client_open(struct wm_client *client, const char *socket_path, unsigned answer_s,
		   struct wm_error *error);
void wm_client_close(struct wm_client *client);

/*
 * Takes over params (NULL: it could not be made). Returns 0 with a new reference
 * in *result; -EREMOTEIO where the controller refused, error being its line; or
 * what went wrong on the way.
 */
int wm_client_call(struct wm_client *client, const char *method, json_t *params, json_t **result,
		   struct wm_error *error);

/* How to exit after a call that returned ret: did the controller refuse, or was there none? */
int wm_client_exit_status(int ret);

/* Connects, calls once, closes. NULL: the error was said on stderr, and *status is how to
 * exit. */
json_t *wm_client_ask(const char *socket_path, const char *method, json_t *params, int *status);
/* The same for a list that comes in pages: all of them as one, { name: [item ...] }. */
json_t *wm_client_list(const char *socket_path, const char *method, json_t *params,
		       const char *name, int *status);

#endif
