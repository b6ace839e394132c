/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "harness.h"
#include "seed.h"
#include "wiremill/limits.h"

/* As in progress.c. */
#define GROUP 16u
#define GROUP_NS (100 * WM_NS_PER_MS)

static struct wm_seeds seeds;
static struct wm_progress progress;

static uint64_t open_one(void)
{
	uint64_t extent = UINT64_MAX;

	CU_ASSERT_TRUE(wm_progress_open(&progress, &extent));
	return extent;
}

static void write_one(uint64_t extent, uint64_t now_ns)
{
	const struct wm_progress_extent written = { .extent = extent,
						    .nodes = extent + 1,
						    .crc32c = (uint32_t)~extent };

	wm_progress_written(&progress, &written, now_ns);
}

static void open_and_write(uint32_t count, uint64_t now_ns)
{
	for (uint32_t i = 0; i < count; i++)
		write_one(open_one(), now_ns);
}

static uint32_t begin_group(uint64_t now_ns, bool drain)
{
	const struct wm_progress_extent *group;

	return wm_progress_sync(&progress, now_ns, drain, &group);
}

/* ---- opening -------------------------------------------------------------- */

static void extents_are_opened_in_ascending_order(void)
{
	uint64_t extent;

	wm_progress_init(&progress, 3);
	for (uint64_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(open_one(), i);
	CU_ASSERT_FALSE(wm_progress_open(&progress, &extent));
	CU_ASSERT_EQUAL(progress.open, 3);
}

static void gaps_are_opened_first_the_lowest_of_them_first(void)
{
	wm_progress_init(&progress, 10);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, 4), 0);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, 1), 0);
	CU_ASSERT_EQUAL(open_one(), 0);
	CU_ASSERT_EQUAL(open_one(), 2);
	CU_ASSERT_EQUAL(open_one(), 3);
	CU_ASSERT_EQUAL(open_one(), 5);
}

static void an_extent_that_is_reopened_is_the_next_to_be_opened(void)
{
	wm_progress_init(&progress, 10);
	for (uint32_t i = 0; i < 5; i++)
		open_one();
	wm_progress_reopen(&progress, 3);
	wm_progress_reopen(&progress, 1);
	CU_ASSERT_EQUAL(progress.open, 3);
	CU_ASSERT_EQUAL(open_one(), 1);
	CU_ASSERT_EQUAL(open_one(), 3);
	CU_ASSERT_EQUAL(open_one(), 5);
}

static void no_more_is_open_or_written_than_the_backlog_holds(void)
{
	uint64_t extent;

	wm_progress_init(&progress, 1000);
	open_and_write(WM_PROGRESS_BACKLOG_MAX - 1, 0);
	open_one();
	CU_ASSERT_FALSE(wm_progress_open(&progress, &extent));
	write_one(WM_PROGRESS_BACKLOG_MAX - 1, 0);
	CU_ASSERT_FALSE(wm_progress_open(&progress, &extent));

	CU_ASSERT_EQUAL(begin_group(0, false), WM_PROGRESS_BACKLOG_MAX);
	CU_ASSERT_FALSE(wm_progress_open(&progress, &extent));
	wm_progress_synced(&progress);
	CU_ASSERT_EQUAL(open_one(), WM_PROGRESS_BACKLOG_MAX);
}

/* ---- groups ---------------------------------------------------------------- */

static void a_full_group_is_due_at_once(void)
{
	const struct wm_progress_extent *group;

	wm_progress_init(&progress, 100);
	open_and_write(GROUP - 1, 5);
	CU_ASSERT_EQUAL(begin_group(5, false), 0);
	open_and_write(1, 6);
	CU_ASSERT_EQUAL_FATAL(wm_progress_sync(&progress, 6, false, &group), GROUP);
	for (uint64_t i = 0; i < GROUP; i++) {
		CU_ASSERT_EQUAL(group[i].extent, i);
		CU_ASSERT_EQUAL(group[i].nodes, i + 1);
		CU_ASSERT_EQUAL(group[i].crc32c, (uint32_t)~i);
	}
}

