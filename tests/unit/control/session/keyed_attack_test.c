/* SPDX-License-Identifier: BSD-3-Clause */
/* Somebody on the wire who has every frame and not the key: replays, forgeries, floods. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keyed_rack.h"
#include "log.h"

/* ---- replays ---------------------------------------------------------------------------- */

static void every_frame_of_a_life_again_changes_nothing(void)
{
	struct memory *memory = malloc(sizeof(*memory));
	struct rack *rack = rack_at_work();
	unsigned sent = rack->sent;

	remember(memory, rack);
	for (unsigned i = 0; i < sent; i++) {
		const struct frame frame = rack->frames[i];
		uint64_t ignored = ignored_by_controller(rack);
		int ret = deliver(rack, &frame);

		CU_ASSERT(is_unchanged(memory, rack));
		if (frame.up) {
			CU_ASSERT_EQUAL(ignored_by_controller(rack), ignored + 1);
		} else {
			CU_ASSERT_EQUAL(ret,
					frame.header.op == WM_OP_WELCOME ? -ESTALE : -EALREADY);
		}
	}
	CU_ASSERT_EQUAL(rack->membership.counts.replayed, ignored_by_controller(rack));
	CU_ASSERT_EQUAL(rack->sent, sent);
	free(memory);
	rack_destroy(rack);
}

/* Each node said BYE, joined again, and hears its whole first life. */
static void every_frame_of_an_earlier_life_changes_nothing(void)
{
	struct memory *memory = malloc(sizeof(*memory));
	struct rack *rack = rack_at_work();
	unsigned sent;

	for (unsigned i = 0; i < NODES; i++)
		wm_agent_leave(&rack->nodes[i].agent, "stopped");
	settle(rack);
	sent = rack->sent;
	for (unsigned i = 0; i < NODES; i++)
		node_start(rack, i, &cluster_key);
	pass_ms(rack, 1000);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_READY), NODES);

	remember(memory, rack);
	for (unsigned i = 0; i < sent; i++) {
		const struct frame frame = rack->frames[i];

		CU_ASSERT(deliver(rack, &frame) == 0 ? frame.up : !frame.up);
		CU_ASSERT(is_unchanged(memory, rack));
	}
	/* Its answers to the recordings are no harm either. */
	settle(rack);
	CU_ASSERT_EQUAL(memcmp(memory->told, rack->told, sizeof(memory->told)), 0);
	pass_ms(rack, 10000);
	for (unsigned i = 0; i < NODES; i++) {
		CU_ASSERT(is_joined(rack, i));
		CU_ASSERT_EQUAL(member_of(rack, i)->session, memory->members[i].session);
		CU_ASSERT_EQUAL(member_of(rack, i)->candidate.expires_ns, 0);
	}
	free(memory);
	rack_destroy(rack);
}

static void the_life_of_a_node_that_is_gone_brings_it_not_back(void)
{
	struct rack *rack = rack_at_work();
	unsigned sent;

	wm_agent_leave(&rack->nodes[0].agent, "stopped");
	settle(rack);
	sent = rack->sent;
	for (unsigned i = 0; i < sent; i++) {
		const struct frame frame = rack->frames[i];

		if (frame.up && memcmp(frame.node, rack->nodes[0].mac, sizeof(frame.node)) == 0)
			deliver(rack, &frame);
	}
	CU_ASSERT_EQUAL(member_of(rack, 0)->state, WM_MEMBER_GONE);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], NODES);
	rack_destroy(rack);
}

static void an_old_welcome_or_refusal_does_not_reach_a_node_that_asks_again(void)
{
	struct rack *rack = rack_create(&cluster_key);
	struct node *node = &rack->nodes[0];
	unsigned sent;

	node_start(rack, 0, &cluster_key);
	node->agent.config.hello.mtu = WM_MTU_MIN - 1;
	pass_ms(rack, 1000);
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 0));

	/* The controller falls silent, so that the node asks under a new nonce. */
	rack->lost_ops = UINT32_MAX;
	pass_ms(rack, WM_DEAD_MS + 2000);
	CU_ASSERT_EQUAL(node->agent.state, WM_AGENT_ASKING);
	sent = rack->sent;
	for (unsigned i = 0; i < sent; i++) {
		const struct frame frame = rack->frames[i];

		CU_ASSERT(frame.up || deliver(rack, &frame) < 0);
	}
	CU_ASSERT_EQUAL(node->agent.state, WM_AGENT_ASKING);
	CU_ASSERT_FALSE(node->agent.refused);
	rack_destroy(rack);
}

