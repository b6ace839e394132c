/* SPDX-License-Identifier: BSD-3-Clause */
#include "rack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "key.h"
#include "log.h"

struct wm_rack {
	struct wm_link *link;
	uint64_t changed_ns;
	uint32_t job; /* that nodes prepare for; 0: none */
	struct wm_membership membership;
};

static void send_control(void *context, const uint8_t mac[WM_ETHER_ADDR_BYTES],
			 const struct wm_wire_header *header, const void *body, size_t body_bytes)
{
	struct wm_rack *rack = context;

	if (!wm_link_send_control(rack->link, mac, header, body, body_bytes))
		wm_log_debug("no room for a control frame");
}

static void member_changed(void *context, uint32_t index, enum wm_member_change change)
{
	struct wm_rack *rack = context;

	(void)index;
	if (change == WM_MEMBER_CHANGE_ADMITTED || change == WM_MEMBER_CHANGE_LEFT)
		rack->changed_ns = wm_clock_ns();
}

struct wm_rack *wm_rack_create(struct wm_link *link, const struct wm_key *key)
{
	struct wm_rack *rack = calloc(1, sizeof(*rack));
	const struct wm_membership_calls calls = { rack, send_control, member_changed,
						   NULL, NULL,	       NULL };

	if (!rack)
		return NULL;
	rack->link = link;
	rack->changed_ns = wm_clock_ns();
	wm_secret_lock(rack, sizeof(*rack));
	wm_membership_init(&rack->membership, &calls, link->port->mac);
	if (key)
		wm_membership_use_key(&rack->membership, key);
	return rack;
}

void wm_rack_destroy(struct wm_rack **out)
{
	struct wm_rack *rack = *out;

	if (!rack)
		return;
	wm_membership_close(&rack->membership, "the traffic generator has ended");
	wm_secret_wipe(rack, sizeof(*rack));
	free(rack);
	*out = NULL;
}

void wm_rack_serve(struct wm_rack *rack)
{
	struct wm_link_control control;
	uint64_t now_ns = wm_clock_ns();

	while (wm_link_receive_control(rack->link, &control))
		wm_membership_receive(&rack->membership, control.source, &control.header,
				      control.body, now_ns);
	wm_membership_tick(&rack->membership, now_ns);
}

uint64_t wm_rack_changed_ns(const struct wm_rack *rack)
{
	return rack->changed_ns;
}

const struct wm_member *wm_rack_find(const struct wm_rack *rack, const char *name)
{
	const struct wm_member *member;

	for (uint32_t i = 0; (member = wm_rack_at(rack, i)); i++) {
		if (strcmp(member->hello.name, name) == 0)
			return member;
	}
	return NULL;
}

const struct wm_member *wm_rack_at(const struct wm_rack *rack, uint32_t place)
{
	for (uint32_t i = 0; i < rack->membership.count; i++) {
		const struct wm_member *member = &rack->membership.members[i];

		if (wm_member_is_in(member) && place-- == 0)
			return member;
	}
	return NULL;
}

void wm_rack_prepare(struct wm_rack *rack, uint32_t job, const struct wm_layout *layout,
		     uint32_t mtu)
{
	wm_membership_job_end(&rack->membership, rack->job);
	rack->job = layout ? job : 0;
	if (layout)
		wm_membership_job_begin(&rack->membership, job, layout, mtu, wm_clock_ns());
}

int wm_rack_is_ready(const struct wm_rack *rack, uint32_t session, struct wm_error *error)
{
	const struct wm_member *member = &rack->membership.members[session % WM_NODES_MAX];

	if (member->session != session || !wm_member_is_in(member))
		return wm_error_set(error, ENODEV, "node %s has left: %s", member->hello.name,
				    member->reason);
	if (member->state == WM_MEMBER_READY)
		return 0;
	if (!wm_membership_has_answered(&rack->membership, member, rack->job))
		return -EAGAIN;
	return wm_error_set(error, ENOEXEC, "node %s: %s", member->hello.name, member->reason);
}
