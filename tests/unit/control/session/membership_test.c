/* SPDX-License-Identifier: BSD-3-Clause */
#include "membership.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "harness.h"
#include "log.h"

#define SENT_MAX 4096
#define JOB 9u

static const uint8_t controller[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 0xfe };
static const struct wm_layout layout = {
	.kernel = { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 },
	.batch_elements = 256,
};

struct frame {
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	struct wm_wire_header header;
	uint8_t body[WM_MESSAGE_BYTES_MAX];
};

/* The rack around the membership: what it sent, and what it told. */
struct rack {
	struct wm_membership membership;
	uint64_t now_ns;
	struct frame sent[SENT_MAX];
	unsigned sent_count;
	unsigned told[WM_MEMBER_CHANGE_LEFT + 1];
	uint32_t told_index;
	uint32_t switch_mtu; /* of its ports to nodes; 0: no ECHO passes */
	struct probe {
		uint8_t mac[WM_ETHER_ADDR_BYTES];
		struct wm_wire_header header;
	} probes[WM_PATH_SIZES_MAX * 8];
	unsigned probe_count;
};

static void rack_send(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
		      const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct rack *rack = context;
	struct frame *frame = &rack->sent[rack->sent_count++ % SENT_MAX];

	memcpy(frame->mac, mac, sizeof(frame->mac));
	frame->header = *header;
	frame->header.count = (uint16_t)body_bytes;
	if (body_bytes > 0)
		memcpy(frame->body, body, body_bytes);
}

static void rack_change(void *context, uint32_t index, enum wm_member_change change)
{
	struct rack *rack = context;

	rack->told[change]++;
	rack->told_index = index;
}

static void rack_probe(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
		       const struct wm_wire_header *header, uint32_t mtu)
{
	struct rack *rack = context;
	struct probe *probe = &rack->probes[rack->probe_count];

	if (mtu > rack->switch_mtu)
		return;
	CU_ASSERT_FATAL(rack->probe_count++ < sizeof(rack->probes) / sizeof(rack->probes[0]));
	probe->header = *header;
	probe->header.count = (uint16_t)(mtu - WM_WIRE_HEADER_BYTES);
	memcpy(probe->mac, mac, sizeof(probe->mac));
}

static void echo(struct rack *rack)
{
	for (unsigned i = 0; i < rack->probe_count; i++)
		wm_membership_receive_echo(&rack->membership, rack->probes[i].mac,
					   &rack->probes[i].header, rack->now_ns);
	rack->probe_count = 0;
}

static struct rack *rack_create(void)
{
	struct rack *rack = calloc(1, sizeof(*rack));
	struct wm_membership_calls calls = { rack, rack_send, rack_change, rack_probe, NULL };

	rack->now_ns = 5 * WM_NS_PER_S;
	wm_membership_init(&rack->membership, &calls, controller);
	return rack;
}

static void pass_ms(struct rack *rack, uint64_t ms)
{
	for (uint64_t passed = 0; passed < ms; passed += 50) {
		rack->now_ns += 50 * WM_NS_PER_MS;
		wm_membership_tick(&rack->membership, rack->now_ns);
		echo(rack);
	}
}

static const struct frame *last_sent(const struct rack *rack)
{
	return &rack->sent[(rack->sent_count - 1) % SENT_MAX];
}

static unsigned count_sent(const struct rack *rack, enum wm_op op)
{
	unsigned count = 0;

	for (unsigned i = 0; i < rack->sent_count && i < SENT_MAX; i++)
		count += rack->sent[i].header.op == op;
	return count;
}

/* ---- nodes ------------------------------------------------------------------ */

struct node {
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	struct wm_hello hello;
	uint32_t session;
	uint64_t question; /* that its ACK answers */
};

static struct node node_of(unsigned number)
{
	struct node node = {
		.mac = { 2, 0, 0, 1, (uint8_t)(number >> 8), (uint8_t)number },
		.hello = { .nonce = 1000 + number,
			   .mtu = 9000,
			   .capacity = 64,
			   .device = "gpu",
			   .driver = "driver",
			   .xdp_mode = "native" },
	};

	snprintf(node.hello.name, sizeof(node.hello.name), "n%u", number);
	return node;
}

