/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The nodes behind the port: the generator admits them as a controller does
 * (membership.h), keeps them while it measures, and lets them go.
 *
 * On the control thread, which calls wm_rack_serve every few milliseconds.
 */
#ifndef WM_GEN_RACK_H
#define WM_GEN_RACK_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"
#include "membership.h"
#include "traffic.h"

struct wm_rack;

/* link: the engine's. key NULL: a rack without one. Both outlive the rack. */
struct wm_rack *wm_rack_create(struct wm_link *link, const struct wm_key *key);
/* Says BYE to every node. Leaves NULL. */
void wm_rack_destroy(struct wm_rack **rack);

/* Takes what came, and keeps sessions alive. */
void wm_rack_serve(struct wm_rack *rack);

/* When a node last came or left (CLOCK_MONOTONIC). */
uint64_t wm_rack_changed_ns(const struct wm_rack *rack);
/* The node of that name, if it is in. */
const struct wm_member *wm_rack_find(const struct wm_rack *rack, const char *name);
/* Node number `place` of those that are in; NULL past the last. */
const struct wm_member *wm_rack_at(const struct wm_rack *rack, uint32_t place);

/*
 * Asks the nodes to prepare for batches of that layout, in frames of that MTU, as the job
 * of that number; it ends with another one, or with layout NULL.
 */
void wm_rack_prepare(struct wm_rack *rack, uint32_t job, const struct wm_layout *layout,
		     uint32_t mtu);
/* Whether the node of that session is ready; -EAGAIN: it has not answered yet; -ENOEXEC:
 * it cannot, which the error explains; -ENODEV: it has left. */
int wm_rack_is_ready(const struct wm_rack *rack, uint32_t session, struct wm_error *error);

#endif