static void the_hello_that_was_refused_once_ends_no_session(void)
{
	struct rack *rack = rack_create(&cluster_key);
	struct frame refused;

	node_start(rack, 0, &cluster_key);
	rack->nodes[0].agent.config.hello.mtu = WM_MTU_MIN - 1;
	pass_ms(rack, 100);
	refused = *last_of(rack, WM_OP_HELLO, true);
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 0));

	deliver(rack, &refused);
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 0));
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 0);
	rack_destroy(rack);
}

static void an_old_hello_in_the_middle_of_a_join_only_delays_it(void)
{
	struct rack *rack = rack_at_work();
	struct frame old = *last_of(rack, WM_OP_HELLO, true);
	unsigned index = old.node[5];

	rack->lost_ops = 1u << WM_OP_BEAT;
	node_start(rack, index, &cluster_key);
	pass_ms(rack, 100);
	CU_ASSERT_EQUAL(rack->nodes[index].agent.state, WM_AGENT_MEMBER);
	deliver(rack, &old);
	rack->lost_ops = 0;
	pass_ms(rack, 2000);
	CU_ASSERT(is_joined(rack, index));
	rack_destroy(rack);
}

/* ---- forgeries ----------------------------------------------------------------------------- */

static void a_nodes_frames_do_not_come_back_as_the_controllers(void)
{
	struct memory *memory = malloc(sizeof(*memory));
	struct rack *rack = rack_at_work();
	unsigned sent = rack->sent;

	remember(memory, rack);
	for (unsigned i = 0; i < sent; i++) {
		struct frame frame = rack->frames[i];
		uint64_t ignored = ignored_by_controller(rack);

		frame.up = !frame.up;
		if (!frame.up && frame.header.op == WM_OP_HELLO)
			continue; /* session 0: of nobody */
		CU_ASSERT_NOT_EQUAL(deliver(rack, &frame), frame.up ? -1 : 0);
		CU_ASSERT_EQUAL(ignored_by_controller(rack), ignored + frame.up);
		CU_ASSERT(is_unchanged(memory, rack));
	}
	CU_ASSERT_EQUAL(rack->membership.counts.replayed, 0);
	free(memory);
	rack_destroy(rack);
}

static void no_bit_of_a_frame_can_be_changed(void)
{
	static const enum wm_op ops[] = { WM_OP_HELLO, WM_OP_BEAT, WM_OP_ACK };
	struct memory *memory = malloc(sizeof(*memory));
	struct rack *rack = rack_at_work();

	remember(memory, rack);
	for (unsigned i = 0; i < 3; i++) {
		const struct frame frame = *last_of(rack, ops[i], true);

		for (size_t bit = 0; bit < 8u * frame.header.count; bit += 5) {
			struct frame changed = frame;

			changed.body[bit / 8] ^= (uint8_t)(1u << bit % 8);
			deliver(rack, &changed);
			CU_ASSERT(is_unchanged(memory, rack));
		}
	}
	CU_ASSERT_EQUAL(rack->membership.counts.replayed, 0);
	CU_ASSERT(rack->membership.counts.forged > 0);
	free(memory);
	rack_destroy(rack);
}

static void a_trailer_that_is_cut_off_is_missed(void)
{
	struct memory *memory = malloc(sizeof(*memory));
	struct rack *rack = rack_at_work();
	const struct frame beat = *last_of(rack, WM_OP_BEAT, true);
	const struct frame echo = *last_of(rack, WM_OP_BEAT, false);

	remember(memory, rack);
	for (uint16_t cut = 1; cut <= WM_AUTH_TRAILER_BYTES; cut++) {
		struct frame frame = beat;

		frame.header.count = (uint16_t)(beat.header.count - cut);
		deliver(rack, &frame);
		frame = echo;
		frame.header.count = (uint16_t)(echo.header.count - cut);
		CU_ASSERT_EQUAL(deliver(rack, &frame), -EACCES);
	}
	CU_ASSERT(is_unchanged(memory, rack));
	CU_ASSERT_EQUAL(rack->membership.counts.forged, WM_AUTH_TRAILER_BYTES);
	free(memory);
	rack_destroy(rack);
}

static void the_tag_of_one_session_is_none_in_another(void)
{
	struct memory *memory = malloc(sizeof(*memory));
	struct rack *rack = rack_at_work();

	remember(memory, rack);
	for (unsigned from = 0; from < NODES; from++) {
		for (unsigned to = 0; to < NODES; to++) {
			struct frame frame = *last_of(rack, WM_OP_BEAT, true);

			if (from == to || frame.node[5] != from)
				continue;
			memcpy(frame.node, rack->nodes[to].mac, sizeof(frame.node));
			frame.header.session = member_of(rack, to)->session;
			deliver(rack, &frame);
		}
	}
	CU_ASSERT(is_unchanged(memory, rack));
	CU_ASSERT_EQUAL(rack->membership.counts.forged, NODES - 1);
	free(memory);
	rack_destroy(rack);
}