static void give(struct rack *rack, const struct node *node, enum wm_op op, uint32_t job,
		 const uint8_t *body, size_t body_bytes)
{
	struct wm_wire_header header = {
		.op = (uint8_t)op,
		.count = (uint16_t)body_bytes,
		.session = op == WM_OP_HELLO ? 0 : node->session,
		.job = job,
		.batch = node->question,
	};

	wm_membership_receive(&rack->membership, node->mac, &header, body, rack->now_ns);
}

static void give_hello(struct rack *rack, const struct node *node)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	give(rack, node, WM_OP_HELLO, 0, body,
	     wm_message_encode_hello(body, sizeof(body), &node->hello));
}

static void give_beat(struct rack *rack, const struct node *node)
{
	const struct wm_beat beat = { .batches = 7 };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	give(rack, node, WM_OP_BEAT, 0, body, wm_message_encode_beat(body, sizeof(body), &beat));
}

static void give_ack(struct rack *rack, const struct node *node, uint32_t job, int32_t status)
{
	struct wm_ack ack = { .status = status, .text = "because" };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	give(rack, node, WM_OP_ACK, job, body, wm_message_encode_ack(body, sizeof(body), &ack));
}

static void give_bye(struct rack *rack, const struct node *node)
{
	const struct wm_bye bye = { .text = "stopped" };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	give(rack, node, WM_OP_BYE, 0, body, wm_message_encode_bye(body, sizeof(body), &bye));
}

/* The WELCOME that was sent last; node->session is what it says. */
static struct wm_welcome take_welcome(const struct rack *rack, struct node *node)
{
	const struct frame *frame = last_sent(rack);
	struct wm_welcome welcome = { 0 };

	CU_ASSERT_EQUAL(frame->header.op, WM_OP_WELCOME);
	CU_ASSERT_EQUAL(memcmp(frame->mac, node->mac, sizeof(node->mac)), 0);
	CU_ASSERT_EQUAL(wm_message_decode_welcome(frame->body, frame->header.count, &welcome), 0);
	node->session = frame->header.session;
	return welcome;
}

static void take_bye(const struct rack *rack, const struct node *node, const char *words)
{
	const struct frame *frame = last_sent(rack);
	struct wm_bye bye = { "" };

	CU_ASSERT_EQUAL(frame->header.op, WM_OP_BYE);
	CU_ASSERT_EQUAL(memcmp(frame->mac, node->mac, sizeof(node->mac)), 0);
	CU_ASSERT_EQUAL(wm_message_decode_bye(frame->body, frame->header.count, &bye), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(bye.text, words));
}

static struct node node_join(struct rack *rack, unsigned number)
{
	struct node node = node_of(number);

	give_hello(rack, &node);
	take_welcome(rack, &node);
	return node;
}

static const struct wm_member *member_of(const struct rack *rack, const struct node *node)
{
	for (uint32_t i = 0; i < rack->membership.count; i++) {
		if (memcmp(rack->membership.members[i].mac, node->mac, sizeof(node->mac)) == 0)
			return &rack->membership.members[i];
	}
	return NULL;
}

static void expect_state(const struct rack *rack, const struct node *node,
			 enum wm_member_state state)
{
	const struct wm_member *member = member_of(rack, node);

	CU_ASSERT_PTR_NOT_NULL_FATAL(member);
	CU_ASSERT_STRING_EQUAL(wm_member_state_name(member->state), wm_member_state_name(state));
}

/* ---- joining ------------------------------------------------------------------ */

static void hello_is_answered_with_a_session(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	struct wm_welcome welcome;

	give_hello(rack, &node);
	welcome = take_welcome(rack, &node);
	CU_ASSERT_EQUAL(welcome.nonce, node.hello.nonce);
	CU_ASSERT_EQUAL(memcmp(welcome.controller, controller, sizeof(controller)), 0);
	CU_ASSERT_NOT_EQUAL(node.session, 0);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 1);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

static void a_lost_welcome_is_sent_again_for_the_same_session(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);
	uint32_t session = node.session;

	give_hello(rack, &node);
	take_welcome(rack, &node);
	CU_ASSERT_EQUAL(node.session, session);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 1);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 0);
	free(rack);
}

