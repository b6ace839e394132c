/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "harness.h"
#include "log.h"

#define SESSION 77u
#define BEAT_MS 1000u
#define DEAD_MS 3000u

static const uint8_t controller[WM_ETHER_ADDR_BYTES] = { 2, 0, 0, 0, 0, 0xfe };
static const uint8_t everyone[WM_ETHER_ADDR_BYTES] = { 255, 255, 255, 255, 255, 255 };
static const struct wm_kernel_message xor_kernel = {
	.kernel = { .name = "xor", .in_bytes = 32, .out_bytes = 32, .halo_after = 1 },
	.batch_elements = 256,
};

/* A node around the agent, that writes down what the agent does. */
struct world {
	struct wm_agent agent;
	uint64_t now_ns;
	uint64_t due_ns;

	unsigned sent[WM_OP_CHUNK_ACK + 1];
	struct wm_wire_header header; /* of the last frame */
	uint8_t destination[WM_ETHER_ADDR_BYTES];
	uint8_t body[WM_MESSAGE_BYTES_MAX];

	uint32_t session;
	unsigned sessions;
	unsigned prepared;
	uint32_t job;
	int prepare_returns; /* -EINPROGRESS: until it is another one */
	unsigned left;	     /* what was being prepared */
	uint32_t question;   /* which the next frame asks */
	uint64_t batches;
};

static void world_send(void *context, const uint8_t destination[WM_ETHER_ADDR_BYTES],
		       const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct world *world = context;

	world->sent[header->op]++;
	world->header = *header;
	world->header.count = (uint16_t)body_bytes;
	memcpy(world->destination, destination, WM_ETHER_ADDR_BYTES);
	memcpy(world->body, body, body_bytes);
}

static void world_set_session(void *context, uint32_t session,
			      const uint8_t address[WM_ETHER_ADDR_BYTES], const uint8_t *frame_key)
{
	struct world *world = context;

	(void)address;
	(void)frame_key;
	world->session = session;
	world->sessions++;
}

static int world_prepare(void *context, uint32_t job, const struct wm_kernel_message *kernel,
			 const struct wm_kernel_object *object, struct wm_error *error)
{
	struct world *world = context;

	(void)kernel;
	(void)object;
	world->prepared++;
	world->job = job;
	if (world->prepare_returns == -EINPROGRESS)
		return -EINPROGRESS;
	if (world->prepare_returns < 0)
		return wm_error_set(error, -world->prepare_returns, "no such kernel");
	return 0;
}

static int world_prepared(void *context, struct wm_error *error)
{
	struct world *world = context;

	CU_ASSERT(world->session != 0);
	if (world->prepare_returns < 0 && world->prepare_returns != -EINPROGRESS)
		return wm_error_set(error, -world->prepare_returns, "the driver says no");
	return world->prepare_returns;
}

static void world_leave_prepared(void *context)
{
	struct world *world = context;

	world->left++;
}

static void world_count(void *context, struct wm_beat *beat)
{
	const struct world *world = context;

	*beat = (struct wm_beat){ .batches = world->batches };
}

static const struct wm_agent_ops ops = {
	.send = world_send,
	.set_session = world_set_session,
	.prepare = world_prepare,
	.prepared = world_prepared,
	.leave_prepared = world_leave_prepared,
	.count = world_count,
};

static struct wm_kernel_cache kernels;

static void world_init(struct world *world)
{
	const struct wm_agent_config config = {
		.ops = &ops,
		.context = world,
		.kernels = &kernels,
		.hello = { .nonce = 4711,
			   .name = "node-1",
			   .mtu = 9000,
			   .capacity = 128,
			   .device = "gpu",
			   .driver = "driver",
			   .xdp_mode = "native" },
	};

	memset(world, 0, sizeof(*world));
	world->now_ns = 5 * WM_NS_PER_S;
	wm_agent_init(&world->agent, &config, world->now_ns);
}

