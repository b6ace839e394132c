/* SPDX-License-Identifier: BSD-3-Clause */
/* What membership.c (who is in) and membership_path.c (what passes to them) share. */
#ifndef WM_MEMBERSHIP_PRIVATE_H
#define WM_MEMBERSHIP_PRIVATE_H

#include "membership.h"

void membership_tell(struct wm_membership *membership, const struct wm_member *member,
		     enum wm_member_change change);
/* Asks a node that could take part in the running job. */
void membership_ask_if_fit(struct wm_membership *membership, struct wm_member *member,
			   uint64_t now_ns);
/* Sends what is due to find its path. */
void membership_path_tick(struct wm_membership *membership, struct wm_member *member,
			  uint64_t now_ns);

#endif
