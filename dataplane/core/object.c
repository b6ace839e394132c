/* SPDX-License-Identifier: BSD-3-Clause */
#include "object.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/* What an id is the hash of: little-endian, no padding. */
struct __attribute__((packed)) object_id_bytes {
	char label[8];
	uint8_t hash[WM_OBJECT_HASH_BYTES];
	uint64_t bytes;
	uint32_t session;
};

static_assert(sizeof(struct object_id_bytes) == 8 + 32 + 8 + 4, "no padding");
static_assert(WM_OBJECT_HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");

void wm_object_name(struct wm_object *object, const void *memory, uint64_t bytes)
{
	object->bytes = bytes;
	crypto_generichash(object->hash, sizeof(object->hash), memory, bytes, NULL, 0);
}

uint64_t wm_object_transfer_id(const struct wm_object *object, uint32_t session)
{
	struct object_id_bytes bytes = {
		.label = { 'w', 'm', '-', 'o', 'b', 'j', '-', '1' },
		.bytes = object->bytes,
		.session = session,
	};
	uint8_t hash[crypto_generichash_BYTES_MIN];
	uint64_t id;

	memcpy(bytes.hash, object->hash, sizeof(bytes.hash));
	crypto_generichash(hash, sizeof(hash), (const uint8_t *)&bytes, sizeof(bytes), NULL, 0);
	memcpy(&id, hash, sizeof(id));
	return id;
}
