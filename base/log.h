/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log: lines on stderr, "program: level: text", with the date where stderr
 * is no terminal. Any thread; never on the poll path. What a line quotes is made
 * printable (printable.h), so that one call is one line.
 *
 * Whoever reads stderr may stall, and may end: once wm_log_start was called, a thread of the
 * log's own writes, and wm_log only puts the line into a queue. Lines that find no room
 * there, or cannot be written, are lost; how many is said as soon as a line gets through.
 */
#ifndef WM_LOG_H
#define WM_LOG_H

#include <stdio.h>

enum wm_log_level { WM_LOG_ERROR, WM_LOG_WARNING, WM_LOG_INFO, WM_LOG_DEBUG };
/* In that order, NULL-ended. */
extern const char *const wm_log_level_names[];

/* Bytes that may wait to be written: some thousand lines. */
#define WM_LOG_QUEUE_BYTES (256u * 1024u)

/* program is kept by reference. Lines above `level` are dropped. */
void wm_log_init(const char *program, enum wm_log_level level);
/* From here on no line waits for its reader. At exit what is queued has a second to get out. 0
 * or a negative errno; without its thread the log goes on as before. */
int wm_log_start(void);
void wm_log(enum wm_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A stream whose lines are logged at that level, for a library that writes to one. NULL: no
 * memory. The caller's. */
FILE *wm_log_stream(enum wm_log_level level);

#define wm_log_error(...) wm_log(WM_LOG_ERROR, __VA_ARGS__)
#define wm_log_warning(...) wm_log(WM_LOG_WARNING, __VA_ARGS__)
#define wm_log_info(...) wm_log(WM_LOG_INFO, __VA_ARGS__)
#define wm_log_debug(...) wm_log(WM_LOG_DEBUG, __VA_ARGS__)

#endif
