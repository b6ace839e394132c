/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mac.h"

#define HELLO_NS (500 * WM_NS_PER_MS)
#define HELLO_REFUSED_NS (5 * WM_NS_PER_S)
/* Between beats until the controller has answered the first. */
#define PROVE_NS (200 * WM_NS_PER_MS)
/* Between two lines about another controller on the same Ethernet. */
#define RIVAL_NS (60 * WM_NS_PER_S)
/* Between looks at a kernel that is being made. */
#define PREPARE_POLL_NS (2 * WM_NS_PER_MS)
/* BYE to a node that asks: the controller does not want it. */
#define REFUSED "refused"

static const uint8_t broadcast[WM_ETHER_ADDR_BYTES] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

#define TO(state) (1u << (state))

/* Whatever is not here does not happen. */
static const unsigned next_states[] = {
	[WM_AGENT_ASKING] = TO(WM_AGENT_MEMBER) | TO(WM_AGENT_LEFT),
	[WM_AGENT_MEMBER] = TO(WM_AGENT_ASKING) | TO(WM_AGENT_LEFT),
	[WM_AGENT_LEFT] = 0,
};

/* Who is a member has a session, and nobody else. */
static void change_state(struct wm_agent *agent, enum wm_agent_state state, uint32_t session)
{
	assert(next_states[agent->state] & TO(state));
	assert((agent->state == WM_AGENT_MEMBER) == (agent->session != 0));
	assert((state == WM_AGENT_MEMBER) == (session != 0));
	agent->state = state;
	agent->session = session;
}

/* xorshift64*: spreads the nodes' hellos. */
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

static struct wm_auth_bond bond_of(const struct wm_agent *agent, enum wm_auth_use use)
{
	struct wm_auth_bond bond = { .use = use, .node_nonce = agent->config.hello.nonce };

	memcpy(bond.node, agent->config.address, sizeof(bond.node));
	return bond;
}

/* Of what the session was given; auth NULL: sent as it is. The body has room for
 * a trailer. Returns what it is long with it. */
static size_t send(struct wm_agent *agent, const uint8_t *destination, struct wm_auth *auth,
		   const struct wm_wire_header *header, uint8_t *body, size_t body_bytes)
{
	struct wm_wire_header sent = *header;

	assert(body_bytes > 0); /* the largest body fits, see message.h */
	sent.session = agent->session;
	if (auth)
		body_bytes = wm_auth_seal(auth, WM_AUTH_NODE, &sent, body, body_bytes);
	agent->config.ops->send(agent->config.context, destination, &sent, body, body_bytes);
	return body_bytes;
}

static size_t send_as_member(struct wm_agent *agent, const struct wm_wire_header *header,
			     uint8_t *body, size_t body_bytes)
{
	assert(agent->state == WM_AGENT_MEMBER);
	return send(agent, agent->controller, agent->config.key ? &agent->auth : NULL, header, body,
		    body_bytes);
}

static void send_hello(struct wm_agent *agent)
{
	static const struct wm_wire_header header = { .op = WM_OP_HELLO };
	struct wm_auth_bond bond = bond_of(agent, WM_AUTH_HELLO);
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_auth auth;
	size_t n;

	assert(agent->state == WM_AGENT_ASKING && agent->session == 0);
	n = wm_message_encode_hello(body, WM_AUTH_BODY_BYTES_MAX, &agent->config.hello);
	if (!agent->config.key) {
		send(agent, broadcast, NULL, &header, body, n);
		return;
	}
	bond.node_nonce = 0; /* the controller learns it from the body */
	wm_auth_begin(&auth, agent->config.key, &bond);
	send(agent, broadcast, &auth, &header, body, n);
	wm_auth_end(&auth);
}

