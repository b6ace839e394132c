/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

#include "harness.h"
#include "seed.h"
#include "wiremill/limits.h"

#define SLOTS 3u
#define BATCHES 4u /* of a full extent */
#define ELEMENTS 10u
#define LAST_ELEMENTS 3u /* of the last batch of an extent */
#define EXTENTS 5u

/* Extents 0 to 3: batches of 10, 10, 10, 3 elements; extent 4: of 10 and 5. */
static const struct wm_layout layout = {
	.kernel = { .name = "test", .in_bytes = 8, .out_bytes = 8 },
	.elements = 4 * 33 + 15,
	.extents = EXTENTS,
	.batches = 4 * BATCHES + 2,
	.extent_elements = 33,
	.batch_elements = ELEMENTS,
	.batches_per_extent = BATCHES,
};

static struct wm_seeds seeds;

static struct wm_ledger *ledger_start(void)
{
	struct wm_ledger *ledger = wm_ledger_create(SLOTS, BATCHES);

	CU_ASSERT_PTR_NOT_NULL_FATAL(ledger);
	wm_ledger_start(ledger, &layout);
	return ledger;
}

static struct wm_ledger_batch take(struct wm_ledger *ledger)
{
	struct wm_ledger_batch batch = { 0 };

	CU_ASSERT_TRUE_FATAL(wm_ledger_take(ledger, &batch));
	wm_ledger_sent_to(ledger, batch.token, 0);
	return batch;
}

static struct wm_ledger_batch take_for(struct wm_ledger *ledger, uint16_t node)
{
	struct wm_ledger_batch batch = { 0 };

	CU_ASSERT_TRUE_FATAL(wm_ledger_take(ledger, &batch));
	CU_ASSERT_FALSE(wm_ledger_has_part(ledger, batch.token, node));
	wm_ledger_sent_to(ledger, batch.token, node);
	return batch;
}

static void lose_of(struct wm_ledger *ledger, uint64_t token, uint16_t node)
{
	wm_ledger_answer(ledger, token, node);
	wm_ledger_lose(ledger, token);
}

static void lose(struct wm_ledger *ledger, uint64_t token)
{
	lose_of(ledger, token, 0);
}

static struct wm_ledger_batch look(struct wm_ledger *ledger, uint64_t token)
{
	struct wm_ledger_batch batch = { 0 };

	CU_ASSERT_TRUE(wm_ledger_look(ledger, token, &batch));
	return batch;
}

static enum wm_ledger_verdict complete(struct wm_ledger *ledger, uint64_t token)
{
	bool extent_done;

	return wm_ledger_complete(ledger, token, 0, &extent_done);
}

/* Opens extent 0 in slot 0, and takes and completes all of it but for `left` batches. */
static void begin_extent(struct wm_ledger *ledger, uint32_t left)
{
	wm_ledger_open(ledger, 0, 0);
	for (uint32_t i = 0; i + left < BATCHES; i++)
		complete(ledger, take(ledger).token);
}

static void fresh_batches_go_in_order_of_opening(void)
{
	static const uint64_t expected[] = { 8, 9, 10, 11, 0, 1, 2, 3, 16, 17 };
	struct wm_ledger *ledger = ledger_start();

	wm_ledger_open(ledger, 2, 2);
	wm_ledger_open(ledger, 0, 0);
	wm_ledger_open(ledger, 1, 4);
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), 10);
	for (unsigned i = 0; i < 10; i++) {
		struct wm_ledger_batch batch = take(ledger);

		CU_ASSERT_EQUAL(batch.batch, expected[i]);
		CU_ASSERT_FALSE(batch.again);
	}
	CU_ASSERT_FALSE(wm_ledger_has_work(ledger));
	wm_ledger_destroy(&ledger);
	CU_ASSERT_PTR_NULL(ledger);
}

