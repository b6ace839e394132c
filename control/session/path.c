/* SPDX-License-Identifier: BSD-3-Clause */
#include "path.h"

#include "clock.h"
#include "wiremill/limits.h"

/* An echo takes less than a millisecond, but where machines share their cores. */
#define FIRST_NS (100 * WM_NS_PER_MS)
#define ROUND_NS (150 * WM_NS_PER_MS)
/* The full size is sent so often after the first frame that came back, before a smaller
 * one is believed to be the largest: on a lossy path it may just have been lost. */
#define ROUNDS_MORE 4u
/* A path on which nothing comes back is given up then; a job waits no longer than that. */
#define ROUNDS_MAX 12u
#define OPEN_NS (2 * WM_NS_PER_S)
/* Until one that passes less than its ends take is looked at again. */
#define AGAIN_NS (10 * WM_NS_PER_S)

/* What links and tunnels are set to. */
static const uint32_t ladder[] = { 8000, 4000, 2000, 1500, 1400, WM_MTU_MIN };

void wm_path_look(struct wm_path *path, uint32_t most, uint64_t now_ns)
{
	path->most = most;
	path->found = 0;
	path->round = 1;
	path->settled_round = 0;
	path->began_ns = path->due_ns = now_ns;
	path->id++;
}

static void conclude(struct wm_path *path, uint64_t now_ns)
{
	if (path->found > 0)
		path->mtu = path->found;
	path->round = 0;
	path->due_ns = path->found == path->most ? UINT64_MAX : now_ns + AGAIN_NS;
}

static uint32_t sizes_of(const struct wm_path *path, uint32_t sizes[WM_PATH_SIZES_MAX])
{
	uint32_t count = 0;

	sizes[count++] = path->most;
	if (path->round == 1)
		return count;
	for (unsigned i = 0; i < sizeof(ladder) / sizeof(ladder[0]); i++) {
		if (ladder[i] < path->most)
			sizes[count++] = ladder[i];
	}
	return count;
}

static bool is_over(const struct wm_path *path)
{
	return path->round > ROUNDS_MAX ||
	       (path->found > 0 && path->round > path->settled_round + ROUNDS_MORE);
}

uint32_t wm_path_tick(struct wm_path *path, uint64_t now_ns, uint32_t sizes[WM_PATH_SIZES_MAX])
{
	uint32_t count;

	if (path->most == 0 || now_ns < path->due_ns)
		return 0;
	if (path->round == 0)
		wm_path_look(path, path->most, now_ns);
	if (is_over(path)) {
		conclude(path, now_ns);
		return 0;
	}
	count = sizes_of(path, sizes);
	path->due_ns = now_ns + (path->round == 1 ? FIRST_NS : ROUND_NS);
	path->round++;
	return count;
}

void wm_path_receive_echo(struct wm_path *path, uint32_t id, uint32_t mtu, uint64_t now_ns)
{
	/* The full size counts also where it comes too late. */
	if (id != path->id || mtu > path->most || (path->round == 0 && mtu < path->most))
		return;
	if (path->found == 0)
		path->settled_round = path->round;
	if (mtu > path->found)
		path->found = mtu;
	if (path->found == path->most)
		conclude(path, now_ns);
}

bool wm_path_is_open(const struct wm_path *path, uint64_t now_ns)
{
	return path->mtu == 0 && path->round > 0 && now_ns - path->began_ns < OPEN_NS;
}