/* Ticks as a caller would: at each deadline until then. */
static void pass_ms(struct world *world, uint64_t ms)
{
	uint64_t end_ns = world->now_ns + ms * WM_NS_PER_MS;

	while ((world->due_ns = wm_agent_tick(&world->agent, world->now_ns)) < end_ns) {
		if (world->due_ns > world->now_ns)
			world->now_ns = world->due_ns;
	}
	world->now_ns = end_ns;
}

static int give(struct world *world, enum wm_op op, uint32_t session, uint32_t job,
		const uint8_t *body, size_t body_bytes)
{
	const struct wm_wire_header header = {
		.op = (uint8_t)op,
		.count = (uint16_t)body_bytes,
		.session = session,
		.batch = 12 + world->question,
		.job = job,
	};

	return wm_agent_receive(&world->agent, &header, body, world->now_ns);
}

static int give_welcome(struct world *world, uint64_t nonce, uint32_t session)
{
	struct wm_welcome welcome = { .nonce = nonce, .beat_ms = BEAT_MS, .dead_ms = DEAD_MS };
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	size_t n;

	memcpy(welcome.controller, controller, sizeof(controller));
	n = wm_message_encode_welcome(body, sizeof(body), &welcome);
	return give(world, WM_OP_WELCOME, session, 0, body, n);
}

static int give_bye(struct world *world, uint32_t session, const char *text)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_bye bye;
	size_t n;

	wm_message_text_set(bye.text, sizeof(bye.text), text);
	n = wm_message_encode_bye(body, sizeof(body), &bye);
	return give(world, WM_OP_BYE, session, 0, body, n);
}

static int give_kernel(struct world *world, uint32_t session, uint32_t job)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	size_t n = wm_message_encode_kernel(body, sizeof(body), &xor_kernel);

	return give(world, WM_OP_KERNEL, session, job, body, n);
}

static int give_beat(struct world *world)
{
	return give(world, WM_OP_BEAT, SESSION, 0, world->body, 0);
}

static uint64_t nonce_sent(const struct world *world)
{
	struct wm_hello hello = { 0 };

	CU_ASSERT_EQUAL(wm_message_decode_hello(world->body, world->header.count, &hello), 0);
	return hello.nonce;
}

static void world_admit(struct world *world)
{
	world_init(world);
	pass_ms(world, 10);
	CU_ASSERT_EQUAL(give_welcome(world, 4711, SESSION), 0);
}

/* ---- asking ------------------------------------------------------------- */

static void hello_goes_to_everyone_twice_a_second_until_answered(void)
{
	struct world world;

	world_init(&world);
	pass_ms(&world, 10000);
	CU_ASSERT(world.sent[WM_OP_HELLO] >= 17 && world.sent[WM_OP_HELLO] <= 24);
	CU_ASSERT_EQUAL(world.header.session, 0);
	CU_ASSERT_EQUAL(memcmp(world.destination, everyone, sizeof(everyone)), 0);
	CU_ASSERT_EQUAL(nonce_sent(&world), 4711);

	CU_ASSERT_EQUAL(give_welcome(&world, 4711, SESSION), 0);
	memset(world.sent, 0, sizeof(world.sent));
	pass_ms(&world, 2000);
	CU_ASSERT_EQUAL(world.sent[WM_OP_HELLO], 0);
}

static void welcome_of_another_nonce_is_not_ours(void)
{
	struct world world;

	world_init(&world);
	CU_ASSERT_EQUAL(give_welcome(&world, 4712, SESSION), -ESTALE);
	CU_ASSERT_EQUAL(world.sessions, 0);
	CU_ASSERT_EQUAL(world.agent.state, WM_AGENT_ASKING);
}

static void welcome_without_a_session_is_refused(void)
{
	struct world world;

	world_init(&world);
	CU_ASSERT_EQUAL(give_welcome(&world, 4711, 0), -EBADMSG);
	CU_ASSERT_EQUAL(world.agent.state, WM_AGENT_ASKING);
}

static void welcome_begins_a_session_once(void)
{
	struct world world;

	world_admit(&world);
	CU_ASSERT_EQUAL(world.session, SESSION);
	CU_ASSERT_EQUAL(give_welcome(&world, 4711, SESSION), 0);
	CU_ASSERT_EQUAL(give_welcome(&world, 4711, SESSION + 1), -ESTALE);
	CU_ASSERT_EQUAL(world.sessions, 1);
}