static void a_batch_says_where_it_belongs_and_how_large_it_is(void)
{
	struct wm_ledger *ledger = ledger_start();

	wm_ledger_open(ledger, 1, 3);
	for (uint32_t place = 0; place < BATCHES; place++) {
		struct wm_ledger_batch batch = take(ledger), found;

		CU_ASSERT_EQUAL(batch.slot, 1);
		CU_ASSERT_EQUAL(batch.place, place);
		CU_ASSERT_EQUAL(batch.batch, 3 * BATCHES + place);
		CU_ASSERT_EQUAL(batch.count, place == BATCHES - 1 ? LAST_ELEMENTS : ELEMENTS);
		CU_ASSERT_NOT_EQUAL(batch.token, WM_TOKEN_NONE);
		CU_ASSERT_TRUE(wm_ledger_look(ledger, batch.token, &found));
		CU_ASSERT_EQUAL(found.batch, batch.batch);
		CU_ASSERT_EQUAL(found.count, batch.count);
		CU_ASSERT_EQUAL(wm_ledger_find(ledger, batch.batch), batch.token);
	}
	wm_ledger_destroy(&ledger);
}

static void the_last_extent_ends_where_the_job_ends(void)
{
	struct wm_ledger *ledger = ledger_start();

	wm_ledger_open(ledger, 0, 4);
	CU_ASSERT_EQUAL(take(ledger).count, ELEMENTS);
	CU_ASSERT_EQUAL(take(ledger).count, 5);
	CU_ASSERT_FALSE(wm_ledger_has_work(ledger));
	CU_ASSERT_EQUAL(wm_ledger_find(ledger, 18), WM_TOKEN_NONE);
	wm_ledger_destroy(&ledger);
}

static void lost_batches_go_before_fresh_ones_in_order_of_loss(void)
{
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch first, second;

	wm_ledger_open(ledger, 0, 0);
	first = take(ledger);
	second = take(ledger);
	lose(ledger, second.token);
	lose(ledger, first.token);
	second = take(ledger);
	CU_ASSERT_EQUAL(second.batch, 1);
	CU_ASSERT_TRUE(second.again);
	CU_ASSERT_EQUAL(take(ledger).batch, 0);
	CU_ASSERT_EQUAL(take(ledger).batch, 2);
	wm_ledger_destroy(&ledger);
}

static void a_second_result_is_a_duplicate(void)
{
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch batch;

	wm_ledger_open(ledger, 0, 0);
	batch = take(ledger);
	CU_ASSERT_EQUAL(complete(ledger, batch.token), WM_LEDGER_NEW);
	CU_ASSERT_EQUAL(complete(ledger, batch.token), WM_LEDGER_DUPLICATE);
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), BATCHES - 1);
	wm_ledger_destroy(&ledger);
}

static void a_result_of_a_batch_never_sent_is_unknown(void)
{
	struct wm_ledger *ledger = ledger_start();

	wm_ledger_open(ledger, 0, 0);
	CU_ASSERT_EQUAL(complete(ledger, wm_ledger_find(ledger, 2)), WM_LEDGER_UNKNOWN);
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), BATCHES);
	wm_ledger_destroy(&ledger);
}

static void a_batch_lost_after_it_was_done_is_not_sent_again(void)
{
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch batch;

	begin_extent(ledger, 2);
	batch = take(ledger);
	take(ledger); /* keeps the extent open */
	lose(ledger, batch.token);
	batch = take(ledger); /* its second copy */
	CU_ASSERT_EQUAL(complete(ledger, batch.token), WM_LEDGER_NEW);
	lose(ledger, batch.token);
	CU_ASSERT_FALSE(wm_ledger_has_work(ledger));
	wm_ledger_destroy(&ledger);
}

static void a_late_result_of_a_lost_batch_counts_and_takes_it_off_the_queue(void)
{
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch batch;

	wm_ledger_open(ledger, 0, 0);
	batch = take(ledger);
	lose(ledger, batch.token);
	CU_ASSERT_EQUAL(complete(ledger, batch.token), WM_LEDGER_NEW);
	CU_ASSERT_EQUAL(take(ledger).batch, 1);
	wm_ledger_destroy(&ledger);
}