static void a_node_that_starts_again_gets_a_new_session_and_the_old_one_ends(void)
{
	struct rack *rack = rack_create();
	struct node old = node_join(rack, 1), new = old;
	uint64_t ignored;

	new.hello.nonce++;
	give_hello(rack, &new);
	take_welcome(rack, &new);
	CU_ASSERT_NOT_EQUAL(new.session, old.session);
	CU_ASSERT_EQUAL(rack->membership.count, 1);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 2);

	ignored = rack->membership.ignored;
	give_bye(rack, &old);
	CU_ASSERT_EQUAL(rack->membership.ignored, ignored + 1);
	expect_state(rack, &new, WM_MEMBER_ADMITTED);
	free(rack);
}

static void the_capacity_of_a_node_is_cut_to_the_largest_window(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	node.hello.capacity = 10 * WM_NODE_WINDOW_MAX;
	give_hello(rack, &node);
	CU_ASSERT_EQUAL(member_of(rack, &node)->hello.capacity, WM_NODE_WINDOW_MAX);
	free(rack);
}

static void a_link_with_too_small_an_mtu_is_refused_and_told_each_time(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	node.hello.mtu = WM_MTU_MIN - 1;
	for (unsigned i = 1; i <= 3; i++) {
		give_hello(rack, &node);
		take_bye(rack, &node, "refused: its MTU");
		CU_ASSERT_EQUAL(rack->sent_count, i);
	}
	expect_state(rack, &node, WM_MEMBER_REFUSED);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 0);

	node.hello.mtu = WM_MTU_MIN;
	node.hello.nonce++;
	give_hello(rack, &node);
	take_welcome(rack, &node);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

static void a_full_rack_refuses_and_takes_the_place_of_who_is_gone(void)
{
	struct rack *rack = rack_create();
	struct node newcomer = node_of(WM_NODES_MAX), first = node_of(0);

	for (unsigned i = 0; i < WM_NODES_MAX; i++) {
		struct node node = node_join(rack, i);

		if (i == 0)
			first = node;
	}
	give_hello(rack, &newcomer);
	take_bye(rack, &newcomer, "refused: the rack is full");

	give_bye(rack, &first);
	give_hello(rack, &newcomer);
	take_welcome(rack, &newcomer);
	CU_ASSERT_EQUAL(member_of(rack, &newcomer), &rack->membership.members[0]);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_ADMITTED), WM_NODES_MAX);
	free(rack);
}

static void sessions_tell_their_node_and_never_repeat_at_once(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	uint32_t before = 0;

	(void)node_join(rack, 0);
	for (unsigned i = 0; i < 200; i++) {
		node.hello.nonce++;
		give_hello(rack, &node);
		take_welcome(rack, &node);
		CU_ASSERT_NOT_EQUAL(node.session, before);
		CU_ASSERT_EQUAL(node.session & (WM_NODES_MAX - 1), 1);
		before = node.session;
	}
	free(rack);
}

static void a_hello_that_makes_no_sense_is_ignored(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	static const uint8_t junk[] = { 0xc1, 0xff };

	give(rack, &node, WM_OP_HELLO, 0, junk, sizeof(junk));
	CU_ASSERT_EQUAL(rack->membership.ignored, 1);
	CU_ASSERT_EQUAL(rack->sent_count, 0);
	free(rack);
}

/* ---- being a member -------------------------------------------------------------- */

static void a_beat_is_echoed_and_tells_that_the_node_was_heard(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	give_beat(rack, &node);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_BEAT);
	CU_ASSERT_EQUAL(last_sent(rack)->header.count, 0);
	CU_ASSERT_EQUAL(last_sent(rack)->header.session, node.session);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_BEAT], 1);
	CU_ASSERT_EQUAL(member_of(rack, &node)->beat.batches, 7);
	free(rack);
}

static void a_beat_of_an_unknown_session_is_told_so(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	node.session = 0x12345678;
	give_beat(rack, &node);
	take_bye(rack, &node, "unknown session");
	CU_ASSERT_EQUAL(last_sent(rack)->header.session, node.session);
	CU_ASSERT_EQUAL(rack->membership.ignored, 1);
	free(rack);
}

static void a_session_counts_only_from_the_address_that_has_it(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1), thief = node_of(2);

	thief.session = node.session;
	give_bye(rack, &thief);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	CU_ASSERT_EQUAL(rack->membership.ignored, 1);
	free(rack);
}