static void another_controller_is_told_that_it_has_not_got_us(void)
{
	struct wm_welcome welcome = { .nonce = 4711, .beat_ms = BEAT_MS, .dead_ms = DEAD_MS };
	static const uint8_t rival[WM_ETHER_ADDR_BYTES] = { 2, 9, 9, 9, 9, 9 };
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_bye bye = { "" };
	struct world world;
	size_t n;

	world_admit(&world);
	memcpy(welcome.controller, rival, sizeof(rival));
	n = wm_message_encode_welcome(body, sizeof(body), &welcome);
	CU_ASSERT_EQUAL(give(&world, WM_OP_WELCOME, 999, 0, body, n), -ESTALE);
	CU_ASSERT_EQUAL(world.sent[WM_OP_BYE], 1);
	CU_ASSERT_EQUAL(world.header.session, 999);
	CU_ASSERT_EQUAL(memcmp(world.destination, rival, sizeof(rival)), 0);
	CU_ASSERT_EQUAL(wm_message_decode_bye(world.body, world.header.count, &bye), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(bye.text, "belongs to another controller"));
	CU_ASSERT_EQUAL(world.session, SESSION);
	CU_ASSERT_EQUAL(world.sessions, 1);
}

static void a_refused_node_asks_less_often(void)
{
	struct world world;

	world_init(&world);
	pass_ms(&world, 10);
	CU_ASSERT_EQUAL(give_bye(&world, 0, "refused: the rack is full"), 0);
	memset(world.sent, 0, sizeof(world.sent));
	pass_ms(&world, 30000);
	CU_ASSERT(world.sent[WM_OP_HELLO] >= 5 && world.sent[WM_OP_HELLO] <= 7);
	CU_ASSERT_EQUAL(give_welcome(&world, nonce_sent(&world), SESSION), 0);
	CU_ASSERT_EQUAL(world.session, SESSION);
}

/* ---- being a member ----------------------------------------------------- */

static void a_member_beats_to_its_controller(void)
{
	struct world world;

	world_admit(&world);
	for (unsigned i = 0; i < 10; i++) {
		pass_ms(&world, BEAT_MS);
		CU_ASSERT_EQUAL(give_beat(&world), 0);
	}
	CU_ASSERT(world.sent[WM_OP_BEAT] >= 10 && world.sent[WM_OP_BEAT] <= 11);
	CU_ASSERT_EQUAL(world.header.session, SESSION);
	CU_ASSERT_EQUAL(memcmp(world.destination, controller, sizeof(controller)), 0);
	CU_ASSERT_EQUAL(world.sessions, 1);
}

static void silence_ends_the_session_and_asks_under_a_new_nonce(void)
{
	struct world world;

	world_admit(&world);
	pass_ms(&world, DEAD_MS - 1);
	CU_ASSERT_EQUAL(world.session, SESSION);
	pass_ms(&world, 2 * BEAT_MS);
	CU_ASSERT_EQUAL(world.session, 0);
	CU_ASSERT_EQUAL(world.header.op, WM_OP_HELLO);
	CU_ASSERT_EQUAL(world.header.session, 0);
	CU_ASSERT_NOT_EQUAL(nonce_sent(&world), 4711);
	CU_ASSERT_EQUAL(give_welcome(&world, 4711, SESSION), -ESTALE);
}

static void batches_are_a_sign_of_life(void)
{
	struct world world;

	world_admit(&world);
	for (unsigned i = 0; i < 20; i++) {
		world.batches++;
		pass_ms(&world, BEAT_MS);
	}
	CU_ASSERT_EQUAL(world.session, SESSION);
}

static void frames_of_another_session_are_not_taken(void)
{
	struct world world;

	world_admit(&world);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION + 1, 1), -ESTALE);
	CU_ASSERT_EQUAL(give_bye(&world, SESSION + 1, "go"), -ESTALE);
	CU_ASSERT_EQUAL(give_bye(&world, 0, "refused: go"), -ESTALE);
	CU_ASSERT_EQUAL(world.prepared, 0);
	CU_ASSERT_EQUAL(world.session, SESSION);
}