static void an_extent_is_done_exactly_once_and_its_slot_closes(void)
{
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch batch;
	bool extent_done;
	unsigned done = 0;

	wm_ledger_open(ledger, 0, 0);
	for (uint32_t i = 0; i < BATCHES; i++) {
		batch = take(ledger);
		wm_ledger_complete(ledger, batch.token, 0, &extent_done);
		done += extent_done;
		CU_ASSERT_EQUAL(extent_done, i == BATCHES - 1);
	}
	CU_ASSERT_EQUAL(wm_ledger_complete(ledger, batch.token, 0, &extent_done),
			WM_LEDGER_DUPLICATE);
	CU_ASSERT_FALSE(extent_done);
	CU_ASSERT_EQUAL(done, 1);
	CU_ASSERT_FALSE(wm_ledger_look(ledger, batch.token, &batch));
	CU_ASSERT_EQUAL(wm_ledger_find(ledger, 0), WM_TOKEN_NONE);
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), 0);
	wm_ledger_destroy(&ledger);
}

static void a_token_of_an_earlier_extent_never_touches_the_next_one_in_its_slot(void)
{
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch stale, batch;

	begin_extent(ledger, 1);
	stale = take(ledger);
	lose(ledger, stale.token);
	complete(ledger, take(ledger).token);

	wm_ledger_open(ledger, 0, 1); /* same slot, same places */
	for (uint32_t i = 0; i < BATCHES; i++)
		batch = take(ledger);
	CU_ASSERT_EQUAL(batch.place, stale.place);
	CU_ASSERT_NOT_EQUAL(batch.token, stale.token);
	CU_ASSERT_EQUAL(complete(ledger, stale.token), WM_LEDGER_DUPLICATE);
	lose(ledger, stale.token);
	CU_ASSERT_FALSE(wm_ledger_look(ledger, stale.token, &stale));
	CU_ASSERT_FALSE(wm_ledger_has_work(ledger));
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), BATCHES);
	CU_ASSERT_EQUAL(complete(ledger, batch.token), WM_LEDGER_NEW);
	wm_ledger_destroy(&ledger);
}

static void a_token_of_an_earlier_job_never_touches_the_next_job(void)
{
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch stale;

	wm_ledger_open(ledger, 0, 0);
	stale = take(ledger);
	wm_ledger_start(ledger, &layout);
	CU_ASSERT_FALSE(wm_ledger_has_work(ledger));
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), 0);

	wm_ledger_open(ledger, 0, 0);
	take(ledger);
	CU_ASSERT_EQUAL(complete(ledger, stale.token), WM_LEDGER_DUPLICATE);
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), BATCHES);
	wm_ledger_destroy(&ledger);
}

static void nonsense_tokens_do_nothing(void)
{
	static const uint64_t tokens[] = { WM_TOKEN_NONE, 1, 1ull << 32 | 0xffff, UINT64_MAX,
					   1ull << 63 };
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch batch;

	wm_ledger_open(ledger, 0, 0);
	take(ledger);
	for (unsigned i = 0; i < 5; i++) {
		CU_ASSERT_FALSE(wm_ledger_look(ledger, tokens[i], &batch));
		lose(ledger, tokens[i]);
		CU_ASSERT_NOT_EQUAL(complete(ledger, tokens[i]), WM_LEDGER_NEW);
	}
	CU_ASSERT_EQUAL(wm_ledger_find(ledger, UINT64_MAX), WM_TOKEN_NONE);
	CU_ASSERT_EQUAL(wm_ledger_find(ledger, BATCHES), WM_TOKEN_NONE);
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), BATCHES);
	wm_ledger_destroy(&ledger);
}

