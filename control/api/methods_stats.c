/* SPDX-License-Identifier: BSD-3-Clause */
/* What the controller obtained, and what it counts. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "mac.h"
#include "methods.h"
#include "numbers.h"
#include "port_counters.h"

#define LOST(field) WM_JSON_NUMBER(struct wm_port_counters, #field, field)
#define LANE(field) WM_JSON_NUMBER(struct wm_lane_counters, #field, field)

static const struct wm_json_field port_numbers[] = {
	LANE(frames_sent),    LANE(frames_received),  LANE(bytes_sent),
	LANE(bytes_received), LANE(transmit_refused),
};
static const struct wm_json_field lost_numbers[] = {
	LOST(missed),	       LOST(no_buffer),	       LOST(receive_errors),
	LOST(transmit_errors), LOST(transmit_dropped),
};
static const struct wm_json_field batch_numbers[] = {
	LANE(sent),
	LANE(resent),
	LANE(results),
	LANE(duplicates),
};

static json_t *port_object(const struct wm_port *port, const struct wm_port_link *link,
			   const struct wm_lane_counters *counters)
{
	struct wm_port_counters lost;
	json_t *object = json_object();
	char mac[WM_MAC_TEXT_BYTES];

	wm_mac_format(mac, port->mac);
	wm_port_read_counters(port, &lost);
	json_object_set_new(object, "name", json_string(port->name));
	json_object_set_new(object, "driver", json_string(port->driver));
	json_object_set_new(object, "mtu", wm_json_number(port->mtu));
	json_object_set_new(object, "mac", json_string(mac));
	json_object_set_new(object, "link", json_string(wm_port_link_name(link->state)));
	json_object_set_new(object, "link_megabits_per_s", wm_json_number(link->megabits_per_s));
	json_object_set_new(object, "ring_frames", wm_json_number(port->ring_frames));
	json_object_set_new(object, "multi_segment_transmit", json_boolean(port->multi_segment));
	wm_json_put(object, port_numbers, WM_ARRAY_COUNT(port_numbers), counters);
	wm_json_put(object, lost_numbers, WM_ARRAY_COUNT(lost_numbers), &lost);
	return object;
}

static const char *storage_path(const struct wm_lane_snapshot *snapshot, bool direct)
{
	return snapshot->job.job == 0 ? "none" : direct ? "direct" : "buffered";
}

static json_t *obtained_object(const struct wm_controller *controller, uint32_t lane,
			       const struct wm_lane_snapshot *snapshot)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "transmit",
			 controller->ports[lane].multi_segment ? "attached" : "linearised",
			 "receive", snapshot->why_copied ? "copied" : "in place", "receive_why",
			 snapshot->why_copied ? snapshot->why_copied : "", "source",
			 storage_path(snapshot, snapshot->source_direct), "sink",
			 storage_path(snapshot, snapshot->sink_direct), "auth",
			 controller->auth == WM_WIRE_AEAD ? "aead" : "crc32c");
}

static json_t *drops_object(const struct wm_drops *drops)
{
	json_t *object = json_object();

	for (unsigned reason = WM_DROP_NONE + 1; reason < WM_DROP_REASONS; reason++)
		json_object_set_new(object, wm_drop_name(reason),
				    wm_json_number(drops->count[reason]));
	return object;
}

static json_t *pair(const char *first, uint64_t first_value, const char *second,
		    uint64_t second_value)
{
	return json_pack("{s:o, s:o}", first, wm_json_number(first_value), second,
			 wm_json_number(second_value));
}

static json_t *lane_object(struct wm_controller *controller, uint32_t lane)
{
	struct wm_lane_snapshot snapshot;
	const struct wm_lane_counters *counters = &snapshot.counters;
	json_t *object = json_object(), *batches = json_object();

	wm_lane_take_snapshot(controller->lanes->lanes[lane], &snapshot);
	json_object_set_new(object, "lane", wm_json_number(lane));
	json_object_set_new(object, "lcore", wm_json_number(controller->lcores[lane]));
	json_object_set_new(object, "port",
			    port_object(&controller->ports[lane],
					&controller->lanes->links.now[lane], counters));
	json_object_set_new(object, "obtained", obtained_object(controller, lane, &snapshot));
	json_object_set_new(object, "copied_bytes",
			    pair("transmit", counters->transmit_copied_bytes, "receive",
				 counters->receive_copied_bytes));
	json_object_set_new(object, "payload_bytes",
			    pair("transmit", counters->transmit_payload_bytes, "receive",
				 counters->receive_payload_bytes));
	json_object_set_new(object, "extents",
			    json_pack("{s:o, s:o, s:o, s:o}", "read",
				      wm_json_number(counters->store.reads), "read_direct",
				      wm_json_number(counters->store.reads_direct), "written",
				      wm_json_number(counters->store.writes), "written_direct",
				      wm_json_number(counters->store.writes_direct)));
	wm_json_put(batches, batch_numbers, WM_ARRAY_COUNT(batch_numbers), counters);
	json_object_set_new(object, "batches", batches);
	json_object_set_new(object, "drops", drops_object(&counters->drops));
	json_object_set_new(object, "busy_seconds",
			    json_real((double)counters->busy_ns / WM_NS_PER_S));
	return object;
}

static json_t *lanes_array(struct wm_controller *controller)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < controller->lanes->count; i++)
		json_array_append_new(array, lane_object(controller, i));
	return array;
}

static json_t *jobs_object(const struct wm_jobs *jobs)
{
	uint64_t counts[WM_JOB_STATES] = { 0 };
	json_t *object = json_object();

	for (uint32_t i = 0; i < jobs->count; i++)
		counts[jobs->jobs[i]->state]++;
	for (unsigned state = 0; state < WM_JOB_STATES; state++)
		json_object_set_new(object, wm_job_state_name(state),
				    wm_json_number(counts[state]));
	return object;
}

static uint64_t pinned_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	uint64_t kilobytes = 0;
	char line[256];

	/* What io_uring pins counts there; hugepages count nowhere else. */
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "VmPin: %" SCNu64, &kilobytes) == 1)
			break;
	}
	if (file)
		fclose(file);
	return kilobytes * 1024;
}