static void send_beat(struct wm_agent *agent, const struct wm_beat *beat)
{
	const struct wm_wire_header header = { .op = WM_OP_BEAT, .batch = ++agent->transfer_id };
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	size_t n = wm_message_encode_beat(body, WM_AUTH_BODY_BYTES_MAX, beat);

	n = send_as_member(agent, &header, body, n);
	wm_auth_tag(agent->beat_tag, body, n);
}

static void send_ack(struct wm_agent *agent, const struct wm_agent_job *job, uint64_t batch)
{
	const struct wm_wire_header header = { .op = WM_OP_ACK, .batch = batch, .job = job->id };
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	size_t n = wm_message_encode_ack(body, WM_AUTH_BODY_BYTES_MAX, &job->answer);

	send_as_member(agent, &header, body, n);
}

static void send_bye(struct wm_agent *agent, const char *reason)
{
	static const struct wm_wire_header header = { .op = WM_OP_BYE };
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_bye bye;
	size_t n;

	wm_message_text_set(bye.text, sizeof(bye.text), reason);
	n = wm_message_encode_bye(body, WM_AUTH_BODY_BYTES_MAX, &bye);
	send_as_member(agent, &header, body, n);
}

/* ---- a session begins and ends ------------------------------------------ */

static void begin_auth(struct wm_agent *agent, uint32_t session, const struct wm_welcome *welcome)
{
	struct wm_auth_bond bond = bond_of(agent, WM_AUTH_SESSION);

	memcpy(bond.controller, welcome->controller, sizeof(bond.controller));
	bond.controller_nonce = welcome->controller_nonce;
	bond.session = session;
	wm_auth_begin(&agent->auth, agent->config.key, &bond);
	wm_auth_frame_key(agent->frame_key, agent->config.key, &bond);
}

static void forget_jobs(struct wm_agent *agent)
{
	for (unsigned i = 0; i < WM_RUNNING_JOBS_MAX; i++)
		agent->jobs[i].state = WM_AGENT_JOB_FREE;
}

static void enter(struct wm_agent *agent, uint32_t session, const struct wm_welcome *welcome,
		  uint64_t now_ns)
{
	bool aead = welcome->frame_auth == WM_WIRE_AEAD;
	char controller[WM_MAC_TEXT_BYTES];

	if (agent->config.key)
		begin_auth(agent, session, welcome);
	agent->proven = !agent->config.key;
	agent->hinted = false;
	change_state(agent, WM_AGENT_MEMBER, session);
	memcpy(agent->controller, welcome->controller, WM_ETHER_ADDR_BYTES);
	agent->beat_ns = welcome->beat_ms * WM_NS_PER_MS;
	agent->dead_ns = welcome->dead_ms * WM_NS_PER_MS;
	agent->received_ns = now_ns;
	agent->next_ns = now_ns;
	agent->refused = false;
	agent->refusal[0] = '\0';
	forget_jobs(agent);
	agent->config.ops->set_session(agent->config.context, session, agent->controller,
				       aead ? agent->frame_key : NULL);
	wm_mac_format(controller, welcome->controller);
	wm_log_info("admitted by the controller at %s, frames by %s", controller,
		    aead ? "aead" : "crc32c");
}

static void forget_keys(struct wm_agent *agent)
{
	wm_auth_end(&agent->auth);
	explicit_bzero(agent->frame_key, sizeof(agent->frame_key));
}

/* Asks anew, under a new nonce: a WELCOME that was on its way is invalid. */
static void end_session(struct wm_agent *agent, uint64_t now_ns)
{
	change_state(agent, WM_AGENT_ASKING, 0);
	forget_jobs(agent);
	agent->config.ops->set_session(agent->config.context, 0, agent->controller, NULL);
	forget_keys(agent);
	wm_auth_random(&agent->config.hello.nonce, sizeof(agent->config.hello.nonce));
	agent->next_ns = now_ns + jittered(agent, HELLO_NS);
}

