/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The library: kernels that are not built in, as objects (wiremill/kernel_object.h), each
 * known by its hash.
 *
 *   STATE/kernels/HASH.wmk       64 digits; written aside (HASH.wmk.new), fsync, rename,
 *                                fsync of the directory
 *
 *   add ──▶ entry, file ──▶ hold(job): the bytes are read, and are what HASH says
 *                            │  find(hash): for whoever sends them to nodes
 *                            ▼
 *                           release(job)
 *
 * An object never changes. Nothing but a hash becomes a file's name. Bounded by WM_KERNELS_MAX
 * and WM_KERNELS_BYTES_MAX: what was not used for longest makes room, but never what
 * is_named() says that a job names.
 *
 * Of a kernel that no job runs only the entry is in memory. Files are read and written where
 * the spool is, so on the same thread: the daemon's.
 */
#ifndef WM_KERNEL_LIBRARY_H
#define WM_KERNEL_LIBRARY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/kernel.h"
#include "wiremill/limits.h"

struct wm_kernel_entry {
	struct wm_kernel kernel; /* with the hash */
	uint32_t version;	 /* the author's */
	uint32_t object_bytes;
	uint64_t used_ms; /* since 1970: added, or a job of it submitted */
	char *settings;	  /* "k=3" lines: parameters that are not at their default */
};

/* Bytes that a job uses. */
struct wm_kernel_held {
	uint32_t job; /* 0: a free place */
	uint8_t hash[WM_KERNEL_HASH_BYTES];
	uint8_t *bytes;
	size_t bytes_count;
};

struct wm_kernel_library {
	char directory[PATH_MAX];
	/* Whether a job that is not over, or can be resumed, names it. */
	bool (*is_named)(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES]);
	void *context;
	struct wm_kernel_entry entries[WM_KERNELS_MAX]; /* in order of their names */
	uint32_t count;
	uint64_t bytes; /* of all objects */
	struct wm_kernel_held held[WM_RUNNING_JOBS_MAX];
};

/* Looks at what an earlier life left; what is damaged is named in the log and left out. On an
 * error it is there without any kernel, and takes none. */
int wm_kernel_library_init(struct wm_kernel_library *library, const char *state_directory,
			   bool (*is_named)(void *context,
					    const uint8_t hash[WM_KERNEL_HASH_BYTES]),
			   void *context, struct wm_error *error);
void wm_kernel_library_fini(struct wm_kernel_library *library);

/* Bytes of an object; one that is there already is used again. Durable on return. -EBADMSG: it
 * is none; -ENOSPC: jobs name all that would have to make room; or the disk's. */
int wm_kernel_library_add(struct wm_kernel_library *library, const uint8_t *bytes,
			  size_t bytes_count, struct wm_error *error);
/* A job names it again. -ENOENT: it is not here. */
int wm_kernel_library_use(struct wm_kernel_library *library,
			  const uint8_t hash[WM_KERNEL_HASH_BYTES], struct wm_error *error);
/* -ENOENT. Whether a job names it is the caller's to ask. */
int wm_kernel_library_remove(struct wm_kernel_library *library,
			     const uint8_t hash[WM_KERNEL_HASH_BYTES], struct wm_error *error);

/* NULL: it is not here. Until the next add or remove. */
const struct wm_kernel_entry *wm_kernel_library_look_up(const struct wm_kernel_library *library,
							const uint8_t hash[WM_KERNEL_HASH_BYTES]);
/* Which kernel of the library a person means: its name, or 8 digits or more that its hash
 * begins with. -ENOENT; -EINVAL: it may be several. */
int wm_kernel_library_resolve(const struct wm_kernel_library *library, const char *text,
			      struct wm_kernel *kernel, struct wm_error *error);

/* For that job, which holds one at most; again is no matter. -ENOENT: it is not here; -EBADMSG:
 * it is damaged; else the disk's. The line says what to do. */
int wm_kernel_library_hold(struct wm_kernel_library *library, uint32_t job,
			   const uint8_t hash[WM_KERNEL_HASH_BYTES], struct wm_error *error);
/* Not an error if it holds none. */
void wm_kernel_library_release(struct wm_kernel_library *library, uint32_t job);
/* The bytes of an object that a job holds, until it releases it; NULL: none does. They lie on
 * an address that suits wm_kernel_object_decode. */
const uint8_t *wm_kernel_library_find(const struct wm_kernel_library *library,
				      const uint8_t hash[WM_KERNEL_HASH_BYTES],
				      size_t *bytes_count);

#endif
