/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bodies of control frames: MessagePack maps with string keys, the names of the
 * fields below (msgpack-c). Unknown keys are skipped, so that a field can be
 * added; one that was added is left out where it is 0. Another one that is
 * missing, a mistyped one, a string that does not fit, a value out of range or bytes
 * left over refuse the whole message.
 *
 * encode returns the body's length, or 0 if it does not fit (a bug: the largest
 * body is well below WM_MESSAGE_BYTES_MAX, with the trailer of auth.h too). decode returns 0 or
 * -EBADMSG and never reads past body_bytes. Any thread, no state.
 */
#ifndef WM_MESSAGE_H
#define WM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wiremill/kernel.h"
#include "wiremill/kernel_object.h"
#include "wiremill/limits.h"
#include "wiremill/wire.h"

#define WM_NODE_NAME_BYTES 32
#define WM_MESSAGE_TEXT_BYTES 160

/* HELLO: who asks to be let in, and what it obtained. session = job = 0. */
struct wm_hello {
	uint64_t nonce;		       /* new for each start of a node; echoed in WELCOME */
	char name[WM_NODE_NAME_BYTES]; /* host name, or --name; letters, digits, . _ - */
	uint32_t mtu;		       /* of its link */
	uint32_t capacity;	       /* batches it can hold at that MTU, 1 at least */
	char device[96];	       /* GPU */
	char driver[96];
	bool software;	   /* a CPU poses as the GPU */
	char xdp_mode[16]; /* "native", "generic" */
	bool zero_copy;	   /* AF_XDP */
	bool multi_buffer; /* frames may span chunks */
};

/* WELCOME: the header's session is the node's from now on. */
struct wm_welcome {
	uint64_t nonce;				 /* of the HELLO it answers */
	uint64_t controller_nonce;		 /* new for each session; 0 without a key */
	uint8_t controller[WM_ETHER_ADDR_BYTES]; /* MAC address, bin 6 */
	uint32_t beat_ms;			 /* send a BEAT this often */
	uint32_t dead_ms;			 /* silence that ends a session, either side */
	uint32_t frame_auth;			 /* enum wm_wire_auth; may be missing */
};

/* BEAT: totals since the node started. The controller echoes it with an empty
 * body (count 0), so that a node notices that its controller is gone. */
struct wm_beat {
	uint64_t batches;	/* MAP frames accepted */
	uint64_t results;	/* RESULT frames sent */
	uint64_t submissions;	/* to the GPU */
	uint64_t copied_bytes;	/* payload moved by the CPU between UMEM and GPU */
	uint64_t dropped;	/* frames, all reasons */
	uint64_t ring_full;	/* frames lost before the ring, as the kernel counts them */
	uint64_t unheard;	/* frames to queues of its card that it does not listen to */
	uint64_t held;		/* batches in hand, not answered yet; may be missing */
	uint64_t device_losses; /* of the GPU, which was made anew; may be missing */
};

/* How long a node may be at a kernel: its driver is given up then, and ACK says so. The largest
 * kernel that was tried compiled for 20 s, on two cores that others used too. */
#define WM_PREPARE_MAX_NS (60ull * 1000000000ull)

/* KERNEL: prepare for the job in the header. Repeated until its ACK comes. Of a kernel that
 * is not built in, a node that has not its object answers ENODATA, gets it by transfer
 * (dataplane/core/transfer.h), and is asked again. */
struct wm_kernel_message {
	struct wm_kernel kernel; /* its hash may be missing: a built-in one */
	uint32_t batch_elements; /* a full batch */
	uint32_t object_bytes;	 /* 0: a built-in one; may be missing */
};

/* ACK of a KERNEL, same job and transfer id (batch). */
struct wm_ack {
	int32_t status; /* 0, or a positive errno */
	char text[WM_MESSAGE_TEXT_BYTES];
};

/* BYE, DRAIN: why. */
struct wm_bye {
	char text[WM_MESSAGE_TEXT_BYTES];
};

/* Copies `from`, cut to fit, with '?' for what is not printable ASCII: text from
 * a driver or a library into a message. */
void wm_message_text_set(char *text, size_t text_bytes, const char *from);
/* Whether it may stand as a name: 1 .. name_bytes_max - 1 of letters, digits, . _ - */
bool wm_message_name_is_valid(const char *name, size_t name_bytes_max);

size_t wm_message_encode_hello(uint8_t *body, size_t body_bytes_max, const struct wm_hello *hello);
size_t wm_message_encode_welcome(uint8_t *body, size_t body_bytes_max,
				 const struct wm_welcome *welcome);
size_t wm_message_encode_beat(uint8_t *body, size_t body_bytes_max, const struct wm_beat *beat);
size_t wm_message_encode_kernel(uint8_t *body, size_t body_bytes_max,
				const struct wm_kernel_message *kernel);
size_t wm_message_encode_ack(uint8_t *body, size_t body_bytes_max, const struct wm_ack *ack);
size_t wm_message_encode_bye(uint8_t *body, size_t body_bytes_max, const struct wm_bye *bye);

int wm_message_decode_hello(const uint8_t *body, size_t body_bytes, struct wm_hello *hello);
int wm_message_decode_welcome(const uint8_t *body, size_t body_bytes, struct wm_welcome *welcome);
int wm_message_decode_beat(const uint8_t *body, size_t body_bytes, struct wm_beat *beat);
int wm_message_decode_kernel(const uint8_t *body, size_t body_bytes,
			     struct wm_kernel_message *kernel);
int wm_message_decode_ack(const uint8_t *body, size_t body_bytes, struct wm_ack *ack);
int wm_message_decode_bye(const uint8_t *body, size_t body_bytes, struct wm_bye *bye);

#endif
