/* SPDX-License-Identifier: BSD-3-Clause */
/* The bytes of a journal and of a manifest's header, as drawn in journal.h. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crc32c.h"
#include "wiremill/journal.h"
#include "wiremill/limits.h"
#include "wiremill/side.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the structs are the bytes");

#define FLAG_FORCE 1u
#define FLAG_DROP_TAIL 2u

struct header {
	uint8_t magic[8];
	uint32_t random;
	uint32_t header_bytes;
	uint64_t input_bytes;
	int64_t input_mtime_ns;
	uint32_t input_sample;
	uint32_t flags;
	uint64_t output_bytes;
	uint32_t extent_elements;
	uint32_t in_bytes, out_bytes, halo_before, halo_after;
	char kernel[WM_KERNEL_NAME_BYTES];
	char input_path[PATH_MAX];
	uint32_t audit_ppm;
	uint64_t fail_after_ns;
	uint8_t kernel_hash[WM_KERNEL_HASH_BYTES];
	uint8_t zeroes[3948];
	uint32_t crc32c;
};

static_assert(offsetof(struct header, random) == 8, "layout");
static_assert(offsetof(struct header, header_bytes) == 12, "layout");
static_assert(offsetof(struct header, input_bytes) == 16, "layout");
static_assert(offsetof(struct header, input_mtime_ns) == 24, "layout");
static_assert(offsetof(struct header, input_sample) == 32, "layout");
static_assert(offsetof(struct header, flags) == 36, "layout");
static_assert(offsetof(struct header, output_bytes) == 40, "layout");
static_assert(offsetof(struct header, extent_elements) == 48, "layout");
static_assert(offsetof(struct header, in_bytes) == 52, "layout");
static_assert(offsetof(struct header, out_bytes) == 56, "layout");
static_assert(offsetof(struct header, halo_before) == 60, "layout");
static_assert(offsetof(struct header, halo_after) == 64, "layout");
static_assert(offsetof(struct header, kernel) == 68, "layout");
static_assert(offsetof(struct header, input_path) == 100, "layout");
static_assert(offsetof(struct header, audit_ppm) == 4196, "layout");
static_assert(offsetof(struct header, fail_after_ns) == 4200, "layout");
static_assert(offsetof(struct header, kernel_hash) == 4208, "layout");
static_assert(offsetof(struct header, zeroes) == 4240, "layout");
static_assert(offsetof(struct header, crc32c) == 8188, "layout");
static_assert(sizeof(struct header) == WM_JOURNAL_HEADER_BYTES, "layout");
static_assert(offsetof(struct header, random) == WM_SIDE_MARK_BYTES, "layout");

struct record {
	uint32_t type;
	uint32_t crc32c;
	uint64_t extent;
	uint64_t nodes;
	uint32_t number;
	uint32_t check;
};

static_assert(offsetof(struct record, type) == 0, "layout");
static_assert(offsetof(struct record, crc32c) == 4, "layout");
static_assert(offsetof(struct record, extent) == 8, "layout");
static_assert(offsetof(struct record, nodes) == 16, "layout");
static_assert(offsetof(struct record, number) == 24, "layout");
static_assert(offsetof(struct record, check) == 28, "layout");
static_assert(sizeof(struct record) == WM_JOURNAL_RECORD_BYTES, "layout");

/* The last byte is the version: 1, of a journal that has options 2, and where the kernel is not
 * built in 3. */
#define VERSION_AT 7

/* ---- headers ------------------------------------------------------------ */

static uint32_t header_crc(const struct header *header)
{
	return wm_crc32c(0, header, offsetof(struct header, crc32c));
}

static void encode_options(struct header *header, const struct wm_journal_identity *identity)
{
	if (identity->audit_ppm == 0 && identity->fail_after_ns == 0)
		return;
	header->magic[VERSION_AT] = 2;
	header->audit_ppm = identity->audit_ppm;
	header->fail_after_ns = identity->fail_after_ns;
}

