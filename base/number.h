/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers from outside, checked; numbers for people. */
#ifndef WM_NUMBER_H
#define WM_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal, whole, nothing before or after. 0, or -EINVAL / -ERANGE. */
int wm_number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *number);
/* The same with an optional suffix K, M, G, T (powers of 1024). */
int wm_number_parse_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *bytes);
/* What is written with a point is exact: "12.5" is 12 and 500000000 billionths. */
struct wm_decimal {
	uint64_t whole, billionths;
};

/* At most 13 digits, and 9 behind the point. *text goes on behind them. False: it begins with no
 * such number. */
bool wm_decimal_read(const char **text, struct wm_decimal *decimal);
/* k, M or G, in any case, as a power of 1000; 1 and *text as it was if it is none. */
uint64_t wm_decimal_read_prefix(const char **text);
/* decimal * factor / divisor, rounded down (*is_exact, which may be NULL: nothing was lost); max
 * + 1 if it is more than max. */
uint64_t wm_decimal_scale(struct wm_decimal decimal, uint64_t factor, uint64_t divisor,
			  uint64_t max, bool *is_exact);
/* "1.50 Mpps", "12 pps": of a unit, with k, M, G, ... (powers of 1000), three digits. Returns
 * `text`. */
char *wm_number_format(char *text, size_t text_bytes, double value, const char *unit);
/* How many of what `one` names: "1 node", "2 nodes", "0 batches". Returns `text`. */
char *wm_number_format_count(char *text, size_t text_bytes, uint64_t count, const char *one);
#define WM_COUNT_BYTES 48u
/* "1.5 GB", "840 MB": powers of 1000, three digits. Returns `text`. */
char *wm_number_format_bytes(char *text, size_t text_bytes, uint64_t bytes);
/* "3 s", "2 min 05 s", "1 h 12 min". Returns `text`. */
char *wm_number_format_seconds(char *text, size_t text_bytes, double seconds);

#endif