static void without_a_session_nothing_but_welcome_and_refusal_is_taken(void)
{
	struct world world;

	world_init(&world);
	CU_ASSERT_EQUAL(give_kernel(&world, 0, 1), -ESTALE);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 1), -ESTALE);
	CU_ASSERT_EQUAL(world.prepared, 0);
}

static void what_only_a_node_says_is_not_for_a_node(void)
{
	struct world world;

	world_admit(&world);
	CU_ASSERT_EQUAL(give(&world, WM_OP_HELLO, SESSION, 0, world.body, 0), -EOPNOTSUPP);
	CU_ASSERT_EQUAL(give(&world, WM_OP_ACK, SESSION, 0, world.body, 0), -EOPNOTSUPP);
}

/* ---- kernels ------------------------------------------------------------ */

static int32_t status_acknowledged(const struct world *world)
{
	struct wm_ack ack = { .status = -1 };

	CU_ASSERT_EQUAL(world->header.op, WM_OP_ACK);
	CU_ASSERT_EQUAL(world->header.batch, 12 + world->question);
	CU_ASSERT_EQUAL(wm_message_decode_ack(world->body, world->header.count, &ack), 0);
	return ack.status;
}

static void a_repeated_kernel_is_prepared_once_and_acknowledged_each_time(void)
{
	struct world world;

	world_admit(&world);
	for (unsigned i = 1; i <= 3; i++) {
		CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
		CU_ASSERT_EQUAL(status_acknowledged(&world), 0);
		CU_ASSERT_EQUAL(world.header.job, 5);
		CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], i);
	}
	CU_ASSERT_EQUAL(world.prepared, 1);
}

static void a_new_job_is_prepared_anew(void)
{
	struct world world;

	world_admit(&world);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 6), 0);
	CU_ASSERT_EQUAL(world.prepared, 2);
	CU_ASSERT_EQUAL(world.job, 6);
}

/* Doubled on its way, and late: the running job stays. */
static void a_kernel_of_an_older_job_is_not_taken(void)
{
	struct world world;

	world_admit(&world);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 6), 0);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), -ESTALE);
	CU_ASSERT_EQUAL(world.prepared, 2);
	CU_ASSERT_EQUAL(world.job, 6);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 2);
}

static void a_kernel_that_cannot_be_prepared_is_acknowledged_with_its_errno(void)
{
	struct world world;

	world_admit(&world);
	world.prepare_returns = -ENOENT;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(status_acknowledged(&world), ENOENT);
}

/* The same question is answered as before, another one is another try. */
static void what_could_not_be_prepared_is_tried_once_for_each_question(void)
{
	struct world world;

	world_admit(&world);
	world.prepare_returns = -ENOMEM;
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
		CU_ASSERT_EQUAL(status_acknowledged(&world), ENOMEM);
		CU_ASSERT_EQUAL(world.prepared, 1);
	}
	world.question = 1;
	world.prepare_returns = 0;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(status_acknowledged(&world), 0);
	CU_ASSERT_EQUAL(world.prepared, 2);
	/* Late, and of no harm to what is ready. */
	world.question = 0;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(world.prepared, 2);
}

/* It prepares a kernel for so long, on a busy machine. */
static void a_node_that_did_not_listen_does_not_take_that_for_silence(void)
{
	struct world world;

	world_admit(&world);
	pass_ms(&world, BEAT_MS);
	world.now_ns += 10 * DEAD_MS * WM_NS_PER_MS;
	(void)wm_agent_tick(&world.agent, world.now_ns);
	CU_ASSERT_EQUAL(world.session, SESSION);
	pass_ms(&world, 2 * DEAD_MS);
	CU_ASSERT_EQUAL(world.session, 0);
}

static void pass_with_beats(struct world *world, uint64_t ms)
{
	for (; ms > BEAT_MS; ms -= BEAT_MS) {
		pass_ms(world, BEAT_MS);
		CU_ASSERT_EQUAL(give_beat(world), 0);
	}
	pass_ms(world, ms);
}

