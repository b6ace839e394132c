/* SPDX-License-Identifier: BSD-3-Clause */
/* What the refusals of an output (sink_check.c) and its life (sink.c) share. */
#ifndef WM_SINK_PRIVATE_H
#define WM_SINK_PRIVATE_H

#include "wiremill/store.h"

/* Fills in all but the descriptors. resumes: it goes on with what is there. */
int wm_sink_prepare(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		    bool resumes, const struct wm_source *source, struct wm_error *error);
/* The partial file that is there, if it is ours: a descriptor, -ENOENT without a line, or
 * another error. */
int wm_sink_open_partial(const struct wm_sink *sink, struct wm_error *error);
/* The device, but not while it is mounted or another job writes it. */
int wm_sink_open_device(const struct wm_sink *sink, int mode, struct wm_error *error);
/*
 * The lock of a partial file. It belongs to the open file, not to the process: so it also
 * keeps two jobs of one daemon apart, and ends with its holder. -EBUSY: another has it.
 */
int wm_sink_lock(const struct wm_sink *sink, int fd, struct wm_error *error);
void wm_sink_unlock(int fd);

int wm_sink_refuse_full(const char *path, uint64_t bytes, uint64_t free_bytes,
			struct wm_error *error);
int wm_sink_refuse_busy(const char *path, struct wm_error *error);
int wm_sink_refuse_partial(const struct wm_sink *sink, int code, struct wm_error *error);

#endif
