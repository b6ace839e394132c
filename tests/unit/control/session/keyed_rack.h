/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KEYED_RACK_H
#define KEYED_RACK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent.h"
#include "clock.h"
#include "harness.h"
#include "membership.h"

#define NODES 3u
#define FRAMES_MAX 20000u
#define JOB 9u

extern const uint8_t controller[WM_ETHER_ADDR_BYTES];
extern const struct wm_key cluster_key;
extern const struct wm_key other_key;
extern const struct wm_layout layout;

struct frame {
	bool up; /* to the controller */
	uint8_t node[WM_ETHER_ADDR_BYTES];
	struct wm_wire_header header;
	uint8_t body[WM_MESSAGE_BYTES_MAX];
};

struct rack;

struct node {
	struct rack *rack;
	struct wm_agent agent;
	struct wm_kernel_cache kernels;
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	unsigned prepared, sessions;
	unsigned with_object; /* so often it was prepared with one */
	const uint8_t *frame_key;
};

struct rack {
	struct wm_membership membership;
	struct node nodes[NODES];
	uint64_t now_ns;
	unsigned told[WM_MEMBER_CHANGE_LEFT + 1];
	/* everything that was ever sent */
	struct frame *frames;
	unsigned sent, delivered;
	uint32_t lost_ops;   /* bit n: frames of op n do not arrive */
	unsigned lose_every; /* one in so many does not arrive; 0: each does */
	/* of the kernel that is not built in */
	const uint8_t *object;
	size_t object_bytes;
};

/* What no frame from outside may change. */
struct memory {
	struct wm_member members[NODES];
	struct node nodes[NODES];
	unsigned told[WM_MEMBER_CHANGE_LEFT + 1];
};

int deliver(struct rack *rack, const struct frame *frame);
/* Each frame once, and what it brings about. A copy: the array grows meanwhile. */
void settle(struct rack *rack);
void controller_start(struct rack *rack, const struct wm_key *key);
void node_start(struct rack *rack, unsigned index, const struct wm_key *key);
/* Nobody has started yet but the controller. */
struct rack *rack_create(const struct wm_key *key);
void rack_destroy(struct rack *rack);
void tick(struct rack *rack);
void pass_ms(struct rack *rack, unsigned ms);
const struct wm_member *member_of(const struct rack *rack, unsigned index);
bool is_joined(const struct rack *rack, unsigned index);
/* All nodes are in, and ready for a job. */
struct rack *rack_at_work(void);
const struct frame *last_of(const struct rack *rack, enum wm_op op, bool up);
uint64_t ignored_by_controller(const struct rack *rack);
void remember(struct memory *memory, const struct rack *rack);
bool is_unchanged(const struct memory *memory, const struct rack *rack);

#endif
