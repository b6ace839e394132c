/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a frame. A CRC is seldom found by chance, so each input is tried
 * as it is, and once more with its CRC put right. What is accepted must be the
 * same frame when it is encoded again.
 */
#include <stdlib.h>
#include <string.h>

#include "frame.h"

#define FRAME_BYTES_MAX 9014

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const uint8_t *frame, size_t size)
{
	const struct wm_ether_header *ether = (const struct wm_ether_header *)frame;
	uint8_t again[FRAME_BYTES_MAX];
	struct wm_wire_header header;
	const uint8_t *body;
	size_t used, bytes;

	if (wm_frame_decode_control(frame, size, &header, &body) != WM_DROP_NONE)
		return;
	used = WM_FRAME_HEADER_BYTES + header.count;
	if (used > size || body != frame + WM_FRAME_HEADER_BYTES)
		abort();
	bytes = wm_frame_encode_control(again, sizeof(again), ether->destination, ether->source,
					&header, body, header.count);
	/* A short frame may come with less padding than it leaves with. */
	if (bytes != (used < WM_FRAME_BYTES_MIN ? WM_FRAME_BYTES_MIN : used) || size > bytes)
		abort();
	/* But for the EtherType, which the decoder leaves to the NIC, and padding. */
	if (memcmp(again, frame, 12) != 0 || memcmp(again + 14, frame + 14, used - 14) != 0)
		abort();
}

/* The checks that a MAP or RESULT frame goes through. */
static void check_batch(const uint8_t *frame, size_t size)
{
	const struct wm_kernel *kernel = wm_kernel_find("xor");
	struct wm_wire_header header;
	uint32_t bytes;

	if (size < WM_FRAME_HEADER_BYTES)
		return;
	memcpy(&header, frame + WM_ETHER_HEADER_BYTES, sizeof(header));
	if (wm_frame_check_header(&header, size) != WM_DROP_NONE)
		return;
	bytes = wm_frame_map_bytes(kernel, header.count);
	if (wm_frame_check_length(size, bytes) == WM_DROP_NONE)
		(void)wm_frame_check_crc(&header, frame + WM_FRAME_HEADER_BYTES, bytes);
}

static void mend_crc(uint8_t *frame, size_t size)
{
	struct wm_wire_header header;
	size_t payload = size - WM_FRAME_HEADER_BYTES;

	memcpy(&header, frame + WM_ETHER_HEADER_BYTES, sizeof(header));
	if (payload > header.count)
		payload = header.count;
	header.crc32c =
		wm_frame_crc_add(wm_frame_crc(&header), frame + WM_FRAME_HEADER_BYTES, payload);
	memcpy(frame + WM_ETHER_HEADER_BYTES, &header, sizeof(header));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *frame;

	if (size > FRAME_BYTES_MAX)
		return 0;
	decode(data, size);
	check_batch(data, size);
	if (size < WM_FRAME_HEADER_BYTES)
		return 0;

	/* On the heap, so that ASan sees a read past its end. */
	frame = malloc(size);
	if (!frame)
		abort();
	memcpy(frame, data, size);
	mend_crc(frame, size);
	decode(frame, size);
	free(frame);
	return 0;
}
