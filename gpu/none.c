/* SPDX-License-Identifier: BSD-3-Clause */
#include "none.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int wm_none_init(struct wm_none *none, void *memory, uint32_t rows_max, struct wm_error *error)
{
	*none = (struct wm_none){ .memory = memory };
	none->rows = calloc(rows_max, sizeof(*none->rows));
	if (!none->rows)
		return wm_error_set(error, ENOMEM, "executor: out of memory");
	return 0;
}

void wm_none_fini(struct wm_none *none)
{
	free(none->rows);
	*none = (struct wm_none){ 0 };
}

/* Control frames leave from the same chunks: what lies there is not always zero. */
void wm_none_answer(const struct wm_none *none, const struct wm_kernel *kernel, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct wm_row *row = &none->rows[i];

		memset(none->memory + row->out, 0, (size_t)row->count * kernel->out_bytes);
	}
}
