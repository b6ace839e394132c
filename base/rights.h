/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel lets this process do: capabilities, limits, a filter of its system calls. Looked
 * at before something fails, so that the reason is told and not the symptom. */
#ifndef WM_RIGHTS_H
#define WM_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/error.h"

enum wm_right {
	WM_RIGHT_NET_RAW = 1 << 0,
	WM_RIGHT_NET_ADMIN = 1 << 1,
	WM_RIGHT_BPF = 1 << 2,
	WM_RIGHT_IPC_LOCK = 1 << 3,
	WM_RIGHT_SYS_ADMIN = 1 << 4,
};

/* Returns 0 or -EPERM, naming every capability that `what` needs and that is missing. In a user
 * namespace other than the machine's those that the kernel asks of the machine's are missing. */
int wm_rights_check(unsigned rights, const char *what, struct wm_error *error);
/* So many files may be open, and the address space has no bound. Returns 0 or -EMFILE, -ENOMEM. */
int wm_rights_check_limits(uint64_t files, struct wm_error *error);
/* For a failure that names no cause: `code` is -EIO or -ENOMEM (else nothing is done), and the
 * error says what failed. Where a limit of this process or a filter of its system calls may be
 * why, the line names that first.
 * Returns code. */
int wm_rights_explain(int code, struct wm_error *error);
/* So many bytes may be locked: by CAP_IPC_LOCK or RLIMIT_MEMLOCK. Returns 0 or -ENOMEM. */
int wm_rights_check_memlock(uint64_t bytes, struct wm_error *error);
/* A seccomp filter is in force (of a container, of SystemCallFilter=), which may be who
 * refused a call. False too where /proc does not tell. */
bool wm_rights_are_filtered(void);

#endif
