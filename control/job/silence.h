/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether the disks of a running job answer. The lanes count what they ask of either file and
 * what comes back; a disk that owes answers and gives none for a while is silent. One that is
 * only slow, with much asked of it, is not. Pure; one thread.
 */
#ifndef WM_SILENCE_H
#define WM_SILENCE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "wiremill/store.h"

struct wm_silence {
	uint64_t answered[WM_STORE_FILES]; /* when it was looked at last */
	uint64_t since_ns[WM_STORE_FILES]; /* when that last changed, or nothing was owed */
	char text[PATH_MAX + 96]; /* what is waited for, with its file; "" while both answer */
};

/* Of a disk that does not answer, in each line that says so. */
#define WM_SILENCE_REMEDY "mend it, or 'umount -f' its mount point"

enum wm_silence_news { WM_SILENCE_NONE, WM_SILENCE_BEGAN, WM_SILENCE_ENDED };

/* A job begins to run. */
void wm_silence_begin(struct wm_silence *silence, uint64_t now_ns);
/* Now and then. requests: of all lanes together; paths: input and output. */
enum wm_silence_news wm_silence_look(struct wm_silence *silence,
				     const struct wm_store_requests requests[WM_STORE_FILES],
				     const char *const paths[WM_STORE_FILES], uint64_t now_ns);

#endif
