/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The controller's membership and the nodes' agents on one wire, with the
 * cluster key, and somebody on that wire who has every frame and not the key.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "clock.h"
#include "harness.h"
#include "log.h"
#include "membership.h"

#define NODES 3u
#define FRAMES_MAX 20000u
#define JOB 9u

static const uint8_t controller[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 0xfe };
static const struct wm_key cluster_key = { { 1, 2, 3 } };
static const struct wm_key other_key = { { 1, 2, 4 } };
static const struct wm_layout layout = {
	.kernel = { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 },
	.batch_elements = 256,
};

struct frame {
	bool up; /* to the controller */
	uint8_t node[WM_ETHER_ADDR_BYTES];
	struct wm_wire_header header;
	uint8_t body[WM_MESSAGE_BYTES_MAX];
};

struct rack;

struct node {
	struct rack *rack;
	struct wm_agent agent;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	unsigned prepared, sessions;
	const uint8_t *frame_key;
};

struct rack {
	struct wm_membership membership;
	struct node nodes[NODES];
	uint64_t now_ns;
	unsigned told[WM_MEMBER_CHANGE_LEFT + 1];
	/* everything that was ever sent */
	struct frame *frames;
	unsigned sent, delivered;
	uint32_t lost_ops; /* bit n: frames of op n do not arrive */
};

/* ---- the wire ------------------------------------------------------------------ */

static void transmit(struct rack *rack, bool up, const uint8_t *node,
		     const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct frame *frame = &rack->frames[rack->sent++];

	CU_ASSERT_FATAL(rack->sent <= FRAMES_MAX && body_bytes <= sizeof(frame->body));
	*frame = (struct frame){ .up = up, .header = *header };
	frame->header.version = WM_WIRE_VERSION;
	frame->header.count = (uint16_t)body_bytes;
	memcpy(frame->node, node, sizeof(frame->node));
	if (body_bytes > 0)
		memcpy(frame->body, body, body_bytes);
}

static void controller_send(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			    const struct wm_wire_header *header, const void *body,
			    size_t body_bytes)
{
	transmit(context, false, mac, header, body, body_bytes);
}

static void controller_change(void *context, uint32_t index, enum wm_member_change change)
{
	struct rack *rack = context;

	(void)index;
	rack->told[change]++;
}

static void node_send(void *context, const uint8_t destination[WM_ETHER_ADDR_BYTES],
		      const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct node *node = context;

	(void)destination;
	transmit(node->rack, true, node->mac, header, body, body_bytes);
}

static void node_set_session(void *context, uint32_t session,
			     const uint8_t address[WM_ETHER_ADDR_BYTES], const uint8_t *frame_key)
{
	struct node *node = context;

	(void)address;
	node->sessions += session != 0;
	node->frame_key = frame_key;
}

static int node_prepare(void *context, uint32_t job, const struct wm_kernel_message *kernel,
			struct wm_error *error)
{
	struct node *node = context;

	(void)job;
	(void)kernel;
	(void)error;
	node->prepared++;
	return 0;
}

static void node_count(void *context, struct wm_beat *beat)
{
	(void)context;
	*beat = (struct wm_beat){ 0 };
}

static const struct wm_agent_ops agent_ops = {
	.send = node_send,
	.set_session = node_set_session,
	.prepare = node_prepare,
	.count = node_count,
};

static int deliver(struct rack *rack, const struct frame *frame)
{
	int ret = -ENOENT;

	if (frame->up) {
		wm_membership_receive(&rack->membership, frame->node, &frame->header, frame->body,
				      rack->now_ns);
		return 0;
	}
	for (unsigned i = 0; i < NODES; i++) {
		if (memcmp(rack->nodes[i].mac, frame->node, sizeof(frame->node)) == 0)
			ret = wm_agent_receive(&rack->nodes[i].agent, &frame->header, frame->body,
					       rack->now_ns);
	}
	return ret;
}

/* Each frame once, and what it brings about. A copy: the array grows meanwhile. */
static void settle(struct rack *rack)
{
	while (rack->delivered < rack->sent) {
		struct frame frame = rack->frames[rack->delivered++];

		if (!(rack->lost_ops >> frame.header.op & 1))
			deliver(rack, &frame);
	}
}

