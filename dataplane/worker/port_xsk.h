/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node's port: one AF_XDP socket on queue 0 of an interface, and its memory.
 *
 * The memory (UMEM) is one region that the kernel, this program and the GPU
 * share. Its first half are chunks that frames arrive in, its second half are
 * groups of chunks that frames leave from, each of as many as a frame of the MTU
 * takes, here three:
 *
 *   | rx chunk 0 | 1 | ... 1023 | tx group 0 (3 chunks) | 1 | ... 340 | - |
 *
 * Arriving. The XDP program trims the first 10 bytes of each frame, and the
 * kernel puts the rest 256 bytes into a chunk, goes on 256 bytes into the next:
 *
 *   chunk  256      260             288                              4096
 *   | free | source | wire header   | payload: 3808 bytes = 119 vectors |
 *   | free | payload: 3840 bytes = 120 vectors                          |
 *   | free | payload: the rest                      |
 *
 * So each piece of the payload begins on a multiple of 32 bytes and the GPU
 * works on it where it lies. This holds where the kernel copies the frame into
 * the chunk (copy mode, which is asked for): with zero-copy the card decides.
 * The pieces are described as they came; whoever uses them checks.
 *
 * Leaving. A frame is written at the group's byte 6, so that its payload begins
 * at byte 48, a multiple of 16; it runs on through the group's chunks.
 *
 * Ownership. A frame belongs to the caller from wm_xsk_receive until
 * wm_xsk_recycle, a group from wm_xsk_group_acquire until wm_xsk_send or
 * wm_xsk_group_release. Nothing is allocated after wm_xsk_open. One thread.
 */
#ifndef WM_PORT_XSK_H
#define WM_PORT_XSK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/limits.h"
#include "wiremill/wire.h"
#include "xdp/program.h"
#include "xdp/trim.h"

/* Powers of two; together what may be locked where nobody changed that limit. Arriving: the
 * window at 1500 is WM_NODE_WINDOW_MAX frames of one chunk, and the 70 of 9000 that its sum
 * asks for have 3 each; the other half is for control frames and for batches that were sent
 * twice. Leaving: 1024 groups at 1500, 341 at 9000: the window, and as many to be
 * acknowledged by the kernel or to carry control frames. */
#define WM_XSK_RX_CHUNKS 1024u
#define WM_XSK_TX_CHUNKS 1024u
#define WM_XSK_MEMORY_BYTES ((WM_XSK_RX_CHUNKS + WM_XSK_TX_CHUNKS) * WM_UMEM_CHUNK_BYTES)

/* Within a group. */
#define WM_XSK_GROUP_FRAME 6u
#define WM_XSK_GROUP_HEADER (WM_XSK_GROUP_FRAME + WM_ETHER_HEADER_BYTES)
#define WM_XSK_GROUP_PAYLOAD (WM_XSK_GROUP_FRAME + WM_FRAME_HEADER_BYTES)

/* Where the wire header and the payload begin in a frame's first piece. */
#define WM_XSK_PIECE_HEADER (WM_ETHER_HEADER_BYTES - WM_XDP_TRIM_BYTES)
#define WM_XSK_PIECE_PAYLOAD (WM_FRAME_HEADER_BYTES - WM_XDP_TRIM_BYTES)

struct wm_xsk_config {
	const char *interface;
	enum wm_xdp_mode mode;
};

/* What the system really got. */
struct wm_xsk_obtained {
	bool native;
	bool zero_copy;
	bool multi_buffer; /* frames may span chunks */
	uint32_t mtu;
	unsigned index; /* of the interface */
	uint8_t address[WM_ETHER_ADDR_BYTES];
	uint32_t capacity; /* batches that can be held at once at this MTU */
};

struct wm_xsk_piece {
	uint32_t offset; /* from the region's start */
	uint32_t bytes;
};

/* A frame as it lies in its chunks, without its first WM_XDP_TRIM_BYTES. */
struct wm_xsk_frame {
	struct wm_xsk_piece pieces[WM_UMEM_FRAME_CHUNKS];
	uint32_t count;
	uint32_t bytes; /* as on the wire, with what was trimmed */
};

struct wm_xsk_counters {
	uint64_t frames_received, frames_sent;
	uint64_t oversize;	/* dropped here: more pieces than a frame may have */
	uint64_t kernel_drops;	/* lost before the ring: it, or the free chunks, ran out */
	uint64_t unheard;	/* that came to queues of the card which this port has not */
	uint32_t unheard_queue; /* to which most of them */
};

struct wm_xsk;

int wm_xsk_open(struct wm_xsk **xsk, const struct wm_xsk_config *config, struct wm_error *error);
/* The region goes too: whoever imported it is gone before. Leaves NULL. */
void wm_xsk_close(struct wm_xsk **xsk);

void wm_xsk_get_obtained(const struct wm_xsk *xsk, struct wm_xsk_obtained *obtained);
/* Asks the kernel: not for every frame. */
void wm_xsk_read_counters(const struct wm_xsk *xsk, struct wm_xsk_counters *counters);
uint8_t *wm_xsk_memory(const struct wm_xsk *xsk);
/* Readable when frames wait. */
int wm_xsk_fd(const struct wm_xsk *xsk);

/* The next frame, or false. */
bool wm_xsk_receive(struct wm_xsk *xsk, struct wm_xsk_frame *frame);
void wm_xsk_recycle(struct wm_xsk *xsk, const struct wm_xsk_frame *frame);

uint32_t wm_xsk_groups_free(const struct wm_xsk *xsk);
/* *group is an offset into the region. False: all are in use. */
bool wm_xsk_group_acquire(struct wm_xsk *xsk, uint32_t *group);
void wm_xsk_group_release(struct wm_xsk *xsk, uint32_t group);
/* Queues the frame of frame_bytes that stands at group + WM_XSK_GROUP_FRAME. */
void wm_xsk_send(struct wm_xsk *xsk, uint32_t group, uint32_t frame_bytes);
/* Lets the kernel transmit what is queued and takes back the groups it is done
 * with. Returns 0, -EAGAIN: some of it waits, call again soon, or -ENXIO: the
 * interface is gone, for good. */
int wm_xsk_flush(struct wm_xsk *xsk);

#endif
