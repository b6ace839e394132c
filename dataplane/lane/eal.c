/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "cores.h"
#include "eal_log.h"
#include "hugepages.h"
#include "port_dpdk.h"
#include "rights.h"
#include "sysfs.h"

#define CPU "/sys/devices/system/cpu/cpu%u"
#define ARGUMENTS_MAX (10 + WM_PORTS_MAX)
#define ARGUMENT_BYTES 512u
/* Its own, and those of clients and jobs. */
#define OPEN_FILES 256u

static_assert(WM_LCORES_MAX == RTE_MAX_LCORE, "cores.h takes what DPDK does");

/* What EAL is told. */
struct arguments {
	char texts[ARGUMENTS_MAX][ARGUMENT_BYTES];
	char *words[ARGUMENTS_MAX + 1];
	int count;
};

static void add(struct arguments *arguments, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct arguments *arguments, const char *format, ...)
{
	char *text = arguments->texts[arguments->count];
	va_list args;

	assert(arguments->count < (int)ARGUMENTS_MAX);
	va_start(args, format);
	vsnprintf(text, ARGUMENT_BYTES, format, args);
	va_end(args);
	arguments->words[arguments->count++] = text;
}

/* ---- cores ---------------------------------------------------------------------- */

/* What DPDK looks at of each core: without it none is there. */
static int check_topology(const struct wm_cores *cores, struct wm_error *error)
{
	for (unsigned i = 0; i < WM_LCORES_MAX; i++) {
		for (unsigned core = 0; core < CPU_SETSIZE; core++) {
			if (!CPU_ISSET(core, &cores->on[i]) ||
			    wm_sysfs_exists("", CPU "/topology/core_id", core))
				continue;
			return wm_error_set(error, ENOENT,
					    "core %u may be used, and DPDK does not find it in "
					    "/sys/devices/system/cpu: see by 'findmnt -R /sys' "
					    "what hides it",
					    core);
		}
	}
	return 0;
}

static int cores_take(const struct wm_eal_config *config, char chosen[WM_CORES_TEXT_BYTES],
		      struct wm_cores *cores, struct arguments *arguments, struct wm_error *error)
{
	const char *text = config->lcores ? config->lcores : chosen;
	cpu_set_t allowed;
	int ret = wm_cores_allowed(&allowed, error);

	if (ret == 0 && !config->lcores)
		ret = wm_cores_choose(chosen, config->lanes, &allowed, error);
	if (ret < 0)
		return ret;
	if (wm_cores_parse(cores, text) < 0 || strlen(text) > ARGUMENT_BYTES / 2)
		return wm_error_set(error, EINVAL,
				    "--lcores takes cores such as 0,1 or 0-2 or '0@(0-1),1@(0-1)', "
				    "not '%s'",
				    text);
	ret = wm_cores_check(cores, text, config->lanes, &allowed, error);
	if (ret == 0)
		ret = check_topology(cores, error);
	add(arguments, "--lcores=%s", text);
	add(arguments, "--main-lcore=%" PRIu32, cores->first);
	return ret;
}

/* ---- memory --------------------------------------------------------------------- */

static int core_node(int core)
{
	for (int i = 0; i < (int)WM_NUMA_NODES_MAX; i++) {
		if (wm_sysfs_exists("", CPU "/node%d", (unsigned)core, i))
			return i;
	}
	return -1;
}

/* EAL makes a file of each node's pages, which 'ulimit -f' bounds too. */
static int check_file_limit(const struct wm_hugepages *needed, struct wm_error *error)
{
	struct rlimit limit;

	for (unsigned i = 0; i < WM_NUMA_NODES_MAX; i++) {
		uint64_t bytes = (uint64_t)needed->on[i] * WM_HUGEPAGE_BYTES;

		if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes)
			return wm_error_set(error, EFBIG,
					    "the limit of a file's size ('ulimit -f') is %" PRIu64
					    " bytes, and memory of %" PRIu64
					    " bytes is a file too: "
					    "run 'ulimit -f unlimited'",
					    (uint64_t)limit.rlim_cur, bytes);
	}
	return 0;
}

static bool has_card(const struct wm_eal_config *config)
{
	for (uint32_t i = 0; i < config->device_count; i++) {
		if (config->devices[i].pci)
			return true;
	}
	return false;
}

/* "--socket-mem=252,0": all that will be used, by NUMA node, at once: a memif shows its
 * memory to the other end, and later nobody may have taken it. */
static int memory_take(const struct wm_eal_config *config, const struct wm_cores *cores,
		       struct arguments *arguments, struct wm_error *error)
{
	struct wm_hugepages needed = { 0 };
	char list[WM_NUMA_NODES_MAX * 8] = "";
	size_t used = 0;
	int ret;