void wm_agent_leave(struct wm_agent *agent, const char *reason)
{
	if (agent->state == WM_AGENT_MEMBER)
		send_bye(agent, reason);
	forget_keys(agent);
	change_state(agent, WM_AGENT_LEFT, 0);
	wm_log_info("leaving: %s", reason);
}

/* ---- receiving ---------------------------------------------------------- */

/* What the bodies below are: checked, and without a trailer. */
struct message {
	const struct wm_wire_header *header;
	const uint8_t *body;
	size_t bytes;
};

/* Only its own controller can say so, since there is a key. */
static void be_unsatisfied(struct wm_agent *agent, uint64_t now_ns)
{
	assert(agent->state == WM_AGENT_ASKING && agent->config.key);
	if (!agent->refused)
		wm_log_warning("not joining: the controller's frames have no more than a CRC, and "
			       "--require-aead was given: start it with --auth aead; asking every "
			       "%llu s",
			       HELLO_REFUSED_NS / WM_NS_PER_S);
	agent->refused = true;
	agent->next_ns = now_ns + jittered(agent, HELLO_REFUSED_NS);
}

/* Another controller, or a tester, has answered our broadcast too. Without a key it takes us
 * for a member until it is told; with one it waits for a proof that does not come. */
static void meet_rival(struct wm_agent *agent, const struct wm_wire_header *header,
		       const struct wm_welcome *welcome, uint64_t now_ns)
{
	const struct wm_wire_header bye_header = { .op = WM_OP_BYE, .session = header->session };
	char rival[WM_MAC_TEXT_BYTES], ours[WM_MAC_TEXT_BYTES];
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_bye bye;

	assert(agent->state == WM_AGENT_MEMBER && header->session != agent->session);
	wm_mac_format(rival, welcome->controller);
	wm_mac_format(ours, agent->controller);
	snprintf(bye.text, sizeof(bye.text), "it belongs to another controller, %s", ours);
	if (!agent->config.key)
		agent->config.ops->send(agent->config.context, welcome->controller, &bye_header,
					body,
					wm_message_encode_bye(body, WM_AUTH_BODY_BYTES_MAX, &bye));
	if (now_ns < agent->rival_ns)
		return;
	agent->rival_ns = now_ns + RIVAL_NS;
	wm_log_warning(
		"a second controller, %s, answers on this Ethernet; this node stays with %s: "
		"stop one, or give each rack a VLAN or a --key of its own",
		rival, ours);
}

static int receive_welcome(struct wm_agent *agent, const struct message *message, uint64_t now_ns)
{
	const struct wm_wire_header *header = message->header;
	struct wm_welcome welcome;
	int ret = wm_message_decode_welcome(message->body, message->bytes, &welcome);

	if (ret < 0)
		return ret;
	/* A second answer to hellos that crossed the first. */
	if (agent->state == WM_AGENT_MEMBER && header->session == agent->session)
		return 0;
	if (agent->state == WM_AGENT_MEMBER) {
		if (welcome.nonce == agent->config.hello.nonce && header->session != 0 &&
		    memcmp(welcome.controller, agent->controller, WM_ETHER_ADDR_BYTES) != 0)
			meet_rival(agent, header, &welcome, now_ns);
		return -ESTALE;
	}
	if (welcome.nonce != agent->config.hello.nonce)
		return -ESTALE;
	/* Without a key there is none for frames. */
	if (header->session == 0 || (welcome.frame_auth && !agent->config.key))
		return -EBADMSG;
	if (agent->config.require_aead && welcome.frame_auth != WM_WIRE_AEAD) {
		be_unsatisfied(agent, now_ns);
		return -EACCES;
	}
	enter(agent, header->session, &welcome, now_ns);
	return 0;
}

static bool is_same_kernel(const struct wm_kernel_message *a, const struct wm_kernel_message *b)
{
	return wm_kernel_is_same(&a->kernel, &b->kernel) && a->batch_elements == b->batch_elements;
}

