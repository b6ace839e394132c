/* SPDX-License-Identifier: BSD-3-Clause */
#include "hugepages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sysfs.h"

/* The counters of this size: those of /proc are of the default size, which may be 1 GiB. */
#define POOL "hugepages-2048kB"
#define ALL_NODES "/sys/kernel/mm/hugepages/" POOL
#define ONE_NODE "/sys/devices/system/node/node%u/hugepages/" POOL
#define FOLDER_BYTES 96u
/* The table of ports, and what a virtual one keeps beside its pools. */
#define MAIN_CORE_PAGES 2u

void wm_hugepages_add(struct wm_hugepages *needed, int node, uint32_t pages)
{
	if (node >= 0 && node < (int)WM_NUMA_NODES_MAX)
		needed->on[node] += pages;
	else
		needed->anywhere += pages;
}

void wm_hugepages_add_main(struct wm_hugepages *needed, int node)
{
	if (node < 0 || node >= (int)WM_NUMA_NODES_MAX || needed->on[node] > 0)
		return;
	needed->on[node] = MAIN_CORE_PAGES;
	needed->main_core = 1u << node;
}

uint32_t wm_hugepages_sum(const struct wm_hugepages *needed)
{
	uint32_t sum = needed->anywhere;

	for (unsigned i = 0; i < WM_NUMA_NODES_MAX; i++)
		sum += needed->on[i];
	return sum;
}

static bool has_node(const char *root, unsigned node)
{
	return wm_sysfs_exists(root, ONE_NODE, node);
}

static unsigned count_nodes(const char *root)
{
	unsigned count = 0;

	for (unsigned i = 0; i < WM_NUMA_NODES_MAX; i++)
		count += has_node(root, i);
	return count;
}

/* Where the counters of a node are. With one node they are those of the machine, which also
 * say what is promised to somebody. */
static void folder_of(const char *root, unsigned node, char folder[FOLDER_BYTES])
{
	if (count_nodes(root) > 1)
		snprintf(folder, FOLDER_BYTES, ONE_NODE, node);
	else
		snprintf(folder, FOLDER_BYTES, ALL_NODES);
}

static uint32_t counter(const char *root, const char *folder, const char *name)
{
	int64_t number;

	if (wm_sysfs_number(&number, root, "%s/%s", folder, name) < 0 || number < 0)
		return 0; /* a node has no such counter, or there is no such node */
	return (uint32_t)number;
}

static uint32_t count_free(const char *root, unsigned node)
{
	char folder[FOLDER_BYTES];
	uint32_t unused, promised;

	folder_of(root, node, folder);
	unused = counter(root, folder, "free_hugepages");
	promised = counter(root, folder, "resv_hugepages");
	return unused > promised ? unused - promised : 0;
}

/* The node that has most left. */
static unsigned find_room(const char *root, const struct wm_hugepages *needed)
{
	int64_t most = INT64_MIN;
	unsigned best = 0;

	for (unsigned i = 0; i < WM_NUMA_NODES_MAX; i++) {
		int64_t left = has_node(root, i) ? count_free(root, i) : 0;

		left -= needed->on[i];
		if (left <= most)
			continue;
		most = left;
		best = i;
	}
	return best;
}

static int missing(const char *root, unsigned node, const struct wm_hugepages *all, uint32_t unused,
		   struct wm_error *error)
{
	bool main_core = all->main_core & 1u << node;
	uint32_t needed = all->on[node];
	char folder[FOLDER_BYTES], where[64] = "";

	folder_of(root, node, folder);
	if (count_nodes(root) > 1)
		snprintf(where, sizeof(where), " on NUMA node %u, where the %s is", node,
			 main_core ? "main core (--lcores)" : "port");
	return wm_error_set(error, ENOMEM,
			    "%" PRIu32 " free hugepages of 2 MiB are needed%s, there are %" PRIu32
			    ": run 'echo %" PRIu32 " > %s/nr_hugepages' as root",
			    needed, where, unused,
			    counter(root, folder, "nr_hugepages") + needed - unused, folder);
}

/* A kernel that has them has these counters, unless something hides them. */
static int check_counters(const char *root, struct wm_error *error)
{
	int64_t number;

	if (wm_sysfs_number(&number, root, ALL_NODES "/nr_hugepages") == 0)
		return 0;
	if (!wm_sysfs_exists(root, "/proc/sys/vm/nr_hugepages"))
		return wm_error_set(error, ENOTSUP,
				    "this kernel has no hugepages of 2 MiB: one with "
				    "CONFIG_HUGETLBFS is needed");
	return wm_error_set(error, ENOENT,
			    "the counters of hugepages in " ALL_NODES " cannot be read, and this "
			    "kernel has hugepages: see by 'findmnt -R /sys' what hides them");
}

int wm_hugepages_place(const char *root, struct wm_hugepages *needed, struct wm_error *error)
{
	int ret = wm_sysfs_check(root, error);

	if (ret < 0)
		return ret;
	ret = check_counters(root, error);
	if (ret < 0)
		return ret;
	/* A node that does not exist here is no place. */
	if (count_nodes(root) <= 1) {
		needed->on[0] = wm_hugepages_sum(needed);
		memset(needed->on + 1, 0, sizeof(needed->on) - sizeof(needed->on[0]));
	} else {
		needed->on[find_room(root, needed)] += needed->anywhere;
	}
	needed->anywhere = 0;
	for (unsigned i = 0; i < WM_NUMA_NODES_MAX; i++) {
		uint32_t unused = count_free(root, i);

		if (needed->on[i] > unused)
			return missing(root, i, needed, unused, error);
	}
	return 0;
}