static void a_silent_node_is_gone_after_five_seconds_and_not_before(void)
{
	struct rack *rack = rack_create();
	struct node silent = node_join(rack, 1), alive = node_join(rack, 2);

	pass_ms(rack, WM_DEAD_MS / 2);
	give_beat(rack, &alive);
	pass_ms(rack, WM_DEAD_MS / 2);
	expect_state(rack, &silent, WM_MEMBER_ADMITTED);
	pass_ms(rack, 100);
	expect_state(rack, &silent, WM_MEMBER_GONE);
	expect_state(rack, &alive, WM_MEMBER_ADMITTED);
	take_bye(rack, &silent, "not heard");
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	CU_ASSERT_EQUAL(rack->told_index, 0);
	free(rack);
}

static void a_node_that_says_bye_is_gone_and_may_come_back(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	give_bye(rack, &node);
	expect_state(rack, &node, WM_MEMBER_GONE);
	CU_ASSERT_STRING_EQUAL(member_of(rack, &node)->reason, "stopped");
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);

	node.hello.nonce++;
	give_hello(rack, &node);
	take_welcome(rack, &node);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

/* Its frames are in the ring: they come after the tick. */
static void nobody_was_silent_while_the_controller_did_not_listen(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	pass_ms(rack, 4000);
	rack->now_ns += 60 * WM_NS_PER_S;
	pass_ms(rack, 950);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	pass_ms(rack, 150);
	expect_state(rack, &node, WM_MEMBER_GONE);
	free(rack);
}

static void what_only_a_controller_says_is_ignored(void)
{
	static const enum wm_op ops[] = { WM_OP_WELCOME, WM_OP_KERNEL, WM_OP_DRAIN };
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	for (unsigned i = 0; i < 3; i++)
		give(rack, &node, ops[i], 0, NULL, 0);
	CU_ASSERT_EQUAL(rack->membership.ignored, 3);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

static void closing_says_bye_to_everybody(void)
{
	struct rack *rack = rack_create();
	struct node first = node_join(rack, 1), second = node_join(rack, 2);

	wm_membership_close(&rack->membership, "the controller stops");
	CU_ASSERT_EQUAL(count_sent(rack, WM_OP_BYE), 2);
	take_bye(rack, &second, "the controller stops");
	expect_state(rack, &first, WM_MEMBER_GONE);
	free(rack);
}

/* ---- the job --------------------------------------------------------------------- */

static void begin(struct rack *rack, uint32_t mtu)
{
	wm_membership_job_begin(&rack->membership, JOB, &layout, mtu, rack->now_ns);
}

static void a_job_asks_everybody_until_the_answer_comes(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	begin(rack, 9000);
	CU_ASSERT_EQUAL(count_sent(rack, WM_OP_KERNEL), 1);
	CU_ASSERT_EQUAL(last_sent(rack)->header.job, JOB);
	CU_ASSERT_FALSE(wm_membership_job_is_answered(&rack->membership, JOB));
	pass_ms(rack, 1000);
	CU_ASSERT(count_sent(rack, WM_OP_KERNEL) >= 4 && count_sent(rack, WM_OP_KERNEL) <= 6);

	give_ack(rack, &node, JOB, 0);
	expect_state(rack, &node, WM_MEMBER_READY);
	CU_ASSERT(wm_membership_job_is_answered(&rack->membership, JOB));
	give_ack(rack, &node, JOB, 0);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_READY], 1);
	rack->sent_count = 0;
	pass_ms(rack, 1000);
	CU_ASSERT_EQUAL(count_sent(rack, WM_OP_KERNEL), 0);

	wm_membership_job_end(&rack->membership, JOB);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	free(rack);
}

static void an_answer_to_another_job_is_none(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	give_ack(rack, &node, JOB, 0);
	begin(rack, 9000);
	give_ack(rack, &node, JOB - 1, 0);
	give_ack(rack, &node, 0, 0);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	CU_ASSERT_FALSE(wm_membership_job_is_answered(&rack->membership, JOB));
	free(rack);
}

static void a_node_that_cannot_prepare_stays_and_says_why(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	begin(rack, 9000);
	give_ack(rack, &node, JOB, ENOENT);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	CU_ASSERT(wm_membership_job_is_answered(&rack->membership, JOB));
	CU_ASSERT_STRING_EQUAL(member_of(rack, &node)->reason, "not ready: because");
	free(rack);
}

