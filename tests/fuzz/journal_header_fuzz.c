/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as the header of a journal or a manifest; built once for each, with
 * -DFUZZED=wm_journal or -DFUZZED=wm_manifest. Each input is tried as it is, and
 * once more with its CRC put right. What is accepted must be the same bytes when
 * it is encoded again, and make sense.
 */
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "wiremill/journal.h"
#include "wiremill/limits.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define ENCODE PASTE(FUZZED, _encode_header)
#define DECODE PASTE(FUZZED, _decode_header)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const uint8_t header[WM_JOURNAL_HEADER_BYTES])
{
	uint8_t again[WM_JOURNAL_HEADER_BYTES];
	struct wm_journal_identity identity;
	uint64_t extents;
	uint32_t random;

	if (DECODE(header, &identity, &random) < 0)
		return;
	ENCODE(again, &identity, random);
	if (memcmp(again, header, sizeof(again)) != 0)
		abort();
	extents = wm_journal_extents(&identity);
	if (extents == 0 || extents - 1 > identity.output_bytes / WM_STORE_ALIGN_BYTES ||
	    strlen(identity.kernel.name) >= WM_KERNEL_NAME_BYTES ||
	    strlen(identity.input_path) >= PATH_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES] = { 0 };
	uint32_t crc32c;

	memcpy(header, data, size < sizeof(header) ? size : sizeof(header));
	decode(header);
	crc32c = wm_crc32c(0, header, sizeof(header) - sizeof(crc32c));
	memcpy(header + sizeof(header) - sizeof(crc32c), &crc32c, sizeof(crc32c));
	decode(header);
	return 0;
}