/* ---- the rack -------------------------------------------------------------------- */

static void controller_start(struct rack *rack, const struct wm_key *key)
{
	struct wm_membership_calls calls = { rack, controller_send, controller_change, NULL, NULL };

	wm_membership_init(&rack->membership, &calls, controller);
	if (key)
		wm_membership_use_key(&rack->membership, key);
}

static void node_start(struct rack *rack, unsigned index, const struct wm_key *key)
{
	struct node *node = &rack->nodes[index];
	struct wm_agent_config config = {
		.ops = &agent_ops,
		.context = node,
		.hello = { .mtu = 9000,
			   .capacity = 64,
			   .device = "gpu",
			   .driver = "driver",
			   .xdp_mode = "native" },
		.address = { 2, 0, 0, 0, 1, (uint8_t)index },
		.key = key,
	};

	snprintf(config.hello.name, sizeof(config.hello.name), "n%u", index);
	wm_auth_random(&config.hello.nonce, sizeof(config.hello.nonce));
	node->rack = rack;
	memcpy(node->mac, config.address, sizeof(node->mac));
	wm_agent_init(&node->agent, &config, rack->now_ns);
}

/* Nobody has started yet but the controller. */
static struct rack *rack_create(const struct wm_key *key)
{
	struct rack *rack = calloc(1, sizeof(*rack));

	rack->frames = calloc(FRAMES_MAX, sizeof(*rack->frames));
	rack->now_ns = 100 * WM_NS_PER_S;
	controller_start(rack, key);
	for (unsigned i = 0; i < NODES; i++)
		rack->nodes[i].agent.state = WM_AGENT_LEFT;
	return rack;
}

static void rack_destroy(struct rack *rack)
{
	free(rack->frames);
	free(rack);
}

static void tick(struct rack *rack)
{
	wm_membership_tick(&rack->membership, rack->now_ns);
	for (unsigned i = 0; i < NODES; i++)
		wm_agent_tick(&rack->nodes[i].agent, rack->now_ns);
}

static void pass_ms(struct rack *rack, unsigned ms)
{
	for (unsigned passed = 0; passed < ms; passed += 20) {
		tick(rack);
		settle(rack);
		rack->now_ns += 20 * WM_NS_PER_MS;
	}
}

static const struct wm_member *member_of(const struct rack *rack, unsigned index)
{
	static const struct wm_member nobody;

	for (uint32_t i = 0; i < rack->membership.count; i++) {
		const struct wm_member *member = &rack->membership.members[i];

		if (memcmp(member->mac, rack->nodes[index].mac, sizeof(member->mac)) == 0)
			return member;
	}
	return &nobody;
}

static bool is_joined(const struct rack *rack, unsigned index)
{
	const struct wm_member *member = member_of(rack, index);

	return wm_member_is_in(member) && rack->nodes[index].agent.state == WM_AGENT_MEMBER &&
	       member->session == rack->nodes[index].agent.session;
}

/* All nodes are in, and ready for a job. */
static struct rack *rack_at_work(void)
{
	struct rack *rack = rack_create(&cluster_key);

	for (unsigned i = 0; i < NODES; i++)
		node_start(rack, i, &cluster_key);
	pass_ms(rack, 1000);
	wm_membership_job_begin(&rack->membership, JOB, &layout, 9000, rack->now_ns);
	pass_ms(rack, 2000);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_READY), NODES);
	return rack;
}

static const struct frame *last_of(const struct rack *rack, enum wm_op op, bool up)
{
	for (unsigned i = rack->sent; i > 0; i--) {
		const struct frame *frame = &rack->frames[i - 1];

		if (frame->header.op == op && frame->up == up)
			return frame;
	}
	CU_FAIL_FATAL("no such frame was sent");
	return NULL;
}

static uint64_t ignored_by_controller(const struct rack *rack)
{
	const struct wm_membership *membership = &rack->membership;

	return membership->ignored + membership->counts.forged + membership->counts.replayed +
	       membership->counts.unkeyed;
}

/* What no frame from outside may change. */
struct memory {
	struct wm_member members[NODES];
	struct node nodes[NODES];
	unsigned told[WM_MEMBER_CHANGE_LEFT + 1];
};

