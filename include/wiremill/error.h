/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line for a person: what is wrong, where, and what to do about it.
 *
 * Functions that can fail for a reason outside the program take a
 * struct wm_error beside returning a negative errno; the caller supplies it and
 * it stays untouched on success. Never used on the poll path.
 */
#ifndef WIREMILL_ERROR_H
#define WIREMILL_ERROR_H

#define WM_ERROR_TEXT_BYTES 512

struct wm_error {
	char text[WM_ERROR_TEXT_BYTES];
};

/* Fills in error (which may be NULL) and returns -code, so that a failure is
 * one statement: return wm_error_set(error, ENOENT, "no such file: %s", path); */
int wm_error_set(struct wm_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* strerror, and behind it the limit that was met, where that is a limit of the process; or the
 * seccomp filter that may have refused a system call, where one is in force. */
const char *wm_errno_text(int code);

#endif