static void encode_hash(struct header *header, const struct wm_kernel *kernel)
{
	if (wm_kernel_is_builtin(kernel))
		return;
	header->magic[VERSION_AT] = 3;
	memcpy(header->kernel_hash, kernel->hash, sizeof(header->kernel_hash));
}

static void encode(uint8_t bytes[WM_JOURNAL_HEADER_BYTES], enum wm_side side,
		   const struct wm_journal_identity *identity, uint32_t random)
{
	struct header header = {
		.random = random,
		.header_bytes = WM_JOURNAL_HEADER_BYTES,
		.input_bytes = identity->input_bytes,
		.input_mtime_ns = identity->input_mtime_ns,
		.input_sample = identity->input_sample,
		.flags = (identity->force ? FLAG_FORCE : 0) |
			 (identity->drop_tail ? FLAG_DROP_TAIL : 0),
		.output_bytes = identity->output_bytes,
		.extent_elements = identity->extent_elements,
		.in_bytes = identity->kernel.in_bytes,
		.out_bytes = identity->kernel.out_bytes,
		.halo_before = identity->kernel.halo_before,
		.halo_after = identity->kernel.halo_after,
	};

	memcpy(header.magic, wm_side_mark(side), sizeof(header.magic));
	if (side == WM_SIDE_JOURNAL)
		encode_options(&header, identity);
	encode_hash(&header, &identity->kernel);
	memcpy(header.kernel, identity->kernel.name,
	       strnlen(identity->kernel.name, WM_KERNEL_NAME_BYTES - 1));
	memcpy(header.input_path, identity->input_path,
	       strnlen(identity->input_path, PATH_MAX - 1));
	header.crc32c = header_crc(&header);
	memcpy(bytes, &header, sizeof(header));
}

static bool kernel_is_sound(const struct wm_kernel *kernel)
{
	return wm_kernel_name_is_valid(kernel->name) && kernel->in_bytes > 0 &&
	       kernel->out_bytes > 0;
}

/* Extents as wm_layout_init cuts them: whole pages, and no larger than a buffer. */
static bool extent_is_sound(const struct wm_journal_identity *identity)
{
	const struct wm_kernel *kernel = &identity->kernel;
	uint64_t out_bytes = (uint64_t)identity->extent_elements * kernel->out_bytes;
	uint64_t in_bytes = (uint64_t)identity->extent_elements * kernel->in_bytes;

	return identity->extent_elements > 0 && out_bytes <= WM_EXTENT_BYTES &&
	       in_bytes <= WM_EXTENT_BYTES && out_bytes % WM_STORE_ALIGN_BYTES == 0;
}

/* The output is as long as that input makes it. */
static bool sizes_are_sound(const struct wm_journal_identity *identity)
{
	const struct wm_kernel *kernel = &identity->kernel;
	uint64_t halo = (uint64_t)kernel->halo_before + kernel->halo_after;
	uint64_t elements = identity->input_bytes / kernel->in_bytes;

	if (elements <= halo || (elements - halo) > UINT64_MAX / 2 / kernel->out_bytes)
		return false;
	if (identity->input_bytes % kernel->in_bytes && !identity->drop_tail)
		return false;
	return identity->output_bytes == (elements - halo) * kernel->out_bytes;
}

static bool identity_is_sound(const struct wm_journal_identity *identity)
{
	return identity->audit_ppm <= 1000000 && identity->fail_after_ns <= INT64_MAX &&
	       identity->input_path[0] && kernel_is_sound(&identity->kernel) &&
	       extent_is_sound(identity) && sizes_are_sound(identity);
}

static int decode(const uint8_t bytes[WM_JOURNAL_HEADER_BYTES], enum wm_side side,
		  struct wm_journal_identity *identity, uint32_t *random)
{
	uint8_t again[WM_JOURNAL_HEADER_BYTES];
	struct header header;