static void remember(struct memory *memory, const struct rack *rack)
{
	memset(memory, 0, sizeof(*memory));
	for (unsigned i = 0; i < NODES; i++) {
		memory->members[i] = *member_of(rack, i);
		/* A candidate is nobody yet. */
		memset(&memory->members[i].candidate, 0, sizeof(struct wm_candidate));
		memory->nodes[i] = rack->nodes[i];
		memset(&memory->nodes[i].agent.counts, 0, sizeof(struct wm_auth_counts));
		memory->nodes[i].agent.hinted = false;
	}
	memcpy(memory->told, rack->told, sizeof(memory->told));
}

static bool is_unchanged(const struct memory *memory, const struct rack *rack)
{
	struct memory *now = malloc(sizeof(*now));
	bool same;

	remember(now, rack);
	same = memcmp(now, memory, sizeof(*now)) == 0;
	free(now);
	return same;
}

/* ---- joining ----------------------------------------------------------------------- */

static void nodes_with_the_key_join_and_work(void)
{
	struct rack *rack = rack_at_work();

	pass_ms(rack, 20000);
	for (unsigned i = 0; i < NODES; i++) {
		CU_ASSERT(is_joined(rack, i));
		CU_ASSERT_EQUAL(rack->nodes[i].prepared, 1);
		CU_ASSERT_EQUAL(rack->nodes[i].sessions, 1);
	}
	CU_ASSERT_EQUAL(ignored_by_controller(rack), 0);
	rack_destroy(rack);
}

static void a_hello_alone_admits_nobody(void)
{
	struct rack *rack = rack_create(&cluster_key);

	rack->lost_ops = 1u << WM_OP_BEAT;
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 3500);
	CU_ASSERT_EQUAL(rack->nodes[0].agent.state, WM_AGENT_MEMBER);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 0);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_ADMITTED), 0);

	rack->lost_ops = 0;
	pass_ms(rack, 300);
	CU_ASSERT(is_joined(rack, 0));
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 1);
	rack_destroy(rack);
}

static void a_lost_welcome_is_sent_again_for_the_same_candidate(void)
{
	struct rack *rack = rack_create(&cluster_key);
	uint32_t session;

	rack->lost_ops = 1u << WM_OP_WELCOME;
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 20);
	session = last_of(rack, WM_OP_WELCOME, false)->header.session;
	pass_ms(rack, 2000);
	rack->lost_ops = 0;
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 0));
	CU_ASSERT_EQUAL(member_of(rack, 0)->session, session);
	rack_destroy(rack);
}

static void a_node_that_starts_again_ends_its_old_session_by_proving_the_new_one(void)
{
	struct rack *rack = rack_at_work();
	uint32_t before = member_of(rack, 1)->session;

	rack->lost_ops = 1u << WM_OP_BEAT;
	node_start(rack, 1, &cluster_key);
	pass_ms(rack, 1000);
	CU_ASSERT_EQUAL(member_of(rack, 1)->session, before);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 0);

	rack->lost_ops = 0;
	pass_ms(rack, 1000);
	CU_ASSERT(is_joined(rack, 1));
	CU_ASSERT_NOT_EQUAL(member_of(rack, 1)->session, before);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_LEFT], 1);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_READY), NODES);
	rack_destroy(rack);
}

/* Its next life has said HELLO, and would be admitted by its first beat. */
static void who_computed_wrong_gets_in_by_no_later_life_either(void)
{
	struct rack *rack = rack_at_work();

	rack->lost_ops = 1u << WM_OP_BEAT;
	node_start(rack, 1, &cluster_key);
	pass_ms(rack, 1000);
	wm_membership_quarantine(&rack->membership,
				 (uint32_t)(member_of(rack, 1) - rack->membership.members),
				 "computed wrong");
	rack->lost_ops = 0;
	pass_ms(rack, 20000);
	CU_ASSERT_EQUAL(member_of(rack, 1)->state, WM_MEMBER_QUARANTINED);
	CU_ASSERT_EQUAL(wm_membership_count(&rack->membership, WM_MEMBER_READY), NODES - 1);
	rack_destroy(rack);
}