static void answer(struct wm_agent_job *job, int ret, const struct wm_error *error)
{
	const struct wm_kernel_message *kernel = &job->kernel;

	assert(ret <= 0 && ret != -EINPROGRESS);
	job->state = WM_AGENT_JOB_ANSWERED;
	job->answer.status = -ret;
	wm_message_text_set(job->answer.text, sizeof(job->answer.text),
			    ret < 0 ? error->text : "ready");
	if (ret == -ENODATA)
		wm_log_info("job %u: %s, %u bytes are asked for", job->id, error->text,
			    kernel->object_bytes);
	else if (ret < 0)
		wm_log_warning("job %u: kernel %s cannot be prepared: %s", job->id,
			       kernel->kernel.name, error->text);
	else
		wm_log_info("job %u: kernel %s is ready, %u elements a batch", job->id,
			    kernel->kernel.name, kernel->batch_elements);
}

/* -ENODATA: it is expected from now on. */
static int expect(struct wm_agent *agent, const struct wm_kernel_message *message,
		  struct wm_error *error)
{
	int ret = wm_kernel_cache_expect(agent->config.kernels, message->kernel.hash,
					 message->object_bytes, agent->session);

	if (ret < 0)
		return wm_error_set(error, -ret, "no memory for the %u bytes of kernel %s",
				    message->object_bytes, message->kernel.name);
	return wm_error_set(error, ENODATA, "kernel %s is not here yet", message->kernel.name);
}

static int open_object(struct wm_agent *agent, const struct wm_kernel_message *message,
		       struct wm_kernel_object *object, struct wm_error *error)
{
	const uint8_t *bytes;
	size_t bytes_count;
	int ret;

	if (message->object_bytes < WM_KERNEL_OBJECT_HEADER_BYTES)
		return wm_error_set(error, EBADMSG, "no object of a kernel has %u bytes",
				    message->object_bytes);
	bytes = wm_kernel_cache_find(agent->config.kernels, message->kernel.hash, &bytes_count);
	if (!bytes)
		return expect(agent, message, error);
	ret = wm_kernel_object_decode(object, bytes, bytes_count, error);
	if (ret < 0)
		return ret;
	if (!wm_kernel_is_same(&object->kernel, &message->kernel))
		return wm_error_set(error, EBADMSG,
				    "the object of kernel %s is of another shape, %s of %u to %u "
				    "bytes: add it to the library again",
				    message->kernel.name, object->kernel.name,
				    object->kernel.in_bytes, object->kernel.out_bytes);
	return 0;
}

static int begin_to_prepare(struct wm_agent *agent, uint32_t id,
			    const struct wm_kernel_message *message, struct wm_error *error)
{
	const struct wm_agent_ops *ops = agent->config.ops;
	bool is_builtin = wm_kernel_is_builtin(&message->kernel);
	struct wm_kernel_object object;
	int ret = is_builtin ? 0 : open_object(agent, message, &object, error);

	if (ret < 0)
		return ret;
	return ops->prepare(agent->config.context, id, message, is_builtin ? NULL : &object, error);
}

static void prepare(struct wm_agent *agent, struct wm_agent_job *job,
		    const struct wm_wire_header *header, const struct wm_kernel_message *kernel,
		    uint64_t now_ns)
{
	struct wm_error error = { "" };
	int ret;

	assert(agent->state == WM_AGENT_MEMBER);
	*job = (struct wm_agent_job){
		.state = WM_AGENT_JOB_PREPARING,
		.id = header->job,
		.batch = header->batch,
		.since_ns = now_ns,
		.kernel = *kernel,
	};
	ret = begin_to_prepare(agent, job->id, kernel, &error);
	if (ret != -EINPROGRESS)
		answer(job, ret, &error);
}

/* Asked before its answer came: that answers the last question. */
static bool is_preparing(const struct wm_agent_job *job, const struct wm_wire_header *header,
			 const struct wm_kernel_message *kernel)
{
	return job->state == WM_AGENT_JOB_PREPARING && job->id == header->job &&
	       is_same_kernel(&job->kernel, kernel);
}

