/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each message is a table of its fields; one encoder and one decoder walk them.
 *
 * The decoder first walks the bytes itself: msgpack-c takes memory for as many
 * members as a container claims to have, before it has seen the first of them,
 * so that five bytes from the wire could ask for 200 GB.
 */
#include "message.h"

#include <assert.h>
#include <errno.h>
#include <msgpack.h>
#include <string.h>

enum field_type {
	FIELD_UINT, /* of 4 or 8 bytes */
	FIELD_BOOL,
	FIELD_TEXT,  /* printable ASCII */
	FIELD_NAME,  /* letters, digits, . _ -; one at least */
	FIELD_BYTES, /* bin, of a fixed length */
};

struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	size_t bytes;
	uint64_t min, max; /* of FIELD_UINT */
	bool optional; /* 0 where it is missing, and left out where it is 0: of UINT and BYTES */
};

struct message {
	const struct field *fields;
	unsigned count;
};

#define FIELD(kind, s, member, key_text, low, high)                                  \
	{                                                                            \
		.key = key_text, .type = kind, .offset = offsetof(struct s, member), \
		.bytes = sizeof(((struct s *)NULL)->member), .min = low, .max = high \
	}
#define OPTIONAL(s, member, high)                                                           \
	{                                                                                   \
		.key = #member, .type = FIELD_UINT, .offset = offsetof(struct s, member),   \
		.bytes = sizeof(((struct s *)NULL)->member), .max = high, .optional = true, \
	}
#define UINT(s, member, low, high) FIELD(FIELD_UINT, s, member, #member, low, high)
#define TOTAL(s, member) UINT(s, member, 0, UINT64_MAX)
#define BOOL(s, member) FIELD(FIELD_BOOL, s, member, #member, 0, 0)
#define TEXT(s, member) FIELD(FIELD_TEXT, s, member, #member, 0, 0)
#define NAME(s, member) FIELD(FIELD_NAME, s, member, #member, 0, 0)
#define MESSAGE(table)                                                       \
	{                                                                    \
		.fields = table, .count = sizeof(table) / sizeof((table)[0]) \
	}

/* A day: longer beats are a mistake. */
#define PERIOD_MS_MAX 86400000u
/* The largest errno that Linux has room for. */
#define STATUS_MAX 4095u

static const struct field hello_fields[] = {
	UINT(wm_hello, nonce, 0, UINT64_MAX),
	NAME(wm_hello, name),
	UINT(wm_hello, mtu, 1, WM_MTU_MAX), /* too small: refused with a reason */
	UINT(wm_hello, capacity, 1, UINT16_MAX),
	TEXT(wm_hello, device),
	TEXT(wm_hello, driver),
	BOOL(wm_hello, software),
	TEXT(wm_hello, xdp_mode),
	BOOL(wm_hello, zero_copy),
	BOOL(wm_hello, multi_buffer),
};

static const struct field welcome_fields[] = {
	UINT(wm_welcome, nonce, 0, UINT64_MAX),
	UINT(wm_welcome, controller_nonce, 0, UINT64_MAX),
	FIELD(FIELD_BYTES, wm_welcome, controller, "controller", 0, 0),
	UINT(wm_welcome, beat_ms, 1, PERIOD_MS_MAX),
	UINT(wm_welcome, dead_ms, 1, PERIOD_MS_MAX),
	OPTIONAL(wm_welcome, frame_auth, WM_WIRE_AEAD),
};

static const struct field beat_fields[] = {
	TOTAL(wm_beat, batches),
	TOTAL(wm_beat, results),
	TOTAL(wm_beat, submissions),
	TOTAL(wm_beat, copied_bytes),
	TOTAL(wm_beat, dropped),
	TOTAL(wm_beat, ring_full),
	OPTIONAL(wm_beat, unheard, UINT64_MAX),
	OPTIONAL(wm_beat, held, UINT64_MAX),
	OPTIONAL(wm_beat, device_losses, UINT64_MAX),
};

