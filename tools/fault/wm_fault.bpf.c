// SPDX-License-Identifier: BSD-3-Clause
/*
 * A bad cable: loses, corrupts and duplicates Wiremill's frames (and only those)
 * on the port of a bridge, in either direction. The three are independent: a copy
 * is made before the original is damaged, so a duplicate arrives intact.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "wm_fault.h"

#define ETHERTYPE 0x88B5
/* Addresses stay as they are: a damaged one would reach another machine, which
 * no cable does. */
#define ADDRESSES_BYTES 12
/* A copy passes the program a second time; this says that it is one. */
#define MARK_COPY 0x776d6670

const volatile struct wm_fault_config config;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wm_fault_counters);
} fault_counters SEC(".maps");

static bool happens(__u64 threshold)
{
	return bpf_get_prandom_u32() < threshold;
}

static bool flip_a_bit(struct __sk_buff *skb)
{
	__u32 random = bpf_get_prandom_u32();
	__u32 offset = ADDRESSES_BYTES + (random >> 3) % (skb->len - ADDRESSES_BYTES);
	__u8 byte;

	if (bpf_skb_load_bytes(skb, offset, &byte, sizeof(byte)))
		return false;
	byte ^= 1 << (random & 7);
	return bpf_skb_store_bytes(skb, offset, &byte, sizeof(byte), 0) == 0;
}

static bool send_a_copy(struct __sk_buff *skb, __u64 direction)
{
	bool sent;

	skb->mark = MARK_COPY;
	sent = bpf_clone_redirect(skb, skb->ifindex, direction) == 0;
	skb->mark = 0;
	return sent;
}

static int damage(struct __sk_buff *skb, __u64 direction)
{
	struct wm_fault_counters *counters;
	__u64 number;
	__u32 key = 0;

	if (skb->protocol != bpf_htons(ETHERTYPE) || skb->len <= ADDRESSES_BYTES)
		return TC_ACT_OK;
	if (skb->mark == MARK_COPY) {
		skb->mark = 0;
		return TC_ACT_OK;
	}
	counters = bpf_map_lookup_elem(&fault_counters, &key);
	if (!counters)
		return TC_ACT_OK;

	number = __sync_fetch_and_add(&counters->frames, 1) + 1;
	if (number < config.first || number > config.last)
		return TC_ACT_OK;
	if (happens(config.loss)) {
		__sync_fetch_and_add(&counters->lost, 1);
		return TC_ACT_SHOT;
	}
	if (happens(config.duplicate) && send_a_copy(skb, direction))
		__sync_fetch_and_add(&counters->duplicated, 1);
	if (happens(config.corrupt) && flip_a_bit(skb))
		__sync_fetch_and_add(&counters->corrupted, 1);
	return TC_ACT_OK;
}

SEC("tc")
int fault_ingress(struct __sk_buff *skb)
{
	return damage(skb, BPF_F_INGRESS);
}

SEC("tc")
int fault_egress(struct __sk_buff *skb)
{
	return damage(skb, 0);
}

char fault_license[] SEC("license") = "Dual BSD/GPL";
