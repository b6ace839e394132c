/* SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "seed.h"
#include "wiremill/limits.h"
#include "wiremill/store.h"
#include "wiremill/wire.h"

/* Seeds with a slow kernel, and the largest of them: each costs virtual time. */
#define SLOW_ONE_IN 16u
#define SLOW_BATCHES_MAX 64u
/* Seeds whose input somebody writes to while it is read: their job gets done only if nobody
 * has by then. */
#define CHANGED_ONE_IN 16u
/* Seeds with two or three jobs one after the other. */
#define MORE_JOBS_ONE_IN 3u
/* Seeds whose kernel is not built in, of those of no real one. */
#define OBJECT_ONE_IN 5u

static uint64_t between(uint64_t *random, uint64_t low, uint64_t high)
{
	return low + wm_random(random) % (high - low + 1);
}

/* As often near one end of the scale as near the other. */
static uint64_t spread(uint64_t *random, uint64_t low, uint64_t high)
{
	uint64_t doublings = 0;

	while (low << (doublings + 1) <= high)
		doublings++;
	low <<= between(random, 0, doublings);
	return between(random, low, 2 * low < high ? 2 * low : high);
}

static bool one_in(uint64_t *random, uint64_t n)
{
	return wm_random(random) % n == 0;
}

/* None, a little, or a lot. */
static uint32_t rate(uint64_t *random, uint32_t most)
{
	return one_in(random, 2) ? 0 : (uint32_t)spread(random, most / 256 + 1, most);
}

/* ---- sizes ---------------------------------------------------------------------- */

static void draw_kernel(struct wm_kernel *kernel, uint64_t *random)
{
	static const uint32_t sizes[] = { 8, 16, 32, 64, 128, 512 };

	*kernel = *wm_kernel_find("xor");
	if (one_in(random, 3))
		return;
	*kernel = (struct wm_kernel){ .name = "sim" };
	kernel->in_bytes = sizes[between(random, 0, 5)];
	kernel->out_bytes = one_in(random, 2) ? kernel->in_bytes : sizes[between(random, 0, 5)];
	kernel->halo_before = (uint32_t)between(random, 0, 1);
	kernel->halo_after = (uint32_t)between(random, 0, 2);
}

/* Whole pages, as every layout has them, but few. */
static void draw_small(struct sim_plan *plan, uint64_t *random)
{
	struct wm_layout *layout = &plan->layout;
	struct wm_kernel *kernel = &layout->kernel;
	uint64_t extents = spread(random, 1, 400), batches;
	uint32_t halo;

	draw_kernel(kernel, random);
	halo = kernel->halo_before + kernel->halo_after;
	layout->extent_elements = WM_STORE_ALIGN_BYTES / kernel->out_bytes;
	layout->extent_elements *= (uint32_t)between(random, 1, 2);
	batches = spread(random, 1, extents > 100 ? 4 : 16);
	layout->batch_elements = (uint32_t)((layout->extent_elements + batches - 1) / batches);
	if (layout->batch_elements > WM_BATCH_ELEMENTS_MAX)
		layout->batch_elements = WM_BATCH_ELEMENTS_MAX;
	while ((layout->batch_elements + halo) * kernel->in_bytes > WM_MTU_MAX - 100 &&
	       layout->batch_elements > 1)
		layout->batch_elements /= 2;
	layout->elements = (extents - 1) * layout->extent_elements +
			   between(random, 1, layout->extent_elements);
	layout->input_bytes = (layout->elements + halo) * kernel->in_bytes;
	layout->output_bytes = layout->elements * kernel->out_bytes;
	layout->batches_per_extent = (layout->extent_elements + layout->batch_elements - 1) /
				     layout->batch_elements;
	layout->extents = extents;
	layout->batches = (extents - 1) * layout->batches_per_extent +
			  wm_layout_extent_batches(layout, extents - 1);
	plan->mtu = WM_MTU_MAX;
}

/* One element is a page, and an extent 1 MiB. */
static void draw_real(struct sim_plan *plan, uint64_t *random)
{
	const struct wm_kernel kernel = { .name = "sim",
					  .in_bytes = 4096,
					  .out_bytes = 4096,
					  .halo_after = (uint32_t)between(random, 0, 1) };
	uint64_t elements = between(random, 2, 3 * 256);

	plan->mtu = WM_MTU_MAX;
	if (wm_layout_init(&plan->layout, &kernel, elements * kernel.in_bytes, plan->mtu, NULL) < 0)
		abort();
}

/* ---- machines and faults ----------------------------------------------------------- */

static void draw_link(struct sim_link *link, uint64_t *random, uint64_t fastest_ps)
{
	link->ps_per_byte = spread(random, fastest_ps, 16 * fastest_ps);
	link->delay_ns = spread(random, 1000, 5 * WM_NS_PER_MS);
	link->queue_ns = spread(random, 200 * WM_NS_PER_US, 100 * WM_NS_PER_MS);
}

