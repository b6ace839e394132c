/* SPDX-License-Identifier: BSD-3-Clause */
#include "member_rack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "harness.h"

const uint8_t controller[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 0xfe };
const struct wm_layout layout = {
	.kernel = { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 },
	.batch_elements = 256,
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

struct rack *rack_create(void)
{
	struct rack *rack = calloc(1, sizeof(*rack));
	struct wm_membership_calls calls = { rack, rack_send, rack_change, rack_probe, NULL, NULL };

	rack->now_ns = 5 * WM_NS_PER_S;
	wm_membership_init(&rack->membership, &calls, controller);
	return rack;
}

void pass_ms(struct rack *rack, uint64_t ms)
{
	for (uint64_t passed = 0; passed < ms; passed += 50) {
		rack->now_ns += 50 * WM_NS_PER_MS;
		wm_membership_tick(&rack->membership, rack->now_ns);
		echo(rack);
	}
}

const struct frame *last_sent(const struct rack *rack)
{
	return &rack->sent[(rack->sent_count - 1) % SENT_MAX];
}

unsigned count_sent(const struct rack *rack, enum wm_op op)
{
	unsigned count = 0;

	for (unsigned i = 0; i < rack->sent_count && i < SENT_MAX; i++)
		count += rack->sent[i].header.op == op;
	return count;
}

/* ---- nodes ------------------------------------------------------------------ */

struct node node_of(unsigned number)
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

void give(struct rack *rack, const struct node *node, enum wm_op op, uint32_t job,
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

void give_hello(struct rack *rack, const struct node *node)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	give(rack, node, WM_OP_HELLO, 0, body,
	     wm_message_encode_hello(body, sizeof(body), &node->hello));
}

void give_beat(struct rack *rack, const struct node *node)
{
	const struct wm_beat beat = { .batches = 7 };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	give(rack, node, WM_OP_BEAT, 0, body, wm_message_encode_beat(body, sizeof(body), &beat));
}

void give_ack(struct rack *rack, const struct node *node, uint32_t job, int32_t status)
{
	struct wm_ack ack = { .status = status, .text = "because" };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	give(rack, node, WM_OP_ACK, job, body, wm_message_encode_ack(body, sizeof(body), &ack));
}

void give_bye(struct rack *rack, const struct node *node)
{
	const struct wm_bye bye = { .text = "stopped" };
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	give(rack, node, WM_OP_BYE, 0, body, wm_message_encode_bye(body, sizeof(body), &bye));
}

struct wm_welcome take_welcome(const struct rack *rack, struct node *node)
{
	const struct frame *frame = last_sent(rack);
	struct wm_welcome welcome = { 0 };

	CU_ASSERT_EQUAL(frame->header.op, WM_OP_WELCOME);
	CU_ASSERT_EQUAL(memcmp(frame->mac, node->mac, sizeof(node->mac)), 0);
	CU_ASSERT_EQUAL(wm_message_decode_welcome(frame->body, frame->header.count, &welcome), 0);
	node->session = frame->header.session;
	return welcome;
}

void take_bye(const struct rack *rack, const struct node *node, const char *words)
{
	const struct frame *frame = last_sent(rack);
	struct wm_bye bye = { "" };

	CU_ASSERT_EQUAL(frame->header.op, WM_OP_BYE);
	CU_ASSERT_EQUAL(memcmp(frame->mac, node->mac, sizeof(node->mac)), 0);
	CU_ASSERT_EQUAL(wm_message_decode_bye(frame->body, frame->header.count, &bye), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(bye.text, words));
}

struct node node_join(struct rack *rack, unsigned number)
{
	struct node node = node_of(number);

	give_hello(rack, &node);
	take_welcome(rack, &node);
	return node;
}

const struct wm_member *member_of(const struct rack *rack, const struct node *node)
{
	for (uint32_t i = 0; i < rack->membership.count; i++) {
		if (memcmp(rack->membership.members[i].mac, node->mac, sizeof(node->mac)) == 0)
			return &rack->membership.members[i];
	}
	return NULL;
}

void expect_state(const struct rack *rack, const struct node *node, enum wm_member_state state)
{
	const struct wm_member *member = member_of(rack, node);

	CU_ASSERT_PTR_NOT_NULL_FATAL(member);
	CU_ASSERT_STRING_EQUAL(wm_member_state_name(member->state), wm_member_state_name(state));
}

uint32_t index_of(const struct rack *rack, const struct node *node)
{
	return (uint32_t)(member_of(rack, node) - rack->membership.members);
}
