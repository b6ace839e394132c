/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cluster key as a file: 64 hexadecimal digits and a newline, of a regular
 * file that its owner alone may read. Copy it to every machine of the rack.
 */
#ifndef WM_KEY_H
#define WM_KEY_H

#include <stddef.h>

#include "auth.h"
#include "wiremill/error.h"

/* Reads it. The error says what to type where the file's mode is too open. */
int wm_key_read(struct wm_key *key, const char *path, struct wm_error *error);
/* Makes a file with a new key, mode 0600. -EEXIST: there is one, which stays. */
int wm_key_create(const char *path, struct wm_error *error);

/* Keeps memory out of swap and core dumps, where the system lets us. */
void wm_secret_lock(void *memory, size_t bytes);
/* Wipes it, and lets it go. */
void wm_secret_wipe(void *memory, size_t bytes);

#endif
