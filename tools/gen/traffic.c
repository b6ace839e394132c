/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mac.h"

/* After the last answer that was missing: copies of frames may follow. Longer than a
 * machine that shares its cores is held up. */
#define LINGER_NS (200 * WM_NS_PER_MS)
/* As long without any answer, and a closed window is given up. */
#define STALL_NS (200 * WM_NS_PER_MS)
#define NOBODY UINT16_MAX

void wm_traffic_address_name(char name[WM_TRAFFIC_NAME_BYTES],
			     const struct wm_traffic_address *address)
{
	if (address->name[0])
		memcpy(name, address->name, WM_TRAFFIC_NAME_BYTES);
	else
		wm_mac_format(name, address->mac);
}

/* ---- memory ---------------------------------------------------------------- */

static bool finds_sources(const struct wm_traffic_config *config)
{
	return !wm_traffic_mode_sends(config->mode);
}

static bool replays(const struct wm_traffic_config *config)
{
	return config->mode == WM_TRAFFIC_REPLAY;
}

static int target_init(struct wm_traffic_target *target, const struct wm_traffic_config *config)
{
	target->flows = calloc(config->flows, sizeof(*target->flows));
	target->next = calloc(config->flows, sizeof(*target->next));
	if (!target->flows || !target->next)
		return -ENOMEM;
	if (finds_sources(config))
		return 0; /* a flow begins with the first number that comes */
	target->latency = malloc(sizeof(*target->latency));
	if (!target->latency)
		return -ENOMEM;
	wm_histogram_init(target->latency);
	for (uint32_t i = 0; i < config->flows; i++)
		wm_sequence_init(&target->flows[i], 0);
	if (!config->kernel)
		return 0;
	target->times = calloc(WM_TRAFFIC_TIMES, sizeof(*target->times));
	return target->times ? 0 : -ENOMEM;
}

static int targets_init(struct wm_traffic *traffic)
{
	const struct wm_traffic_config *config = &traffic->config;

	traffic->targets_max = finds_sources(config) ? WM_TRAFFIC_SOURCES_MAX
						     : config->target_count;
	traffic->targets = calloc(traffic->targets_max, sizeof(*traffic->targets));
	if (!traffic->targets && traffic->targets_max > 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < traffic->targets_max; i++) {
		if (target_init(&traffic->targets[i], config) < 0)
			return -ENOMEM;
	}
	if (finds_sources(config))
		return 0;
	traffic->target_count = config->target_count;
	for (uint32_t i = 0; i < traffic->target_count; i++) {
		traffic->targets[i].address = config->targets[i];
		traffic->by_session[config->targets[i].session % WM_NODES_MAX] = (uint16_t)i;
	}
	return 0;
}

/* At a rate of its own, the times of the capture do not matter. */
static uint32_t speed_ppm(struct wm_rate rate)
{
	return rate.unit == WM_RATE_RECORDED ? (uint32_t)rate.per_s : WM_REPLAY_SPEED_ONE_PPM;
}

struct wm_traffic *wm_traffic_create(const struct wm_traffic_config *config)
{
	struct wm_traffic *traffic = calloc(1, sizeof(*traffic));

	if (!traffic)
		return NULL;
	traffic->config = *config;
	memset(traffic->by_session, 0xff, sizeof(traffic->by_session));
	if (replays(config))
		wm_replay_init(&traffic->replay, config->capture, speed_ppm(config->rate),
			       config->passes);
	else
		wm_size_cycle_init(&traffic->sizes, &config->size, config->run);
	if (targets_init(traffic) < 0) {
		wm_traffic_destroy(&traffic);
		errno = ENOMEM;
		return NULL;
	}
	traffic->config.targets = NULL; /* copied */
	return traffic;
}

void wm_traffic_destroy(struct wm_traffic **out)
{
	struct wm_traffic *traffic = *out;

	if (!traffic)
		return;
	for (uint32_t i = 0; traffic->targets && i < traffic->targets_max; i++) {
		free(traffic->targets[i].latency);
		free(traffic->targets[i].flows);
		free(traffic->targets[i].next);
		free(traffic->targets[i].times);
	}
	free(traffic->targets);
	free(traffic);
	*out = NULL;
}

/* ---- counting ---------------------------------------------------------------- */

/* One writer; a reader of another thread sees whole figures. */
static void add(uint64_t *count, uint64_t more)
{
	__atomic_store_n(count, *count + more, __ATOMIC_RELAXED);
}

