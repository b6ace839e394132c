/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "rights.h"

/* 0: everybody may; 1: who has CAP_SYS_ADMIN; 2: nobody. */
static char disabled_setting(void)
{
	FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
	int setting = file ? fgetc(file) : '0';

	if (file)
		fclose(file);
	return (char)setting;
}

/* By whom: several may, and none of them says so. */
static int refuse_forbidden(int code, struct wm_error *error)
{
	const char setting = disabled_setting();

	if (setting == '2' || (setting == '1' && wm_rights_check(WM_RIGHT_SYS_ADMIN,
								 "io_uring here", NULL) == -EPERM))
		return wm_error_set(error, code,
				    "io_uring is forbidden%s: set sysctl "
				    "kernel.io_uring_disabled=0",
				    setting == '1' ? " to who has no CAP_SYS_ADMIN" : "");
	if (wm_rights_are_filtered())
		return wm_error_set(
			error, code,
			"a seccomp filter forbids io_uring: allow io_uring_setup, "
			"io_uring_enter and io_uring_register in the container's profile "
			"or the unit's SystemCallFilter=");
	if (code == ENOSYS)
		return wm_error_set(error, code,
				    "this kernel has no io_uring: use one with CONFIG_IO_URING");
	return wm_error_set(error, code,
			    "io_uring is forbidden by a security module of the kernel (SELinux, "
			    "AppArmor): see its log");
}

int wm_ring_create(struct io_uring *ring, unsigned entries, unsigned flags, struct wm_error *error)
{
	int ret = io_uring_queue_init(entries, ring, flags);

	/* Before Linux 5.19 there are no such flags, and completions interrupt. */
	if (ret == -EINVAL && flags)
		ret = io_uring_queue_init(entries, ring, 0);
	/* A filter may forbid this call alone, and no job should be who finds out. */
	if (ret == 0) {
		ret = io_uring_enter((unsigned)ring->ring_fd, 0, 0, 0, NULL);
		if (ret < 0)
			io_uring_queue_exit(ring);
	}
	switch (-ret) {
	case 0:
		return 0;
	case ENOSYS:
	case EPERM:
		return refuse_forbidden(-ret, error);
	case ENOMEM:
		return wm_error_set(error, ENOMEM,
				    "an io_uring of depth %u needs more locked memory: raise "
				    "LimitMEMLOCK= (ulimit -l)",
				    entries);
	default:
		return wm_error_set(error, -ret, "an io_uring of depth %u cannot be made (%s)",
				    entries, wm_errno_text(-ret));
	}
}

void wm_ring_take_back(struct io_uring *ring, void (*taken)(void *context, void *data),
		       void *context)
{
	unsigned first = __atomic_load_n(ring->sq.khead, __ATOMIC_ACQUIRE);

	/* The kernel reads them only when it is entered, and this thread is not in it. */
	for (unsigned i = first; i != ring->sq.sqe_tail; i++) {
		struct io_uring_sqe *sqe = &ring->sq.sqes[i & *ring->sq.kring_mask];
		void *data = (void *)(uintptr_t)sqe->user_data;

		io_uring_prep_nop(sqe);
		io_uring_sqe_set_data(sqe, NULL);
		if (data)
			taken(context, data);
	}
}
