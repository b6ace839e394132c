/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as the body of one message; built once for each, with
 * -DFUZZED=hello -DFUZZED_STRUCT=wm_hello and so on. What is accepted must
 * come back the same when it is encoded and decoded again.
 */
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define ENCODE PASTE(wm_message_encode_, FUZZED)
#define DECODE PASTE(wm_message_decode_, FUZZED)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t body[WM_MESSAGE_BYTES_MAX];
	struct FUZZED_STRUCT first, second;
	size_t n;

	/* Fields and padding alike, so that memcmp sees the fields only. */
	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	if (DECODE(data, size, &first) < 0)
		return 0;
	n = ENCODE(body, sizeof(body), &first);
	if (n == 0 || DECODE(body, n, &second) < 0 || memcmp(&first, &second, sizeof(first)) != 0)
		abort();
	return 0;
}