/* Control frames that had no effect, by reason. */
static json_t *control_object(const struct wm_membership *membership)
{
	return json_pack("{s:b, s:o, s:o, s:o, s:o}", "authenticated", membership->key != NULL,
			 "ignored", wm_json_number(membership->ignored), "forged",
			 wm_json_number(membership->counts.forged), "replayed",
			 wm_json_number(membership->counts.replayed), "unkeyed",
			 wm_json_number(membership->counts.unkeyed));
}

static json_t *stats(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_controller *controller = context;
	uint64_t up_ns = wm_clock_ns() - controller->start_ns;
	json_t *object;

	if (wm_rpc_params_unpack(params, NULL, 0, code, error) < 0)
		return NULL;
	object = json_object();
	json_object_set_new(object, "version", json_string(WM_VERSION));
	json_object_set_new(object, "uptime_seconds", json_real((double)up_ns / WM_NS_PER_S));
	json_object_set_new(object, "nodes",
			    wm_json_number(wm_membership_count_in(controller->membership)));
	json_object_set_new(object, "jobs", jobs_object(controller->jobs));
	json_object_set_new(object, "control", control_object(controller->membership));
	json_object_set_new(object, "lanes", lanes_array(controller));
	json_object_set_new(object, "memory",
			    pair("hugepage_bytes", (uint64_t)controller->hugepages << 21,
				 "pinned_bytes", pinned_bytes()));
	return object;
}

const struct wm_rpc_method wm_methods_stats[] = {
	{ .name = "stats", .call = stats },
	{ 0 },
};
