/* SPDX-License-Identifier: BSD-3-Clause */
#include "keyed_rack.h"

#include <stdlib.h>
#include <string.h>

const uint8_t controller[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 0xfe };
const struct wm_key cluster_key = { { 1, 2, 3 } };
const struct wm_key other_key = { { 1, 2, 4 } };
const struct wm_layout layout = {
	.kernel = { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 },
	.batch_elements = 256,
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

static const uint8_t *controller_find_object(void *context,
					     const uint8_t hash[WM_KERNEL_HASH_BYTES],
					     size_t *bytes_count)
{
	const struct rack *rack = context;

	(void)hash;
	*bytes_count = rack->object_bytes;
	return rack->object;
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
			const struct wm_kernel_object *object, struct wm_error *error)
{
	struct node *node = context;

	(void)job;
	(void)error;
	CU_ASSERT_EQUAL(object == NULL, wm_kernel_is_builtin(&kernel->kernel));
	node->with_object += object != NULL;
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

int deliver(struct rack *rack, const struct frame *frame)
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

void settle(struct rack *rack)
{
	while (rack->delivered < rack->sent) {
		struct frame frame = rack->frames[rack->delivered++];

		if (rack->lose_every && rack->delivered % rack->lose_every == 0)
			continue;
		if (!(rack->lost_ops >> frame.header.op & 1))
			deliver(rack, &frame);
	}
}

/* ---- the rack -------------------------------------------------------------------- */

void controller_start(struct rack *rack, const struct wm_key *key)
{
	struct wm_membership_calls calls = { rack, controller_send,	  controller_change, NULL,
					     NULL, controller_find_object };

	wm_membership_init(&rack->membership, &calls, controller);
	if (key)
		wm_membership_use_key(&rack->membership, key);
}

void node_start(struct rack *rack, unsigned index, const struct wm_key *key)
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
		.kernels = &node->kernels,
	};

	snprintf(config.hello.name, sizeof(config.hello.name), "n%u", index);
	wm_auth_random(&config.hello.nonce, sizeof(config.hello.nonce));
	node->rack = rack;
	memcpy(node->mac, config.address, sizeof(node->mac));
	wm_agent_init(&node->agent, &config, rack->now_ns);
}

struct rack *rack_create(const struct wm_key *key)
{
	struct rack *rack = calloc(1, sizeof(*rack));

	rack->frames = calloc(FRAMES_MAX, sizeof(*rack->frames));
	rack->now_ns = 100 * WM_NS_PER_S;
	controller_start(rack, key);
	for (unsigned i = 0; i < NODES; i++)
		rack->nodes[i].agent.state = WM_AGENT_LEFT;
	return rack;
}

void rack_destroy(struct rack *rack)
{
	for (unsigned i = 0; i < NODES; i++)
		wm_kernel_cache_fini(&rack->nodes[i].kernels);
	free(rack->frames);
	free(rack);
}

void tick(struct rack *rack)
{
	wm_membership_tick(&rack->membership, rack->now_ns);
	for (unsigned i = 0; i < NODES; i++)
		wm_agent_tick(&rack->nodes[i].agent, rack->now_ns);
}

void pass_ms(struct rack *rack, unsigned ms)
{
	for (unsigned passed = 0; passed < ms; passed += 20) {
		tick(rack);
		settle(rack);
		rack->now_ns += 20 * WM_NS_PER_MS;
	}
}

const struct wm_member *member_of(const struct rack *rack, unsigned index)
{
	static const struct wm_member nobody;

	for (uint32_t i = 0; i < rack->membership.count; i++) {
		const struct wm_member *member = &rack->membership.members[i];

		if (memcmp(member->mac, rack->nodes[index].mac, sizeof(member->mac)) == 0)
			return member;
	}
	return &nobody;
}

bool is_joined(const struct rack *rack, unsigned index)
{
	const struct wm_member *member = member_of(rack, index);

	return wm_member_is_in(member) && rack->nodes[index].agent.state == WM_AGENT_MEMBER &&
	       member->session == rack->nodes[index].agent.session;
}

struct rack *rack_at_work(void)
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

const struct frame *last_of(const struct rack *rack, enum wm_op op, bool up)
{
	for (unsigned i = rack->sent; i > 0; i--) {
		const struct frame *frame = &rack->frames[i - 1];

		if (frame->header.op == op && frame->up == up)
			return frame;
	}
	CU_FAIL_FATAL("no such frame was sent");
	return NULL;
}

uint64_t ignored_by_controller(const struct rack *rack)
{
	const struct wm_membership *membership = &rack->membership;

	return membership->ignored + membership->counts.forged + membership->counts.replayed +
	       membership->counts.unkeyed;
}

void remember(struct memory *memory, const struct rack *rack)
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

bool is_unchanged(const struct memory *memory, const struct rack *rack)
{
	struct memory *now = malloc(sizeof(*now));
	bool same;

	remember(now, rack);
	same = memcmp(now, memory, sizeof(*now)) == 0;
	free(now);
	return same;
}