static const struct field kernel_fields[] = {
	FIELD(FIELD_NAME, wm_kernel_message, kernel.name, "name", 0, 0),
	FIELD(FIELD_UINT, wm_kernel_message, kernel.in_bytes, "in_bytes", 1, WM_MTU_MAX),
	FIELD(FIELD_UINT, wm_kernel_message, kernel.out_bytes, "out_bytes", 1, WM_MTU_MAX),
	FIELD(FIELD_UINT, wm_kernel_message, kernel.halo_before, "halo_before", 0, WM_MTU_MAX),
	FIELD(FIELD_UINT, wm_kernel_message, kernel.halo_after, "halo_after", 0, WM_MTU_MAX),
	UINT(wm_kernel_message, batch_elements, 1, WM_BATCH_ELEMENTS_MAX),
	OPTIONAL(wm_kernel_message, object_bytes, WM_KERNEL_OBJECT_BYTES_MAX),
	{ .key = "hash",
	  .type = FIELD_BYTES,
	  .offset = offsetof(struct wm_kernel_message, kernel.hash),
	  .bytes = WM_KERNEL_HASH_BYTES,
	  .optional = true },
};

static const struct field ack_fields[] = {
	UINT(wm_ack, status, 0, STATUS_MAX),
	TEXT(wm_ack, text),
};

static const struct field bye_fields[] = {
	TEXT(wm_bye, text),
};

static const struct message hello_message = MESSAGE(hello_fields);
static const struct message welcome_message = MESSAGE(welcome_fields);
static const struct message beat_message = MESSAGE(beat_fields);
static const struct message kernel_message = MESSAGE(kernel_fields);
static const struct message ack_message = MESSAGE(ack_fields);
static const struct message bye_message = MESSAGE(bye_fields);

/* ---- text --------------------------------------------------------------- */

static bool is_printable(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

static bool is_name_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

bool wm_message_name_is_valid(const char *name, size_t name_bytes_max)
{
	size_t n = strnlen(name, name_bytes_max);

	if (n == 0 || n == name_bytes_max)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_name_letter(name[i]))
			return false;
	}
	return true;
}

void wm_message_text_set(char *text, size_t text_bytes, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < text_bytes && from[i]; i++)
		text[i] = is_printable(from[i]) ? from[i] : '?';
	text[i] = '\0';
}

/* ---- encoding ----------------------------------------------------------- */

struct body {
	uint8_t *bytes;
	size_t used, max;
};

static int body_write(void *data, const char *bytes, size_t count)
{
	struct body *body = data;

	if (count > body->max - body->used)
		return -1;
	memcpy(body->bytes + body->used, bytes, count);
	body->used += count;
	return 0;
}

static uint64_t load_uint(const void *value, size_t bytes)
{
	uint32_t small;
	uint64_t large;

	assert(bytes == sizeof(small) || bytes == sizeof(large));
	if (bytes == sizeof(small)) {
		memcpy(&small, value, sizeof(small));
		return small;
	}
	memcpy(&large, value, sizeof(large));
	return large;
}

static int pack_text(msgpack_packer *packer, const char *text, size_t text_bytes)
{
	size_t n = strnlen(text, text_bytes);
	int ret = msgpack_pack_str(packer, n);

	/* An empty string has no body to write. */
	return ret < 0 || n == 0 ? ret : msgpack_pack_str_body(packer, text, n);
}

static int pack_field(msgpack_packer *packer, const struct field *field, const uint8_t *value)
{
	int ret;

	switch (field->type) {
	case FIELD_UINT:
		return msgpack_pack_uint64(packer, load_uint(value, field->bytes));
	case FIELD_BOOL:
		return *(const bool *)value ? msgpack_pack_true(packer)
					    : msgpack_pack_false(packer);
	case FIELD_TEXT:
	case FIELD_NAME:
		return pack_text(packer, (const char *)value, field->bytes);
	case FIELD_BYTES:
		ret = msgpack_pack_bin(packer, field->bytes);
		return ret < 0 ? ret : msgpack_pack_bin_body(packer, value, field->bytes);
	}
	return -1;
}