/* Every batch of a lane's worth of the smallest batches, lost again and again. */
static void the_queue_of_lost_batches_holds_all_there_are(void)
{
	static uint64_t tokens[WM_LANE_EXTENTS_MAX * WM_EXTENT_BATCHES_MAX];
	struct wm_ledger *ledger = wm_ledger_create(WM_LANE_EXTENTS_MAX, WM_EXTENT_BATCHES_MAX);
	struct wm_layout wide = layout;
	uint32_t count = 0;

	wide.extent_elements = WM_EXTENT_BATCHES_MAX * ELEMENTS;
	wide.batches_per_extent = WM_EXTENT_BATCHES_MAX;
	wide.extents = WM_LANE_EXTENTS_MAX;
	wide.elements = wide.extents * wide.extent_elements;
	wm_ledger_start(ledger, &wide);
	for (uint32_t i = 0; i < WM_LANE_EXTENTS_MAX; i++)
		wm_ledger_open(ledger, i, i);
	for (unsigned pass = 0; pass < 3; pass++) {
		for (count = 0; wm_ledger_has_work(ledger); count++)
			tokens[count] = take(ledger).token;
		CU_ASSERT_EQUAL(count, WM_LANE_EXTENTS_MAX * WM_EXTENT_BATCHES_MAX);
		for (uint32_t i = 0; i < count; i++)
			lose(ledger, tokens[i]);
	}
	for (uint32_t i = 0; i < count; i++)
		CU_ASSERT_EQUAL(complete(ledger, tokens[i]), WM_LEDGER_NEW);
	CU_ASSERT_FALSE(wm_ledger_has_work(ledger));
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), 0);
	wm_ledger_destroy(&ledger);
}

/* ---- second opinions ---------------------------------------------------------- */

/* Extent 0 is open; its first batch went to node 1, which answered. */
static uint64_t hold_first(struct wm_ledger *ledger)
{
	uint64_t token;

	wm_ledger_open(ledger, 0, 0);
	token = take_for(ledger, 1).token;
	wm_ledger_answer(ledger, token, 1);
	wm_ledger_hold(ledger, token, 1);
	return token;
}

static void a_held_batch_is_to_do_again_by_somebody_else(void)
{
	struct wm_ledger *ledger = ledger_start();
	uint64_t token = hold_first(ledger);
	struct wm_ledger_batch batch;

	CU_ASSERT_TRUE(wm_ledger_has_part(ledger, token, 1));
	CU_ASSERT_FALSE(wm_ledger_has_part(ledger, token, 2));
	batch = take_for(ledger, 2);
	CU_ASSERT_EQUAL(batch.token, token);
	CU_ASSERT_TRUE(batch.held && batch.again && !batch.done && !batch.in_flight);
	CU_ASSERT_EQUAL(batch.from[0], 1);
	CU_ASSERT_TRUE(wm_ledger_has_part(ledger, token, 2));
	wm_ledger_answer(ledger, token, 2);
	wm_ledger_agree(ledger, token, 2);
	CU_ASSERT_EQUAL(complete(ledger, token), WM_LEDGER_NEW);
	CU_ASSERT_EQUAL(look(ledger, token).from[1], 2);
	CU_ASSERT_EQUAL(take(ledger).batch, 1);
	wm_ledger_destroy(&ledger);
}

static void what_has_no_result_goes_before_second_opinions(void)
{
	struct wm_ledger *ledger = ledger_start();
	uint64_t held = hold_first(ledger), lost;
	struct wm_ledger_batch batch;

	CU_ASSERT_TRUE(wm_ledger_take_fresh(ledger, &batch));
	lost = batch.token;
	wm_ledger_lose(ledger, lost);
	CU_ASSERT_EQUAL(take_for(ledger, 2).token, lost);
	CU_ASSERT_FALSE(wm_ledger_take_again(ledger, false, &batch));
	CU_ASSERT_TRUE(wm_ledger_take_again(ledger, true, &batch));
	CU_ASSERT_EQUAL(batch.token, held);
	wm_ledger_put_back(ledger, held);
	CU_ASSERT_EQUAL(take_for(ledger, 2).token, held);
	CU_ASSERT_EQUAL(take_for(ledger, 2).batch, 2);
	wm_ledger_destroy(&ledger);
}