static_assert(WM_RUNNING_JOBS_MAX == 1, "a job takes the place of the one before");

/* Where the answer to that job stands, or will. NULL: it is older than the one there: a job's
 * number is higher than those before it, as long as the session lasts. */
static struct wm_agent_job *place_of(struct wm_agent *agent, uint32_t id)
{
	struct wm_agent_job *job = &agent->jobs[0];

	return job->state != WM_AGENT_JOB_FREE && (int32_t)(id - job->id) < 0 ? NULL : job;
}

static bool is_answered(const struct wm_agent_job *job, const struct wm_wire_header *header,
			const struct wm_kernel_message *kernel)
{
	if (job->state != WM_AGENT_JOB_ANSWERED || job->id != header->job ||
	    !is_same_kernel(&job->kernel, kernel))
		return false;
	/* What was not here may be by now. */
	if (job->answer.status == ENODATA)
		return false;
	return job->answer.status == 0 || job->batch == header->batch;
}

/* It is repeated until its ACK comes: prepared once, and answered each time from then on. One that
 * was late or doubled on its way must not take the place of the job that runs now:
 * the controller has its ACK for that, and would not ask again. */
static int receive_kernel(struct wm_agent *agent, const struct message *message, uint64_t now_ns)
{
	const struct wm_wire_header *header = message->header;
	struct wm_agent_job *job = place_of(agent, header->job);
	struct wm_kernel_message kernel;
	int ret = wm_message_decode_kernel(message->body, message->bytes, &kernel);

	if (ret < 0)
		return ret;
	if (!job)
		return -ESTALE;
	if (is_preparing(job, header, &kernel))
		job->batch = header->batch;
	else if (!is_answered(job, header, &kernel))
		prepare(agent, job, header, &kernel, now_ns);
	if (job->state == WM_AGENT_JOB_ANSWERED)
		send_ack(agent, job, header->batch);
	return 0;
}

static int receive_chunk(struct wm_agent *agent, const struct message *message)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct wm_wire_header header;
	struct wm_chunk_ack ack;
	size_t n;

	if (wm_kernel_cache_take(agent->config.kernels, message->header, message->body,
				 message->bytes, &header, &ack) != WM_DROP_NONE)
		return -EBADMSG;
	n = wm_chunk_ack_encode(body, WM_AUTH_BODY_BYTES_MAX, &ack);
	send_as_member(agent, &header, body, n);
	return 0;
}

static int receive_drain(const struct message *message)
{
	struct wm_bye drain;
	int ret = wm_message_decode_bye(message->body, message->bytes, &drain);

	if (ret < 0)
		return ret;
	/* What is here gets finished in any case; there is nothing else to do. */
	wm_log_info("draining: %s", drain.text);
	return 0;
}

static void be_refused(struct wm_agent *agent, const char *text, uint64_t now_ns)
{
	assert(agent->state == WM_AGENT_ASKING);
	if (strcmp(agent->refusal, text) != 0)
		wm_log_warning("not admitted: %s; asking every %llu s", text,
			       HELLO_REFUSED_NS / WM_NS_PER_S);
	wm_message_text_set(agent->refusal, sizeof(agent->refusal), text);
	agent->refused = true;
	agent->next_ns = now_ns + jittered(agent, HELLO_REFUSED_NS);
}

