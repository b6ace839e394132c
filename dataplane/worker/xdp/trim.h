/* SPDX-License-Identifier: BSD-3-Clause */
/* What the XDP program and the socket's reader agree on. */
#ifndef WM_XDP_TRIM_H
#define WM_XDP_TRIM_H

/* Bytes taken off the front of a frame: 14 + 28 of headers less these are 32,
 * a whole vector, so that a payload begins on a boundary of 16 bytes where the
 * frame does. Leaves the last two bytes of the source address, and the type. */
#define WM_XDP_TRIM_BYTES 10

/* Queues of a card that are told apart: more than the hardware at hand has. */
#define WM_XDP_QUEUES 64

#endif