	memcpy(&header, bytes, sizeof(header));
	if (header.crc32c != header_crc(&header))
		return -EBADMSG;
	*random = header.random;
	*identity = (struct wm_journal_identity){
		.input_bytes = header.input_bytes,
		.input_mtime_ns = header.input_mtime_ns,
		.input_sample = header.input_sample,
		.force = header.flags & FLAG_FORCE,
		.drop_tail = header.flags & FLAG_DROP_TAIL,
		.output_bytes = header.output_bytes,
		.extent_elements = header.extent_elements,
		.audit_ppm = header.audit_ppm,
		.fail_after_ns = header.fail_after_ns,
		.kernel = {
			.in_bytes = header.in_bytes,
			.out_bytes = header.out_bytes,
			.halo_before = header.halo_before,
			.halo_after = header.halo_after,
		},
	};
	memcpy(identity->kernel.name, header.kernel, WM_KERNEL_NAME_BYTES - 1);
	memcpy(identity->kernel.hash, header.kernel_hash, WM_KERNEL_HASH_BYTES);
	memcpy(identity->input_path, header.input_path, PATH_MAX - 1);

	/* All else that must hold of the bytes: magic, unknown flags, padding. */
	encode(again, side, identity, header.random);
	if (memcmp(again, bytes, sizeof(again)) != 0)
		return -EBADMSG;
	return identity_is_sound(identity) ? 0 : -EBADMSG;
}

void wm_journal_encode_header(uint8_t header[WM_JOURNAL_HEADER_BYTES],
			      const struct wm_journal_identity *identity, uint32_t random)
{
	encode(header, WM_SIDE_JOURNAL, identity, random);
}

int wm_journal_decode_header(const uint8_t header[WM_JOURNAL_HEADER_BYTES],
			     struct wm_journal_identity *identity, uint32_t *random)
{
	return decode(header, WM_SIDE_JOURNAL, identity, random);
}

void wm_manifest_encode_header(uint8_t header[WM_JOURNAL_HEADER_BYTES],
			       const struct wm_journal_identity *identity, uint32_t random)
{
	encode(header, WM_SIDE_MANIFEST, identity, random);
}

int wm_manifest_decode_header(const uint8_t header[WM_JOURNAL_HEADER_BYTES],
			      struct wm_journal_identity *identity, uint32_t *random)
{
	return decode(header, WM_SIDE_MANIFEST, identity, random);
}

uint64_t wm_journal_extents(const struct wm_journal_identity *identity)
{
	uint64_t elements = identity->output_bytes / identity->kernel.out_bytes;

	return (elements + identity->extent_elements - 1) / identity->extent_elements;
}

/* ---- records ------------------------------------------------------------ */

static uint32_t record_check(const struct record *record, uint32_t random)
{
	return wm_crc32c(random, record, offsetof(struct record, check));
}

void wm_journal_encode_record(uint8_t bytes[WM_JOURNAL_RECORD_BYTES],
			      const struct wm_journal_record *record, uint32_t random,
			      uint32_t number)
{
	struct record encoded = {
		.type = record->type,
		.crc32c = record->crc32c,
		.extent = record->extent,
		.nodes = record->nodes,
		.number = number,
	};

	encoded.check = record_check(&encoded, random);
	memcpy(bytes, &encoded, sizeof(encoded));
}

int wm_journal_decode_record(const uint8_t bytes[WM_JOURNAL_RECORD_BYTES],
			     struct wm_journal_record *record, uint32_t random, uint32_t number)
{
	struct record encoded;

	memcpy(&encoded, bytes, sizeof(encoded));
	if (encoded.check != record_check(&encoded, random) || encoded.number != number)
		return -EBADMSG;
	if (encoded.type < WM_JOURNAL_EXTENT || encoded.type > WM_JOURNAL_QUARANTINE)
		return -EBADMSG;
	*record = (struct wm_journal_record){
		.type = encoded.type,
		.crc32c = encoded.crc32c,
		.extent = encoded.extent,
		.nodes = encoded.nodes,
	};
	return 0;
}