static void a_node_that_cannot_prepare_is_asked_again_a_few_times(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);
	unsigned asked = 0;

	begin(rack, 9000);
	for (unsigned i = 0; i < 600; i++) {
		if (last_sent(rack)->header.op == WM_OP_KERNEL) {
			CU_ASSERT_EQUAL(last_sent(rack)->header.batch, asked);
			node.question = asked++;
			give_ack(rack, &node, JOB, ENOMEM);
		}
		give_beat(rack, &node);
		pass_ms(rack, 100);
	}
	CU_ASSERT_EQUAL(asked, 5);
	CU_ASSERT(wm_membership_job_is_answered(&rack->membership, JOB));

	wm_membership_job_end(&rack->membership, JOB);
	begin(rack, 9000);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_KERNEL);
	CU_ASSERT_EQUAL(last_sent(rack)->header.batch, 0);
	free(rack);
}

static void a_node_that_prepares_the_second_time_is_ready(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	begin(rack, 9000);
	give_ack(rack, &node, JOB, ENOMEM);
	pass_ms(rack, 1100);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_KERNEL);
	CU_ASSERT_FALSE(wm_membership_job_is_answered(&rack->membership, JOB));
	/* The first answer once more. */
	give_ack(rack, &node, JOB, ENOMEM);
	CU_ASSERT_FALSE(wm_membership_job_is_answered(&rack->membership, JOB));
	node.question = 1;
	give_ack(rack, &node, JOB, 0);
	expect_state(rack, &node, WM_MEMBER_READY);
	free(rack);
}

/* ---- quarantine ------------------------------------------------------------------- */

static uint32_t index_of(const struct rack *rack, const struct node *node)
{
	return (uint32_t)(member_of(rack, node) - rack->membership.members);
}

static void who_computed_wrong_is_told_and_kept_out(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	wm_membership_quarantine(&rack->membership, index_of(rack, &node), "computed wrong");
	take_bye(rack, &node, "refused: it computed wrong");
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	node.hello.nonce++;
	give_hello(rack, &node);
	take_bye(rack, &node, "refused: it computed wrong");
	expect_state(rack, &node, WM_MEMBER_QUARANTINED);
	CU_ASSERT_EQUAL(wm_membership_admit(&rack->membership, index_of(rack, &node)), 0);
	give_hello(rack, &node);
	take_welcome(rack, &node);
	free(rack);
}

/* The lane looks at its results later than it leaves. */
static void who_computed_wrong_and_left_is_kept_out_all_the_same(void)
{
	struct rack *rack = rack_create();
	struct node node = node_join(rack, 1);

	give_bye(rack, &node);
	wm_membership_quarantine(&rack->membership, index_of(rack, &node), "computed wrong");
	expect_state(rack, &node, WM_MEMBER_QUARANTINED);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	give_hello(rack, &node);
	take_bye(rack, &node, "refused: it computed wrong");
	free(rack);
}

static void who_took_part_keeps_its_place_until_the_job_ends(void)
{
	struct rack *rack = rack_create();
	struct node newcomer = node_of(WM_NODES_MAX), first = node_join(rack, 0);

	for (unsigned i = 1; i < WM_NODES_MAX; i++)
		(void)node_join(rack, i);
	begin(rack, 9000);
	give_ack(rack, &first, JOB, 0);
	give_bye(rack, &first);
	give_hello(rack, &newcomer);
	take_bye(rack, &newcomer, "refused: the rack is full");

	wm_membership_job_end(&rack->membership, JOB);
	give_hello(rack, &newcomer);
	take_welcome(rack, &newcomer);
	CU_ASSERT_EQUAL(index_of(rack, &newcomer), 0);
	free(rack);
}

static void who_joins_during_a_job_is_asked_too(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	begin(rack, 9000);
	give_hello(rack, &node);
	CU_ASSERT_EQUAL(count_sent(rack, WM_OP_WELCOME), 1);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_KERNEL);
	node.session = last_sent(rack)->header.session;
	give_ack(rack, &node, JOB, 0);
	expect_state(rack, &node, WM_MEMBER_READY);
	free(rack);
}

static void the_smallest_mtu_governs_and_is_named(void)
{
	struct rack *rack = rack_create();
	struct node small = node_of(2);
	uint32_t index = 77;

	CU_ASSERT_EQUAL(wm_membership_find_mtu(&rack->membership, 9000, &index), 9000);
	(void)node_join(rack, 1);
	small.hello.mtu = 3506;
	give_hello(rack, &small);
	CU_ASSERT_EQUAL(wm_membership_find_mtu(&rack->membership, 9000, &index), 3506);
	CU_ASSERT_EQUAL(index, 1);
	CU_ASSERT_EQUAL(wm_membership_find_mtu(&rack->membership, 1500, &index), 1500);
	free(rack);
}

