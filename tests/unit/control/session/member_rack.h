/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A membership in virtual time, between a switch and nodes that are played: what it sends and
 * tells is kept, what nodes say is made up, and ECHO frames come back as far as the switch
 * passes them.
 */
#ifndef MEMBER_RACK_H
#define MEMBER_RACK_H

#include "membership.h"

#define SENT_MAX 4096
#define JOB 9u

struct frame {
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	struct wm_wire_header header;
	uint8_t body[WM_MESSAGE_BYTES_MAX];
};

/* The rack around the membership: what it sent, and what it told. */
struct rack {
	struct wm_membership membership;
	uint64_t now_ns;
	struct frame sent[SENT_MAX];
	unsigned sent_count;
	unsigned told[WM_MEMBER_CHANGE_LEFT + 1];
	uint32_t told_index;
	uint32_t switch_mtu; /* of its ports to nodes; 0: no ECHO passes */
	struct probe {
		uint8_t mac[WM_ETHER_ADDR_BYTES];
		struct wm_wire_header header;
	} probes[WM_PATH_SIZES_MAX * 8];
	unsigned probe_count;
};

struct node {
	uint8_t mac[WM_ETHER_ADDR_BYTES];
	struct wm_hello hello;
	uint32_t session;
	uint64_t question; /* that its ACK answers */
};

extern const struct wm_layout layout;
extern const uint8_t controller[WM_ETHER_ADDR_BYTES];

struct rack *rack_create(void);
void pass_ms(struct rack *rack, uint64_t ms);
const struct frame *last_sent(const struct rack *rack);
unsigned count_sent(const struct rack *rack, enum wm_op op);
struct node node_of(unsigned number);
/* A frame of the node's. */
void give(struct rack *rack, const struct node *node, enum wm_op op, uint32_t job,
	  const uint8_t *body, size_t body_bytes);
void give_hello(struct rack *rack, const struct node *node);
void give_beat(struct rack *rack, const struct node *node);
void give_ack(struct rack *rack, const struct node *node, uint32_t job, int32_t status);
void give_bye(struct rack *rack, const struct node *node);
/* The WELCOME that was sent last; node->session is what it says. */
struct wm_welcome take_welcome(const struct rack *rack, struct node *node);
void take_bye(const struct rack *rack, const struct node *node, const char *words);
struct node node_join(struct rack *rack, unsigned number);
const struct wm_member *member_of(const struct rack *rack, const struct node *node);
void expect_state(const struct rack *rack, const struct node *node, enum wm_member_state state);
uint32_t index_of(const struct rack *rack, const struct node *node);

#endif