static bool is_left_out(const struct field *field, const void *values)
{
	const uint8_t *value = (const uint8_t *)values + field->offset;

	if (!field->optional)
		return false;
	for (size_t i = 0; i < field->bytes; i++) {
		if (value[i] != 0)
			return false;
	}
	return true;
}

static unsigned fields_sent(const struct message *message, const void *values)
{
	unsigned count = 0;

	for (unsigned i = 0; i < message->count; i++)
		count += !is_left_out(&message->fields[i], values);
	return count;
}

static size_t encode(uint8_t *bytes, size_t bytes_max, const struct message *message,
		     const void *values)
{
	struct body body = { .bytes = bytes, .max = bytes_max };
	msgpack_packer packer;

	msgpack_packer_init(&packer, &body, body_write);
	if (msgpack_pack_map(&packer, fields_sent(message, values)) < 0)
		return 0;
	for (unsigned i = 0; i < message->count; i++) {
		const struct field *field = &message->fields[i];

		if (is_left_out(field, values))
			continue;
		if (pack_text(&packer, field->key, strlen(field->key) + 1) < 0 ||
		    pack_field(&packer, field, (const uint8_t *)values + field->offset) < 0)
			return 0;
	}
	return body.used;
}

/* ---- decoding ----------------------------------------------------------- */

/* What follows the first byte of an object (msgpack spec, "Formats"). */
struct shape {
	unsigned length_bytes; /* of the big-endian length that comes first */
	unsigned fixed_bytes;  /* that follow it in any case */
	uint32_t length;       /* where it is part of the first byte */
	unsigned members_each; /* 1 array, 2 map: the length counts objects, not bytes */
};

static struct shape shape_of(uint8_t first)
{
	static const struct shape tail[] = {
		[0xc4 - 0xc0] = { 1, 0, 0, 0 },	 [0xc5 - 0xc0] = { 2, 0, 0, 0 }, /* bin */
		[0xc6 - 0xc0] = { 4, 0, 0, 0 },	 [0xc7 - 0xc0] = { 1, 1, 0, 0 }, /* ext */
		[0xc8 - 0xc0] = { 2, 1, 0, 0 },	 [0xc9 - 0xc0] = { 4, 1, 0, 0 },
		[0xca - 0xc0] = { 0, 4, 0, 0 },	 [0xcb - 0xc0] = { 0, 8, 0, 0 }, /* float */
		[0xcc - 0xc0] = { 0, 1, 0, 0 },	 [0xcd - 0xc0] = { 0, 2, 0, 0 }, /* uint */
		[0xce - 0xc0] = { 0, 4, 0, 0 },	 [0xcf - 0xc0] = { 0, 8, 0, 0 },
		[0xd0 - 0xc0] = { 0, 1, 0, 0 },	 [0xd1 - 0xc0] = { 0, 2, 0, 0 }, /* int */
		[0xd2 - 0xc0] = { 0, 4, 0, 0 },	 [0xd3 - 0xc0] = { 0, 8, 0, 0 },
		[0xd4 - 0xc0] = { 0, 2, 0, 0 },	 [0xd5 - 0xc0] = { 0, 3, 0, 0 }, /* fixext */
		[0xd6 - 0xc0] = { 0, 5, 0, 0 },	 [0xd7 - 0xc0] = { 0, 9, 0, 0 },
		[0xd8 - 0xc0] = { 0, 17, 0, 0 }, [0xd9 - 0xc0] = { 1, 0, 0, 0 }, /* str */
		[0xda - 0xc0] = { 2, 0, 0, 0 },	 [0xdb - 0xc0] = { 4, 0, 0, 0 },
		[0xdc - 0xc0] = { 2, 0, 0, 1 },	 [0xdd - 0xc0] = { 4, 0, 0, 1 }, /* array */
		[0xde - 0xc0] = { 2, 0, 0, 2 },	 [0xdf - 0xc0] = { 4, 0, 0, 2 }, /* map */
	};

