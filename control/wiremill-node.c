/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wiremill-node: computes batches for a controller on the same Ethernet.
 *
 * One thread runs everything but the compiling of a kernel: the worker's step, the agent's
 * tick, and a sleep until either has something to do. A signal that ends it (signals.h) finishes
 * what is in flight and takes leave.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "device_loss.h"
#include "kernel_cache.h"
#include "kernel_store.h"
#include "key.h"
#include "link_watch.h"
#include "log.h"
#include "node_options.h"
#include "rights.h"
#include "signals.h"
#include "streams.h"
#include "wiremill/control.h"
#include "wiremill/executor.h"
#include "worker.h"

/* What a node opens (13), and then a GPU's driver its own. */
#define OPEN_FILES 64u
/* How often signals are looked for while there is work. */
#define SIGNAL_CHECK_NS (10 * WM_NS_PER_MS)

struct node {
	struct wm_node_options options;
	int signal_fd;
	struct wm_xsk *xsk;
	struct wm_executor *executor;
	struct wm_worker *worker;
	struct wm_device_loss device_loss;
	struct wm_link_watch link_watch;
	struct wm_key key;
	struct wm_kernel_cache kernels;
	struct wm_kernel_store *store; /* of those; NULL: none */
	struct wm_agent agent;
	uint32_t tag_bytes; /* of a MAP or RESULT in this session */
	/* The job that is being made ready. */
	uint32_t preparing_id;
	struct wm_kernel_message preparing;
};

/* ---- what the agent does ------------------------------------------------ */

static void node_send(void *context, const uint8_t destination[WM_ETHER_ADDR_BYTES],
		      const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct node *node = context;

	/* What does not go out is as if lost on the way, and is sent again. */
	(void)wm_worker_send_control(node->worker, destination, header, body, body_bytes);
}

static void node_set_session(void *context, uint32_t session,
			     const uint8_t controller[WM_ETHER_ADDR_BYTES],
			     const uint8_t *frame_key)
{
	struct node *node = context;

	wm_worker_set_session(node->worker, session, controller);
	wm_worker_set_frame_key(node->worker, frame_key);
	node->tag_bytes = frame_key ? WM_WIRE_TAG_BYTES : 0;
	wm_worker_set_job(node->worker, 0, NULL, 0);
}

static int mend_device(struct node *node, struct wm_error *error)
{
	return wm_device_loss_mend(&node->device_loss, node->executor, node->worker, error);
}

static int check_batch(const struct node *node, const struct wm_kernel_message *message,
		       struct wm_error *error)
{
	uint32_t map = wm_frame_map_bytes(&message->kernel, message->batch_elements);
	uint32_t result = wm_frame_result_bytes(&message->kernel, message->batch_elements);
	uint32_t mtu = node->agent.config.hello.mtu;

	if (WM_WIRE_HEADER_BYTES + (map > result ? map : result) + node->tag_bytes <= mtu)
		return 0;
	return wm_error_set(error, EMSGSIZE, "a batch of %u elements does not fit an MTU of %u",
			    message->batch_elements, mtu);
}

/* From here what comes for the job before is dropped; what is here is answered yet. */
static int take_kernel(struct node *node, struct wm_error *error)
{
	struct wm_worker_counters counters;
	int ret;

	wm_worker_set_job(node->worker, 0, NULL, 0);
	wm_worker_get_counters(node->worker, &counters);
	if (counters.held > 0)
		return -EINPROGRESS;
	ret = wm_executor_prepare_take(node->executor, error);
	return ret < 0 ? ret : -EINPROGRESS;
}

static int node_prepared(void *context, struct wm_error *error)
{
	struct node *node = context;
	const struct wm_kernel_message *message = &node->preparing;
	int ret = wm_executor_prepare_poll(node->executor, error);

	if (ret == -EBUSY)
		return take_kernel(node, error);
	if (ret == 0)
		wm_worker_set_job(node->worker, node->preparing_id, &message->kernel,
				  message->batch_elements);
	return ret;
}

static int node_prepare(void *context, uint32_t job, const struct wm_kernel_message *message,
			const struct wm_kernel_object *object, struct wm_error *error)
{
	struct node *node = context;
	int ret = check_batch(node, message, error);

	if (ret < 0)
		return ret;
	node->preparing_id = job;
	node->preparing = *message;
	ret = wm_executor_prepare_begin(node->executor, &message->kernel,
					object ? object->code : NULL,
					object ? object->code_bytes : 0, error);
	return ret < 0 ? ret : node_prepared(node, error);
}

static void node_leave_prepared(void *context)
{
	struct node *node = context;

	wm_executor_prepare_leave(node->executor);
}