static void a_disputed_batch_goes_to_a_third(void)
{
	struct wm_ledger *ledger = ledger_start();
	uint64_t token = hold_first(ledger);

	take_for(ledger, 2);
	wm_ledger_answer(ledger, token, 2);
	wm_ledger_dispute(ledger, token, 2);
	CU_ASSERT_EQUAL(wm_ledger_disputed(ledger), 1);
	CU_ASSERT_TRUE(wm_ledger_has_part(ledger, token, 1));
	CU_ASSERT_TRUE(wm_ledger_has_part(ledger, token, 2));
	CU_ASSERT_TRUE(take_for(ledger, 3).disputed);
	complete(ledger, token);
	CU_ASSERT_EQUAL(wm_ledger_disputed(ledger), 0);
	wm_ledger_destroy(&ledger);
}

/* Its second copy was sent when the first was given up too early. */
static void a_second_copy_of_who_holds_it_is_not_waited_for(void)
{
	struct wm_ledger *ledger = ledger_start();
	uint64_t token;

	wm_ledger_open(ledger, 0, 0);
	token = take_for(ledger, 1).token;
	lose_of(ledger, token, 1);
	take_for(ledger, 1);
	wm_ledger_hold(ledger, token, 1); /* the late first */
	CU_ASSERT_EQUAL(take_for(ledger, 2).token, token);
	lose_of(ledger, token, 2);
	CU_ASSERT_EQUAL(take_for(ledger, 3).token, token);
	/* Now the second copy comes, and then the other opinion is lost. */
	wm_ledger_answer(ledger, token, 1);
	lose_of(ledger, token, 3);
	CU_ASSERT_EQUAL(take_for(ledger, 2).token, token);
	wm_ledger_destroy(&ledger);
}

static void an_opinion_that_is_on_its_way_is_waited_for(void)
{
	struct wm_ledger *ledger = ledger_start();
	uint64_t token;

	wm_ledger_open(ledger, 0, 0);
	token = take_for(ledger, 1).token;
	CU_ASSERT_TRUE(wm_ledger_copy(ledger, token));
	CU_ASSERT_FALSE(wm_ledger_copy(ledger, token)); /* queued */
	take_for(ledger, 2);
	CU_ASSERT_FALSE(wm_ledger_copy(ledger, token)); /* two are in flight */
	wm_ledger_answer(ledger, token, 1);
	wm_ledger_hold(ledger, token, 1);
	CU_ASSERT_EQUAL(take(ledger).batch, 1); /* not a third */
	lose_of(ledger, token, 2);
	CU_ASSERT_EQUAL(take_for(ledger, 3).token, token);
	wm_ledger_destroy(&ledger);
}

static void a_failure_is_counted_and_remembered(void)
{
	struct wm_ledger *ledger = ledger_start();
	struct wm_ledger_batch batch;

	wm_ledger_open(ledger, 0, 0);
	for (uint16_t node = 1; node <= 3; node++) {
		batch = take_for(ledger, node);
		CU_ASSERT_EQUAL(batch.batch, 0);
		CU_ASSERT_EQUAL(batch.failures, node - 1);
		wm_ledger_answer(ledger, batch.token, node);
		CU_ASSERT_EQUAL(wm_ledger_fail(ledger, batch.token, node), node);
		/* once more: the same opinion */
		CU_ASSERT_EQUAL(wm_ledger_fail(ledger, batch.token, node), node);
	}
	CU_ASSERT_TRUE(wm_ledger_has_failed(ledger, batch.token, 1));
	CU_ASSERT_TRUE(wm_ledger_has_failed(ledger, batch.token, 2));
	complete(ledger, batch.token);
	CU_ASSERT_EQUAL(wm_ledger_fail(ledger, batch.token, 4), 0);
	CU_ASSERT_EQUAL(wm_ledger_fail(ledger, WM_TOKEN_NONE, 4), 0);
	wm_ledger_destroy(&ledger);
}

static unsigned count_invalid(struct wm_ledger *ledger, uint16_t node)
{
	struct wm_ledger_batch batch;
	uint32_t cursor = 0;
	unsigned count = 0;

	while (wm_ledger_invalidate_next(ledger, node, &cursor, &batch))
		count++;
	return count;
}

