/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers from outside, checked; numbers for people. */
#ifndef WM_NUMBER_H
#define WM_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Decimal, whole, nothing before or after. 0, or -EINVAL / -ERANGE. */
int wm_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number);
/* The same with an optional suffix K, M, G, T (powers of 1024). */
int wm_number_parse_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *bytes);
/* "1.5 GB", "840 MB": powers of 1000, three digits. Returns `text`. */
char *wm_number_format_bytes(char *text, size_t text_bytes, uint64_t bytes);
/* "3 s", "2 min 05 s", "1 h 12 min". Returns `text`. */
char *wm_number_format_seconds(char *text, size_t text_bytes, double seconds);

#endif