	if (first < 0x80 || first >= 0xe0)
		return (struct shape){ 0 }; /* fixint */
	if (first < 0x90)
		return (struct shape){ .length = first & 0x0f, .members_each = 2 };
	if (first < 0xa0)
		return (struct shape){ .length = first & 0x0f, .members_each = 1 };
	if (first < 0xc0)
		return (struct shape){ .length = first & 0x1f };
	return tail[first - 0xc0];
}

/* Whether the bytes are one whole object: no container claims more members than
 * there are bytes left for them, and nothing follows. */
static bool is_one_object(const uint8_t *bytes, size_t left)
{
	uint64_t objects = 1;

	while (objects > 0) {
		struct shape shape;

		if (left == 0)
			return false;
		shape = shape_of(*bytes++);
		left--;
		objects--;
		if (shape.length_bytes + shape.fixed_bytes > left)
			return false;
		left -= shape.length_bytes + shape.fixed_bytes;
		for (; shape.length_bytes > 0; shape.length_bytes--)
			shape.length = shape.length << 8 | *bytes++;
		bytes += shape.fixed_bytes;
		if (shape.length > left)
			return false;
		objects += (uint64_t)shape.length * shape.members_each;
		if (shape.members_each == 0) {
			bytes += shape.length;
			left -= shape.length;
		}
	}
	return left == 0;
}

static bool take_uint(uint8_t *value, const struct field *field, const msgpack_object *object)
{
	uint64_t number = object->via.u64;
	uint32_t small = (uint32_t)number;

	if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER || number < field->min ||
	    number > field->max)
		return false;
	if (field->bytes == sizeof(small)) {
		if (number > UINT32_MAX)
			return false;
		memcpy(value, &small, sizeof(small));
	} else {
		memcpy(value, &number, sizeof(number));
	}
	return true;
}

static bool take_text(char *text, const struct field *field, const msgpack_object *object)
{
	const msgpack_object_str *str = &object->via.str;

	if (object->type != MSGPACK_OBJECT_STR || str->size >= field->bytes)
		return false;
	for (uint32_t i = 0; i < str->size; i++) {
		if (!is_printable(str->ptr[i]))
			return false;
	}
	memset(text, 0, field->bytes);
	if (str->size > 0)
		memcpy(text, str->ptr, str->size);
	return field->type == FIELD_TEXT || wm_message_name_is_valid(text, field->bytes);
}

static bool take_field(uint8_t *value, const struct field *field, const msgpack_object *object)
{
	switch (field->type) {
	case FIELD_UINT:
		return take_uint(value, field, object);
	case FIELD_BOOL:
		if (object->type != MSGPACK_OBJECT_BOOLEAN)
			return false;
		*(bool *)value = object->via.boolean;
		return true;
	case FIELD_TEXT:
	case FIELD_NAME:
		return take_text((char *)value, field, object);
	case FIELD_BYTES:
		if (object->type != MSGPACK_OBJECT_BIN || object->via.bin.size != field->bytes)
			return false;
		memcpy(value, object->via.bin.ptr, field->bytes);
		return true;
	}
	return false;
}

static const struct field *find_field(const struct message *message, const msgpack_object_str *key)
{
	for (unsigned i = 0; i < message->count; i++) {
		const struct field *field = &message->fields[i];

		if (key->size == strlen(field->key) && memcmp(key->ptr, field->key, key->size) == 0)
			return field;
	}
	return NULL;
}

/* Gives the optional fields their 0. Returns them as bits. */
static uint32_t take_defaults(void *values, const struct message *message)
{
	uint32_t optional = 0;

	for (unsigned i = 0; i < message->count; i++) {
		const struct field *field = &message->fields[i];

		if (!field->optional)
			continue;
		memset((uint8_t *)values + field->offset, 0, field->bytes);
		optional |= 1u << i;
	}
	return optional;
}

