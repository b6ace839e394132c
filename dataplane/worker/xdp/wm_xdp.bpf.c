/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Takes Wiremill's frames for this host into the AF_XDP socket of their queue;
 * everything else goes on to the kernel untouched.
 *
 * It trims the front of the Ethernet header before it hands a frame over, so
 * that in the UMEM every piece of the payload starts on the boundary that the
 * GPU's loads need (see port_xsk.h). What is trimmed is known anyway: the
 * destination is this host, and a node has one controller, whose address its
 * WELCOME carries.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "trim.h"

#define ETHERTYPE_WIREMILL 0x88B5

struct ethernet {
	__u8 destination[6];
	__u8 source[6];
	__be16 type;
} __attribute__((packed));

/* Set before the program is loaded. */
const volatile __u8 host_address[6];

/* By queue. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, WM_XDP_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

/* Frames of ours that came to a queue that has no socket; the last is all from 63 on. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WM_XDP_QUEUES);
	__type(key, __u32);
	__type(value, __u64);
} unheard SEC(".maps");

static __always_inline void count_unheard(__u32 queue)
{
	__u32 place = queue < WM_XDP_QUEUES ? queue : WM_XDP_QUEUES - 1;
	__u64 *count = bpf_map_lookup_elem(&unheard, &place);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline int is_for_this_host(const struct ethernet *ether)
{
	for (int i = 0; i < 6; i++) {
		if (ether->destination[i] != host_address[i])
			return 0;
	}
	return 1;
}

SEC("xdp.frags")
int wm_xdp(struct xdp_md *context)
{
	const struct ethernet *ether = (const void *)(long)context->data;
	__u32 queue = context->rx_queue_index;

	if ((const void *)(ether + 1) > (const void *)(long)context->data_end)
		return XDP_PASS;
	if (ether->type != bpf_htons(ETHERTYPE_WIREMILL) || !is_for_this_host(ether))
		return XDP_PASS;
	if (!bpf_map_lookup_elem(&sockets, &queue)) {
		count_unheard(queue);
		return XDP_PASS;
	}
	if (bpf_xdp_adjust_head(context, WM_XDP_TRIM_BYTES) != 0)
		return XDP_ABORTED;
	return (int)bpf_redirect_map(&sockets, queue, XDP_DROP);
}

char wm_license[] SEC("license") = "Dual BSD/GPL";
