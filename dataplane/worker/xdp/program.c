/* SPDX-License-Identifier: BSD-3-Clause */
#include "program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "rights.h"
#include "wm_xdp.skel.h"

/* A program that was killed a moment ago may still be attached. */
#define BUSY_RETRIES 20
#define BUSY_PAUSE_US 50000

static int print_debug(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[512];

	(void)level;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	wm_log_debug("libbpf: %s", line);
	return 0;
}

static int load(struct wm_xdp_program *program, const struct wm_host_interface *interface,
		struct wm_error *error)
{
	int ret;

	libbpf_set_print(print_debug);
	program->skeleton = wm_xdp__open();
	if (!program->skeleton)
		return wm_error_set(error, errno, "the XDP program cannot be opened: %s",
				    wm_errno_text(errno));
	memcpy(program->skeleton->rodata->host_address, interface->address, WM_ETHER_ADDR_BYTES);
	ret = wm_xdp__load(program->skeleton);
	if (ret < 0) {
		wm_xdp__destroy(program->skeleton);
		/* The capability was checked before. */
		if (ret == -EPERM && wm_rights_are_filtered())
			return wm_error_set(error, EPERM,
					    "a seccomp filter forbids bpf(), which loads the XDP "
					    "program: allow it in the container's profile or the "
					    "unit's SystemCallFilter=");
		return wm_error_set(error, -ret,
				    "the XDP program cannot be loaded: %s (--log-level debug says "
				    "what the kernel objects to)",
				    wm_errno_text(-ret));
	}
	return 0;
}

static uint32_t attached_id(unsigned interface)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)interface, 0, &query) < 0)
		return 0;
	return query.prog_id ? query.prog_id : query.drv_prog_id | query.skb_prog_id;
}

static void name_of_program(char *name, size_t name_bytes, uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t info_bytes = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);

	snprintf(name, name_bytes, "unnamed");
	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &info_bytes) == 0 && info.name[0])
		snprintf(name, name_bytes, "%.15s", info.name);
	close(fd);
}

/* Returns 0 or -EBUSY. */
static int wait_until_free(const char *name, unsigned interface, struct wm_error *error)
{
	char other[16];
	uint32_t id = 0;

	for (unsigned i = 0; i < BUSY_RETRIES; i++) {
		id = attached_id(interface);
		if (id == 0)
			return 0;
		usleep(BUSY_PAUSE_US);
	}
	name_of_program(other, sizeof(other), id);
	return wm_error_set(error, EBUSY,
			    "interface %s has another XDP program (id %u, %s): stop what uses it, "
			    "or run 'ip link set dev %s xdp off'",
			    name, id, other, name);
}

static int link_to(unsigned interface, struct wm_xdp_program *program, bool native)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);

	options.flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	program->link_fd = bpf_link_create(bpf_program__fd(program->skeleton->progs.wm_xdp),
					   (int)interface, BPF_XDP, &options);
	if (program->link_fd < 0)
		return -errno;
	program->native = native;
	return 0;
}

static int link_in_mode(struct wm_xdp_program *program, const char *name, unsigned interface,
			enum wm_xdp_mode mode, struct wm_error *error)
{
	int ret = 0;

	if (mode != WM_XDP_GENERIC) {
		ret = link_to(interface, program, true);
		if (ret == 0)
			return 0;
		if (mode == WM_XDP_NATIVE)
			return wm_error_set(error, ENOTSUP,
					    "interface %s has no native XDP: %s; use --xdp generic",
					    name, wm_errno_text(-ret));
		wm_log_info("interface %s has no native XDP (%s), trying generic", name,
			    wm_errno_text(-ret));
	}
	ret = link_to(interface, program, false);
	if (ret < 0)
		return wm_error_set(error, -ret, "interface %s takes no XDP program: %s", name,
				    wm_errno_text(-ret));
	return 0;
}

int wm_xdp_program_attach(struct wm_xdp_program *program, const char *name,
			  const struct wm_host_interface *interface, enum wm_xdp_mode mode,
			  struct wm_error *error)
{
	int ret;

	ret = load(program, interface, error);
	if (ret < 0)
		return ret;
	ret = wait_until_free(name, interface->index, error);
	if (ret == 0)
		ret = link_in_mode(program, name, interface->index, mode, error);
	if (ret < 0)
		wm_xdp__destroy(program->skeleton);
	return ret;
}

void wm_xdp_program_detach(struct wm_xdp_program *program)
{
	close(program->link_fd);
	wm_xdp__destroy(program->skeleton);
}

int wm_xdp_program_connect(struct wm_xdp_program *program, uint32_t queue, int socket_fd,
			   struct wm_error *error)
{
	int map = bpf_map__fd(program->skeleton->maps.sockets);

	if (bpf_map_update_elem(map, &queue, &socket_fd, BPF_ANY) < 0)
		return wm_error_set(error, errno, "the socket cannot be put in its map: %s",
				    wm_errno_text(errno));
	return 0;
}

uint64_t wm_xdp_program_unheard(const struct wm_xdp_program *program, uint32_t *queue)
{
	int map = bpf_map__fd(program->skeleton->maps.unheard);
	uint64_t total = 0, most = 0, count;

	for (uint32_t i = 0; i < WM_XDP_QUEUES; i++) {
		if (bpf_map_lookup_elem(map, &i, &count) < 0 || count == 0)
			continue;
		total += count;
		if (count > most) {
			most = count;
			*queue = i;
		}
	}
	return total;
}