static void all_that_rests_on_a_node_is_to_do_again_and_nothing_else(void)
{
	struct wm_ledger *ledger = ledger_start();
	uint64_t held = hold_first(ledger), other, sole;
	bool extent_done;

	take_for(ledger, 2);
	wm_ledger_answer(ledger, held, 2);
	wm_ledger_agree(ledger, held, 2); /* 0: done by 1, and 2 agreed */
	wm_ledger_complete(ledger, held, 1, &extent_done);
	sole = take_for(ledger, 2).token; /* 1: done by 2 alone */
	wm_ledger_answer(ledger, sole, 2);
	wm_ledger_complete(ledger, sole, 2, &extent_done);
	other = take_for(ledger, 3).token; /* 2: done by 3 */
	wm_ledger_answer(ledger, other, 3);
	wm_ledger_complete(ledger, other, 3, &extent_done);
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), 1);

	CU_ASSERT_EQUAL(count_invalid(ledger, 2), 2);
	CU_ASSERT_EQUAL(count_invalid(ledger, 2), 0);
	CU_ASSERT_EQUAL(wm_ledger_remaining(ledger), 3);
	CU_ASSERT_TRUE(look(ledger, other).done);
	CU_ASSERT_FALSE(look(ledger, held).done || look(ledger, held).held);
	CU_ASSERT_EQUAL(take_for(ledger, 1).token, held);
	CU_ASSERT_EQUAL(take_for(ledger, 1).token, sole);
	wm_ledger_destroy(&ledger);
}

static void a_void_dispute_is_none_any_more(void)
{
	struct wm_ledger *ledger = ledger_start();
	uint64_t token = hold_first(ledger);

	take_for(ledger, 2);
	wm_ledger_answer(ledger, token, 2);
	wm_ledger_dispute(ledger, token, 2);
	CU_ASSERT_EQUAL(count_invalid(ledger, 2), 1);
	CU_ASSERT_EQUAL(wm_ledger_disputed(ledger), 0);
	CU_ASSERT_FALSE(wm_ledger_has_part(ledger, token, 1));
	CU_ASSERT_FALSE(look(ledger, token).held);
	wm_ledger_destroy(&ledger);
}

/* Done, invalid, queued, done, ... without anything being taken: the ring of lost
 * batches must hold. */
static void the_queue_holds_what_becomes_void_again_and_again(void)
{
	struct wm_ledger *ledger = ledger_start();
	uint64_t tokens[BATCHES];

	wm_ledger_open(ledger, 0, 0);
	for (uint32_t i = 0; i < BATCHES; i++)
		tokens[i] = take_for(ledger, 1).token;
	for (unsigned pass = 0; pass < 100; pass++) {
		for (uint32_t i = 1; i < BATCHES; i++) {
			wm_ledger_lose(ledger, tokens[i]);
			complete(ledger, tokens[i]);
		}
		CU_ASSERT_EQUAL(count_invalid(ledger, 0), BATCHES - 1);
		if (pass == 0) {
			for (uint32_t i = 1; i < BATCHES; i++)
				lose_of(ledger, tokens[i], 1);
		}
	}
	for (uint32_t i = 1; i < BATCHES; i++)
		CU_ASSERT_EQUAL(take_for(ledger, 2).token, tokens[i]);
	CU_ASSERT_FALSE(wm_ledger_has_work(ledger));
	wm_ledger_destroy(&ledger);
}

/* ---- a naive model ---------------------------------------------------------- */

#define COPIES_MAX 64u

struct model {
	struct wm_ledger *ledger;
	uint64_t random;
	uint64_t extent_of_slot[SLOTS]; /* EXTENTS: closed */
	struct {
		bool sent, done, waiting;
		unsigned copies;
	} batches[EXTENTS * BATCHES];
	/* every token ever taken that may still be answered or lost */
	struct {
		uint64_t token, batch, extent_opening;
		bool lost;
	} copies[COPIES_MAX];
	unsigned copy_count;
	uint64_t opening_of_slot[SLOTS], openings;
};