static void a_member_beats_while_its_kernel_is_made(void)
{
	struct world world;

	world_admit(&world);
	world.prepare_returns = -EINPROGRESS;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	pass_with_beats(&world, 10 * BEAT_MS);
	CU_ASSERT(world.sent[WM_OP_BEAT] >= 10);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 0);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(world.prepared, 1);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 0);

	world.prepare_returns = 0;
	(void)wm_agent_tick(&world.agent, world.now_ns);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 1);
	CU_ASSERT_EQUAL(status_acknowledged(&world), 0);
	CU_ASSERT_EQUAL(world.header.job, 5);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 2);
	CU_ASSERT_EQUAL(world.prepared, 1);
}

static void what_the_driver_says_in_the_end_is_the_answer_to_the_last_question(void)
{
	struct world world;

	world_admit(&world);
	world.prepare_returns = -EINPROGRESS;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	world.question = 1;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	world.prepare_returns = -ENOMEM;
	pass_ms(&world, 10);
	CU_ASSERT_EQUAL(status_acknowledged(&world), ENOMEM);
	CU_ASSERT_EQUAL(world.prepared, 1);
}

static void another_job_takes_the_place_of_one_that_is_being_prepared(void)
{
	struct world world;

	world_admit(&world);
	world.prepare_returns = -EINPROGRESS;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 6), 0);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), -ESTALE);
	CU_ASSERT_EQUAL(world.prepared, 2);
	world.prepare_returns = 0;
	pass_ms(&world, 10);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 1);
	CU_ASSERT_EQUAL(world.header.job, 6);
}

static void a_driver_that_does_not_come_back_is_given_up_and_told(void)
{
	struct world world;
	struct wm_ack ack;

	world_admit(&world);
	world.prepare_returns = -EINPROGRESS;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	pass_with_beats(&world, WM_PREPARE_MAX_NS / WM_NS_PER_MS - 10);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 0);
	CU_ASSERT_EQUAL(world.left, 0);
	pass_ms(&world, 20);
	CU_ASSERT_EQUAL(world.left, 1);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 1);
	CU_ASSERT_EQUAL(wm_message_decode_ack(world.body, world.header.count, &ack), 0);
	CU_ASSERT_EQUAL(ack.status, ETIMEDOUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(ack.text, "has not come back from compiling 'xor'"));
	CU_ASSERT_EQUAL(world.session, SESSION);
}

static void a_session_that_ends_forgets_what_is_being_prepared(void)
{
	struct world world;

	world_admit(&world);
	world.prepare_returns = -EINPROGRESS;
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(give_bye(&world, SESSION, "restarting"), 0);
	world.prepare_returns = 0;
	pass_ms(&world, 1000);
	CU_ASSERT_EQUAL(world.sent[WM_OP_ACK], 0);
	CU_ASSERT_EQUAL(give_welcome(&world, nonce_sent(&world), SESSION + 1), 0);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION + 1, 5), 0);
	CU_ASSERT_EQUAL(world.prepared, 2);
	CU_ASSERT_EQUAL(status_acknowledged(&world), 0);
}

static void a_new_session_prepares_again(void)
{
	struct world world;

	world_admit(&world);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 5), 0);
	CU_ASSERT_EQUAL(give_bye(&world, SESSION, "restarting"), 0);
	pass_ms(&world, 1000);
	CU_ASSERT_EQUAL(give_welcome(&world, nonce_sent(&world), SESSION + 1), 0);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION + 1, 5), 0);
	CU_ASSERT_EQUAL(world.prepared, 2);
}

static void a_body_that_makes_no_sense_is_refused(void)
{
	static const uint8_t junk[] = { 0xc1, 0xff };
	static const enum wm_op all[] = { WM_OP_WELCOME, WM_OP_KERNEL, WM_OP_DRAIN, WM_OP_BYE,
					  WM_OP_BEAT };
	struct world world;

	world_admit(&world);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		CU_ASSERT_EQUAL(give(&world, all[i], SESSION, 1, junk, sizeof(junk)), -EBADMSG);
	CU_ASSERT_EQUAL(world.prepared, 0);
	CU_ASSERT_EQUAL(world.session, SESSION);
}