/* The frame that somebody without the key can make who knows everything else. */
static struct frame forge(const struct rack *rack, unsigned index, enum wm_op op, bool up)
{
	const struct wm_member *member = member_of(rack, index);
	const struct wm_bye bye = { "refused: go away" };
	const struct wm_kernel_message kernel = { .kernel = layout.kernel, .batch_elements = 1 };
	struct wm_welcome welcome = { .nonce = rack->nodes[index].agent.config.hello.nonce,
				      .beat_ms = 1,
				      .dead_ms = 1 };
	struct wm_beat beat = { .batches = 1 };
	struct wm_ack ack = { .text = "ready" };
	struct frame frame = { .up = up };
	size_t n = 0;

	memcpy(frame.node, rack->nodes[index].mac, sizeof(frame.node));
	if (op == WM_OP_BYE || op == WM_OP_DRAIN)
		n = wm_message_encode_bye(frame.body, sizeof(frame.body), &bye);
	else if (op == WM_OP_KERNEL)
		n = wm_message_encode_kernel(frame.body, sizeof(frame.body), &kernel);
	else if (op == WM_OP_WELCOME)
		n = wm_message_encode_welcome(frame.body, sizeof(frame.body), &welcome);
	else if (op == WM_OP_BEAT && up)
		n = wm_message_encode_beat(frame.body, sizeof(frame.body), &beat);
	else if (op == WM_OP_ACK)
		n = wm_message_encode_ack(frame.body, sizeof(frame.body), &ack);
	frame.header = (struct wm_wire_header){
		.op = (uint8_t)op,
		.count = (uint16_t)n,
		.session = member->session,
		.job = JOB,
	};
	return frame;
}

static void whoever_has_no_key_commands_nobody(void)
{
	static const enum wm_op ops[] = { WM_OP_WELCOME, WM_OP_KERNEL, WM_OP_DRAIN,
					  WM_OP_BYE,	 WM_OP_BEAT,   WM_OP_ACK };
	struct memory *memory = malloc(sizeof(*memory));
	struct rack *rack = rack_at_work();

	remember(memory, rack);
	for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct frame down = forge(rack, 0, ops[i], false);
		struct frame up = forge(rack, 0, ops[i], true);

		CU_ASSERT(deliver(rack, &down) < 0);
		deliver(rack, &up);
		CU_ASSERT(is_unchanged(memory, rack));
		/* and under another key */
		down.header.count += WM_AUTH_TRAILER_BYTES;
		up.header.count += WM_AUTH_TRAILER_BYTES;
		CU_ASSERT(deliver(rack, &down) < 0);
		deliver(rack, &up);
		CU_ASSERT(is_unchanged(memory, rack));
	}
	free(memory);
	rack_destroy(rack);
}

static void a_forged_welcome_or_refusal_does_not_reach_a_node_that_asks(void)
{
	struct rack *rack = rack_create(&cluster_key);
	struct frame frame;

	rack->lost_ops = 1u << WM_OP_HELLO;
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 100);
	frame = forge(rack, 0, WM_OP_WELCOME, false);
	frame.header.session = 77;
	CU_ASSERT_EQUAL(deliver(rack, &frame), -EACCES);
	frame = forge(rack, 0, WM_OP_BYE, false);
	CU_ASSERT_EQUAL(deliver(rack, &frame), -EACCES);
	CU_ASSERT_FALSE(rack->nodes[0].agent.refused);
	CU_ASSERT_EQUAL(rack->nodes[0].agent.state, WM_AGENT_ASKING);
	CU_ASSERT_EQUAL(rack->nodes[0].agent.counts.forged, 2);

	rack->lost_ops = 0;
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 0));
	rack_destroy(rack);
}

