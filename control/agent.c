/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "log.h"

#define HELLO_NS (500 * WM_NS_PER_MS)
#define HELLO_REFUSED_NS (5 * WM_NS_PER_S)
/* BYE to a node that asks: the controller does not want it. */
#define REFUSED "refused"

static const uint8_t broadcast[WM_ETHER_ADDR_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* xorshift64*: spreads the nodes' hellos, and makes the next nonce. */
static uint64_t next_random(struct wm_agent *agent)
{
	agent->random ^= agent->random >> 12;
	agent->random ^= agent->random << 25;
	agent->random ^= agent->random >> 27;
	return agent->random * 0x2545f4914f6cdd1dull;
}

/* 7/8 to 9/8 of the period, so that nodes that start together do not stay so. */
static uint64_t jittered(struct wm_agent *agent, uint64_t period_ns)
{
	return period_ns - period_ns / 8 + next_random(agent) % (period_ns / 4);
}

void wm_agent_init(struct wm_agent *agent, const struct wm_agent_config *config, uint64_t now_ns)
{
	*agent = (struct wm_agent){
		.config = *config,
		.state = WM_AGENT_ASKING,
		.random = config->hello.nonce | 1,
		.next_ns = now_ns,
	};
	wm_log_info("joining as %s: asking for a controller", config->hello.name);
}

/* ---- sending ------------------------------------------------------------ */

static void send(struct wm_agent *agent, const uint8_t *destination, enum wm_op op,
		 const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct wm_wire_header sent = *header;

	assert(body_bytes > 0); /* the largest body fits, see message.h */
	sent.op = (uint8_t)op;
	sent.session = agent->session;
	agent->config.ops->send(agent->config.context, destination, &sent, body, body_bytes);
}

static void send_hello(struct wm_agent *agent)
{
	static const struct wm_wire_header header;
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	size_t n = wm_message_encode_hello(body, sizeof(body), &agent->config.hello);

	send(agent, broadcast, WM_OP_HELLO, &header, body, n);
}

static void send_beat(struct wm_agent *agent, const struct wm_beat *beat)
{
	const struct wm_wire_header header = { .batch = ++agent->transfer_id };
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	size_t n = wm_message_encode_beat(body, sizeof(body), beat);

	send(agent, agent->controller, WM_OP_BEAT, &header, body, n);
}

static void send_ack(struct wm_agent *agent, const struct wm_wire_header *kernel)
{
	const struct wm_wire_header header = { .batch = kernel->batch, .job = kernel->job };
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	size_t n = wm_message_encode_ack(body, sizeof(body), &agent->answer);

	send(agent, agent->controller, WM_OP_ACK, &header, body, n);
}

static void send_bye(struct wm_agent *agent, const char *reason)
{
	static const struct wm_wire_header header;
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_bye bye;
	size_t n;

	wm_message_text_set(bye.text, sizeof(bye.text), reason);
	n = wm_message_encode_bye(body, sizeof(body), &bye);
	send(agent, agent->controller, WM_OP_BYE, &header, body, n);
}

/* ---- a session begins and ends ------------------------------------------ */

static void enter(struct wm_agent *agent, uint32_t session, const struct wm_welcome *welcome,
		  uint64_t now_ns)
{
	const uint8_t *a = welcome->controller;

	agent->state = WM_AGENT_MEMBER;
	agent->session = session;
	memcpy(agent->controller, a, WM_ETHER_ADDR_BYTES);
	agent->beat_ns = welcome->beat_ms * WM_NS_PER_MS;
	agent->dead_ns = welcome->dead_ms * WM_NS_PER_MS;
	agent->heard_ns = now_ns;
	agent->next_ns = now_ns;
	agent->refused = false;
	agent->refusal[0] = '\0';
	agent->has_answer = false;
	agent->config.ops->set_session(agent->config.context, session, agent->controller);
	wm_log_info("admitted by the controller at %02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2],
		    a[3], a[4], a[5]);
}

/* Asks anew, under a new nonce: a WELCOME that was on its way is void. */
static void end_session(struct wm_agent *agent, uint64_t now_ns)
{
	agent->state = WM_AGENT_ASKING;
	agent->session = 0;
	agent->has_answer = false;
	agent->config.hello.nonce = next_random(agent);
	agent->next_ns = now_ns + jittered(agent, HELLO_NS);
	agent->config.ops->set_session(agent->config.context, 0, agent->controller);
}

void wm_agent_leave(struct wm_agent *agent, const char *reason)
{
	if (agent->state == WM_AGENT_MEMBER)
		send_bye(agent, reason);
	agent->state = WM_AGENT_LEFT;
	wm_log_info("leaving: %s", reason);
}

/* ---- receiving ---------------------------------------------------------- */

static int receive_welcome(struct wm_agent *agent, const struct wm_wire_header *header,
			   const uint8_t *body, uint64_t now_ns)
{
	struct wm_welcome welcome;
	int ret = wm_message_decode_welcome(body, header->count, &welcome);

	if (ret < 0)
		return ret;
	/* A second answer to hellos that crossed the first. */
	if (agent->state == WM_AGENT_MEMBER)
		return header->session == agent->session ? 0 : -ESTALE;
	if (welcome.nonce != agent->config.hello.nonce)
		return -ESTALE;
	if (header->session == 0)
		return -EBADMSG;
	enter(agent, header->session, &welcome, now_ns);
	return 0;
}

static bool is_same_kernel(const struct wm_kernel_message *a, const struct wm_kernel_message *b)
{
	return strcmp(a->kernel.name, b->kernel.name) == 0 &&
	       a->kernel.in_bytes == b->kernel.in_bytes &&
	       a->kernel.out_bytes == b->kernel.out_bytes &&
	       a->kernel.halo_before == b->kernel.halo_before &&
	       a->kernel.halo_after == b->kernel.halo_after &&
	       a->batch_elements == b->batch_elements;
}

static void prepare(struct wm_agent *agent, uint32_t job, const struct wm_kernel_message *kernel)
{
	struct wm_error error = { "" };
	int ret = agent->config.ops->prepare(agent->config.context, job, kernel, &error);

	agent->has_answer = true;
	agent->answer_job = job;
	agent->answer_kernel = *kernel;
	agent->answer.status = -ret;
	wm_message_text_set(agent->answer.text, sizeof(agent->answer.text),
			    ret < 0 ? error.text : "ready");
	if (ret < 0)
		wm_log_warning("job %u: kernel %s cannot be prepared: %s", job, kernel->kernel.name,
			       error.text);
	else
		wm_log_info("job %u: kernel %s is ready, %u elements a batch", job,
			    kernel->kernel.name, kernel->batch_elements);
}

/* It is repeated until its ACK comes: prepared once, answered each time. */
static int receive_kernel(struct wm_agent *agent, const struct wm_wire_header *header,
			  const uint8_t *body)
{
	struct wm_kernel_message kernel;
	int ret = wm_message_decode_kernel(body, header->count, &kernel);

	if (ret < 0)
		return ret;
	if (!agent->has_answer || agent->answer_job != header->job ||
	    !is_same_kernel(&agent->answer_kernel, &kernel))
		prepare(agent, header->job, &kernel);
	send_ack(agent, header);
	return 0;
}

static int receive_drain(const struct wm_wire_header *header, const uint8_t *body)
{
	struct wm_bye drain;
	int ret = wm_message_decode_bye(body, header->count, &drain);

	if (ret < 0)
		return ret;
	/* What is here gets finished in any case; there is nothing else to do. */
	wm_log_info("draining: %s", drain.text);
	return 0;
}

static void be_refused(struct wm_agent *agent, const char *text, uint64_t now_ns)
{
	if (strcmp(agent->refusal, text) != 0)
		wm_log_warning("not admitted: %s; asking every %llu s", text,
			       HELLO_REFUSED_NS / WM_NS_PER_S);
	wm_message_text_set(agent->refusal, sizeof(agent->refusal), text);
	agent->refused = true;
	agent->next_ns = now_ns + jittered(agent, HELLO_REFUSED_NS);
}

static int receive_bye(struct wm_agent *agent, const struct wm_wire_header *header,
		       const uint8_t *body, uint64_t now_ns)
{
	struct wm_bye bye;
	int ret = wm_message_decode_bye(body, header->count, &bye);
	bool refused;

	if (ret < 0)
		return ret;
	refused = strncmp(bye.text, REFUSED, strlen(REFUSED)) == 0;
	if (agent->state == WM_AGENT_MEMBER) {
		if (!refused)
			wm_log_info("the controller ended the session: %s", bye.text);
		end_session(agent, now_ns);
	}
	if (refused)
		be_refused(agent, bye.text, now_ns);
	return 0;
}

static int receive_as_member(struct wm_agent *agent, const struct wm_wire_header *header,
			     const uint8_t *body, uint64_t now_ns)
{
	agent->heard_ns = now_ns;
	switch (header->op) {
	case WM_OP_BEAT:
		return header->count == 0 ? 0 : -EBADMSG;
	case WM_OP_KERNEL:
		return receive_kernel(agent, header, body);
	case WM_OP_DRAIN:
		return receive_drain(header, body);
	case WM_OP_BYE:
		return receive_bye(agent, header, body, now_ns);
	default:
		return -EOPNOTSUPP;
	}
}

int wm_agent_receive(struct wm_agent *agent, const struct wm_wire_header *header,
		     const uint8_t *body, uint64_t now_ns)
{
	if (agent->state == WM_AGENT_LEFT)
		return -ESTALE;
	if (header->op == WM_OP_WELCOME)
		return receive_welcome(agent, header, body, now_ns);
	if (header->session != agent->session)
		return -ESTALE;
	if (agent->state == WM_AGENT_MEMBER)
		return receive_as_member(agent, header, body, now_ns);
	/* A refusal: there is no session yet, on either side. */
	return header->op == WM_OP_BYE ? receive_bye(agent, header, body, now_ns) : -ESTALE;
}

/* ---- time --------------------------------------------------------------- */

static void tick_asking(struct wm_agent *agent, uint64_t now_ns)
{
	if (now_ns < agent->next_ns)
		return;
	send_hello(agent);
	agent->next_ns = now_ns + jittered(agent, agent->refused ? HELLO_REFUSED_NS : HELLO_NS);
}

static void tick_member(struct wm_agent *agent, uint64_t now_ns)
{
	struct wm_beat beat = { 0 };

	if (now_ns < agent->next_ns)
		return;
	agent->config.ops->count(agent->config.context, &beat);
	if (beat.batches != agent->batches)
		agent->heard_ns = now_ns;
	agent->batches = beat.batches;
	if (now_ns - agent->heard_ns >= agent->dead_ns) {
		wm_log_warning("the controller has been silent for %llu ms, asking anew",
			       (unsigned long long)((now_ns - agent->heard_ns) / WM_NS_PER_MS));
		end_session(agent, now_ns);
		return;
	}
	send_beat(agent, &beat);
	agent->next_ns = now_ns + agent->beat_ns;
}

uint64_t wm_agent_tick(struct wm_agent *agent, uint64_t now_ns)
{
	if (agent->state == WM_AGENT_ASKING)
		tick_asking(agent, now_ns);
	else if (agent->state == WM_AGENT_MEMBER)
		tick_member(agent, now_ns);
	return agent->next_ns;
}