static void who_joins_a_job_of_a_larger_mtu_waits_for_the_next(void)
{
	struct rack *rack = rack_create();
	struct node small = node_of(1);

	begin(rack, 9000);
	small.hello.mtu = 1500;
	give_hello(rack, &small);
	take_welcome(rack, &small);
	expect_state(rack, &small, WM_MEMBER_ADMITTED);
	CU_ASSERT_PTR_NOT_NULL(strstr(member_of(rack, &small)->reason, "too small for job 9"));
	CU_ASSERT(wm_membership_job_is_answered(&rack->membership, JOB));

	wm_membership_job_end(&rack->membership, JOB);
	CU_ASSERT_STRING_EQUAL(member_of(rack, &small)->reason, "");
	begin(rack, 1500);
	CU_ASSERT_EQUAL(last_sent(rack)->header.op, WM_OP_KERNEL);
	free(rack);
}

/* Beats of it keep it in. */
static void pass_with_beats(struct rack *rack, const struct node *node, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		give_beat(rack, node);
		pass_ms(rack, 1000);
	}
}

static void a_switch_between_that_passes_less_is_heeded(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	uint32_t index = 77;

	node.hello.mtu = 9000;
	rack->switch_mtu = 1500;
	give_hello(rack, &node);
	take_welcome(rack, &node);
	CU_ASSERT_TRUE(wm_membership_paths_are_open(&rack->membership, rack->now_ns));
	pass_with_beats(rack, &node, 2);
	CU_ASSERT_FALSE(wm_membership_paths_are_open(&rack->membership, rack->now_ns));
	CU_ASSERT_TRUE(wm_member_path_is_narrow(member_of(rack, &node)));
	CU_ASSERT_EQUAL(wm_membership_find_mtu(&rack->membership, 9000, &index), 1500);
	CU_ASSERT_EQUAL(index, 0);
	begin(rack, 9000);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	CU_ASSERT_PTR_NOT_NULL(strstr(member_of(rack, &node)->reason, "path to it"));
	CU_ASSERT_PTR_EQUAL(wm_membership_find_unreached(&rack->membership),
			    member_of(rack, &node));

	/* The port is mended: it is asked to take part. */
	rack->switch_mtu = 9000;
	pass_with_beats(rack, &node, 12);
	CU_ASSERT_FALSE(wm_member_path_is_narrow(member_of(rack, &node)));
	CU_ASSERT_TRUE(member_of(rack, &node)->jobs[0].asked);
	CU_ASSERT_PTR_NULL(wm_membership_find_unreached(&rack->membership));
	free(rack);
}

static void one_that_is_ready_leaves_the_job_when_its_path_gets_narrow(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);

	node.hello.mtu = 9000;
	rack->switch_mtu = 9000;
	give_hello(rack, &node);
	take_welcome(rack, &node);
	pass_with_beats(rack, &node, 1);
	begin(rack, 9000);
	give_ack(rack, &node, 9, 0);
	expect_state(rack, &node, WM_MEMBER_READY);

	rack->switch_mtu = 1500;
	wm_membership_look(&rack->membership, 0, rack->now_ns);
	pass_with_beats(rack, &node, 2);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_UNFIT], 1);
	expect_state(rack, &node, WM_MEMBER_ADMITTED);
	rack->switch_mtu = 9000;
	pass_with_beats(rack, &node, 12);
	give_ack(rack, &node, 9, 0);
	expect_state(rack, &node, WM_MEMBER_READY);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_READY], 2);
	free(rack);
}

static void an_echo_of_another_session_is_ignored(void)
{
	struct rack *rack = rack_create();
	struct node node = node_of(1);
	struct wm_wire_header header = { .op = WM_OP_ECHO, .batch = 1, .count = 8972 };

	give_hello(rack, &node);
	take_welcome(rack, &node);
	for (header.session = 0; header.session < 4096; header.session++)
		wm_membership_receive_echo(&rack->membership, node.mac, &header, rack->now_ns);
	CU_ASSERT_EQUAL(rack->membership.ignored, 4096);
	CU_ASSERT_EQUAL(member_of(rack, &node)->path.mtu, 0);
	free(rack);
}

