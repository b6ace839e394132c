/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection to the controller's socket; calls wait for their answer. */
#ifndef WM_CLI_CLIENT_H
#define WM_CLI_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "wiremill/error.h"

struct wm_client {
	int fd;
	const char *socket_path; /* the caller's */
	uint64_t id;		 /* of the last request */
};

/* 0 or a negative errno with the line for it. */
int wm_client_open(struct wm_client *client, const char *socket_path, struct wm_error *error);
void wm_client_close(struct wm_client *client);

/*
 * Takes over params (NULL: it could not be made). Returns 0 with a new reference
 * in *result; -EREMOTEIO where the controller refused, error being its line; or
 * what went wrong on the way.
 */
int wm_client_call(struct wm_client *client, const char *method, json_t *params, json_t **result,
		   struct wm_error *error);

/* Connects, calls once, closes. NULL: the error was said on stderr. */
json_t *wm_client_ask(const char *socket_path, const char *method, json_t *params);

#endif
