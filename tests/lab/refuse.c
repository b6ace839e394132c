/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * refuse CALL ERRNO COMMAND...: runs it as on a machine that refuses this system call
 * with that errno (a number): a seccomp profile, an old kernel.
 *
 * socket_inet, socket_packet, socket_unix and socket_xdp are socket() for that family alone, as
 * RestrictAddressFamilies= of a unit refuses it.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct call {
	const char *name;
	unsigned number;
	bool by_argument; /* the first */
	unsigned argument;
} calls[] = {
	{ .name = "bpf", .number = SYS_bpf },
	{ .name = "clone3", .number = SYS_clone3 },
	{ .name = "eventfd2", .number = SYS_eventfd2 },
	{ .name = "get_mempolicy", .number = SYS_get_mempolicy },
	{ .name = "io_uring_enter", .number = SYS_io_uring_enter },
	{ .name = "io_uring_register", .number = SYS_io_uring_register },
	{ .name = "io_uring_setup", .number = SYS_io_uring_setup },
	{ .name = "ioctl", .number = SYS_ioctl },
	{ .name = "memfd_create", .number = SYS_memfd_create },
	{ .name = "socket_inet", .number = SYS_socket, .by_argument = true, .argument = AF_INET },
	{ .name = "socket_packet",
	  .number = SYS_socket,
	  .by_argument = true,
	  .argument = AF_PACKET },
	{ .name = "socket_unix", .number = SYS_socket, .by_argument = true, .argument = AF_UNIX },
	{ .name = "socket_xdp", .number = SYS_socket, .by_argument = true, .argument = AF_XDP },
};

static int refuse(const struct call *call, unsigned code)
{
	/* Any argument is 0 or more. */
	const unsigned compare = call->by_argument ? BPF_JEQ : BPF_JGE;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | compare | BPF_K, call->argument, 0, 1),
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
		if (refuse(&calls[i], (unsigned)atoi(argv[2])) < 0)
			break;
		execvp(argv[3], argv + 3);
		break;
	}
	fprintf(stderr, "refuse %s: %s\n", argc > 1 ? argv[1] : "", strerror(errno));
	return 126;
}
