/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "wiremill/kernel_object.h"
#include "wiremill/limits.h"

#define MAGIC "WMKERN\0\1"
#define SPIRV_MAGIC 0x07230203u
#define SPIRV_HEADER_BYTES 20u

struct object_header {
	uint8_t magic[8];
	char name[WM_KERNEL_NAME_BYTES];
	uint32_t in_bytes, out_bytes, halo_before, halo_after;
	uint32_t object_bytes;
	uint32_t version;
	uint32_t source_bytes, settings_bytes, code_bytes;
};

static_assert(sizeof(struct object_header) == WM_KERNEL_OBJECT_HEADER_BYTES, "header size");
static_assert(offsetof(struct object_header, name) == 8, "name");
static_assert(offsetof(struct object_header, in_bytes) == 40, "in_bytes");
static_assert(offsetof(struct object_header, object_bytes) == 56, "object_bytes");
static_assert(offsetof(struct object_header, version) == 60, "version");
static_assert(offsetof(struct object_header, source_bytes) == 64, "source_bytes");
static_assert(offsetof(struct object_header, settings_bytes) == 68, "settings_bytes");
static_assert(offsetof(struct object_header, code_bytes) == 72, "code_bytes");
static_assert(crypto_generichash_BYTES == WM_KERNEL_HASH_BYTES, "BLAKE2b-256");

/* ---- hash ------------------------------------------------------------------------- */

void wm_kernel_hash(uint8_t hash[WM_KERNEL_HASH_BYTES], const uint8_t *bytes, size_t bytes_count)
{
	crypto_generichash(hash, WM_KERNEL_HASH_BYTES, bytes, bytes_count, NULL, 0);
}

void wm_kernel_hash_text(char text[WM_KERNEL_HASH_TEXT_BYTES],
			 const uint8_t hash[WM_KERNEL_HASH_BYTES])
{
	sodium_bin2hex(text, WM_KERNEL_HASH_TEXT_BYTES, hash, WM_KERNEL_HASH_BYTES);
}

int wm_kernel_hash_parse(uint8_t hash[WM_KERNEL_HASH_BYTES], const char *text)
{
	size_t bytes = 0;

	if (strlen(text) != WM_KERNEL_HASH_TEXT_BYTES - 1 ||
	    sodium_hex2bin(hash, WM_KERNEL_HASH_BYTES, text, WM_KERNEL_HASH_TEXT_BYTES - 1, NULL,
			   &bytes, NULL) != 0)
		return -EINVAL;
	return bytes == WM_KERNEL_HASH_BYTES ? 0 : -EINVAL;
}

/* ---- object ------------------------------------------------------------------------- */

size_t wm_kernel_object_bytes(const struct wm_kernel_object *object)
{
	size_t left = WM_KERNEL_OBJECT_BYTES_MAX - sizeof(struct object_header);

	if (object->code_bytes > left)
		return 0;
	left -= object->code_bytes;
	if (object->source_bytes > left)
		return 0;
	left -= object->source_bytes;
	if (object->settings_bytes > left)
		return 0;
	return WM_KERNEL_OBJECT_BYTES_MAX - left + object->settings_bytes;
}

static void append(uint8_t **bytes, const void *part, size_t part_bytes)
{
	if (part_bytes > 0)
		memcpy(*bytes, part, part_bytes);
	*bytes += part_bytes;
}

void wm_kernel_object_encode(uint8_t *bytes, struct wm_kernel_object *object)
{
	struct wm_kernel *kernel = &object->kernel;
	size_t count = wm_kernel_object_bytes(object);
	uint8_t *end = bytes;
	struct object_header header = {
		.magic = MAGIC,
		.in_bytes = kernel->in_bytes,
		.out_bytes = kernel->out_bytes,
		.halo_before = kernel->halo_before,
		.halo_after = kernel->halo_after,
		.object_bytes = (uint32_t)count,
		.version = object->version,
		.source_bytes = (uint32_t)object->source_bytes,
		.settings_bytes = (uint32_t)object->settings_bytes,
		.code_bytes = (uint32_t)object->code_bytes,
	};

	assert(count > 0);
	memcpy(header.name, kernel->name, strnlen(kernel->name, sizeof(header.name) - 1));
	append(&end, &header, sizeof(header));
	append(&end, object->code, object->code_bytes);
	append(&end, object->source, object->source_bytes);
	append(&end, object->settings, object->settings_bytes);
	assert(end == bytes + count);
	wm_kernel_hash(kernel->hash, bytes, count);
}

static bool shape_is_sound(const struct object_header *header)
{
	return header->in_bytes >= 1 && header->in_bytes <= WM_MTU_MAX && header->out_bytes >= 1 &&
	       header->out_bytes <= WM_MTU_MAX && header->halo_before <= WM_MTU_MAX &&
	       header->halo_after <= WM_MTU_MAX;
}

static bool name_is_sound(const struct object_header *header)
{
	if (!wm_kernel_name_is_valid(header->name))
		return false;
	for (size_t i = strlen(header->name); i < sizeof(header->name); i++) {
		if (header->name[i] != '\0')
			return false;
	}
	return true;
}

static bool parts_fit(const struct object_header *header, size_t bytes_count)
{
	return header->object_bytes == bytes_count &&
	       (uint64_t)sizeof(*header) + header->code_bytes + header->source_bytes +
			       header->settings_bytes ==
		       bytes_count;
}

static bool is_code(const uint32_t *code, uint32_t code_bytes)
{
	return code_bytes >= SPIRV_HEADER_BYTES && code_bytes % sizeof(*code) == 0 &&
	       code[0] == SPIRV_MAGIC;
}

/* What no object has; NULL: nothing. */
static const char *find_fault(const struct object_header *header, const uint8_t *bytes,
			      size_t count)
{
	if (memcmp(header->magic, MAGIC, sizeof(header->magic)) != 0)
		return "it does not begin as one";
	if (count > WM_KERNEL_OBJECT_BYTES_MAX || !parts_fit(header, count))
		return "its length is not what it says";
	if (!name_is_sound(header))
		return "its name is none";
	if (!shape_is_sound(header))
		return "no kernel has its shape";
	if (!is_code((const uint32_t *)(const void *)(bytes + sizeof(*header)), header->code_bytes))
		return "its code is not SPIR-V";
	return NULL;
}

int wm_kernel_object_decode(struct wm_kernel_object *object, const uint8_t *bytes,
			    size_t bytes_count, struct wm_error *error)
{
	struct object_header header;
	const char *fault = "it is too short";

	assert((uintptr_t)bytes % sizeof(uint32_t) == 0);
	if (bytes_count >= sizeof(header)) {
		memcpy(&header, bytes, sizeof(header));
		fault = find_fault(&header, bytes, bytes_count);
	}
	if (fault)
		return wm_error_set(error, EBADMSG, "not a kernel object: %s", fault);
	*object = (struct wm_kernel_object){
		.kernel = { .in_bytes = header.in_bytes,
			    .out_bytes = header.out_bytes,
			    .halo_before = header.halo_before,
			    .halo_after = header.halo_after },
		.version = header.version,
		.code = (const uint32_t *)(const void *)(bytes + sizeof(header)),
		.code_bytes = header.code_bytes,
		.source = (const char *)bytes + sizeof(header) + header.code_bytes,
		.source_bytes = header.source_bytes,
		.settings_bytes = header.settings_bytes,
	};
	object->settings = object->source + object->source_bytes;
	memcpy(object->kernel.name, header.name, sizeof(header.name));
	wm_kernel_hash(object->kernel.hash, bytes, bytes_count);
	return 0;
}