static void draw_cable(struct sim_cable *cable, uint64_t *random, bool calm)
{
	draw_link(&cable->link, random, 800); /* 10 Gbit/s */
	if (calm)
		return;
	cable->loss = rate(random, 200000);
	cable->damage = rate(random, 100000);
	cable->cut = rate(random, 50000);
	cable->duplicate = rate(random, 200000);
	cable->reorder = rate(random, 200000);
	cable->reorder_ns = spread(random, 10000, 500 * WM_NS_PER_MS);
}

static uint64_t draw_period(uint64_t *random)
{
	return one_in(random, 3) ? spread(random, 100 * WM_NS_PER_MS, 20 * WM_NS_PER_S) : 0;
}

static void draw_node(struct sim_node_plan *node, uint64_t *random, bool calm)
{
	draw_cable(&node->cable, random, calm);
	node->submit_ns = spread(random, 1000, WM_NS_PER_MS);
	node->frame_ns = spread(random, 1000, 500 * WM_NS_PER_US);
	if (one_in(random, 8))
		node->frame_ns = spread(random, WM_NS_PER_MS, 100 * WM_NS_PER_MS);
	node->window = (uint32_t)spread(random, 1, SIM_NODE_WINDOW_MAX);
	if (calm)
		return;
	node->stall = rate(random, 50000);
	node->stall_ns = spread(random, WM_NS_PER_MS, 8 * WM_NS_PER_S);
	node->prepare_fails = rate(random, 300000);
	node->old_answer = rate(random, 300000);
	node->fails = rate(random, 50000);
	node->dies_every_ns = draw_period(random);
	node->freezes_every_ns = draw_period(random);
	node->link_falls_every_ns = draw_period(random);
	node->back_ns = spread(random, WM_NS_PER_MS, 10 * WM_NS_PER_S);
	node->freeze_ns = spread(random, 10 * WM_NS_PER_MS, 8 * WM_NS_PER_S);
	node->fall_ns = spread(random, 10 * WM_NS_PER_MS, 8 * WM_NS_PER_S);
}

static void draw_disk(struct sim_disk_plan *disk, uint64_t *random)
{
	disk->read_ns = spread(random, 20000, 50 * WM_NS_PER_MS);
	disk->write_ns = spread(random, 20000, 50 * WM_NS_PER_MS);
	disk->sync_ns = spread(random, 20000, 300 * WM_NS_PER_MS);
	if (one_in(random, 2))
		return;
	disk->read_eio = rate(random, 50000);
	disk->write_eio = rate(random, 50000);
	disk->write_enospc = rate(random, 50000);
	disk->sync_eio = rate(random, 300000);
	disk->journal_eio = rate(random, 300000);
	disk->journal_enospc = rate(random, 300000);
}

static void draw_controller(struct sim_plan *plan, uint64_t *random)
{
	plan->slots = (uint32_t)spread(random, 1, SIM_SLOTS_MAX);
	if (plan->layout.extent_elements * plan->layout.kernel.out_bytes == WM_EXTENT_BYTES)
		plan->slots = (uint32_t)between(random, 1, 3);
	plan->in_flight_max = (uint32_t)spread(random, 8, 4096);
	plan->queue_target = (uint32_t)spread(random, 1, 64);
	plan->hop_ns = spread(random, 1000, 2 * WM_NS_PER_MS);
	plan->tick_ns = spread(random, WM_NS_PER_MS, 10 * WM_NS_PER_MS);
	plan->fail_after_ns = one_in(random, 4) ? spread(random, WM_NS_PER_S, 8 * WM_NS_PER_S) : 0;
	plan->crashes = one_in(random, 3) ? 0 : (uint32_t)between(random, 1, 12);
	plan->crash_events = spread(random, 16, 4096);
	plan->crash_appends = one_in(random, 2) ? 0 : 100000;
	plan->down_ns = spread(random, WM_NS_PER_MS, 8 * WM_NS_PER_S);
	plan->crash_keeps_cache = one_in(random, 3);
}

/*
 * Nodes that compute wrong. The kernel's invariant finds each wrong result, an audit
 * of all batches too; one of a share of them finds the node sooner or later (blind).
 * Two that agree are needed then, so at least half stays sound.
 */
static void draw_wrong(struct sim_plan *plan, uint64_t *random)
{
	static const uint32_t shares[] = { 10000, 100000, 1000000 };
	bool invariant = strcmp(plan->layout.kernel.name, "xor") == 0;
	bool wrong = one_in(random, 2);

	if (plan->nodes >= 4 && one_in(random, 2))
		plan->audit_ppm = shares[between(random, 0, 2)];
	if (!wrong || (!invariant && plan->audit_ppm == 0))
		return;
	plan->blind = !invariant && plan->audit_ppm < 1000000;
	for (uint32_t i = 0; i < plan->nodes / 2; i++)
		plan->node[i].wrong = one_in(random, 3) ? (uint32_t)spread(random, 100, 1000000)
							: 0;
}

