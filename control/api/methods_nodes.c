/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask of nodes. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "mac.h"
#include "methods.h"
#include "numbers.h"
#include "page.h"
#include "spool.h"

#define BEAT(field) WM_JSON_NUMBER(struct wm_beat, #field, field)

static void describe_flow(json_t *object, struct wm_controller *controller,
			  const struct wm_member *member, uint32_t index)
{
	struct wm_dispatch_node_state flow = { 0 };
	bool running = member->state == WM_MEMBER_READY && controller->jobs->current &&
		       controller->jobs->current->state == WM_JOB_RUNNING;

	if (running)
		wm_lanes_read_node_state(controller->lanes, index, &flow);
	json_object_set_new(
		object, "state",
		json_string(flow.silent ? "silent" : wm_member_state_name(member->state)));
	json_object_set_new(object, "window", wm_json_number(flow.window));
	json_object_set_new(object, "in_flight", wm_json_number(flow.in_flight));
	json_object_set_new(object, "rtt_us", wm_json_number(flow.rtt_ns / WM_NS_PER_US));
	json_object_set_new(object, "batches", wm_json_number(member->results + flow.results));
	json_object_set_new(object, "resends", wm_json_number(member->resends + flow.flow.lost));
}

static void describe_obtained(json_t *object, const struct wm_hello *hello)
{
	json_object_set_new(object, "mtu", wm_json_number(hello->mtu));
	json_object_set_new(object, "capacity", wm_json_number(hello->capacity));
	json_object_set_new(object, "device", json_string(hello->device));
	json_object_set_new(object, "driver", json_string(hello->driver));
	json_object_set_new(object, "software", json_boolean(hello->software));
	json_object_set_new(object, "xdp_mode", json_string(hello->xdp_mode));
	json_object_set_new(object, "zero_copy", json_boolean(hello->zero_copy));
	json_object_set_new(object, "multi_buffer", json_boolean(hello->multi_buffer));
}

/* What the node counts itself. */
static const struct wm_json_field beat_numbers[] = {
	BEAT(results),	 BEAT(submissions),   BEAT(copied_bytes), BEAT(dropped),
	BEAT(ring_full), BEAT(device_losses), BEAT(unheard),
};

static json_t *node_object(struct wm_controller *controller, uint32_t index)
{
	const struct wm_member *member = &controller->membership->members[index];
	json_t *object = json_object();
	char mac[WM_MAC_TEXT_BYTES];

	wm_mac_format(mac, member->mac);
	json_object_set_new(object, "name", json_string(member->hello.name));
	json_object_set_new(object, "mac", json_string(mac));
	json_object_set_new(object, "lane", wm_json_number(controller->lanes->of_node[index]));
	json_object_set_new(object, "reason", wm_json_text(member->reason));
	json_object_set_new(object, "path_mtu", wm_json_number(member->path.mtu));
	json_object_set_new(object, "path_narrow", json_boolean(wm_member_path_is_narrow(member)));
	json_object_set_new(object, "beat_age_ms",
			    wm_json_number((wm_clock_ns() - member->received_ns) / WM_NS_PER_MS));
	describe_flow(object, controller, member, index);
	describe_obtained(object, &member->hello);
	wm_json_put(object, beat_numbers, WM_ARRAY_COUNT(beat_numbers), &member->beat);
	return object;
}

static json_t *node_list(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_controller *controller = context;
	uint64_t after = 0, limit = 0;
	const struct wm_rpc_param expected[] = {
		{ "after", WM_RPC_NUMBER, 1, &after },
		{ "limit", WM_RPC_NUMBER, 1, &limit },
	};
	struct wm_page page;

	if (wm_rpc_params_unpack(params, expected, WM_ARRAY_COUNT(expected), code, error) < 0)
		return NULL;
	wm_page_init(&page, limit);
	/* Their numbers are their places, from 1. */
	for (uint64_t i = after; i < controller->membership->count; i++) {
		if (controller->membership->members[i].state == WM_MEMBER_UNKNOWN)
			continue;
		if (!wm_page_has_room(&page))
			break;
		wm_page_add(&page, i + 1, node_object(controller, (uint32_t)i));
	}
	return wm_page_fini(&page, "nodes");
}

static bool is_called(const struct wm_member *member, const char *name)
{
	char mac[WM_MAC_TEXT_BYTES];

	wm_mac_format(mac, member->mac);
	return member->state != WM_MEMBER_UNKNOWN &&
	       (strcmp(member->hello.name, name) == 0 || strcmp(mac, name) == 0);
}

/* The one in quarantine that is called so; names need not differ, MACs do. */
static const struct wm_member *find_quarantined(const struct wm_membership *membership,
						const char *name, struct wm_error *error)
{
	const struct wm_member *called = NULL, *found = NULL;
	uint32_t count = 0;

	for (uint32_t i = 0; i < membership->count; i++) {
		if (!is_called(&membership->members[i], name))
			continue;
		called = &membership->members[i];
		if (called->state == WM_MEMBER_QUARANTINED)
			found = called, count++;
	}
	if (count == 1)
		return found;
	if (!called)
		wm_error_set(error, ENOENT, "no node '%.64s' here: see 'wiremill node list'", name);
	else if (count == 0)
		wm_error_set(error, EINVAL, "node %.64s is not in quarantine, but %s", name,
			     wm_member_state_name(called->state));
	else
		wm_error_set(error, EINVAL,
			     "%" PRIu32 " nodes in quarantine are called %.64s: give a MAC "
			     "address, as 'wiremill node list --json' shows it",
			     count, name);
	return NULL;
}

/* Who is let in now stays so over a restart, or is not let in. */
static int admit(struct wm_controller *controller, uint32_t index, struct wm_error *error)
{
	const struct wm_member was = controller->membership->members[index];
	struct wm_error reason = { "" };
	int ret;

	wm_membership_admit(controller->membership, index);
	ret = wm_spool_save(controller->jobs, &reason);
	if (ret == 0)
		return 0;
	controller->membership->members[index] = was;
	return wm_error_set(error, -ret,
			    "node %.64s stays in quarantine, since that it is trusted again cannot "
			    "be saved: %.300s",
			    was.hello.name, reason.text);
}

static json_t *node_admit(void *context, const json_t *params, int *code, struct wm_error *error)
{
	struct wm_controller *controller = context;
	const char *name = NULL;
	const struct wm_rpc_param expected[] = { { "name", WM_RPC_STRING, 0, &name } };
	const struct wm_member *member;
	uint32_t index;

	if (wm_rpc_params_unpack(params, expected, 1, code, error) < 0)
		return NULL;
	member = find_quarantined(controller->membership, name, error);
	if (!member)
		return NULL;
	index = (uint32_t)(member - controller->membership->members);
	return admit(controller, index, error) < 0 ? NULL : node_object(controller, index);
}

const struct wm_rpc_method wm_methods_nodes[] = {
	{ .name = "node.list", .call = node_list },
	{ .name = "node.admit", .call = node_admit },
	{ 0 },
};
