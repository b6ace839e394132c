/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any frames at a controller and a node that share a key and a session. An input
 * is a run of records:
 *
 *   u8 flags   bit 0: to the controller, else to the node
 *              bit 1: under the key of the session; bit 2: under that of a HELLO,
 *              WELCOME or REFUSAL; neither: as it is
 *              bit 3: then deliver what both have sent since; bit 4: time passes
 *              bit 5: first, the job ends for one of a kernel that no node has
 *   u8 op, u8 session (0: none, 1: of a node unknown, else: theirs), u8 job
 *   u8 length of the body, and the body
 *
 * A frame under no key must not change anything that another frame could see.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "clock.h"
#include "log.h"
#include "membership.h"

#define FRAMES_MAX 64u
#define RECORD_BYTES 5u

enum { TO_CONTROLLER = 1, BY_SESSION = 2, BY_CLUSTER = 4, DELIVER = 8, TIME = 16, NEXT = 32 };

static const uint8_t controller[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 0xfe };
static const uint8_t node[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 1 };
static const struct wm_key key = { { 7 } };
static const struct wm_layout layout = {
	.kernel = { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 },
	.batch_elements = 256,
};

static uint8_t *sent_object;
static size_t sent_object_bytes;
static struct wm_layout sent_layout;
static struct wm_kernel_cache kernels;

struct frame {
	bool up;
	struct wm_wire_header header;
	uint8_t body[WM_MESSAGE_BYTES_MAX];
};

static struct wm_membership membership;
static struct wm_agent agent;
static struct frame frames[FRAMES_MAX];
static unsigned sent, delivered;
static uint64_t now_ns;
/* What a frame without a key may not change. */
static unsigned changes;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- random numbers that come again -------------------------------------------- */

static uint64_t random_state;

static uint32_t next_random(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 32);
}

static void fill_random(void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		((uint8_t *)bytes)[i] = (uint8_t)next_random();
}

static const char *random_name(void)
{
	return "fuzz";
}

static struct randombytes_implementation implementation = {
	.implementation_name = random_name,
	.random = next_random,
	.buf = fill_random,
};

/* ---- the wire ------------------------------------------------------------------- */

static void transmit(bool up, const struct wm_wire_header *header, const void *body,
		     size_t body_bytes)
{
	struct frame *frame = &frames[sent];

	if (body_bytes > sizeof(frame->body))
		abort();
	if (sent == FRAMES_MAX)
		return; /* lost */
	sent++;
	frame->up = up;
	frame->header = *header;
	frame->header.count = (uint16_t)body_bytes;
	if (body_bytes > 0)
		memcpy(frame->body, body, body_bytes);
}

static void controller_send(void *context, const uint8_t *mac, const struct wm_wire_header *header,
			    const void *body, size_t body_bytes)
{
	(void)context;
	(void)mac;
	transmit(false, header, body, body_bytes);
}

static void controller_change(void *context, uint32_t index, enum wm_member_change change)
{
	(void)context;
	(void)index;
	(void)change;
	changes++;
}

static const uint8_t *find_object(void *context, const uint8_t hash[WM_KERNEL_HASH_BYTES],
				  size_t *bytes_count)
{
	(void)context;
	(void)hash;
	*bytes_count = sent_object_bytes;
	return sent_object;
}

static void node_send(void *context, const uint8_t *destination,
		      const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	(void)context;
	(void)destination;
	transmit(true, header, body, body_bytes);
}

static void node_set_session(void *context, uint32_t session, const uint8_t *address,
			     const uint8_t *frame_key)
{
	(void)context;
	(void)session;
	(void)address;
	(void)frame_key;
	changes++;
}

static int node_prepare(void *context, uint32_t job, const struct wm_kernel_message *kernel,
			const struct wm_kernel_object *object, struct wm_error *error)
{
	(void)context;
	(void)object;
	changes++;
	if (kernel->kernel.halo_before == 1)
		return -EINPROGRESS;
	return kernel->batch_elements > 128 && job != 1 ? wm_error_set(error, 22, "no") : 0;
}

static int node_prepared(void *context, struct wm_error *error)
{
	(void)context;
	return now_ns % 3 == 0 ? wm_error_set(error, 5, "the driver says no") : -EINPROGRESS;
}

static void node_leave_prepared(void *context)
{
	(void)context;
}

static void node_count(void *context, struct wm_beat *beat)
{
	(void)context;
	*beat = (struct wm_beat){ 0 };
}

static const struct wm_agent_ops ops = { .send = node_send,
					 .set_session = node_set_session,
					 .prepare = node_prepare,
					 .prepared = node_prepared,
					 .leave_prepared = node_leave_prepared,
					 .count = node_count };

/* From memory that ends where the body ends, so that ASan sees a read past it. */
static void deliver(const struct frame *frame)
{
	size_t bytes = frame->header.count;
	uint8_t *copy = malloc(bytes ? bytes : 1);

	memcpy(copy, frame->body, bytes);
	if (frame->up)
		wm_membership_receive(&membership, node, &frame->header, copy, now_ns);
	else
		wm_agent_receive(&agent, &frame->header, copy, now_ns);
	free(copy);
}

static void settle(void)
{
	while (delivered < sent)
		deliver(&frames[delivered++]);
	sent = delivered = 0;
}

/* ---- the rack --------------------------------------------------------------------- */

