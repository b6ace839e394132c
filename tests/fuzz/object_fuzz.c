/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a kernel object. What is accepted is the same bytes, and the same kernel, when
 * it is encoded again. */
#include <stdlib.h>
#include <string.h>

#include "wiremill/kernel_object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const uint8_t *bytes, size_t size)
{
	struct wm_kernel_object object;
	struct wm_error error = { "" };
	struct wm_kernel kernel;
	uint8_t *again;

	if (wm_kernel_object_decode(&object, bytes, size, &error) < 0)
		return;
	kernel = object.kernel;
	again = malloc(size);
	if (!again || wm_kernel_object_bytes(&object) != size)
		abort();
	wm_kernel_object_encode(again, &object);
	if (memcmp(again, bytes, size) != 0 || !wm_kernel_is_same(&kernel, &object.kernel))
		abort();
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own size, so that a byte read too far is seen. */
	uint8_t *bytes = malloc(size ? size : 1);

	if (!bytes)
		abort();
	memcpy(bytes, data, size);
	decode(bytes, size);
	free(bytes);
	return 0;
}