/* The same address, and each life of one ends that of the other. */
static void two_machines_with_one_address_do_not_take_turns_for_ever(void)
{
	struct rack *rack = rack_create();
	struct node a = node_of(1), b = node_of(1);

	b.hello.nonce = 5000;
	strcpy(b.hello.name, "other");
	give_hello(rack, &a);
	take_welcome(rack, &a);
	for (unsigned i = 0; i < 3; i++) {
		struct node *comes = i % 2 ? &a : &b, *was = i % 2 ? &b : &a;

		comes->hello.nonce++;
		give_hello(rack, comes);
		take_welcome(rack, comes);
		give_beat(rack, was);
		pass_ms(rack, 500);
	}
	/* The one that is in stays in, and the other is told why it is not. */
	give_beat(rack, &b);
	expect_state(rack, &b, WM_MEMBER_ADMITTED);
	a.hello.nonce++;
	give_hello(rack, &a);
	take_bye(rack, &a, "another machine here has its MAC address");
	expect_state(rack, &b, WM_MEMBER_ADMITTED);
	CU_ASSERT_STRING_EQUAL(member_of(rack, &b)->hello.name, "other");
	free(rack);
}

/* Its last beat may be late; it does not beat for ever. */
static void a_node_that_starts_again_is_no_twin_of_itself(void)
{
	struct rack *rack = rack_create();
	struct node before = node_of(1), after = before;

	give_hello(rack, &before);
	take_welcome(rack, &before);
	after.hello.nonce = 77;
	give_hello(rack, &after);
	take_welcome(rack, &after);
	give_beat(rack, &before);
	after.hello.nonce = 78;
	give_hello(rack, &after);
	take_welcome(rack, &after);
	expect_state(rack, &after, WM_MEMBER_ADMITTED);
	free(rack);
}

static const struct wm_test tests[] = {
	WM_TEST(two_machines_with_one_address_do_not_take_turns_for_ever),
	WM_TEST(a_node_that_starts_again_is_no_twin_of_itself),
	WM_TEST(a_switch_between_that_passes_less_is_heeded),
	WM_TEST(one_that_is_ready_leaves_the_job_when_its_path_gets_narrow),
	WM_TEST(an_echo_of_another_session_is_ignored),
	WM_TEST(hello_is_answered_with_a_session),
	WM_TEST(a_lost_welcome_is_sent_again_for_the_same_session),
	WM_TEST(a_node_that_starts_again_gets_a_new_session_and_the_old_one_ends),
	WM_TEST(the_capacity_of_a_node_is_cut_to_the_largest_window),
	WM_TEST(a_link_with_too_small_an_mtu_is_refused_and_told_each_time),
	WM_TEST(a_full_rack_refuses_and_takes_the_place_of_who_is_gone),
	WM_TEST(sessions_tell_their_node_and_never_repeat_at_once),
	WM_TEST(a_hello_that_makes_no_sense_is_ignored),
	WM_TEST(a_beat_is_echoed_and_tells_that_the_node_was_heard),
	WM_TEST(a_beat_of_an_unknown_session_is_told_so),
	WM_TEST(a_session_counts_only_from_the_address_that_has_it),
	WM_TEST(a_silent_node_is_gone_after_five_seconds_and_not_before),
	WM_TEST(a_node_that_says_bye_is_gone_and_may_come_back),
	WM_TEST(nobody_was_silent_while_the_controller_did_not_listen),
	WM_TEST(what_only_a_controller_says_is_ignored),
	WM_TEST(closing_says_bye_to_everybody),
	WM_TEST(a_job_asks_everybody_until_the_answer_comes),
	WM_TEST(an_answer_to_another_job_is_none),
	WM_TEST(a_node_that_cannot_prepare_stays_and_says_why),
	WM_TEST(a_node_that_cannot_prepare_is_asked_again_a_few_times),
	WM_TEST(a_node_that_prepares_the_second_time_is_ready),
	WM_TEST(who_computed_wrong_is_told_and_kept_out),
	WM_TEST(who_computed_wrong_and_left_is_kept_out_all_the_same),
	WM_TEST(who_took_part_keeps_its_place_until_the_job_ends),
	WM_TEST(who_joins_during_a_job_is_asked_too),
	WM_TEST(the_smallest_mtu_governs_and_is_named),
	WM_TEST(who_joins_a_job_of_a_larger_mtu_waits_for_the_next),
};

int main(void)
{
	wm_log_init("membership_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("membership", tests);
}