/* A controller with the same key can be asked to say BYE to any BEAT. */
static void the_bye_of_another_controller_ends_no_session(void)
{
	struct rack *rack = rack_at_work(), *other = rack_create(&cluster_key);
	const struct frame beat = *last_of(rack, WM_OP_BEAT, true);
	struct memory *memory = malloc(sizeof(*memory));
	struct frame bye;

	other->membership.controller[0] ^= 4;
	deliver(other, &beat);
	bye = *last_of(other, WM_OP_BYE, false);
	remember(memory, rack);
	CU_ASSERT_EQUAL(deliver(rack, &bye), -EACCES);
	CU_ASSERT(is_unchanged(memory, rack));

	/* That of its own one, which has forgotten it, does; and once only. */
	controller_start(rack, &cluster_key);
	rack->delivered = rack->sent;
	deliver(rack, &beat);
	bye = *last_of(rack, WM_OP_BYE, false);
	CU_ASSERT_EQUAL(deliver(rack, &bye), 0);
	pass_ms(rack, 2500);
	CU_ASSERT(is_joined(rack, beat.node[5]));
	bye.header.session = rack->nodes[beat.node[5]].agent.session;
	CU_ASSERT_EQUAL(deliver(rack, &bye), -EACCES);
	free(memory);
	rack_destroy(other);
	rack_destroy(rack);
}

/* ---- bounds ------------------------------------------------------------------------------------
 */

static void a_flood_of_forgeries_is_not_answered_with_a_flood(void)
{
	struct rack *rack = rack_at_work();
	struct frame beat = *last_of(rack, WM_OP_BEAT, true);
	struct frame hello = *last_of(rack, WM_OP_HELLO, true);
	unsigned sent = rack->sent;

	hello.body[0] ^= 1;
	for (unsigned i = 0; i < 10000; i++) {
		beat.header.session += WM_NODES_MAX;
		deliver(rack, &beat);
		deliver(rack, &hello);
	}
	CU_ASSERT(rack->sent > sent);
	CU_ASSERT(rack->sent - sent <= WM_NODES_MAX / 4);
	CU_ASSERT(ignored_by_controller(rack) >= 20000);
	rack_destroy(rack);
}

static struct frame hello_of(struct rack *rack, unsigned number, uint64_t nonce)
{
	struct node *node = &rack->nodes[0];

	node_start(rack, 0, &cluster_key);
	node->agent.config.hello.nonce = nonce;
	node->mac[4] = (uint8_t)(number >> 8);
	node->mac[5] = (uint8_t)number;
	memcpy(node->agent.config.address, node->mac, sizeof(node->mac));
	wm_agent_tick(&node->agent, rack->now_ns);
	return rack->frames[rack->sent - 1];
}

static void candidates_are_bounded_and_expire(void)
{
	struct rack *rack = rack_create(&cluster_key);
	const struct wm_membership *membership = &rack->membership;
	struct frame hello;

	for (unsigned i = 0; i < WM_NODES_MAX + 10; i++) {
		hello = hello_of(rack, i, 1);
		deliver(rack, &hello);
		deliver(rack, &hello);
	}
	CU_ASSERT_EQUAL(membership->count, WM_NODES_MAX);
	CU_ASSERT_EQUAL(last_of(rack, WM_OP_BYE, false)->header.session, 0);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 0);

	rack->now_ns += WM_DEAD_MS * WM_NS_PER_MS;
	wm_membership_tick(&rack->membership, rack->now_ns);
	rack->delivered = rack->sent;
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 0));
	rack_destroy(rack);
}

static void one_address_has_one_candidate(void)
{
	struct rack *rack = rack_create(&cluster_key);
	struct frame hello;

	for (unsigned i = 0; i < 100; i++) {
		hello = hello_of(rack, 5, i);
		deliver(rack, &hello);
	}
	CU_ASSERT_EQUAL(rack->membership.count, 1);
	rack_destroy(rack);
}

static const struct wm_test tests[] = {
	WM_TEST(every_frame_of_a_life_again_changes_nothing),
	WM_TEST(every_frame_of_an_earlier_life_changes_nothing),
	WM_TEST(the_life_of_a_node_that_is_gone_brings_it_not_back),
	WM_TEST(an_old_welcome_or_refusal_does_not_reach_a_node_that_asks_again),
	WM_TEST(the_hello_that_was_refused_once_ends_no_session),
	WM_TEST(an_old_hello_in_the_middle_of_a_join_only_delays_it),
	WM_TEST(a_nodes_frames_do_not_come_back_as_the_controllers),
	WM_TEST(no_bit_of_a_frame_can_be_changed),
	WM_TEST(a_trailer_that_is_cut_off_is_missed),
	WM_TEST(the_tag_of_one_session_is_none_in_another),
	WM_TEST(whoever_has_no_key_commands_nobody),
	WM_TEST(a_forged_welcome_or_refusal_does_not_reach_a_node_that_asks),
	WM_TEST(the_bye_of_another_controller_ends_no_session),
	WM_TEST(a_flood_of_forgeries_is_not_answered_with_a_flood),
	WM_TEST(candidates_are_bounded_and_expire),
	WM_TEST(one_address_has_one_candidate),
};

int main(void)
{
	wm_log_init("keyed_attack_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("keyed attack", tests);
}