static unsigned model_batches(uint64_t extent)
{
	return extent == EXTENTS - 1 ? 2 : BATCHES;
}

static void model_open(struct model *model)
{
	uint32_t slot = wm_random_below(&model->random, SLOTS);
	uint64_t extent = wm_random_below(&model->random, EXTENTS);

	if (model->extent_of_slot[slot] != EXTENTS)
		return;
	for (unsigned i = 0; i < SLOTS; i++) {
		if (model->extent_of_slot[i] == extent)
			return;
	}
	model->extent_of_slot[slot] = extent;
	model->opening_of_slot[slot] = ++model->openings;
	memset(&model->batches[extent * BATCHES], 0, BATCHES * sizeof(model->batches[0]));
	wm_ledger_open(model->ledger, slot, extent);
}

static bool model_has(const struct model *model, bool waiting)
{
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		uint64_t extent = model->extent_of_slot[slot];

		for (unsigned i = 0; extent < EXTENTS && i < model_batches(extent); i++) {
			uint64_t batch = extent * BATCHES + i;

			if (waiting ? model->batches[batch].waiting : !model->batches[batch].sent)
				return true;
		}
	}
	return false;
}

static void model_take(struct model *model)
{
	bool lost = model_has(model, true), fresh = model_has(model, false);
	struct wm_ledger_batch batch;

	if (model->copy_count == COPIES_MAX)
		return;
	CU_ASSERT_EQUAL(wm_ledger_has_work(model->ledger), lost || fresh);
	CU_ASSERT_EQUAL_FATAL(wm_ledger_take(model->ledger, &batch), lost || fresh);
	if (!lost && !fresh)
		return;
	wm_ledger_sent_to(model->ledger, batch.token, 0);
	CU_ASSERT_EQUAL(batch.again, lost);
	CU_ASSERT_EQUAL(model->batches[batch.batch].waiting, lost);
	CU_ASSERT_EQUAL(model->batches[batch.batch].sent, lost);
	CU_ASSERT_EQUAL(model->extent_of_slot[batch.slot], batch.batch / BATCHES);
	model->batches[batch.batch].waiting = false;
	model->batches[batch.batch].sent = true;
	model->batches[batch.batch].copies++;
	model->copies[model->copy_count].token = batch.token;
	model->copies[model->copy_count].batch = batch.batch;
	model->copies[model->copy_count].lost = false;
	model->copies[model->copy_count++].extent_opening = model->opening_of_slot[batch.slot];
}

/* The slot that this copy's opening still has, or SLOTS. */
static unsigned model_slot(const struct model *model, unsigned copy)
{
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		if (model->extent_of_slot[slot] != EXTENTS &&
		    model->opening_of_slot[slot] == model->copies[copy].extent_opening)
			return slot;
	}
	return SLOTS;
}

static void model_lose(struct model *model, unsigned copy)
{
	uint64_t batch = model->copies[copy].batch;

	if (model->copies[copy].lost)
		return;
	model->copies[copy].lost = true;
	lose(model->ledger, model->copies[copy].token);
	if (model_slot(model, copy) == SLOTS)
		return;
	if (--model->batches[batch].copies == 0 && !model->batches[batch].done)
		model->batches[batch].waiting = true;
}

static bool model_extent_done(const struct model *model, uint64_t extent)
{
	for (unsigned i = 0; i < model_batches(extent); i++) {
		if (!model->batches[extent * BATCHES + i].done)
			return false;
	}
	return true;
}

static void model_complete(struct model *model, unsigned copy)
{
	uint64_t batch = model->copies[copy].batch;
	unsigned slot = model_slot(model, copy);
	bool first = slot != SLOTS && !model->batches[batch].done, extent_done;

	CU_ASSERT_EQUAL(
		wm_ledger_complete(model->ledger, model->copies[copy].token, 0, &extent_done),
		first ? WM_LEDGER_NEW : WM_LEDGER_DUPLICATE);
	if (first) {
		model->batches[batch].done = true;
		model->batches[batch].waiting = false;
	}
	CU_ASSERT_EQUAL(extent_done, first && model_extent_done(model, batch / BATCHES));
	if (extent_done)
		model->extent_of_slot[slot] = EXTENTS;
	if (wm_random_below(&model->random, 4) == 0)
		return; /* a duplicate, or a loss, may follow */
	model->copies[copy] = model->copies[--model->copy_count];
}