static void a_controller_that_starts_again_is_noticed_at_the_next_beat(void)
{
	struct rack *rack = rack_at_work();

	controller_start(rack, &cluster_key);
	pass_ms(rack, 2500);
	for (unsigned i = 0; i < NODES; i++)
		CU_ASSERT(is_joined(rack, i));
	rack_destroy(rack);
}

static void a_refusal_is_believed_from_who_has_the_key(void)
{
	struct rack *rack = rack_create(&cluster_key);

	node_start(rack, 0, &cluster_key);
	rack->nodes[0].agent.config.hello.mtu = WM_MTU_MIN - 1;
	pass_ms(rack, 1000);
	CU_ASSERT(rack->nodes[0].agent.refused);
	CU_ASSERT_PTR_NOT_NULL(strstr(rack->nodes[0].agent.refusal, "refused: its MTU"));
	CU_ASSERT_EQUAL(member_of(rack, 0)->state, WM_MEMBER_REFUSED);
	rack_destroy(rack);
}

/* ---- keys that differ ----------------------------------------------------------------- */

static void stays_out(struct rack *rack)
{
	pass_ms(rack, 30000);
	CU_ASSERT_EQUAL(rack->told[WM_MEMBER_CHANGE_ADMITTED], 0);
	CU_ASSERT_EQUAL(rack->nodes[0].sessions, 0);
	CU_ASSERT_EQUAL(rack->membership.count, 0);
}

static void a_node_with_another_key_stays_out_and_says_so(void)
{
	struct rack *rack = rack_create(&cluster_key);

	node_start(rack, 0, &other_key);
	stays_out(rack);
	CU_ASSERT(rack->membership.counts.forged > 10);
	CU_ASSERT_EQUAL(rack->membership.counts.unkeyed, 0);
	CU_ASSERT(rack->nodes[0].agent.hinted);
	CU_ASSERT_FALSE(rack->nodes[0].agent.refused);
	rack_destroy(rack);
}

static void a_node_without_a_key_stays_out_of_a_keyed_rack(void)
{
	struct rack *rack = rack_create(&cluster_key);

	node_start(rack, 0, NULL);
	stays_out(rack);
	CU_ASSERT(rack->membership.counts.unkeyed > 0);
	CU_ASSERT_EQUAL(rack->membership.counts.forged, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(rack->nodes[0].agent.refusal, "wants its key"));
	rack_destroy(rack);
}

static void a_node_with_a_key_stays_out_of_an_unkeyed_rack(void)
{
	struct rack *rack = rack_create(NULL);

	node_start(rack, 0, &cluster_key);
	stays_out(rack);
	CU_ASSERT(rack->membership.counts.unkeyed > 10);
	CU_ASSERT(rack->nodes[0].agent.hinted);
	CU_ASSERT(rack->nodes[0].agent.counts.forged > 10);
	rack_destroy(rack);
}

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

/* ---- frames with tags --------------------------------------------------------- */

static void with_aead_both_ends_have_one_frame_key_of_the_session_alone(void)
{
	static const uint8_t none[WM_KEY_BYTES];
	struct rack *rack = rack_create(&cluster_key);
	uint8_t former[WM_KEY_BYTES];

	wm_membership_authenticate_frames(&rack->membership, WM_WIRE_AEAD);
	for (unsigned i = 0; i < NODES; i++)
		node_start(rack, i, &cluster_key);
	pass_ms(rack, 1000);
	for (unsigned i = 0; i < NODES; i++) {
		const struct node *node = &rack->nodes[i];

		CU_ASSERT_TRUE(is_joined(rack, i));
		CU_ASSERT_PTR_NOT_NULL_FATAL(node->frame_key);
		CU_ASSERT_EQUAL(memcmp(node->frame_key, member_of(rack, i)->frame_key, 32), 0);
		CU_ASSERT_NOT_EQUAL(memcmp(node->frame_key, none, 32), 0);
		CU_ASSERT_NOT_EQUAL(memcmp(node->frame_key, node->agent.auth.key, 32), 0);
		CU_ASSERT_NOT_EQUAL(
			memcmp(node->frame_key, rack->nodes[(i + 1) % NODES].frame_key, 32), 0);
	}

	/* Another life has another one, and the former is forgotten. */
	memcpy(former, rack->nodes[0].frame_key, sizeof(former));
	wm_agent_leave(&rack->nodes[0].agent, "stopped");
	settle(rack);
	CU_ASSERT_EQUAL(memcmp(rack->nodes[0].agent.frame_key, none, 32), 0);
	CU_ASSERT_EQUAL(memcmp(member_of(rack, 0)->frame_key, none, 32), 0);
	node_start(rack, 0, &cluster_key);
	pass_ms(rack, 1000);
	CU_ASSERT_TRUE(is_joined(rack, 0));
	CU_ASSERT_NOT_EQUAL(memcmp(rack->nodes[0].frame_key, former, 32), 0);
	rack_destroy(rack);
}