/* ---- leaving ------------------------------------------------------------ */

static void bye_from_the_controller_asks_anew(void)
{
	struct world world;

	world_admit(&world);
	CU_ASSERT_EQUAL(give_bye(&world, SESSION, "the controller stops"), 0);
	CU_ASSERT_EQUAL(world.session, 0);
	pass_ms(&world, 1000);
	CU_ASSERT_EQUAL(world.header.op, WM_OP_HELLO);
}

static void a_member_that_leaves_says_bye_and_is_quiet(void)
{
	struct world world;
	struct wm_bye bye = { "" };

	world_admit(&world);
	wm_agent_leave(&world.agent, "stopped");
	CU_ASSERT_EQUAL(world.header.op, WM_OP_BYE);
	CU_ASSERT_EQUAL(world.header.session, SESSION);
	CU_ASSERT_EQUAL(wm_message_decode_bye(world.body, world.header.count, &bye), 0);
	CU_ASSERT_STRING_EQUAL(bye.text, "stopped");

	memset(world.sent, 0, sizeof(world.sent));
	(void)wm_agent_tick(&world.agent, world.now_ns + 60 * WM_NS_PER_S);
	CU_ASSERT_EQUAL(give_kernel(&world, SESSION, 1), -ESTALE);
	for (unsigned op = 0; op <= WM_OP_BYE; op++)
		CU_ASSERT_EQUAL(world.sent[op], 0);
}

static void a_node_that_was_never_admitted_leaves_without_a_word(void)
{
	struct world world;

	world_init(&world);
	wm_agent_leave(&world.agent, "stopped");
	CU_ASSERT_EQUAL(world.sent[WM_OP_BYE], 0);
}

static const struct wm_test tests[] = {
	WM_TEST(hello_goes_to_everyone_twice_a_second_until_answered),
	WM_TEST(welcome_of_another_nonce_is_not_ours),
	WM_TEST(welcome_without_a_session_is_refused),
	WM_TEST(welcome_begins_a_session_once),
	WM_TEST(another_controller_is_told_that_it_has_not_got_us),
	WM_TEST(a_refused_node_asks_less_often),
	WM_TEST(a_member_beats_to_its_controller),
	WM_TEST(silence_ends_the_session_and_asks_under_a_new_nonce),
	WM_TEST(batches_are_a_sign_of_life),
	WM_TEST(frames_of_another_session_are_not_taken),
	WM_TEST(without_a_session_nothing_but_welcome_and_refusal_is_taken),
	WM_TEST(what_only_a_node_says_is_not_for_a_node),
	WM_TEST(a_repeated_kernel_is_prepared_once_and_acknowledged_each_time),
	WM_TEST(a_new_job_is_prepared_anew),
	WM_TEST(a_kernel_of_an_older_job_is_not_taken),
	WM_TEST(a_kernel_that_cannot_be_prepared_is_acknowledged_with_its_errno),
	WM_TEST(what_could_not_be_prepared_is_tried_once_for_each_question),
	WM_TEST(a_node_that_did_not_listen_does_not_take_that_for_silence),
	WM_TEST(a_member_beats_while_its_kernel_is_made),
	WM_TEST(what_the_driver_says_in_the_end_is_the_answer_to_the_last_question),
	WM_TEST(another_job_takes_the_place_of_one_that_is_being_prepared),
	WM_TEST(a_driver_that_does_not_come_back_is_given_up_and_told),
	WM_TEST(a_session_that_ends_forgets_what_is_being_prepared),
	WM_TEST(a_new_session_prepares_again),
	WM_TEST(a_body_that_makes_no_sense_is_refused),
	WM_TEST(bye_from_the_controller_asks_anew),
	WM_TEST(a_member_that_leaves_says_bye_and_is_quiet),
	WM_TEST(a_node_that_was_never_admitted_leaves_without_a_word),
};

int main(void)
{
	wm_log_init("agent_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("agent", tests);
}
