/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * refuse CALL ERRNO COMMAND...: runs it as on a machine that refuses this system call
 * with that errno (a number): a seccomp profile, an old kernel.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned number;
} calls[] = {
	{ "bpf", SYS_bpf },
	{ "io_uring_register", SYS_io_uring_register },
	{ "io_uring_setup", SYS_io_uring_setup },
	{ "memfd_create", SYS_memfd_create },
};

static int refuse(unsigned number, unsigned code)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code & SECCOMP_RET_DATA)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 3 && i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(argv[1], calls[i].name) != 0)
			continue;
		if (refuse(calls[i].number, (unsigned)atoi(argv[2])) < 0)
			break;
		execvp(argv[3], argv + 3);
		break;
	}
	fprintf(stderr, "refuse %s: %s\n", argc > 1 ? argv[1] : "", strerror(errno));
	return 126;
}