static void without_aead_no_frame_key_is_used(void)
{
	struct rack *rack = rack_at_work();

	for (unsigned i = 0; i < NODES; i++)
		CU_ASSERT_PTR_NULL(rack->nodes[i].frame_key);
	rack_destroy(rack);
}

static void a_node_that_requires_aead_joins_no_controller_without(void)
{
	struct rack *rack = rack_create(&cluster_key);

	node_start(rack, 0, &cluster_key);
	rack->nodes[0].agent.config.require_aead = true;
	pass_ms(rack, 20000);
	CU_ASSERT_EQUAL(rack->nodes[0].sessions, 0);
	CU_ASSERT_FALSE(is_joined(rack, 0));
	wm_membership_authenticate_frames(&rack->membership, WM_WIRE_AEAD);
	pass_ms(rack, 20000);
	CU_ASSERT_TRUE(is_joined(rack, 0));
	CU_ASSERT_PTR_NOT_NULL(rack->nodes[0].frame_key);
	rack_destroy(rack);
}

/* Who has not the key can change what WELCOME says, but not so that it is believed. */
static void a_welcome_that_was_weakened_on_its_way_is_refused(void)
{
	struct rack *rack = rack_create(&cluster_key);
	struct wm_welcome welcome;
	struct frame frame;

	wm_membership_authenticate_frames(&rack->membership, WM_WIRE_AEAD);
	rack->lost_ops = 1u << WM_OP_WELCOME;
	node_start(rack, 0, &cluster_key);
	tick(rack);
	settle(rack);
	frame = *last_of(rack, WM_OP_WELCOME, false);
	CU_ASSERT_EQUAL(wm_message_decode_welcome(
				frame.body, frame.header.count - WM_AUTH_TRAILER_BYTES, &welcome),
			0);
	CU_ASSERT_EQUAL(welcome.frame_auth, WM_WIRE_AEAD);
	/* The field is the body's last, so that its value stands before the trailer. */
	CU_ASSERT_EQUAL(frame.body[frame.header.count - WM_AUTH_TRAILER_BYTES - 1], WM_WIRE_AEAD);
	frame.body[frame.header.count - WM_AUTH_TRAILER_BYTES - 1] = WM_WIRE_CRC32C;
	CU_ASSERT_EQUAL(deliver(rack, &frame), -EACCES);
	CU_ASSERT_EQUAL(rack->nodes[0].sessions, 0);
	rack_destroy(rack);
}

static const struct wm_test tests[] = {
	WM_TEST(with_aead_both_ends_have_one_frame_key_of_the_session_alone),
	WM_TEST(without_aead_no_frame_key_is_used),
	WM_TEST(a_node_that_requires_aead_joins_no_controller_without),
	WM_TEST(a_welcome_that_was_weakened_on_its_way_is_refused),
	WM_TEST(nodes_with_the_key_join_and_work),
	WM_TEST(a_hello_alone_admits_nobody),
	WM_TEST(a_lost_welcome_is_sent_again_for_the_same_candidate),
	WM_TEST(a_node_that_starts_again_ends_its_old_session_by_proving_the_new_one),
	WM_TEST(who_computed_wrong_gets_in_by_no_later_life_either),
	WM_TEST(a_controller_that_starts_again_is_noticed_at_the_next_beat),
	WM_TEST(a_refusal_is_believed_from_who_has_the_key),
	WM_TEST(a_node_with_another_key_stays_out_and_says_so),
	WM_TEST(a_node_without_a_key_stays_out_of_a_keyed_rack),
	WM_TEST(a_node_with_a_key_stays_out_of_an_unkeyed_rack),
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
	wm_log_init("keyed_rack_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("keyed rack", tests);
}