/* Every field once, in any order; a key that is not of this message is skipped. */
static bool take_map(void *values, const struct message *message, const msgpack_object *object)
{
	const msgpack_object_map *map = &object->via.map;
	uint32_t seen = 0, optional;

	if (object->type != MSGPACK_OBJECT_MAP)
		return false;
	optional = take_defaults(values, message);
	for (uint32_t i = 0; i < map->size; i++) {
		const msgpack_object *key = &map->ptr[i].key;
		const struct field *field;
		uint32_t bit;

		if (key->type != MSGPACK_OBJECT_STR)
			return false;
		field = find_field(message, &key->via.str);
		if (!field)
			continue;
		bit = 1u << (field - message->fields);
		if (seen & bit ||
		    !take_field((uint8_t *)values + field->offset, field, &map->ptr[i].val))
			return false;
		seen |= bit;
	}
	return (seen | optional) == (1u << message->count) - 1;
}

static int decode(const uint8_t *body, size_t body_bytes, const struct message *message,
		  void *values)
{
	msgpack_unpacked unpacked;
	size_t used = 0;
	bool good;

	if (body_bytes > WM_MESSAGE_BYTES_MAX || !is_one_object(body, body_bytes))
		return -EBADMSG;
	msgpack_unpacked_init(&unpacked);
	good = msgpack_unpack_next(&unpacked, (const char *)body, body_bytes, &used) ==
		       MSGPACK_UNPACK_SUCCESS &&
	       used == body_bytes && take_map(values, message, &unpacked.data);
	msgpack_unpacked_destroy(&unpacked);
	return good ? 0 : -EBADMSG;
}

/* ---- the messages ------------------------------------------------------- */

size_t wm_message_encode_hello(uint8_t *body, size_t body_bytes_max, const struct wm_hello *hello)
{
	return encode(body, body_bytes_max, &hello_message, hello);
}

size_t wm_message_encode_welcome(uint8_t *body, size_t body_bytes_max,
				 const struct wm_welcome *welcome)
{
	return encode(body, body_bytes_max, &welcome_message, welcome);
}

size_t wm_message_encode_beat(uint8_t *body, size_t body_bytes_max, const struct wm_beat *beat)
{
	return encode(body, body_bytes_max, &beat_message, beat);
}

size_t wm_message_encode_kernel(uint8_t *body, size_t body_bytes_max,
				const struct wm_kernel_message *kernel)
{
	return encode(body, body_bytes_max, &kernel_message, kernel);
}

size_t wm_message_encode_ack(uint8_t *body, size_t body_bytes_max, const struct wm_ack *ack)
{
	return encode(body, body_bytes_max, &ack_message, ack);
}

size_t wm_message_encode_bye(uint8_t *body, size_t body_bytes_max, const struct wm_bye *bye)
{
	return encode(body, body_bytes_max, &bye_message, bye);
}

int wm_message_decode_hello(const uint8_t *body, size_t body_bytes, struct wm_hello *hello)
{
	return decode(body, body_bytes, &hello_message, hello);
}

int wm_message_decode_welcome(const uint8_t *body, size_t body_bytes, struct wm_welcome *welcome)
{
	return decode(body, body_bytes, &welcome_message, welcome);
}

int wm_message_decode_beat(const uint8_t *body, size_t body_bytes, struct wm_beat *beat)
{
	return decode(body, body_bytes, &beat_message, beat);
}

int wm_message_decode_kernel(const uint8_t *body, size_t body_bytes,
			     struct wm_kernel_message *kernel)
{
	return decode(body, body_bytes, &kernel_message, kernel);
}

int wm_message_decode_ack(const uint8_t *body, size_t body_bytes, struct wm_ack *ack)
{
	return decode(body, body_bytes, &ack_message, ack);
}

int wm_message_decode_bye(const uint8_t *body, size_t body_bytes, struct wm_bye *bye)
{
	return decode(body, body_bytes, &bye_message, bye);
}
