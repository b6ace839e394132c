/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One piece of work on a thread of its own, since it may wait for a disk: nobody can stop a
 * thread that does, and one that never comes back is left behind until the process ends.
 *
 *   wm_task_start ── context ──▶ run(context)
 *   wm_task_is_over ◀── all that it did is seen
 */
#ifndef WM_TASK_H
#define WM_TASK_H

#include <stdbool.h>

struct wm_task {
	void (*run)(void *context);
	void *context;
	int wake_fd; /* an eventfd that is written when it is over; -1: none */
	bool over;   /* written last by the thread, with release */
};

/* 0, or a negative errno: there is no thread. The task, and what the context points to, are
 * the thread's until it is over. */
int wm_task_start(struct wm_task *task, void (*run)(void *context), void *context, int wake_fd);
bool wm_task_is_over(const struct wm_task *task);

#endif