static void count_sent(struct wm_traffic_totals *totals, uint32_t bytes)
{
	add(&totals->sent.frames, 1);
	add(&totals->sent.bytes, bytes);
}

static void count_received(struct wm_traffic_totals *totals, uint32_t bytes,
			   enum wm_sequence_verdict verdict)
{
	add(&totals->received.frames, 1);
	add(&totals->received.bytes, bytes);
	add(&totals->reordered, verdict == WM_SEQUENCE_REORDERED);
	add(&totals->duplicates, verdict == WM_SEQUENCE_DUPLICATE);
	add(&totals->late, verdict == WM_SEQUENCE_LATE);
}

static uint64_t get(const uint64_t *count)
{
	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

void wm_traffic_get_totals(const struct wm_traffic_totals *from, struct wm_traffic_totals *totals)
{
	*totals = (struct wm_traffic_totals){
		.sent = { get(&from->sent.frames), get(&from->sent.bytes) },
		.received = { get(&from->received.frames), get(&from->received.bytes) },
		.duplicates = get(&from->duplicates),
		.reordered = get(&from->reordered),
		.late = get(&from->late),
		.damaged = get(&from->damaged),
		.expected = get(&from->expected),
	};
}

uint32_t wm_traffic_target_count(const struct wm_traffic *traffic)
{
	return __atomic_load_n(&traffic->target_count, __ATOMIC_ACQUIRE);
}

/* ---- sending ----------------------------------------------------------------- */

uint32_t wm_traffic_elements(const struct wm_kernel *kernel, uint32_t frame_bytes)
{
	uint32_t elements, halo = kernel->halo_before + kernel->halo_after;

	elements = (wm_rate_buffer_bytes(frame_bytes) - WM_FRAME_HEADER_BYTES) / kernel->in_bytes;
	return elements > halo ? elements - halo : 0;
}

/* Of the next frame: whole elements, with a kernel. */
static void choose_size(struct wm_traffic *traffic)
{
	const struct wm_traffic_config *config = &traffic->config;

	traffic->bytes = wm_size_cycle_next(&traffic->sizes);
	if (!config->kernel)
		return;
	traffic->elements = wm_traffic_elements(config->kernel, traffic->bytes);
	if (traffic->elements > config->elements_max)
		traffic->elements = config->elements_max;
	traffic->bytes = wm_rate_frame_bytes(WM_FRAME_HEADER_BYTES +
					     wm_frame_map_bytes(config->kernel, traffic->elements));
}

static void begin(struct wm_traffic *traffic, uint64_t now_ns)
{
	traffic->start_ns = now_ns;
	traffic->last_ns = now_ns;
	if (!replays(&traffic->config))
		choose_size(traffic);
	wm_bucket_init(&traffic->bucket, traffic->config.rate, traffic->config.burst_frames,
		       traffic->config.depth_ns, now_ns);
	if (finds_sources(&traffic->config))
		traffic->send_end_ns = now_ns;
}

void wm_traffic_stop(struct wm_traffic *traffic, uint64_t now_ns)
{
	traffic->stopped = true;
	if (traffic->send_end_ns == 0)
		traffic->send_end_ns = now_ns;
}

void wm_traffic_fail(struct wm_traffic *traffic, int result, uint64_t now_ns)
{
	traffic->result = result;
	wm_traffic_stop(traffic, now_ns);
}

static bool is_time_to_end(const struct wm_traffic *traffic, uint64_t now_ns)
{
	const struct wm_traffic_config *config = &traffic->config;

	return (replays(config) && wm_replay_is_over(&traffic->replay)) ||
	       (config->count_max > 0 && traffic->totals.sent.frames >= config->count_max) ||
	       (config->duration_ns > 0 && now_ns >= traffic->start_ns + config->duration_ns);
}

static bool still_sends(struct wm_traffic *traffic, uint64_t now_ns)
{
	if (traffic->start_ns == 0)
		begin(traffic, now_ns);
	if (traffic->send_end_ns == 0 && is_time_to_end(traffic, now_ns))
		traffic->send_end_ns = now_ns;
	return traffic->send_end_ns == 0;
}

/* A window whose newest frames are all lost would stay closed. */
static bool has_room(struct wm_traffic *traffic, struct wm_traffic_target *target, uint64_t now_ns)
{
	if (traffic->config.window == 0 ||
	    target->batch_sequence - target->answered < traffic->config.window)
		return true;
	if (now_ns < target->progress_ns + STALL_NS)
		return false;
	traffic->stalls++;
	target->answered = target->batch_sequence;
	return true;
}

static struct wm_traffic_target *target_with_room(struct wm_traffic *traffic, uint64_t now_ns)
{
	for (uint32_t i = 0; i < traffic->target_count; i++) {
		struct wm_traffic_target *target = &traffic->targets[traffic->target];

		if (has_room(traffic, target, now_ns))
			return target;
		traffic->target = (traffic->target + 1) % traffic->target_count;
	}
	return NULL;
}

static void take_turn(struct wm_traffic *traffic, struct wm_traffic_target *target,
		      struct wm_traffic_send *send, uint64_t now_ns)
{
	if (target->batch_sequence == target->answered)
		target->progress_ns = now_ns;
	send->mac = target->address.mac;
	send->session = target->address.session;
	send->run = traffic->config.run;
	send->batch_sequence = target->batch_sequence++;
	send->flow = (uint16_t)target->flow;
	send->sequence = target->next[target->flow]++;
	send->bytes = (uint16_t)traffic->bytes;
	send->elements = (uint16_t)traffic->elements;
	if (target->times)
		target->times[send->batch_sequence % WM_TRAFFIC_TIMES] =
			(struct wm_traffic_time){ send->batch_sequence, send->intended_ns };
	if (++target->flow == traffic->config.flows)
		target->flow = 0;
	if (++traffic->target == traffic->target_count)
		traffic->target = 0;
}

static void note_behind(struct wm_traffic *traffic, uint64_t behind_ns)
{
	if (behind_ns > traffic->behind_max_ns)
		traffic->behind_max_ns = behind_ns;
}

static bool next_numbered(struct wm_traffic *traffic, uint64_t now_ns, struct wm_traffic_send *send)
{
	struct wm_traffic_target *target;

	if (!wm_bucket_is_due(&traffic->bucket, now_ns))
		return false;
	target = target_with_room(traffic, now_ns);
	if (!target)
		return false;
	send->recorded = NULL;
	send->intended_ns = wm_bucket_take(&traffic->bucket, traffic->bytes, now_ns);
	take_turn(traffic, target, send, now_ns);
	count_sent(&target->totals, traffic->bytes);
	count_sent(&traffic->totals, traffic->bytes);
	choose_size(traffic);
	return true;
}

/* When it was due by the capture, or by the rate; UINT64_MAX: later than now. */
static uint64_t take_recorded_time(struct wm_traffic *traffic, uint32_t bytes, uint64_t now_ns)
{
	uint64_t due_ns;

	if (traffic->config.rate.unit != WM_RATE_RECORDED)
		return wm_bucket_is_due(&traffic->bucket, now_ns)
			       ? wm_bucket_take(&traffic->bucket, bytes, now_ns)
			       : UINT64_MAX;
	due_ns = traffic->start_ns + wm_replay_due_ns(&traffic->replay);
	return due_ns <= now_ns ? due_ns : UINT64_MAX;
}

static bool next_recorded(struct wm_traffic *traffic, uint64_t now_ns, struct wm_traffic_send *send)
{
	struct wm_traffic_target *target = traffic->target_count > 0 ? traffic->targets : NULL;
	const struct wm_capture_frame *frame = wm_replay_frame(&traffic->replay);
	uint32_t bytes = wm_rate_frame_bytes(frame->length);
	uint64_t intended_ns = take_recorded_time(traffic, bytes, now_ns);

	if (intended_ns == UINT64_MAX)
		return false;
	*send = (struct wm_traffic_send){
		.mac = target ? target->address.mac : NULL,
		.recorded = traffic->config.capture->bytes + frame->offset,
		.recorded_bytes = frame->length,
		.intended_ns = intended_ns,
		.bytes = (uint16_t)bytes,
	};
	if (target)
		count_sent(&target->totals, bytes);
	count_sent(&traffic->totals, bytes);
	wm_replay_advance(&traffic->replay);
	return true;
}

bool wm_traffic_next(struct wm_traffic *traffic, uint64_t now_ns, struct wm_traffic_send *send)
{
	bool taken;

	if (!still_sends(traffic, now_ns))
		return false;
	taken = replays(&traffic->config) ? next_recorded(traffic, now_ns, send)
					  : next_numbered(traffic, now_ns, send);
	if (taken)
		note_behind(traffic, now_ns - send->intended_ns);
	return taken;
}

/* ---- arrivals ---------------------------------------------------------------- */

static bool is_source(const struct wm_traffic_target *target,
		      const struct wm_traffic_arrival *arrival)
{
	return target->run == arrival->run &&
	       memcmp(target->address.mac, arrival->mac, sizeof(arrival->mac)) == 0;
}

static struct wm_traffic_target *source_of(struct wm_traffic *traffic,
					   const struct wm_traffic_arrival *arrival)
{
	struct wm_traffic_target *target;

	for (uint32_t i = 0; i < traffic->target_count; i++) {
		if (is_source(&traffic->targets[i], arrival))
			return &traffic->targets[i];
	}
	if (traffic->target_count == traffic->targets_max)
		return NULL;
	target = &traffic->targets[traffic->target_count];
	target->run = arrival->run;
	memcpy(target->address.mac, arrival->mac, sizeof(arrival->mac));
	/* Who sees that there is one more sees whose it is. */
	__atomic_store_n(&traffic->target_count, traffic->target_count + 1, __ATOMIC_RELEASE);
	return target;
}

static struct wm_traffic_target *target_of(struct wm_traffic *traffic,
					   const struct wm_traffic_arrival *arrival)
{
	uint16_t place = traffic->by_session[arrival->session % WM_NODES_MAX];
	struct wm_traffic_target *target = place == NOBODY ? NULL : &traffic->targets[place];

	if (!target || target->address.session != arrival->session ||
	    memcmp(target->address.mac, arrival->mac, sizeof(arrival->mac)) != 0)
		return NULL;
	return target;
}

static struct wm_traffic_target *sender_of(struct wm_traffic *traffic,
					   const struct wm_traffic_arrival *arrival)
{
	return finds_sources(&traffic->config) ? source_of(traffic, arrival)
					       : target_of(traffic, arrival);
}

/* The window moves: what was sent before the frame that is answered is not in flight. */
static void answer(struct wm_traffic_target *target, uint32_t batch_sequence, uint64_t now_ns)
{
	if ((int32_t)(batch_sequence - target->answered) < 0)
		return;
	target->answered = batch_sequence + 1;
	target->progress_ns = now_ns;
}

/* Could we have sent it? */
static bool is_ours(const struct wm_traffic *traffic, const struct wm_traffic_target *target,
		    const struct wm_traffic_arrival *arrival)
{
	return arrival->run == traffic->config.run && arrival->flow < traffic->config.flows &&
	       arrival->sequence < target->next[arrival->flow] &&
	       arrival->intended_ns <= arrival->now_ns;
}

static void record_latency(struct wm_traffic_target *target,
			   const struct wm_traffic_arrival *arrival)
{
	const struct wm_traffic_time *time;
	uint64_t intended_ns = arrival->intended_ns;

	if (target->times) {
		time = &target->times[arrival->batch_sequence % WM_TRAFFIC_TIMES];
		if (time->batch_sequence != arrival->batch_sequence)
			return; /* overtaken by 1023 others */
		intended_ns = time->intended_ns;
	}
	wm_histogram_record(target->latency, arrival->now_ns - intended_ns);
}

static enum wm_drop check_arrival(struct wm_traffic *traffic,
				  const struct wm_traffic_target *target,
				  const struct wm_traffic_arrival *arrival)
{
	if (finds_sources(&traffic->config)) {
		if (target && arrival->flow < traffic->config.flows)
			return WM_DROP_NONE;
		traffic->strangers++;
		return WM_DROP_FULL;
	}
	if (!target)
		return WM_DROP_SESSION;
	return is_ours(traffic, target, arrival) ? WM_DROP_NONE : WM_DROP_BATCH;
}

static void note_time(struct wm_traffic *traffic, uint64_t now_ns)
{
	if (traffic->first_ns == 0)
		traffic->first_ns = now_ns;
	traffic->last_ns = now_ns;
}

static enum wm_sequence_verdict take_number(struct wm_traffic *traffic,
					    struct wm_traffic_target *target,
					    const struct wm_traffic_arrival *arrival)
{
	struct wm_sequence *flow = &target->flows[arrival->flow];
	enum wm_sequence_verdict verdict;
	uint64_t before;

	if (!finds_sources(&traffic->config))
		return wm_sequence_receive(flow, arrival->sequence);
	if (target->next[arrival->flow] == 0) {
		target->next[arrival->flow] = 1; /* it has begun */
		wm_sequence_init(flow, arrival->sequence);
	}
	before = flow->next;
	verdict = wm_sequence_receive(flow, arrival->sequence);
	add(&target->totals.expected, flow->next - before);
	add(&traffic->totals.expected, flow->next - before);
	return verdict;
}

enum wm_drop wm_traffic_arrived(struct wm_traffic *traffic,
				const struct wm_traffic_arrival *arrival)
{
	struct wm_traffic_target *target = sender_of(traffic, arrival);
	enum wm_drop drop = check_arrival(traffic, target, arrival);
	enum wm_sequence_verdict verdict;

	if (drop != WM_DROP_NONE)
		return drop;
	note_time(traffic, arrival->now_ns);
	verdict = take_number(traffic, target, arrival);
	count_received(&target->totals, arrival->bytes, verdict);
	count_received(&traffic->totals, arrival->bytes, verdict);
	if (verdict == WM_SEQUENCE_DUPLICATE)
		return WM_DROP_DUPLICATE;
	if (!finds_sources(&traffic->config)) {
		record_latency(target, arrival);
		answer(target, arrival->batch_sequence, arrival->now_ns);
	}
	return WM_DROP_NONE;
}

void wm_traffic_damaged(struct wm_traffic *traffic, const uint8_t mac[WM_ETHER_ADDR_BYTES])
{
	add(&traffic->totals.damaged, 1);
	for (uint32_t i = 0; i < traffic->target_count; i++) {
		struct wm_traffic_target *target = &traffic->targets[i];

		if (memcmp(target->address.mac, mac, WM_ETHER_ADDR_BYTES) == 0) {
			add(&target->totals.damaged, 1);
			return;
		}
	}
}

static uint64_t flow_lost(const struct wm_traffic *traffic, const struct wm_traffic_target *target,
			  uint32_t flow)
{
	const struct wm_sequence *sequence = &target->flows[flow];

	if (!finds_sources(&traffic->config))
		return wm_sequence_lost(sequence, target->next[flow]);
	if (target->next[flow] == 0)
		return 0;
	return wm_sequence_lost(sequence, sequence->next - sequence->first);
}

uint64_t wm_traffic_lost(const struct wm_traffic *traffic, const struct wm_traffic_target *target)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i < traffic->config.flows; i++)
		lost += flow_lost(traffic, target, i);
	return lost;
}

