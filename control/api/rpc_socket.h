/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of the control socket: made, found dead or alive, removed. */
#ifndef WM_RPC_SOCKET_H
#define WM_RPC_SOCKET_H

#include <sys/types.h>
#include <sys/un.h>

#include "wiremill/error.h"

struct wm_rpc_socket {
	int fd; /* listens; -1: closed */
	struct sockaddr_un address;
	dev_t device; /* to remove the file only if it still is this one */
	ino_t inode;
};

/* Can one be made there? Touches nothing. 0, or the error that wm_rpc_socket_open would end
 * with, such as -EADDRINUSE where a live one answers. */
int wm_rpc_socket_check(const char *path, struct wm_error *error);
/*
 * Listens at path, mode 0660. Creates its directory (0755, one level) if missing, replaces the
 * file that a dead daemon left, refuses that of a live one with -EADDRINUSE. 0 or a negative
 * errno; to be closed in either case.
 */
int wm_rpc_socket_open(struct wm_rpc_socket *file, const char *path, struct wm_error *error);
/* Is the file still there? 1: it was not, and has been made again, with another fd; 0: it is.
 * Negative, with the line: something else has its place. It listens in any case. */
int wm_rpc_socket_keep(struct wm_rpc_socket *file, struct wm_error *error);
/* Removes the file too, if it is this one's. */
void wm_rpc_socket_close(struct wm_rpc_socket *file);

#endif
