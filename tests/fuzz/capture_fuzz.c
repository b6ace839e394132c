/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a capture to replay: what is accepted keeps its bounds, what is not has
 * a reason. */
#include <stdbool.h>
#include <stdlib.h>

#include "capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MTU 1500u
#define BYTES_MAX 65536u

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_capture(const struct wm_capture *capture)
{
	uint64_t offset = 0, time_ns = 0;

	check(capture->frame_count > 0 && capture->backwards < capture->frame_count);
	check(capture->frame_count * sizeof(*capture->frames) + capture->byte_count <= BYTES_MAX);
	for (uint64_t i = 0; i < capture->frame_count; i++) {
		const struct wm_capture_frame *frame = &capture->frames[i];

		check(frame->offset == offset && frame->time_ns >= time_ns);
		check(frame->length >= 14 && frame->length <= MTU + 14);
		offset += frame->length;
		time_ns = frame->time_ns;
	}
	check(offset == capture->byte_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wm_error error = { "" };
	struct wm_capture *capture;
	FILE *stream;

	if (size == 0)
		return 0;
	stream = fmemopen((void *)data, size, "rb");
	check(stream);
	capture = wm_capture_read(stream, "fuzz", MTU, BYTES_MAX, &error);
	if (capture)
		check_capture(capture);
	else
		check(error.text[0] != '\0');
	wm_capture_destroy(&capture);
	return 0;
}
