/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a course gets its extents from, and whom it tells: the leader, which is its own
 * in lane 0, and which the other lanes follow by messages (leader.h). */
#include "course_private.h"

#include <assert.h>

/* Written extents that wait for the journal, and need no slot: of what progress takes
 * at once the lanes share the rest. */
#define WAITING 24u

static void tell(struct wm_course *course, uint32_t lane, const struct wm_leader_message *message)
{
	course->config.calls.tell(course->config.context, lane, message);
}

static void send_to_leader(struct wm_course *course, const struct wm_leader_message *message)
{
	tell(course, 0, message);
}

void course_lanes_start(struct wm_course *course)
{
	uint32_t slots = course->config.dispatch.extents_max;
	uint32_t share = (WM_PROGRESS_BACKLOG_MAX - WAITING) / course->config.lanes;

	course->attended = course->config.lanes == 1;
	course->slots_used_max = share < slots ? share : slots;
	wm_readahead_init(&course->readahead, course->slots_used_max);
	course->follower = (struct follower){ 0 };
	if (course_leads(course))
		wm_leader_start(&course->leader, course->job);
}

/* ---- extents ----------------------------------------------------------------------- */

bool course_extent_open(struct wm_course *course, uint64_t *extent)
{
	struct follower *follower = &course->follower;

	if (course_leads(course))
		return wm_leader_open(&course->leader, extent);
	if (follower->count == 0)
		return false;
	/* Oldest first: the order of opening is that of the disk. */
	*extent = follower->extents[0];
	follower->count--;
	for (uint32_t i = 0; i < follower->count; i++)
		follower->extents[i] = follower->extents[i + 1];
	return true;
}

void course_extent_return(struct wm_course *course, uint64_t extent)
{
	if (course_leads(course))
		wm_leader_reopen(&course->leader, extent);
	else
		send_to_leader(course, &(struct wm_leader_message){ .op = WM_LEADER_RETURNED,
								    .extent = extent });
}

void course_extent_written(struct wm_course *course, const struct wm_progress_extent *extent,
			   uint64_t now_ns)
{
	if (course_leads(course))
		wm_leader_written(&course->leader, extent, now_ns);
	else
		send_to_leader(course, &(struct wm_leader_message){ .op = WM_LEADER_WRITTEN,
								    .extent = extent->extent,
								    .nodes = extent->nodes,
								    .crc32c = extent->crc32c });
}

/* Who follows has asked for more and has nothing: what it waits for may never come. */
bool course_is_draining(const struct wm_course *course)
{
	if (course_leads(course))
		return !wm_leader_has_more(&course->leader);
	return course->follower.count == 0 && course->follower.asked > 0;
}

/* ---- what concerns all ---------------------------------------------------------------- */

static void send_invalidation(struct wm_course *course, uint32_t node, uint64_t bit,
			      uint32_t but_lane)
{
	for (uint32_t lane = 1; lane < course->config.lanes; lane++) {
		if (lane == but_lane || course->leader.followers[lane].stopped)
			continue;
		wm_leader_invalidation_sent(&course->leader, lane, bit);
		tell(course, lane,
		     &(struct wm_leader_message){
			     .op = WM_LEADER_INVALIDATE, .node = node, .nodes = bit });
	}
}

void course_tell_wrong(struct wm_course *course, uint32_t node, uint64_t bit)
{
	if (course_leads(course)) {
		wm_leader_quarantine(&course->leader, bit);
		send_invalidation(course, node, bit, 0);
		return;
	}
	send_to_leader(course, &(struct wm_leader_message){
				       .op = WM_LEADER_WRONG, .node = node, .nodes = bit });
}

void course_tell_failed(struct wm_course *course)
{
	const struct wm_lane_event *ending = &course->ending;

	if (!course_leads(course))
		send_to_leader(course,
			       &(struct wm_leader_message){ .op = WM_LEADER_FAILED,
							    .extent = ending->extent,
							    .result = ending->result,
							    .failed_op = ending->failed_op });
}

void course_tell_ended(struct wm_course *course)
{
	if (course_leads(course))
		course->config.calls.raise(course->config.context, &course->ending);
	else
		send_to_leader(course, &(struct wm_leader_message){ .op = WM_LEADER_ENDED });
}

/* ---- the leader listens ------------------------------------------------------------------- */

static void leader_receive(struct wm_course *course, uint32_t lane,
			   const struct wm_leader_message *message, uint64_t now_ns)
{
	switch (message->op) {
	case WM_LEADER_WRONG:
		course_invalidate_node(course, message->node, message->nodes);
		wm_leader_quarantine(&course->leader, message->nodes);
		send_invalidation(course, message->node, message->nodes, lane);
		break;
	case WM_LEADER_FAILED:
		course_stop(course, message->result, message->failed_op, message->extent);
		break;
	default:
		wm_leader_receive(&course->leader, lane, message, now_ns);
	}
}