static void a_small_group_is_due_when_its_oldest_has_waited(void)
{
	wm_progress_init(&progress, 100);
	open_and_write(1, WM_NS_PER_S);
	open_and_write(1, WM_NS_PER_S + GROUP_NS / 2);
	CU_ASSERT_EQUAL(begin_group(WM_NS_PER_S + GROUP_NS - 1, false), 0);
	CU_ASSERT_EQUAL(begin_group(WM_NS_PER_S + GROUP_NS, false), 2);
}

static void a_drain_waits_for_nothing_but_needs_something(void)
{
	wm_progress_init(&progress, 100);
	CU_ASSERT_EQUAL(begin_group(0, true), 0);
	open_and_write(1, 0);
	CU_ASSERT_EQUAL(begin_group(0, true), 1);
}

static void one_group_is_under_way_at_a_time(void)
{
	wm_progress_init(&progress, 100);
	open_and_write(GROUP, 0);
	CU_ASSERT_EQUAL(begin_group(0, false), GROUP);
	open_and_write(GROUP + 1, 0);
	CU_ASSERT_EQUAL(begin_group(0, true), 0);
	CU_ASSERT_EQUAL(progress.durable, 0);

	wm_progress_synced(&progress);
	CU_ASSERT_EQUAL(progress.durable, GROUP);
	CU_ASSERT_EQUAL(begin_group(0, false), GROUP + 1);
	wm_progress_synced(&progress);
	CU_ASSERT_EQUAL(progress.durable, 2 * GROUP + 1);
	CU_ASSERT_EQUAL(progress.written_count, 0);
}

/* Written while a group is under way: its wait begins then, not with the group's. */
static void what_is_written_behind_a_group_waits_from_then_on(void)
{
	wm_progress_init(&progress, 100);
	open_and_write(GROUP, 0);
	CU_ASSERT_EQUAL(begin_group(0, false), GROUP);
	open_and_write(1, 10 * GROUP_NS);
	wm_progress_synced(&progress);
	CU_ASSERT_EQUAL(begin_group(11 * GROUP_NS - 1, false), 0);
	CU_ASSERT_EQUAL(begin_group(11 * GROUP_NS, false), 1);
}

static void it_is_complete_when_everything_is_durable(void)
{
	wm_progress_init(&progress, 2);
	CU_ASSERT_FALSE(wm_progress_is_draining(&progress));
	write_one(open_one(), 0);
	CU_ASSERT_FALSE(wm_progress_is_draining(&progress));
	write_one(open_one(), 0);
	CU_ASSERT_TRUE(wm_progress_is_draining(&progress));
	CU_ASSERT_EQUAL(begin_group(0, true), 2);
	CU_ASSERT_FALSE(wm_progress_is_complete(&progress));
	wm_progress_synced(&progress);
	CU_ASSERT_TRUE(wm_progress_is_complete(&progress));
}

/* ---- replay ------------------------------------------------------------------ */

static void records_replay_in_any_order(void)
{
	static const uint64_t order[] = { 3, 0, 5, 4, 1, 2 };

	wm_progress_init(&progress, 7);
	for (uint32_t i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(wm_progress_replay(&progress, order[i]), 0);
		CU_ASSERT_EQUAL(progress.durable, i + 1);
	}
	CU_ASSERT_EQUAL(progress.gap_count, 0);
	CU_ASSERT_EQUAL(progress.next, 6);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, 6), 0);
	CU_ASSERT_TRUE(wm_progress_is_complete(&progress));
}

static void a_record_that_comes_again_counts_once(void)
{
	wm_progress_init(&progress, 7);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, 2), 0);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, 2), 0);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, 0), 0);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, 0), 0);
	CU_ASSERT_EQUAL(progress.durable, 2);
	CU_ASSERT_EQUAL(progress.gap_count, 1);
}