static int receive_bye(struct wm_agent *agent, const struct message *message, uint64_t now_ns)
{
	struct wm_bye bye;
	int ret = wm_message_decode_bye(message->body, message->bytes, &bye);
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

static int receive_as_member(struct wm_agent *agent, const struct message *message, uint64_t now_ns)
{
	assert(agent->state == WM_AGENT_MEMBER && message->header->session == agent->session);
	agent->received_ns = now_ns;
	agent->proven = true;
	switch (message->header->op) {
	case WM_OP_BEAT:
		return message->bytes == 0 ? 0 : -EBADMSG;
	case WM_OP_KERNEL:
		return receive_kernel(agent, message, now_ns);
	case WM_OP_CHUNK:
		return receive_chunk(agent, message);
	case WM_OP_DRAIN:
		return receive_drain(message);
	case WM_OP_BYE:
		return receive_bye(agent, message, now_ns);
	default:
		return -EOPNOTSUPP;
	}
}

/* ---- who says so? --------------------------------------------------------- */

static int open_bound(const struct wm_agent *agent, const struct wm_auth_bond *bond,
		      const struct message *message)
{
	struct wm_auth auth;
	int bytes;

	wm_auth_begin(&auth, agent->config.key, bond);
	bytes = wm_auth_open(&auth, WM_AUTH_CONTROLLER, message->header, message->body);
	wm_auth_end(&auth);
	return bytes;
}

/* A controller that does not know our session, and cannot have its key. */
static int open_unknown(const struct wm_agent *agent, const struct message *message)
{
	struct wm_auth_bond bond = bond_of(agent, WM_AUTH_UNKNOWN);

	bond.node_nonce = 0;
	bond.session = agent->session;
	memcpy(bond.controller, agent->controller, sizeof(bond.controller));
	memcpy(bond.answers, agent->beat_tag, sizeof(bond.answers));
	return open_bound(agent, &bond, message);
}

static int open_as_member(struct wm_agent *agent, const struct message *message)
{
	int bytes = wm_auth_open(&agent->auth, WM_AUTH_CONTROLLER, message->header, message->body);

	if (bytes == -EACCES && message->header->op == WM_OP_BYE)
		bytes = open_unknown(agent, message);
	return bytes;
}

/* Somebody refuses us who has not our key. Most likely it is our controller with
 * another one; but nobody vouches for it, so that nothing changes. */
static void take_hint(struct wm_agent *agent, const struct message *message)
{
	struct wm_bye bye;

	assert(agent->config.key && agent->state == WM_AGENT_ASKING);
	if (agent->hinted || wm_message_decode_bye(message->body, message->header->count, &bye) < 0)
		return;
	agent->hinted = true;
	wm_log_warning("not admitted, says a controller that does not prove to have our key: %s",
		       bye.text);
}

static int open_while_asking(struct wm_agent *agent, const struct message *message)
{
	bool welcome = message->header->op == WM_OP_WELCOME;
	const struct wm_auth_bond bond =
		bond_of(agent, welcome ? WM_AUTH_WELCOME : WM_AUTH_REFUSAL);
	int bytes = open_bound(agent, &bond, message);

	if (bytes < 0 && !welcome)
		take_hint(agent, message);
	return bytes;
}

/* An answer to our hello, and we are a member: of no interest but where it is another
 * controller that has our key. */
static int open_second_welcome(const struct wm_agent *agent, const struct message *message)
{
	const struct wm_auth_bond bond = bond_of(agent, WM_AUTH_WELCOME);
	int bytes;

	if (message->header->session == agent->session)
		return -ESTALE;
	bytes = open_bound(agent, &bond, message);
	return bytes < 0 ? -ESTALE : bytes;
}

static int open_message(struct wm_agent *agent, struct message *message)
{
	int bytes;

	if (agent->state == WM_AGENT_ASKING)
		bytes = open_while_asking(agent, message);
	else if (message->header->op == WM_OP_WELCOME)
		bytes = open_second_welcome(agent, message);
	else
		bytes = open_as_member(agent, message);
	if (bytes == -ESTALE)
		return bytes;
	if (bytes < 0) {
		wm_auth_count(&agent->counts, bytes);
		return bytes;
	}
	message->bytes = (size_t)bytes;
	return 0;
}

int wm_agent_receive(struct wm_agent *agent, const struct wm_wire_header *header,
		     const uint8_t *body, uint64_t now_ns)
{
	struct message message = { header, body, header->count };
	int ret;

	if (agent->state == WM_AGENT_LEFT)
		return -ESTALE;
	if (header->op != WM_OP_WELCOME && header->session != agent->session)
		return -ESTALE;
	/* A refusal: there is no session yet, on either side. */
	if (agent->state == WM_AGENT_ASKING && header->op != WM_OP_WELCOME &&
	    header->op != WM_OP_BYE)
		return -ESTALE;
	ret = agent->config.key ? open_message(agent, &message) : 0;
	if (ret < 0)
		return ret;
	if (header->op == WM_OP_WELCOME)
		return receive_welcome(agent, &message, now_ns);
	if (agent->state == WM_AGENT_ASKING)
		return receive_bye(agent, &message, now_ns);
	return receive_as_member(agent, &message, now_ns);
}

/* ---- time --------------------------------------------------------------- */

static void tick_asking(struct wm_agent *agent, uint64_t now_ns)
{
	if (now_ns < agent->next_ns)
		return;
	send_hello(agent);
	agent->next_ns = now_ns + jittered(agent, agent->refused ? HELLO_REFUSED_NS : HELLO_NS);
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

static int give_up(struct wm_agent *agent, const struct wm_agent_job *job, struct wm_error *error)
{
	agent->config.ops->leave_prepared(agent->config.context);
	return wm_error_set(
		error, ETIMEDOUT,
		"the driver has not come back from compiling '%s' for %llu s: see dmesg",
		job->kernel.kernel.name, WM_PREPARE_MAX_NS / WM_NS_PER_S);
}

static void look_at_prepared(struct wm_agent *agent, struct wm_agent_job *job, uint64_t now_ns)
{
	struct wm_error error = { "" };
	int ret;

	if (job->state != WM_AGENT_JOB_PREPARING)
		return;
	ret = agent->config.ops->prepared(agent->config.context, &error);
	if (ret == -EINPROGRESS && now_ns - job->since_ns >= WM_PREPARE_MAX_NS)
		ret = give_up(agent, job, &error);
	if (ret == -EINPROGRESS)
		return;
	answer(job, ret, &error);
	send_ack(agent, job, job->batch);
}

static void tick_member(struct wm_agent *agent, uint64_t now_ns)
{
	struct wm_beat beat = { 0 };

	if (now_ns < agent->next_ns)
		return;
	/* While this thread prepared a kernel, say, it did not listen. */
	agent->received_ns = earlier(now_ns, agent->received_ns + (now_ns - agent->next_ns));
	agent->config.ops->count(agent->config.context, &beat);
	if (beat.batches != agent->batches)
		agent->received_ns = now_ns;
	agent->batches = beat.batches;
	if (now_ns - agent->received_ns >= agent->dead_ns) {
		wm_log_warning("the controller has been silent for %llu ms, asking anew",
			       (unsigned long long)((now_ns - agent->received_ns) / WM_NS_PER_MS));
		end_session(agent, now_ns);
		return;
	}
	send_beat(agent, &beat);
	agent->next_ns = now_ns + (agent->proven ? agent->beat_ns : PROVE_NS);
}

static bool is_polling(const struct wm_agent *agent)
{
	return agent->state == WM_AGENT_MEMBER && agent->jobs[0].state == WM_AGENT_JOB_PREPARING;
}

uint64_t wm_agent_tick(struct wm_agent *agent, uint64_t now_ns)
{
	if (agent->state == WM_AGENT_ASKING)
		tick_asking(agent, now_ns);
	else if (agent->state == WM_AGENT_MEMBER)
		tick_member(agent, now_ns);
	if (agent->state == WM_AGENT_MEMBER)
		look_at_prepared(agent, &agent->jobs[0], now_ns);
	return is_polling(agent) ? earlier(agent->next_ns, now_ns + PREPARE_POLL_NS)
				 : agent->next_ns;
}