static void node_count(void *context, struct wm_beat *beat)
{
	struct node *node = context;
	struct wm_worker_counters worker;
	struct wm_executor_counters executor;
	struct wm_xsk_counters xsk;

	wm_worker_get_counters(node->worker, &worker);
	wm_executor_get_counters(node->executor, &executor);
	wm_xsk_read_counters(node->xsk, &xsk);
	*beat = (struct wm_beat){
		.batches = worker.batches,
		.results = worker.results,
		.submissions = executor.submissions,
		.copied_bytes = worker.copied_bytes,
		.dropped = xsk.oversize,
		.ring_full = xsk.kernel_drops,
		.held = worker.held,
		.device_losses = executor.losses,
		.unheard = xsk.unheard,
	};
	for (unsigned i = WM_DROP_NONE + 1; i < WM_DROP_REASONS; i++)
		beat->dropped += worker.drops.count[i];
}

static const struct wm_agent_ops agent_ops = {
	.send = node_send,
	.set_session = node_set_session,
	.prepare = node_prepare,
	.prepared = node_prepared,
	.leave_prepared = node_leave_prepared,
	.count = node_count,
};

static enum wm_drop node_receive(void *context, const struct wm_wire_header *header,
				 const uint8_t *body)
{
	struct node *node = context;

	switch (wm_agent_receive(&node->agent, header, body, wm_clock_ns())) {
	case 0:
		return WM_DROP_NONE;
	case -ESTALE:
		return WM_DROP_SESSION;
	case -EBADMSG:
		return WM_DROP_BODY;
	case -EACCES:
	case -EALREADY:
		return WM_DROP_AUTH;
	default:
		return WM_DROP_OP;
	}
}

/* ---- bring-up ----------------------------------------------------------- */

/* Before any thread of a driver is there, which would take the signal. */
static int open_signals(struct node *node, struct wm_error *error)
{
	node->signal_fd = wm_signals_open();
	if (node->signal_fd < 0)
		return wm_error_set(error, -node->signal_fd, "signals cannot be caught: %s",
				    wm_errno_text(-node->signal_fd));
	return 0;
}

static int read_key(struct node *node, struct wm_error *error)
{
	if (!node->options.key_path)
		return 0;
	wm_secret_lock(&node->key, sizeof(node->key));
	wm_secret_lock(&node->agent, sizeof(node->agent));
	return wm_key_read(&node->key, node->options.key_path, error);
}

static void wipe_key(struct node *node)
{
	wm_secret_wipe(&node->key, sizeof(node->key));
	wm_secret_wipe(&node->agent, sizeof(node->agent));
}

static int open_port(struct node *node, struct wm_error *error)
{
	const struct wm_xsk_config config = {
		.interface = node->options.interface,
		.mode = node->options.mode,
	};

	return wm_xsk_open(&node->xsk, &config, error);
}

static int create_executor(struct node *node, struct wm_error *error)
{
	const struct wm_executor_config config = {
		.memory = wm_xsk_memory(node->xsk),
		.memory_bytes = WM_XSK_MEMORY_BYTES,
		.rows_max = WM_WORKER_ROWS_MAX,
		.validate = node->options.validate,
		.device = node->options.device,
		.require_gpu = node->options.require_gpu,
		.no_compute = node->options.no_compute,
	};

	return wm_executor_create(&node->executor, &config, error);
}

static int create_worker(struct node *node, struct wm_error *error)
{
	const struct wm_worker_config config = {
		.xsk = node->xsk,
		.executor = node->executor,
		.control = node_receive,
		.context = node,
	};

	if (wm_worker_create(&node->worker, &config) < 0)
		return wm_error_set(error, ENOMEM, "no memory for the worker");
	return 0;
}

static void log_obtained(const struct wm_xsk_obtained *port,
			 const struct wm_executor_obtained *executor)
{
	wm_log_info("obtained: AF_XDP %s, %s, %s, MTU %u; GPU %s%s, memory %s",
		    port->native ? "native" : "generic",
		    port->zero_copy ? "zero-copy" : "copy mode",
		    port->multi_buffer ? "multi-buffer" : "one buffer a frame", port->mtu,
		    executor->device, executor->software ? " (software)" : "",
		    executor->imported ? "imported in place" : "copied");
}

static void start_agent(struct node *node)
{
	struct wm_agent_config config = {
		.ops = &agent_ops,
		.context = node,
		.key = node->options.key_path ? &node->key : NULL,
		.kernels = &node->kernels,
		.require_aead = node->options.require_aead,
	};
	struct wm_hello *hello = &config.hello;
	struct wm_executor_obtained executor;
	struct wm_xsk_obtained port;

	wm_xsk_get_obtained(node->xsk, &port);
	wm_executor_get_obtained(node->executor, &executor);
	log_obtained(&port, &executor);
	wm_link_watch_init(&node->link_watch, &port, node->options.interface);

	if (node->options.no_compute)
		wm_log_warning(
			"--no-compute: every batch is answered with zeroes, for measuring only");
	if (!config.key)
		wm_log_warning("no --key: anybody on this wire can pose as the controller");
	wm_auth_random(&hello->nonce, sizeof(hello->nonce));
	memcpy(config.address, port.address, sizeof(config.address));
	wm_message_text_set(hello->name, sizeof(hello->name), node->options.name);
	hello->mtu = port.mtu;
	hello->capacity = port.capacity;
	wm_message_text_set(hello->device, sizeof(hello->device), executor.device);
	wm_message_text_set(hello->driver, sizeof(hello->driver), executor.driver);
	hello->software = executor.software;
	wm_message_text_set(hello->xdp_mode, sizeof(hello->xdp_mode),
			    port.native ? "native" : "generic");
	hello->zero_copy = port.zero_copy;
	hello->multi_buffer = port.multi_buffer;
	wm_agent_init(&node->agent, &config, wm_clock_ns());
}