static void model_step(struct model *model)
{
	uint32_t choice = wm_random_below(&model->random, 8);
	unsigned copy = model->copy_count ? wm_random_below(&model->random, model->copy_count) : 0;

	if (choice == 0)
		model_open(model);
	else if (choice < 4)
		model_take(model);
	else if (model->copy_count && choice < 6)
		model_lose(model, copy);
	else if (model->copy_count)
		model_complete(model, copy);
}

static uint64_t model_remaining(const struct model *model)
{
	uint64_t remaining = 0;

	for (unsigned slot = 0; slot < SLOTS; slot++) {
		uint64_t extent = model->extent_of_slot[slot];

		for (unsigned i = 0; extent < EXTENTS && i < model_batches(extent); i++)
			remaining += !model->batches[extent * BATCHES + i].done;
	}
	return remaining;
}

static void it_does_what_a_naive_model_does(void)
{
	for (uint64_t i = 0; i < seeds.count; i++) {
		struct model model = { .ledger = ledger_start(), .random = seeds.first + i };
		unsigned failures = CU_get_number_of_failures();

		for (unsigned slot = 0; slot < SLOTS; slot++)
			model.extent_of_slot[slot] = EXTENTS;
		for (unsigned step = 0; step < 2000; step++) {
			model_step(&model);
			CU_ASSERT_EQUAL(wm_ledger_remaining(model.ledger), model_remaining(&model));
		}
		wm_ledger_destroy(&model.ledger);
		if (CU_get_number_of_failures() != failures) {
			printf("# failed with --seed %llu\n",
			       (unsigned long long)(seeds.first + i));
			return;
		}
	}
}

static const struct wm_test tests[] = {
	WM_TEST(fresh_batches_go_in_order_of_opening),
	WM_TEST(a_batch_says_where_it_belongs_and_how_large_it_is),
	WM_TEST(the_last_extent_ends_where_the_job_ends),
	WM_TEST(lost_batches_go_before_fresh_ones_in_order_of_loss),
	WM_TEST(a_second_result_is_a_duplicate),
	WM_TEST(a_result_of_a_batch_never_sent_is_unknown),
	WM_TEST(a_batch_lost_after_it_was_done_is_not_sent_again),
	WM_TEST(a_late_result_of_a_lost_batch_counts_and_takes_it_off_the_queue),
	WM_TEST(an_extent_is_done_exactly_once_and_its_slot_closes),
	WM_TEST(a_token_of_an_earlier_extent_never_touches_the_next_one_in_its_slot),
	WM_TEST(a_token_of_an_earlier_job_never_touches_the_next_job),
	WM_TEST(nonsense_tokens_do_nothing),
	WM_TEST(the_queue_of_lost_batches_holds_all_there_are),
	WM_TEST(a_held_batch_is_to_do_again_by_somebody_else),
	WM_TEST(what_has_no_result_goes_before_second_opinions),
	WM_TEST(a_disputed_batch_goes_to_a_third),
	WM_TEST(a_second_copy_of_who_holds_it_is_not_waited_for),
	WM_TEST(an_opinion_that_is_on_its_way_is_waited_for),
	WM_TEST(a_failure_is_counted_and_remembered),
	WM_TEST(all_that_rests_on_a_node_is_to_do_again_and_nothing_else),
	WM_TEST(a_void_dispute_is_none_any_more),
	WM_TEST(the_queue_holds_what_becomes_void_again_and_again),
	WM_TEST(it_does_what_a_naive_model_does),
};

WM_TESTS_ARGUMENTS(0, 2, WM_SEED_USAGE);

int main(int argc, char **argv)
{
	seeds = wm_seeds_choose(argc, argv, 200);
	return WM_TESTS_RUN("ledger", tests);
}
