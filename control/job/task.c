/* SPDX-License-Identifier: BSD-3-Clause */
#include "task.h"

#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

/* The largest frame in it reads a journal by 64 KiB; paths take the rest. */
#define STACK_BYTES (512u * 1024)

static void *task_main(void *argument)
{
	struct wm_task *task = argument;
	const uint64_t one = 1;
	int wake_fd = task->wake_fd;

	task->run(task->context);
	/* All of the above is seen before the flag, and nothing is touched after it. */
	__atomic_store_n(&task->over, true, __ATOMIC_RELEASE);
	if (wake_fd >= 0 && write(wake_fd, &one, sizeof(one)) < 0)
		return NULL; /* the next tick sees it */
	return NULL;
}

int wm_task_start(struct wm_task *task, void (*run)(void *context), void *context, int wake_fd)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int ret = pthread_attr_init(&attributes);

	if (ret != 0)
		return -ret;
	*task = (struct wm_task){ .run = run, .context = context, .wake_fd = wake_fd };
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	ret = pthread_create(&thread, &attributes, task_main, task);
	pthread_attr_destroy(&attributes);
	return -ret;
}

bool wm_task_is_over(const struct wm_task *task)
{
	return __atomic_load_n(&task->over, __ATOMIC_ACQUIRE);
}