static void leader_grant(struct wm_course *course, uint32_t lane)
{
	struct wm_leader_message message = { .op = WM_LEADER_EXTENT };

	while (wm_leader_grant(&course->leader, lane, &message.extent))
		tell(course, lane, &message);
}

static void leader_stop(struct wm_course *course, uint32_t lane)
{
	struct wm_follower *follower = &course->leader.followers[lane];

	if (follower->stopped)
		return;
	follower->stopped = true;
	tell(course, lane, &(struct wm_leader_message){ .op = WM_LEADER_STOP });
}

static void leader_exchange(struct wm_course *course, uint64_t now_ns)
{
	struct wm_leader_message message;

	for (uint32_t lane = 1; lane < course->config.lanes; lane++) {
		/* What it says after its last message is of the next job. */
		while (!course->leader.followers[lane].ended &&
		       course->config.calls.hear(course->config.context, lane, &message))
			leader_receive(course, lane, &message, now_ns);
		if (course->state == WM_COURSE_RUNNING)
			leader_grant(course, lane);
		else
			leader_stop(course, lane);
	}
}

/* ---- who follows listens -------------------------------------------------------------- */

static void follower_receive(struct wm_course *course, const struct wm_leader_message *message)
{
	struct follower *follower = &course->follower;

	switch (message->op) {
	case WM_LEADER_EXTENT:
		assert(follower->asked > 0 && follower->count < WM_LANE_EXTENTS_MAX);
		follower->asked--;
		follower->extents[follower->count++] = message->extent;
		break;
	case WM_LEADER_INVALIDATE:
		course_invalidate_node(course, message->node, message->nodes);
		send_to_leader(course, &(struct wm_leader_message){ .op = WM_LEADER_INVALIDATED });
		break;
	case WM_LEADER_STOP:
		follower->stopped = true;
		course_stop(course, 0, 0, 0);
		break;
	default:
		assert(!"a message that no lead sends");
	}
}

static uint32_t difference(uint32_t whole, uint32_t part)
{
	return part < whole ? whole - part : 0;
}

/* For the slots of its share that are free and not spoken for, and no more than it reads
 * ahead: the rest may be for others. */
static void follower_ask(struct wm_course *course)
{
	struct follower *follower = &course->follower;
	uint32_t used = course->config.dispatch.extents_max - course->slots_free;
	uint32_t coming = follower->count + follower->asked;
	uint32_t room = difference(course->slots_used_max, used + coming);
	uint32_t ahead =
		difference(wm_readahead_depth(&course->readahead), course->slots_ahead + coming);
	struct wm_leader_message message = { .op = WM_LEADER_WANT };

	message.count = room < ahead ? room : ahead;
	if (!course->attended || message.count == 0)
		return;
	follower->asked += message.count;
	send_to_leader(course, &message);
}

static void follower_exchange(struct wm_course *course)
{
	struct wm_leader_message message;

	while (!course->follower.stopped &&
	       course->config.calls.hear(course->config.context, 0, &message))
		follower_receive(course, &message);
	if (course->state == WM_COURSE_RUNNING)
		follower_ask(course);
}

void course_exchange(struct wm_course *course, uint64_t now_ns)
{
	if (course_leads(course))
		leader_exchange(course, now_ns);
	else
		follower_exchange(course);
}

bool wm_course_can_end(const struct wm_course *course)
{
	if (course->state != WM_COURSE_STOPPING)
		return false;
	if (!course_leads(course))
		return course->follower.stopped;
	for (uint32_t lane = 1; lane < course->config.lanes; lane++) {
		if (!course->leader.followers[lane].ended)
			return false;
	}
	return true;
}

/* ---- nodes ------------------------------------------------------------------------------ */

/* No node answers here: another lane may make what this one has. */
static void give_back(struct wm_course *course)
{
	uint64_t extent;

	wm_dispatch_extents_close(course->dispatch);
	course_audit_clear(course);
	for (uint32_t i = 0; i < course->config.dispatch.extents_max; i++) {
		struct slot *slot = &course->slots[i];

		if (slot->state != SLOT_OPEN)
			continue;
		course_extent_return(course, slot->extent);
		course_slot_release(course, slot);
	}
	while (!course_leads(course) && course_extent_open(course, &extent))
		course_extent_return(course, extent);
}

void course_attend(struct wm_course *course)
{
	if (course->config.lanes == 1)
		return;
	course->attended = wm_dispatch_nodes_alive(course->dispatch) > 0;
	if (!course->attended)
		give_back(course);
}