	for (uint32_t i = 0; i < config->device_count; i++) {
		int node = wm_port_device_node("", &config->devices[i]);

		if (node < 0)
			node = core_node(wm_cores_of_lane(cores, i));
		wm_hugepages_add(&needed, node, config->hugepages[i]);
	}
	wm_hugepages_add_main(&needed, core_node((int)cores->first));
	ret = wm_hugepages_place("", &needed, error);
	/* All is mapped for a card, by vfio, which locks it. */
	if (ret == 0 && has_card(config))
		ret = wm_rights_check_memlock(
			(uint64_t)wm_hugepages_sum(&needed) * WM_HUGEPAGE_BYTES, error);
	if (ret == 0)
		ret = check_file_limit(&needed, error);
	for (unsigned i = 0; i < WM_NUMA_NODES_MAX; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%" PRIu32,
					 i > 0 ? "," : "", needed.on[i] * 2);
	add(arguments, "--socket-mem=%s", list);
	return ret;
}

/* ---- devices ---------------------------------------------------------------------- */

/* DPDK says of its own no more than that it could not be opened. */
static int check_packet_socket(struct wm_error *error)
{
	int fd, ret = wm_rights_check(WM_RIGHT_NET_RAW | WM_RIGHT_NET_ADMIN,
				      "a network interface as a port", error);

	if (ret < 0)
		return ret;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		return close(fd);
	if (errno == EAFNOSUPPORT && !wm_rights_are_filtered())
		return wm_error_set(error, EAFNOSUPPORT,
				    "this kernel has no AF_PACKET sockets, by which a network "
				    "interface is a port: run 'modprobe af_packet' as root");
	return wm_error_set(error, errno,
			    "no AF_PACKET socket can be had, by which a network interface is a "
			    "port: %s",
			    wm_errno_text(errno));
}

static int devices_take(const struct wm_eal_config *config, struct arguments *arguments,
			struct wm_error *error)
{
	int ret = 0;

	for (uint32_t i = 0; i < config->device_count && ret == 0; i++) {
		char *text = arguments->texts[arguments->count];

		ret = wm_port_device_check("", &config->devices[i], error);
		if (ret == 0 && config->devices[i].interface)
			ret = check_packet_socket(error);
		if (ret == 0)
			ret = wm_port_eal_argument(&config->devices[i], i, text, ARGUMENT_BYTES,
						   error);
		arguments->words[arguments->count++] = text;
	}
	if (!has_card(config))
		add(arguments, "--no-pci");
	return ret;
}

/* ---- start ---------------------------------------------------------------------- */

/* A device that cannot be had is no reason for EAL not to start. */
static int check_ports(const struct wm_eal_config *config, struct wm_error *error)
{
	char name[WM_PORT_NAME_BYTES];
	uint16_t id;

	for (uint32_t i = 0; i < config->device_count; i++) {
		wm_port_device_name(name, &config->devices[i], i);
		if (rte_eth_dev_get_port_by_name(name, &id) == 0)
			continue;
		rte_eal_cleanup();
		return wm_error_set(error, ENODEV, "DPDK does not take %s: %s", name,
				    wm_eal_log_reason()[0] ? wm_eal_log_reason()
							   : "it has no driver for it");
	}
	return 0;
}

static int eal_init(const struct wm_eal_config *config, struct arguments *arguments,
		    struct wm_error *error)
{
	int ret = wm_eal_log_open();

	if (ret < 0)
		return wm_error_set(error, -ret, "no memory for DPDK's log");
	wm_eal_log_hold();
	if (rte_eal_init(arguments->count, arguments->words) < 0)
		ret = wm_error_set(error, rte_errno ? rte_errno : EIO, "DPDK does not start: %s",
				   wm_eal_log_reason()[0] ? wm_eal_log_reason()
							  : rte_strerror(rte_errno));
	else
		ret = check_ports(config, error);
	if (ret < 0)
		wm_eal_log_drop();
	else
		wm_eal_log_release();
	return ret < 0 ? wm_rights_explain(-EIO, error) : 0;
}

/*
 * Buffers cross pages, so a device must see virtual addresses. All pages of a NUMA node are
 * in one file: Linux 6.1 registers no buffer that lies in two.
 */
int wm_eal_start(const struct wm_eal_config *config, struct wm_error *error)
{
	static const char *const fixed[] = { "--in-memory", "--single-file-segments",
					     "--no-telemetry", "--iova-mode=va",
					     "--log-level=error" };
	struct arguments arguments = { .count = 0 };
	char chosen[WM_CORES_TEXT_BYTES];
	struct wm_cores cores;
	int ret = wm_sysfs_check("", error);

	if (ret == 0)
		ret = wm_rights_check_limits(OPEN_FILES, error);
	add(&arguments, "%s", config->program);
	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add(&arguments, "%s", fixed[i]);
	if (ret == 0)
		ret = cores_take(config, chosen, &cores, &arguments, error);
	if (ret == 0)
		ret = devices_take(config, &arguments, error);
	if (ret == 0)
		ret = memory_take(config, &cores, &arguments, error);
	return ret < 0 ? ret : eal_init(config, &arguments, error);
}

void wm_eal_stop(void)
{
	rte_eal_cleanup();
}
