/* SPDX-License-Identifier: BSD-3-Clause */
#include "rights.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	enum wm_right right;
	unsigned number;
	const char *name;
	bool of_machine; /* one that a user namespace gives does not count */
} capabilities[] = {
	{ WM_RIGHT_NET_RAW, CAP_NET_RAW, "CAP_NET_RAW", false },
	{ WM_RIGHT_NET_ADMIN, CAP_NET_ADMIN, "CAP_NET_ADMIN", false },
	{ WM_RIGHT_BPF, CAP_BPF, "CAP_BPF", true },
	{ WM_RIGHT_IPC_LOCK, CAP_IPC_LOCK, "CAP_IPC_LOCK", true },
	{ WM_RIGHT_SYS_ADMIN, CAP_SYS_ADMIN, "CAP_SYS_ADMIN", true },
};

/* That of the machine maps all users to themselves. */
static bool is_user_namespace(void)
{
	FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned long inside = 0, outside = 0, count = UINT32_MAX;
	int fields = file ? fscanf(file, "%lu %lu %lu", &inside, &outside, &count) : 0;

	if (file)
		fclose(file);
	return fields == 3 && (inside != 0 || outside != 0 || count != UINT32_MAX);
}

static int read_effective(uint64_t *effective)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	return 0;
}

int wm_rights_check(unsigned rights, const char *what, struct wm_error *error)
{
	uint64_t effective = 0;
	char missing[128] = "";
	size_t n = 0;
	bool nested = is_user_namespace();
	int ret = read_effective(&effective);

	if (ret < 0)
		return wm_error_set(error, -ret, "capabilities cannot be read: %s",
				    wm_errno_text(-ret));
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		if (rights & capabilities[i].right && (!(effective >> capabilities[i].number & 1) ||
						       (nested && capabilities[i].of_machine)))
			n += (size_t)snprintf(missing + n, sizeof(missing) - n, " %s",
					      capabilities[i].name);
	}
	if (n == 0)
		return 0;
	if (nested)
		return wm_error_set(error, EPERM,
				    "%s needs%s of the machine, and this is a user namespace (a "
				    "rootless container), whose own the kernel does not take: run "
				    "it outside, as root",
				    what, missing);
	return wm_error_set(error, EPERM,
			    "%s needs%s: run as root, or grant it (setcap, --cap-add of a "
			    "container)",
			    what, missing);
}

int wm_rights_check_memlock(uint64_t bytes, struct wm_error *error)
{
	struct rlimit limit;

	if (wm_rights_check(WM_RIGHT_IPC_LOCK, "locked memory", NULL) == 0 ||
	    getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur >= bytes)
		return 0;
	return wm_error_set(error, ENOMEM,
			    "%" PRIu64
			    " bytes of memory are to be locked, and the limit is %" PRIu64
			    ": %s raise it with 'ulimit -l' or LimitMEMLOCK=",
			    bytes, (uint64_t)limit.rlim_cur,
			    is_user_namespace() ? "outside of this user namespace (a rootless "
						  "container), whose CAP_IPC_LOCK does not count,"
						: "give CAP_IPC_LOCK, or");
}

int wm_rights_check_limits(uint64_t files, struct wm_error *error)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < files)
		return wm_error_set(error, EMFILE,
				    "%" PRIu64 " open files are needed, and the limit is %" PRIu64
				    ": raise it with 'ulimit -n' or LimitNOFILE=",
				    files, (uint64_t)limit.rlim_cur);
	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		return wm_error_set(error, ENOMEM,
				    "the address space is limited to %" PRIu64 " bytes, of which "
				    "drivers reserve much more than they use: run 'ulimit -v "
				    "unlimited'",
				    (uint64_t)limit.rlim_cur);
	return 0;
}

static void *do_nothing(void *context)
{
	return context;
}

/* 0 or a positive errno. */
static int try_thread(void)
{
	pthread_t thread;
	int code = pthread_create(&thread, NULL, do_nothing, NULL);

	if (code == 0)
		pthread_join(thread, NULL);
	return code;
}

int wm_rights_explain(int code, struct wm_error *error)
{
	struct wm_error symptom = error ? *error : (struct wm_error){ "" };
	struct rlimit limit;
	int refused;

	if (code != -EIO && code != -ENOMEM)
		return code;
	if (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		return wm_error_set(error, -code,
				    "the data segment is limited to %" PRIu64
				    " bytes: run 'ulimit -d unlimited' (%.300s)",
				    (uint64_t)limit.rlim_cur, symptom.text);
	refused = try_thread();
	if (refused == EPERM && wm_rights_are_filtered())
		return wm_error_set(error, -code,
				    "a seccomp filter forbids threads (clone3): allow them in the "
				    "container's profile or the unit's SystemCallFilter= (%.250s)",
				    symptom.text);
	if (refused)
		return wm_error_set(error, -code,
				    "no thread can be started: raise 'ulimit -u', TasksMax= or the "
				    "container's limit of pids (%.300s)",
				    symptom.text);
	if (wm_rights_are_filtered())
		return wm_error_set(error, -code,
				    "%.300s: perhaps by the seccomp filter that is in force (a "
				    "container's profile, SystemCallFilter=)",
				    symptom.text);
	return code;
}

bool wm_rights_are_filtered(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	bool filtered = false;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		filtered |= strcmp(line, "Seccomp:\t2\n") == 0;
	if (file)
		fclose(file);
	return filtered;
}
