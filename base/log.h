/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log: lines on stderr, "program: level: text", with the date where stderr
 * is no terminal. Any thread; never on the poll path.
 */
#ifndef WM_LOG_H
#define WM_LOG_H

enum wm_log_level { WM_LOG_ERROR, WM_LOG_WARNING, WM_LOG_INFO, WM_LOG_DEBUG };

/* program is kept by reference. Lines above `level` are dropped. */
void wm_log_init(const char *program, enum wm_log_level level);
void wm_log(enum wm_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define wm_log_error(...) wm_log(WM_LOG_ERROR, __VA_ARGS__)
#define wm_log_warning(...) wm_log(WM_LOG_WARNING, __VA_ARGS__)
#define wm_log_info(...) wm_log(WM_LOG_INFO, __VA_ARGS__)
#define wm_log_debug(...) wm_log(WM_LOG_DEBUG, __VA_ARGS__)

#endif
