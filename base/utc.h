/* SPDX-License-Identifier: BSD-3-Clause */
/* The time of day, for people: never what a program reckons with (that is clock.h). */
#ifndef WM_UTC_H
#define WM_UTC_H

#include <stdint.h>

/* "2026-11-27T13:44:00.123Z" (ISO 8601). */
#define WM_UTC_TEXT_BYTES 40

/* Since 1970. */
uint64_t wm_utc_ms(void);
/* Returns text, which has room for any time. */
const char *wm_utc_format(char text[WM_UTC_TEXT_BYTES], uint64_t utc_ms);

#endif
