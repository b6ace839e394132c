/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The executor's other half where there is no device: every row is answered at
 * once, with zeroes. For measuring what is not compute. With an input of one
 * vector repeated, zeroes are what xor gives, so that nothing else has to know.
 */
#ifndef WM_NONE_H
#define WM_NONE_H

#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/executor.h"
#include "wiremill/kernel.h"

#define WM_NONE_NAME "none, answers zeroes"

struct wm_none {
	uint8_t *memory;     /* the region, the caller's */
	struct wm_row *rows; /* one table: nothing is ever in flight */
};

/* 0 or -ENOMEM. */
int wm_none_init(struct wm_none *none, void *memory, uint32_t rows_max, struct wm_error *error);
void wm_none_fini(struct wm_none *none);

/* The output of the first `count` rows of the table, which are valid. */
void wm_none_answer(const struct wm_none *none, const struct wm_kernel *kernel, uint32_t count);

#endif
