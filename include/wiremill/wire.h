/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wire format: the only truth about what a Wiremill frame looks like.
 *
 * A frame is Ethernet II with EtherType 0x88B5 (IEEE 802 Local Experimental
 * EtherType 1, RFC 9542 section 3), a header of 28 bytes, and a payload.
 * Everything is little-endian. 28 bytes, so that 46 vectors of 32 bytes fill
 * an MTU of 1500 exactly.
 *
 *       0        1        2        3        4        5        6        7
 *  +--------+--------+-----------------+-----------------------------------+
 *  |version |   op   |      count      |              session              |  0
 *  +--------+--------+-----------------+-----------------------------------+
 *  |                                 batch                                 |  8
 *  +-----------------------------------+-----------------------------------+
 *  |                job                |             sequence              | 16
 *  +-----------------------------------+-----------------------------------+
 *  |              crc32c               |  payload ...                        24
 *  +-----------------------------------+
 *
 * count    MAP, RESULT: elements of output in this batch. A RESULT of 0: the node
 *          could not compute it; batch, job and sequence say which.
 *          Any other op: bytes of the body.
 * session  the token a node got in its WELCOME; 0 in HELLO.
 * batch    index of the batch in the job; control ops: transfer id.
 * sequence the sender's, echoed in the result. The controller counts the
 *          batches it sends to a node in it (see dataplane/core/flow.h).
 * crc32c   CRC32C (RFC 3720 appendix B.4) of these 28 bytes with crc32c = 0,
 *          followed by the payload: it binds a payload to its place.
 *
 * The length of the payload follows from op and count (and, for MAP and RESULT,
 * the kernel of the job), never from the frame: a switch may pad a frame to 60
 * bytes. A frame with a wrong version, session, length or CRC is counted by
 * reason and dropped; nothing else happens.
 *
 * A CRC can be made by anybody. A rack that its controller runs with `aead` has a
 * tag behind the payload of every MAP and RESULT, by a key of the session alone
 * (control/session/auth.h). It authenticates; it hides nothing:
 *
 *   +--------+----------------------------+-----------+
 *   | header | payload                    | u8[16] tag|  then padding, if any
 *   +--------+----------------------------+-----------+
 *
 *   nonce  = op | count | batch | job | sequence | inner | 0  1 2 8 4 4 4 1 bytes
 *   inner  = CRC32C(header with crc32c = 0, payload)
 *   tag    = Poly1305(first 32 bytes of XChaCha20(session's frame key, nonce);
 *                     header with crc32c = 0, payload)
 *   crc32c = CRC32C(header with crc32c = 0, payload, tag)
 *
 * crc32c covers the tag too, so that damage is told from forgery.
 *
 * CHUNK and CHUNK_ACK carry an object from one station to another
 * (dataplane/core/transfer.h). They are control frames: `count` is of the whole body,
 * with its trailer where there is a key, `job` is 0, and `batch` is the id of the
 * transfer, which follows from the object's hash and the session. `sequence` counts
 * the sender's chunks; an ack echoes that of the chunk which it answers.
 *
 * CHUNK. The data begin at a multiple of WM_CHUNK_BLOCK_BYTES, and are a multiple of
 * them or reach the object's end. No data: what is there already?
 *
 *       0        1        2        3        4        5        6        7
 *  +-----------------------------------------------------------------------+
 *  |                             object_bytes                              |  0
 *  +-----------------------------------------------------------------------+
 *  |                                offset                                 |  8
 *  +-----------------------------------------------------------------------+
 *  |  data ...                                                               16
 *
 * CHUNK_ACK. All before `received` is there, of which `hashed` went into the hash.
 * Bit i of the bitmap (lowest bit of the first byte first) is the block i after
 * `received`: so bit 0 is never set, and zeros at the end are left out.
 *
 *  +-----------------------------------------------------------------------+
 *  |                               received                                |  0
 *  +-----------------------------------------------------------------------+
 *  |                                hashed                                 |  8
 *  +-----------------------------------+-----------------------------------+
 *  |               life                |              window               | 16
 *  +-----------------+-----------------+-----------------------------------+
 *  |     status      |        0        |  bitmap, up to 512 bytes ...        24
 *  +-----------------+-----------------+
 *
 * life     the receiver's, of its memory for this object: another one has begun anew.
 * window   bytes that may be on their way to it at once.
 * status   0: it goes on; WM_CHUNK_DONE: the object is whole and has its hash; else
 *          the errno for which the receiver has it not.
 */
#ifndef WIREMILL_WIRE_H
#define WIREMILL_WIRE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define WM_ETHERTYPE 0x88B5u
#define WM_WIRE_VERSION 1u

#define WM_ETHER_ADDR_BYTES 6u
#define WM_ETHER_HEADER_BYTES 14u
#define WM_WIRE_HEADER_BYTES 28u
/* Behind the payload of MAP and RESULT, with aead. */
#define WM_WIRE_TAG_BYTES 16u
#define WM_FRAME_HEADER_BYTES (WM_ETHER_HEADER_BYTES + WM_WIRE_HEADER_BYTES)
/* What a switch pads a shorter frame to (IEEE 802.3, without the FCS). */
#define WM_FRAME_BYTES_MIN 60u

enum wm_op {
	WM_OP_MAP = 1,	      /* controller to node: compute this batch */
	WM_OP_RESULT = 2,     /* node to controller: its output */
	WM_OP_ECHO = 3,	      /* answered as it came, before the GPU */
	WM_OP_HELLO = 16,     /* node: let me in (broadcast until answered) */
	WM_OP_WELCOME = 17,   /* controller: you are in, this is your session */
	WM_OP_BEAT = 18,      /* node, each second: alive, and its counters; echoed */
	WM_OP_KERNEL = 19,    /* controller: prepare this kernel for this job */
	WM_OP_ACK = 20,	      /* node: prepared, or why not */
	WM_OP_DRAIN = 21,     /* controller: finish what you have, no more follows */
	WM_OP_BYE = 22,	      /* either side: this session ends now */
	WM_OP_CHUNK = 23,     /* a piece of an object */
	WM_OP_CHUNK_ACK = 24, /* what the other side has of it */
};

/* Of CHUNK and CHUNK_ACK. */
#define WM_CHUNK_BLOCK_BYTES 128u
#define WM_CHUNK_BITMAP_BYTES_MAX 512u
#define WM_CHUNK_DONE 0xffffu
#define WM_CHUNK_PREAMBLE_BYTES 16u
#define WM_CHUNK_ACK_BYTES 28u

/* What MAP and RESULT prove. The controller chooses; WELCOME says it. */
enum wm_wire_auth {
	WM_WIRE_CRC32C = 0, /* that nothing was damaged */
	WM_WIRE_AEAD = 1,   /* that it comes from the session's other end, too */
};

struct wm_ether_header {
	uint8_t destination[WM_ETHER_ADDR_BYTES];
	uint8_t source[WM_ETHER_ADDR_BYTES];
	uint8_t ethertype[2]; /* big-endian, as Ethernet has it */
};

/* As it lies on the wire. Packed, since 14 bytes of Ethernet come before it. */
struct __attribute__((packed)) wm_wire_header {
	uint8_t version;
	uint8_t op;
	uint16_t count;
	uint32_t session;
	uint64_t batch;
	uint32_t job;
	uint32_t sequence;
	uint32_t crc32c;
};

/* In front of a chunk's data. */
struct __attribute__((packed)) wm_wire_chunk {
	uint64_t object_bytes;
	uint64_t offset;
};

/* In front of an ack's bitmap. */
struct __attribute__((packed)) wm_wire_chunk_ack {
	uint64_t received;
	uint64_t hashed;
	uint32_t life;
	uint32_t window;
	uint16_t status;
	uint16_t zero;
};

static_assert(sizeof(struct wm_ether_header) == WM_ETHER_HEADER_BYTES, "Ethernet II");
static_assert(sizeof(struct wm_wire_header) == WM_WIRE_HEADER_BYTES, "header size");
static_assert(offsetof(struct wm_wire_header, version) == 0, "version");
static_assert(offsetof(struct wm_wire_header, op) == 1, "op");
static_assert(offsetof(struct wm_wire_header, count) == 2, "count");
static_assert(offsetof(struct wm_wire_header, session) == 4, "session");
static_assert(offsetof(struct wm_wire_header, batch) == 8, "batch");
static_assert(offsetof(struct wm_wire_header, job) == 16, "job");
static_assert(offsetof(struct wm_wire_header, sequence) == 20, "sequence");
static_assert(offsetof(struct wm_wire_header, crc32c) == 24, "crc32c");
static_assert(sizeof(struct wm_wire_chunk) == WM_CHUNK_PREAMBLE_BYTES, "chunk size");
static_assert(offsetof(struct wm_wire_chunk, offset) == 8, "offset");
static_assert(sizeof(struct wm_wire_chunk_ack) == WM_CHUNK_ACK_BYTES, "ack size");
static_assert(offsetof(struct wm_wire_chunk_ack, hashed) == 8, "hashed");
static_assert(offsetof(struct wm_wire_chunk_ack, life) == 16, "life");
static_assert(offsetof(struct wm_wire_chunk_ack, window) == 20, "window");
static_assert(offsetof(struct wm_wire_chunk_ack, status) == 24, "status");
/* The structs are read and written in place. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a little-endian host");

#endif