static void a_record_of_no_such_extent_is_refused(void)
{
	wm_progress_init(&progress, 7);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, 7), -EBADMSG);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, UINT64_MAX), -EBADMSG);
	CU_ASSERT_EQUAL(progress.durable, 0);
	CU_ASSERT_EQUAL(progress.next, 0);
}

static void more_gaps_than_any_life_leaves_are_refused(void)
{
	wm_progress_init(&progress, UINT64_MAX);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, WM_PROGRESS_GAPS_MAX + 1), -EBADMSG);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, UINT64_MAX - 1), -EBADMSG);
	CU_ASSERT_EQUAL(progress.gap_count, 0);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, WM_PROGRESS_GAPS_MAX), 0);
	CU_ASSERT_EQUAL(progress.gap_count, WM_PROGRESS_GAPS_MAX);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, WM_PROGRESS_GAPS_MAX + 1), 0);
	CU_ASSERT_EQUAL(wm_progress_replay(&progress, WM_PROGRESS_GAPS_MAX + 3), -EBADMSG);
}

/* ---- invalid ----------------------------------------------------------------------- */

static void an_extent_that_is_void_is_made_again(void)
{
	wm_progress_init(&progress, 20);
	open_and_write(GROUP, 0);
	CU_ASSERT_EQUAL(begin_group(0, false), GROUP);
	wm_progress_synced(&progress);
	CU_ASSERT_TRUE(wm_progress_invalidate(&progress, 7));
	CU_ASSERT_TRUE(wm_progress_invalidate(&progress, 7));
	CU_ASSERT_EQUAL(progress.durable, GROUP - 1);
	CU_ASSERT_EQUAL(open_one(), 7);
	CU_ASSERT_EQUAL(open_one(), GROUP);
}

