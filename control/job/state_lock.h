/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state directory belongs to one controller: two would both run its queue, and each
 * would overwrite what the other saved. STATE/lock is locked (flock(2)) as long as the
 * controller lives, however it ends, and holds its pid. Any one thread.
 */
#ifndef WM_STATE_LOCK_H
#define WM_STATE_LOCK_H

#include <limits.h>
#include <stdint.h>

#include "wiremill/error.h"

struct wm_state_lock {
	int fd; /* -1: not held */
	char path[PATH_MAX];
};

/* Waits for so long for another to let go: one that was killed has the lock until the kernel
 * has taken its memory apart. -EBUSY: another has it still, and the line names its pid. Any
 * other error: it cannot be had. */
int wm_state_lock_take(struct wm_state_lock *lock, const char *directory, uint64_t wait_ns,
		       struct wm_error *error);
/* Is the file still the one that is locked? 1: it was removed, and is there again, locked;
 * 0: it is. Negative: it is lost, and another controller may have the directory. */
int wm_state_lock_keep(struct wm_state_lock *lock, struct wm_error *error);
void wm_state_lock_release(struct wm_state_lock *lock);

#endif