uint64_t wm_traffic_lost_of_all(const struct wm_traffic *traffic)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i < traffic->target_count; i++)
		lost += wm_traffic_lost(traffic, &traffic->targets[i]);
	return lost;
}

/* ---- the end ------------------------------------------------------------------- */

static bool is_quiet(const struct wm_traffic *traffic, uint64_t now_ns, uint64_t quiet_ns)
{
	uint64_t since_ns = traffic->last_ns;

	if (since_ns < traffic->send_end_ns)
		since_ns = traffic->send_end_ns;
	return now_ns >= since_ns + quiet_ns;
}

/* Nothing is sent; how long is there something to come? */
static bool is_received(const struct wm_traffic *traffic, uint64_t now_ns)
{
	const struct wm_traffic_config *config = &traffic->config;

	if (traffic->stopped)
		return true;
	if (config->duration_ns > 0 && now_ns >= traffic->start_ns + config->duration_ns)
		return true;
	if (config->count_max > 0 &&
	    traffic->totals.received.frames - traffic->totals.duplicates >= config->count_max)
		return is_quiet(traffic, now_ns, LINGER_NS);
	return config->idle_ns > 0 && traffic->first_ns > 0 &&
	       is_quiet(traffic, now_ns, config->idle_ns);
}

bool wm_traffic_is_over(struct wm_traffic *traffic, uint64_t now_ns)
{
	if (still_sends(traffic, now_ns))
		return false;
	if (finds_sources(&traffic->config))
		return is_received(traffic, now_ns);
	if (!wm_traffic_mode_receives(traffic->config.mode) || traffic->result < 0)
		return true;
	if (traffic->totals.received.frames - traffic->totals.duplicates ==
	    traffic->totals.sent.frames)
		return is_quiet(traffic, now_ns, LINGER_NS);
	return is_quiet(traffic, now_ns, traffic->config.idle_ns);
}