static void voids_leave_room_for_what_is_open(void)
{
	uint64_t count = 0;

	wm_progress_init(&progress, 2000);
	for (uint64_t i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(wm_progress_replay(&progress, i), 0);
	for (uint64_t i = 0; i < WM_PROGRESS_BACKLOG_MAX; i++)
		open_one();
	while (wm_progress_invalidate(&progress, count))
		count++;
	CU_ASSERT_EQUAL(count, WM_PROGRESS_GAPS_MAX - WM_PROGRESS_BACKLOG_MAX);
	for (uint64_t i = 0; i < WM_PROGRESS_BACKLOG_MAX; i++)
		wm_progress_reopen(&progress, 1000 + i);
	CU_ASSERT_EQUAL(progress.gap_count, WM_PROGRESS_GAPS_MAX);
}

/* A node with a part in some of what waits is found wrong: bits of nodes are extent + 1. */
static void what_waits_with_a_wrong_node_is_made_again_and_the_rest_goes_on(void)
{
	const struct wm_progress_extent *group;

	wm_progress_init(&progress, 20);
	open_and_write(8, 0);
	wm_progress_invalidate_waiting(&progress, 2); /* extents 1, 2, 5, 6 */
	CU_ASSERT_EQUAL(progress.gap_count, 4);
	CU_ASSERT_EQUAL_FATAL(wm_progress_sync(&progress, 0, true, &group), 4);
	CU_ASSERT_EQUAL(group[0].extent, 0);
	CU_ASSERT_EQUAL(group[1].extent, 3);
	CU_ASSERT_EQUAL(group[2].extent, 4);
	CU_ASSERT_EQUAL(group[3].extent, 7);
	CU_ASSERT_EQUAL(group[3].nodes, 8);
	CU_ASSERT_EQUAL(open_one(), 1);
	CU_ASSERT_EQUAL(open_one(), 2);
	CU_ASSERT_EQUAL(open_one(), 5);
	CU_ASSERT_EQUAL(open_one(), 6);
	CU_ASSERT_EQUAL(open_one(), 8);
}

/* Its records may be on the disk already: they are found through the journal. */
static void what_is_being_journalled_stays_until_it_is_durable(void)
{
	wm_progress_init(&progress, 20);
	open_and_write(4, 0);
	CU_ASSERT_EQUAL(begin_group(0, true), 4);
	open_and_write(4, 0);
	wm_progress_invalidate_waiting(&progress, ~0ull);
	CU_ASSERT_EQUAL(progress.written_count, 4);
	CU_ASSERT_EQUAL(progress.gap_count, 4);
	wm_progress_synced(&progress);
	CU_ASSERT_EQUAL(progress.durable, 4);
	CU_ASSERT_EQUAL(begin_group(0, true), 0);
	CU_ASSERT_TRUE(wm_progress_invalidate(&progress, 2));
	CU_ASSERT_EQUAL(progress.durable, 3);
	CU_ASSERT_EQUAL(open_one(), 2);
}

static void an_extent_that_waits_again_is_not_void_any_more(void)
{
	wm_progress_init(&progress, 3);
	open_and_write(3, 0);
	CU_ASSERT_EQUAL(begin_group(0, true), 3);
	wm_progress_synced(&progress);
	CU_ASSERT_TRUE(wm_progress_invalidate(&progress, 1));
	CU_ASSERT_FALSE(wm_progress_is_complete(&progress));
	write_one(open_one(), 0);
	CU_ASSERT_TRUE(wm_progress_invalidate(&progress, 1)); /* named once more: nothing happens */
	CU_ASSERT_EQUAL(progress.gap_count, 0);
	CU_ASSERT_EQUAL(begin_group(0, true), 1);
	wm_progress_synced(&progress);
	CU_ASSERT_TRUE(wm_progress_is_complete(&progress));
}

static void there_is_more_while_a_gap_is_left_though_nothing_may_be_opened_now(void)
{
	uint64_t extent;

	wm_progress_init(&progress, WM_PROGRESS_BACKLOG_MAX);
	CU_ASSERT_TRUE(wm_progress_has_more(&progress));
	open_and_write(WM_PROGRESS_BACKLOG_MAX, 0);
	CU_ASSERT_FALSE(wm_progress_has_more(&progress));
	CU_ASSERT_TRUE(wm_progress_is_draining(&progress));
	CU_ASSERT_EQUAL(begin_group(0, true), WM_PROGRESS_BACKLOG_MAX);
	wm_progress_synced(&progress);
	CU_ASSERT_TRUE(wm_progress_invalidate(&progress, 9));
	CU_ASSERT_TRUE(wm_progress_has_more(&progress));
	CU_ASSERT_FALSE(wm_progress_is_draining(&progress));
	CU_ASSERT_TRUE(wm_progress_open(&progress, &extent));
	CU_ASSERT_FALSE(wm_progress_has_more(&progress));
	CU_ASSERT_FALSE(wm_progress_is_draining(&progress));
	wm_progress_reopen(&progress, extent);
	CU_ASSERT_TRUE(wm_progress_has_more(&progress));
}

/* All that waits, all that is open and the most that may be named, at once. */
static void nothing_that_becomes_void_at_once_overflows_the_gaps(void)
{
	uint64_t open[WM_PROGRESS_BACKLOG_MAX / 2];

	wm_progress_init(&progress, 5000);
	for (uint64_t i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(wm_progress_replay(&progress, i), 0);
	for (uint64_t i = 0; i < WM_PROGRESS_BACKLOG_MAX / 2; i++)
		open[i] = open_one();
	open_and_write(WM_PROGRESS_BACKLOG_MAX / 2, 0);
	for (uint64_t i = 0; wm_progress_invalidate(&progress, i); i++)
		;
	wm_progress_invalidate_waiting(&progress, ~0ull);
	for (uint64_t i = 0; i < WM_PROGRESS_BACKLOG_MAX / 2; i++)
		wm_progress_reopen(&progress, open[i]);
	CU_ASSERT_EQUAL(progress.gap_count, WM_PROGRESS_GAPS_MAX);
	CU_ASSERT_EQUAL(progress.open, 0);
	CU_ASSERT_EQUAL(progress.written_count, 0);
}

/* ---- against a model that has a state for every extent ---------------------------- */

#define MODEL_EXTENTS 1500u

enum model_state { TO_DO, OPEN, WRITTEN, SYNCING, DURABLE };

struct model {
	enum model_state state[MODEL_EXTENTS];
	uint64_t journal[MODEL_EXTENTS]; /* what a later life replays */
	uint32_t journal_count, count;
	uint64_t random, now_ns;
	uint32_t wrong;
};

static void expect(struct model *model, bool holds)
{
	model->wrong += !holds;
}

static uint32_t model_count(const struct model *model, enum model_state state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model->count; i++)
		count += model->state[i] == state;
	return count;
}

static uint32_t model_first(const struct model *model, enum model_state state)
{
	for (uint32_t i = 0; i < model->count; i++) {
		if (model->state[i] == state)
			return i;
	}
	return model->count;
}

/* One of those in that state, or model->count. */
static uint32_t model_pick(struct model *model, enum model_state state)
{
	uint32_t left = model_count(model, state);

	if (left == 0)
		return model->count;
	left = wm_random_below(&model->random, left);
	for (uint32_t i = 0; i < model->count; i++) {
		if (model->state[i] == state && left-- == 0)
			return i;
	}
	return model->count;
}

static void model_open(struct model *model)
{
	uint32_t backlog = model_count(model, OPEN) + model_count(model, WRITTEN) +
			   model_count(model, SYNCING);
	uint32_t first = model_first(model, TO_DO);
	uint64_t extent;
	bool opened = wm_progress_open(&progress, &extent);

	expect(model, opened == (backlog < WM_PROGRESS_BACKLOG_MAX && first < model->count));
	if (!opened)
		return;
	expect(model, extent == first);
	model->state[extent] = OPEN;
}

static void model_write(struct model *model)
{
	uint32_t extent = model_pick(model, OPEN);

	if (extent == model->count)
		return;
	write_one(extent, model->now_ns);
	model->state[extent] = WRITTEN;
}

static void model_reopen(struct model *model)
{
	uint32_t extent = model_pick(model, OPEN);

	if (extent == model->count)
		return;
	wm_progress_reopen(&progress, extent);
	model->state[extent] = TO_DO;
}

static void model_sync(struct model *model)
{
	bool drain = wm_random_below(&model->random, 2);
	const struct wm_progress_extent *group;
	uint32_t count = wm_progress_sync(&progress, model->now_ns, drain, &group);

	if (model_count(model, SYNCING) > 0) {
		expect(model, count == 0);
		return;
	}
	expect(model, count == 0 || count == model_count(model, WRITTEN));
	if (drain || model_count(model, WRITTEN) >= GROUP)
		expect(model, count == model_count(model, WRITTEN));
	for (uint32_t i = 0; i < count; i++) {
		expect(model, model->state[group[i].extent] == WRITTEN);
		expect(model, group[i].crc32c == (uint32_t)~group[i].extent);
		model->state[group[i].extent] = SYNCING;
	}
}

static void model_synced(struct model *model)
{
	uint32_t extent;

	if (model_count(model, SYNCING) == 0)
		return;
	wm_progress_synced(&progress);
	while ((extent = model_pick(model, SYNCING)) < model->count) {
		model->state[extent] = DURABLE;
		model->journal[model->journal_count++] = extent;
	}
}

/* Dies, perhaps with half a group in the journal, and replays it. */
static void model_crash(struct model *model)
{
	uint32_t extent;

	while ((extent = model_pick(model, SYNCING)) < model->count) {
		bool survives = wm_random_below(&model->random, 2);

		model->state[extent] = survives ? DURABLE : TO_DO;
		if (survives)
			model->journal[model->journal_count++] = extent;
	}
	for (uint32_t i = 0; i < model->count; i++) {
		if (model->state[i] != DURABLE)
			model->state[i] = TO_DO;
	}
	wm_progress_init(&progress, model->count);
	for (uint32_t i = 0; i < model->journal_count; i++)
		expect(model, wm_progress_replay(&progress, model->journal[i]) == 0);
}

static void model_step(struct model *model)
{
	uint32_t dice = wm_random_below(&model->random, 1000);

	model->now_ns += wm_random_below(&model->random, (uint32_t)GROUP_NS / 4);
	if (dice < 400)
		model_open(model);
	else if (dice < 750)
		model_write(model);
	else if (dice < 770)
		model_reopen(model);
	else if (dice < 870)
		model_sync(model);
	else if (dice < 995)
		model_synced(model);
	else
		model_crash(model);
	expect(model, progress.durable == model_count(model, DURABLE));
	expect(model, progress.open == model_count(model, OPEN));
	expect(model, progress.gap_count <= WM_PROGRESS_GAPS_MAX);
	expect(model,
	       wm_progress_is_complete(&progress) == (model_count(model, DURABLE) == model->count));
}

static void it_agrees_with_a_model_through_many_lives(void)
{
	struct model *model = calloc(1, sizeof(*model));

	CU_ASSERT_PTR_NOT_NULL_FATAL(model);
	for (uint64_t i = 0; i < seeds.count; i++) {
		memset(model, 0, sizeof(*model));
		model->random = seeds.first + i;
		model->count = 1 + wm_random_below(&model->random, MODEL_EXTENTS);
		wm_progress_init(&progress, model->count);
		for (uint32_t steps = 0;
		     steps < 20 * MODEL_EXTENTS && !wm_progress_is_complete(&progress); steps++)
			model_step(model);
		if (model->wrong || !wm_progress_is_complete(&progress))
			printf("# seed %llu: wrong %u times, %s\n",
			       (unsigned long long)(seeds.first + i), model->wrong,
			       wm_progress_is_complete(&progress) ? "complete" : "not complete");
		CU_ASSERT_EQUAL(model->wrong, 0);
		CU_ASSERT_TRUE(wm_progress_is_complete(&progress));
	}
	free(model);
}

static const struct wm_test tests[] = {
	WM_TEST(extents_are_opened_in_ascending_order),
	WM_TEST(gaps_are_opened_first_the_lowest_of_them_first),
	WM_TEST(an_extent_that_is_reopened_is_the_next_to_be_opened),
	WM_TEST(no_more_is_open_or_written_than_the_backlog_holds),
	WM_TEST(a_full_group_is_due_at_once),
	WM_TEST(a_small_group_is_due_when_its_oldest_has_waited),
	WM_TEST(a_drain_waits_for_nothing_but_needs_something),
	WM_TEST(one_group_is_under_way_at_a_time),
	WM_TEST(what_is_written_behind_a_group_waits_from_then_on),
	WM_TEST(it_is_complete_when_everything_is_durable),
	WM_TEST(records_replay_in_any_order),
	WM_TEST(a_record_that_comes_again_counts_once),
	WM_TEST(a_record_of_no_such_extent_is_refused),
	WM_TEST(more_gaps_than_any_life_leaves_are_refused),
	WM_TEST(an_extent_that_is_void_is_made_again),
	WM_TEST(voids_leave_room_for_what_is_open),
	WM_TEST(what_waits_with_a_wrong_node_is_made_again_and_the_rest_goes_on),
	WM_TEST(what_is_being_journalled_stays_until_it_is_durable),
	WM_TEST(an_extent_that_waits_again_is_not_void_any_more),
	WM_TEST(there_is_more_while_a_gap_is_left_though_nothing_may_be_opened_now),
	WM_TEST(nothing_that_becomes_void_at_once_overflows_the_gaps),
	WM_TEST(it_agrees_with_a_model_through_many_lives),
};

WM_TESTS_ARGUMENTS(0, 2, WM_SEED_USAGE);

int main(int argc, char **argv)
{
	seeds = wm_seeds_choose(argc, argv, 20);
	return WM_TESTS_RUN("progress", tests);
}
