/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is this output what the kernel makes of this input? Asked of the kernel's reference,
 * apart from all that a job uses: neither layout nor store nor executor.
 *
 * Any thread; it blocks, reads both files through the page cache, and changes nothing.
 */
#ifndef WIREMILL_VERIFY_H
#define WIREMILL_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "wiremill/error.h"

struct wm_verify_result {
	bool equal;
	uint64_t offset; /* of the first byte that differs, in the output */
	uint8_t expected, found;
	uint64_t bytes_checked;
	uint64_t expected_bytes, found_bytes; /* of the output; of a device what it has of it */
};

/* Called now and then with how far it is; returns false to stop (-ECANCELED). */
typedef bool wm_verify_progress(void *context, uint64_t done_bytes, uint64_t total_bytes);

/*
 * Recomputes the job with a plain loop on the CPU that shares no code with the
 * nodes' path and compares. kernel: the name of one that has a reference; params: as it
 * takes them. An output of the wrong length differs at the shorter
 * length. drop_tail as in the job. Returns 0 (see result->equal) or an error.
 */
int wm_verify(const char *kernel, const double *params, const char *input_path,
	      const char *output_path, bool drop_tail, wm_verify_progress *progress, void *context,
	      struct wm_verify_result *result, struct wm_error *error);

#endif