/* What the job may take if each node does everything, one batch after the other. */
static uint64_t longest_ns(const struct sim_plan *plan)
{
	const struct wm_layout *layout = &plan->layout;
	uint64_t bytes = (uint64_t)(layout->batch_elements + 3) * layout->kernel.in_bytes +
			 (uint64_t)layout->batch_elements * layout->kernel.out_bytes + 200;
	uint64_t batch_ns = 0, extent_ns;

	for (uint32_t i = 0; i < plan->nodes; i++) {
		const struct sim_node_plan *node = &plan->node[i];
		uint64_t ps = node->cable.link.ps_per_byte + plan->trunk.ps_per_byte;
		uint64_t ns = node->submit_ns + node->frame_ns + bytes * ps / 1000 +
			      2 * (node->cable.link.delay_ns + plan->trunk.delay_ns);

		batch_ns = ns > batch_ns ? ns : batch_ns;
	}
	extent_ns = plan->disk.read_ns + plan->disk.write_ns + 2 * plan->disk.sync_ns +
		    100 * WM_NS_PER_MS; /* the longest wait for a group */
	return layout->batches * batch_ns + layout->extents * extent_ns;
}

/* A kernel that takes seconds a batch, on all nodes. Not drawn from the seed's numbers:
 * what a seed means stays. */
static void slow_down(struct sim_plan *plan, uint64_t seed)
{
	uint64_t random = seed * 0x9e3779b97f4a7c15 + 1;

	if (seed % SLOW_ONE_IN != 5 || plan->layout.batches > SLOW_BATCHES_MAX)
		return;
	for (uint32_t i = 0; i < plan->nodes; i++)
		plan->node[i].frame_ns = spread(&random, 400 * WM_NS_PER_MS, 4 * WM_NS_PER_S);
}

/* Likewise not drawn: within a few reads, or somewhere in the middle, or in no read. */
static void change_input(struct sim_plan *plan, uint64_t seed)
{
	uint64_t random = seed * 0xbf58476d1ce4e5b9 + 1;

	if (seed % CHANGED_ONE_IN == 11)
		plan->disk.input_changes = (uint32_t)spread(&random, 1000, 300000);
}

/* Not drawn: what a seed means stays. */
static void give_object(struct sim_plan *plan, uint64_t seed)
{
	if (seed % OBJECT_ONE_IN != 2 || strcmp(plan->layout.kernel.name, "sim") != 0)
		return;
	plan->code_bytes = 256u << seed / OBJECT_ONE_IN % 9;
	plan->prepare_ns = seed / OBJECT_ONE_IN % 3 * WM_NS_PER_S;
}

void sim_plan_draw(struct sim_plan *plan, uint64_t seed)
{
	uint64_t random = seed * 0x2545f4914f6cdd1d + 1;
	bool calm;

	memset(plan, 0, sizeof(*plan));
	if (one_in(&random, 16))
		draw_real(plan, &random);
	else
		draw_small(plan, &random);
	plan->nodes = one_in(&random, 4) ? 1 : (uint32_t)spread(&random, 1, SIM_NODES_MAX);
	plan->keyed = one_in(&random, 2);
	plan->join_ns = spread(&random, WM_NS_PER_MS, 5 * WM_NS_PER_S);
	draw_link(&plan->trunk, &random, 80); /* 100 Gbit/s */
	calm = one_in(&random, 8);
	for (uint32_t i = 0; i < plan->nodes; i++) {
		draw_node(&plan->node[i], &random, calm || one_in(&random, 3));
		if (plan->node[i].window > plan->window_largest)
			plan->window_largest = plan->node[i].window;
	}
	plan->ghost = rate(&random, 200000);
	draw_wrong(plan, &random);
	draw_disk(&plan->disk, &random);
	draw_controller(plan, &random);
	plan->keep_align_bytes = seed % 2; /* not drawn: what a seed means stays */
	plan->keep_frames_max = seed % 3 == 0 ? 5 : UINT32_MAX;
	plan->jobs = seed % MORE_JOBS_ONE_IN == 1 ? 2 + seed / MORE_JOBS_ONE_IN % 2 : 1;
	give_object(plan, seed);
	slow_down(plan, seed);
	change_input(plan, seed);
	/* A node that cannot prepare is not asked again in this job: with no other the
	 * job waits for one, as long as it was told to. */
	for (uint32_t i = 0; i < plan->nodes && plan->fail_after_ns == 0; i++)
		plan->node[i].prepare_fails = 0;
	plan->heal_ns = spread(&random, 2 * WM_NS_PER_S, 40 * WM_NS_PER_S);
	plan->until_ns = plan->heal_ns + plan->jobs * (60 * WM_NS_PER_S + 4 * longest_ns(plan));
}