static void join(void)
{
	const struct wm_membership_calls calls = { NULL, controller_send, controller_change, NULL,
						   NULL, find_object };
	struct wm_agent_config config = {
		.ops = &ops,
		.hello = { .nonce = 99, .name = "n1", .mtu = 9000, .capacity = 8 },
		.address = { 2, 0, 0, 0, 0, 1 },
		.key = &key,
		.kernels = &kernels,
	};

	wm_kernel_cache_fini(&kernels);
	random_state = 1;
	now_ns = 10 * WM_NS_PER_S;
	sent = delivered = 0;
	wm_membership_init(&membership, &calls, controller);
	wm_membership_use_key(&membership, &key);
	wm_agent_init(&agent, &config, now_ns);
	wm_agent_tick(&agent, now_ns);
	settle();
	wm_agent_tick(&agent, now_ns);
	settle();
	wm_membership_job_begin(&membership, 1, &layout, 9000, now_ns);
	settle();
	if (membership.members[0].state != WM_MEMBER_READY)
		abort();
}

/* ---- a record ------------------------------------------------------------------------ */

static void seal_by_cluster(struct frame *frame)
{
	struct wm_auth_bond bond = { .use = WM_AUTH_HELLO };
	struct wm_auth auth;
	enum wm_auth_sender sender = frame->up ? WM_AUTH_NODE : WM_AUTH_CONTROLLER;

	if (!frame->up) {
		bond.use = frame->header.op == WM_OP_WELCOME ? WM_AUTH_WELCOME : WM_AUTH_REFUSAL;
		bond.node_nonce = agent.config.hello.nonce;
	}
	memcpy(bond.node, node, sizeof(node));
	wm_auth_begin(&auth, &key, &bond);
	frame->header.count = (uint16_t)wm_auth_seal(&auth, sender, &frame->header, frame->body,
						     frame->header.count);
}

static void seal_by_session(struct frame *frame)
{
	struct wm_auth *auth = frame->up ? &agent.auth : &membership.members[0].auth;
	enum wm_auth_sender sender = frame->up ? WM_AUTH_NODE : WM_AUTH_CONTROLLER;

	frame->header.count = (uint16_t)wm_auth_seal(auth, sender, &frame->header, frame->body,
						     frame->header.count);
}

static uint32_t session_of(uint8_t choice, bool up)
{
	if (choice < 2)
		return choice * 0x12345001u;
	return up ? agent.session : membership.members[0].session;
}

static void deliver_unkeyed(const struct frame *frame)
{
	const struct wm_member before = membership.members[0];
	const struct wm_agent agent_before = agent;
	unsigned changes_before = changes, sent_before = sent;
	uint32_t count = membership.count;

	deliver(frame);
	if (memcmp(&before, &membership.members[0], sizeof(before)) != 0 ||
	    membership.count != count || changes != changes_before || sent > sent_before + 1 ||
	    agent.state != agent_before.state || agent.session != agent_before.session ||
	    agent.next_ns != agent_before.next_ns ||
	    agent.received_ns != agent_before.received_ns || agent.refused != agent_before.refused)
		abort();
}

static void begin_next(void)
{
	if (membership.jobs[0].id != 1)
		return;
	wm_membership_job_end(&membership, 1);
	wm_membership_job_begin(&membership, 2, &sent_layout, 9000, now_ns);
}

static size_t run_record(const uint8_t *record, size_t left)
{
	size_t bytes = record[4] <= left - RECORD_BYTES ? record[4] : left - RECORD_BYTES;
	struct frame frame = { .up = record[0] & TO_CONTROLLER };

	frame.header = (struct wm_wire_header){
		.version = WM_WIRE_VERSION,
		.op = record[1],
		.count = (uint16_t)bytes,
		.session = session_of(record[2], frame.up),
		.job = record[3],
	};
	memcpy(frame.body, record + RECORD_BYTES, bytes);
	if (record[0] & NEXT)
		begin_next();
	if (record[0] & BY_SESSION)
		seal_by_session(&frame);
	else if (record[0] & BY_CLUSTER)
		seal_by_cluster(&frame);
	if (record[0] & (BY_SESSION | BY_CLUSTER))
		deliver(&frame);
	else
		deliver_unkeyed(&frame);
	if (record[0] & TIME) {
		now_ns += 700 * WM_NS_PER_MS;
		wm_membership_tick(&membership, now_ns);
		wm_agent_tick(&agent, now_ns);
	}
	if (record[0] & DELIVER)
		settle();
	return RECORD_BYTES + bytes;
}

static void make_object(void)
{
	static uint32_t code[500] = { 0x07230203 }; /* what SPIR-V begins with */
	struct wm_kernel_object made = {
		.kernel = { .name = "sent", .in_bytes = 4, .out_bytes = 4 },
		.code = code,
		.code_bytes = sizeof(code),
		.source = "text",
		.source_bytes = 4,
	};

	sent_object_bytes = wm_kernel_object_bytes(&made);
	sent_object = malloc(sent_object_bytes);
	wm_kernel_object_encode(sent_object, &made);
	sent_layout = (struct wm_layout){ .kernel = made.kernel, .batch_elements = 128 };
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	make_object();
	wm_log_init("keyed_fuzz", WM_LOG_ERROR);
	randombytes_set_implementation(&implementation);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	join();
	while (size >= RECORD_BYTES) {
		size_t used = run_record(data, size);

		data += used;
		size -= used;
	}
	return 0;
}
