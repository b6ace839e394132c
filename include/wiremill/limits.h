/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every size that is fixed at start, as a sum of its consumers. A 12 TB job uses
 * what a 12 GB job does.
 */
#ifndef WIREMILL_LIMITS_H
#define WIREMILL_LIMITS_H

/* ---- the rack ----------------------------------------------------------- */

/* Nodes of one controller. Twelve are the rack; the rest is room to grow. */
#define WM_NODES_MAX 1024u
/* The range of MTU: what carries the largest control message, to the largest
 * jumbo frame that a veth, sky2 and the usual 10 GbE cards share. */
#define WM_MTU_MIN 1280u
#define WM_MTU_MAX 9000u

/* ---- jobs --------------------------------------------------------------- */

/* Jobs that run at once: what a stream, a store, an executor, a worker, an agent and membership
 * have of each is an entry in a table. One, since nothing says yet which of several may send to a
 * node now; where a table relies on it, an assertion says by what. */
#define WM_RUNNING_JOBS_MAX 1u

/* ---- kernels ------------------------------------------------------------ */

/* Kernels in the library: one for each of 512 jobs that are queued (WM_JOBS_QUEUED_MAX) and of
 * 512 that ended and may be resumed (WM_JOBS_ENDED_MAX). In memory each is an entry of 112
 * bytes. */
#define WM_KERNELS_MAX 1024u
/* Their objects on disk, which are read through at start: 64 KiB for each. A usual one, source
 * and code, has 5 to 30 KiB, the largest 8 MiB (WM_KERNEL_OBJECT_BYTES_MAX). */
#define WM_KERNELS_BYTES_MAX (64u * 1024u * 1024u)
/* Sources that are compiled at once, of all clients: each takes a processor for up to 20 s and
 * up to 1 GiB (gpu/compiler/compiler.h). Who finds no place asks again. */
#define WM_KERNELS_COMPILING_MAX 2u

/* Objects that a node keeps by their hash: those of 64 kernels that take turns. */
#define WM_KERNEL_CACHE_ENTRIES 64u
/* And their bytes: three of the largest object, 8 MiB, so that one stays whatever two others
 * came since; and 8 MiB for usual ones. One more is on its way at most, in memory of its own. */
#define WM_KERNEL_CACHE_BYTES_MAX (32u * 1024u * 1024u)
/* Objects on their way to nodes of a controller at once; others wait for their turn. */
#define WM_KERNEL_TRANSFERS_MAX 8u
/* Chunks on their way to one node at once: a quarter of what a veth queues towards an XDP
 * program (256 frames), of which batches have half (WM_NODE_WINDOW_VETH). Of all transfers they
 * are half of the control frames that wait for a lane (WM_LINK_CONTROL_FRAMES_MAX, 1024). */
#define WM_KERNEL_TRANSFER_CHUNKS 64u

/* ---- batches ------------------------------------------------------------ */

/* Elements of output in one batch at most: the size of the result frame for
 * 32-byte vectors then is a multiple of the page. */
#define WM_BATCH_ELEMENTS_MAX 256u
/* Output of one extent. */
#define WM_EXTENT_BYTES (1024u * 1024u)
/* Its input in memory: with its halo, which fits in a frame (3 pages), and rounded
 * to pages at both ends. */
#define WM_EXTENT_BUFFER_BYTES (WM_EXTENT_BYTES + (3u + 2u) * 4096u)
/* Batches in one extent at most: the smallest batch is one of 256 bytes. */
#define WM_EXTENT_BATCHES_MAX 4096u

/* ---- in flight ---------------------------------------------------------- */

/* Bytes on the wire to and from one node: 1 Gb/s for 4 ms, as below, and what may wait in a
 * queue on the way (--queue-target). */
#define WM_NODE_IN_FLIGHT_BYTES (500000u + 128u * 1024u)
/* Batches in flight to one node at most: those bytes at MTU 1500, 411 frames of 1538, and
 * the power of two above. Jumbo frames are 70. A node says what it holds (port_xsk.h). */
#define WM_NODE_WINDOW_MAX 512u
/* And to one whose interface is a veth: half of the 256 frames that those queue towards an
 * XDP program, since control frames pass there too. */
#define WM_NODE_WINDOW_VETH 128u
/* Bytes on the wire to and from all nodes of a lane: 25 Gb/s for 4 ms, which is twice the
 * round trip of a rack whose GPUs take their time. And the ring of a port that takes them
 * back, of which three quarters are used: what every card has, and the most that the usual
 * ones do, 6144 frames. At MTU 1500 twelve nodes of 1 Gb/s have 12 * 411 = 4932 in flight. A
 * card that grants less is what limits them then: 4096 are 9.4 Gb/s for 4 ms. */
#define WM_LANE_IN_FLIGHT_BYTES 12500000u
#define WM_LANE_RING_FRAMES_MIN 1024u
#define WM_LANE_RING_FRAMES_MAX 8192u
/* Extents of one lane open at once: 16 being read, 16 on the wire, 16 being
 * written. 48 MiB of input buffers. */
#define WM_LANE_EXTENTS_MAX 48u

/* ---- a node's UMEM ------------------------------------------------------ */

/* The chunk AF_XDP accepts, and the room the kernel keeps at its front. */
#define WM_UMEM_CHUNK_BYTES 4096u
#define WM_UMEM_HEADROOM_BYTES 256u
/* Chunks of one frame at most: 9014 = 3840 + 3840 + 1334. */
#define WM_UMEM_FRAME_CHUNKS 3u

/* ---- transfers ---------------------------------------------------------- */

/* An object at most (dataplane/core/transfer.h). Its blocks have numbers of 32 bits, and
 * their bitmap 1 MiB. */
#define WM_OBJECT_BYTES_MAX (1024u * 1024u * 1024u)

/* ---- control ------------------------------------------------------------ */

/* Body of a control frame at most, with the trailer of a key: fits the smallest Ethernet in use.
 * It is what the control frames of a lane's mailboxes, its mbufs and a node's worker have room
 * for, so that CHUNK carries 896 bytes, and 8 MiB are 9363 of them: 0.1 s of 1 Gb/s. */
#define WM_MESSAGE_BYTES_MAX 1024u
/* One line of JSON-RPC, in either direction, at most. */
#define WM_RPC_LINE_BYTES_MAX (1024u * 1024u)
/* Connections to the control socket at once: as many '--wait' as a script may start, where
 * the limit of open files (RLIMIT_NOFILE) leaves WM_RPC_FILES_LEFT for all else. */
#define WM_RPC_CLIENTS_MAX 1024u
#define WM_RPC_FILES_LEFT 128u
/* Lines on their way in and answers on their way out, of all of them. */
#define WM_RPC_MEMORY_BYTES_MAX (64u * 1024u * 1024u)
/* Items of one page of a list, and their bytes as text, so that several pages fit a line. */
#define WM_RPC_PAGE_ITEMS_MAX 128u
#define WM_RPC_PAGE_BYTES_MAX (256u * 1024u)

#endif