/* ---- running ------------------------------------------------------------ */

static bool is_told_to_stop(const struct node *node)
{
	struct signalfd_siginfo signal_info;

	return read(node->signal_fd, &signal_info, sizeof(signal_info)) == sizeof(signal_info);
}

/* What the port has noticed of its interface the watch explains. */
static int look_at_link(struct node *node, int moved, struct wm_error *error)
{
	int ret;

	if (moved == -ENXIO)
		node->link_watch.due_ns = 0;
	ret = wm_link_watch_tick(&node->link_watch, node->xsk, wm_clock_ns(), error);
	if (ret == 0 && moved == -ENXIO)
		return wm_error_set(error, ENXIO,
				    "interface %s takes no frame of this node any more",
				    node->options.interface);
	return ret < 0 ? ret : moved;
}

/* Returns 0 when told to stop, else with the reason. */
static int serve(struct node *node, struct wm_error *error)
{
	uint64_t check_ns = 0;

	for (;;) {
		int moved = wm_worker_step(node->worker);
		uint64_t now_ns = wm_clock_ns();
		uint64_t due_ns = wm_agent_tick(&node->agent, now_ns);

		if (moved == -EIO)
			moved = mend_device(node, error);
		if (moved >= 0 || moved == -ENXIO)
			moved = look_at_link(node, moved, error);
		if (moved < 0)
			return moved;
		if (moved == 0 || now_ns >= check_ns) {
			if (is_told_to_stop(node))
				return 0;
			check_ns = now_ns + SIGNAL_CHECK_NS;
		}
		if (moved == 0 && !node->options.busy_poll)
			wm_worker_wait(node->worker, node->signal_fd,
				       due_ns > now_ns ? due_ns - now_ns : 0);
	}
}

static int run(struct node *node, struct wm_error *error)
{
	struct wm_executor_counters counters;
	int ret = serve(node, error);

	/* What a lost device had is sent again to others, as all is that a node leaves. */
	if (ret == 0 && wm_worker_finish(node->worker) < 0)
		wm_log_warning("the GPU is lost: what it had goes unanswered");
	wm_agent_leave(&node->agent, ret == 0 ? "stopped" : "failed");
	if (ret < 0)
		return ret;

	wm_executor_get_counters(node->executor, &counters);
	if (counters.validation_messages > 0)
		return wm_error_set(error, EPROTO, "the validation layer had %llu complaints",
				    (unsigned long long)counters.validation_messages);
	return 0;
}

int main(int argc, char **argv)
{
	struct node node = { .signal_fd = -1 };
	struct wm_error error = { "" };
	int ret;

	wm_streams_keep();
	wm_signals_ignore();
	ret = wm_node_options_take(&node.options, argc, argv);
	if (ret >= 0)
		return ret;
	wm_log_init("wiremill-node", node.options.log_level);
	if (wm_log_start() < 0)
		wm_log_warning("the log has no thread of its own: whoever reads it must not stall");

	ret = wm_rights_check_limits(OPEN_FILES, &error);
	if (ret < 0)
		goto report;
	ret = open_signals(&node, &error);
	if (ret < 0)
		goto report;
	ret = read_key(&node, &error);
	if (ret < 0)
		goto wipe_key;
	ret = open_port(&node, &error);
	if (ret < 0)
		goto wipe_key;
	ret = create_executor(&node, &error);
	if (ret < 0)
		goto close_port;
	ret = create_worker(&node, &error);
	if (ret < 0)
		goto destroy_executor;
	if (node.options.cache_path)
		node.store = wm_kernel_store_open(&node.kernels, node.options.cache_path);
	start_agent(&node);
	ret = run(&node, &error);

	wm_worker_destroy(&node.worker);
	wm_kernel_store_close(&node.store);
	wm_kernel_cache_fini(&node.kernels);
destroy_executor:
	wm_executor_destroy(&node.executor);
close_port:
	wm_xsk_close(&node.xsk);
wipe_key:
	wipe_key(&node);
	close(node.signal_fd);
report:
	if (ret < 0)
		wm_log_error("%s", error.text);
	return ret < 0 ? WM_EXIT_FAILED : WM_EXIT_DONE;
}
