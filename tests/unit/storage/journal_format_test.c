/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "crc32c.h"
#include "harness.h"
#include "wiremill/journal.h"

#define RANDOM 0x89abcdefu

/* Made by other code than this, from the drawing in journal.h. */
static const uint8_t golden_begin[] = {
	'W',  'M',  'J',  'R',	'N',  'L',  0x00, 0x01, 0xef, 0xcd, 0xab, 0x89, 0x00, 0x20,
	0x00, 0x00, 0xa7, 0x00, 0x30, 0x00, 0x00, 0x00, 0x00, 0x00, 0x15, 0xcd, 0x85, 0x3d,
	0xfe, 0x9c, 0x97, 0x17, 0x67, 0x45, 0x23, 0x01, 0x03, 0x00, 0x00, 0x00, 0x80, 0x00,
	0x30, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00,
	0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 'x',  'o',
	'r',  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, '/',  'd',	'a',  't',  'a',  '/',	'i',  'n',
};
static const uint8_t golden_crc[] = { 0xd8, 0xc2, 0x59, 0x34 };
static const uint8_t golden_manifest_crc[] = { 0xb8, 0x97, 0xa3, 0xd2 };
static const uint8_t golden_record[WM_JOURNAL_RECORD_BYTES] = {
	0x01, 0x00, 0x00, 0x00, 0x83, 0x92, 0x06, 0xe3, 0x08, 0x07, 0x06,
	0x05, 0x04, 0x03, 0x02, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x80, 0x29, 0x00, 0x00, 0x00, 0xbf, 0x48, 0x93, 0xbc,
};

static const struct wm_journal_record record = {
	WM_JOURNAL_EXTENT,
	0xe3069283,
	0x0102030405060708,
	0x8000000000000001,
};

static struct wm_journal_identity identity(void)
{
	return (struct wm_journal_identity){
		.input_bytes = (3u << 20) + 5 * 32 + 7,
		.input_mtime_ns = 1700000000123456789,
		.input_sample = 0x01234567,
		.force = true,
		.drop_tail = true,
		.output_bytes = (3u << 20) + 4 * 32,
		.extent_elements = 32768,
		.kernel = *wm_kernel_find("xor"),
		.input_path = "/data/in",
	};
}

static bool same(const struct wm_journal_identity *a, const struct wm_journal_identity *b)
{
	return a->input_bytes == b->input_bytes && a->input_mtime_ns == b->input_mtime_ns &&
	       a->input_sample == b->input_sample && a->force == b->force &&
	       a->drop_tail == b->drop_tail && a->output_bytes == b->output_bytes &&
	       a->extent_elements == b->extent_elements &&
	       memcmp(&a->kernel, &b->kernel, sizeof(a->kernel)) == 0 &&
	       strcmp(a->input_path, b->input_path) == 0;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	while (count > 0 && *bytes == 0)
		bytes++, count--;
	return count == 0;
}

/* ---- tests -------------------------------------------------------------- */

static void a_header_has_its_golden_bytes(void)
{
	struct wm_journal_identity in = identity(), out;
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	uint32_t random = 0;

	wm_journal_encode_header(header, &in, RANDOM);
	CU_ASSERT(memcmp(header, golden_begin, sizeof(golden_begin)) == 0);
	CU_ASSERT(is_zero(header + sizeof(golden_begin), 8188 - sizeof(golden_begin)));
	CU_ASSERT(memcmp(header + 8188, golden_crc, 4) == 0);
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &out, &random), 0);
	CU_ASSERT_EQUAL(random, RANDOM);
	CU_ASSERT(same(&in, &out));
}

static void options_make_it_version_2_and_come_back(void)
{
	struct wm_journal_identity in = identity(), out;
	uint8_t header[WM_JOURNAL_HEADER_BYTES], plain[WM_JOURNAL_HEADER_BYTES];
	uint32_t random = 0;

	wm_manifest_encode_header(plain, &in, RANDOM);
	in.audit_ppm = 10000;
	in.fail_after_ns = 0x0102030405060708;
	wm_journal_encode_header(header, &in, RANDOM);
	CU_ASSERT_EQUAL(header[7], 2);
	CU_ASSERT_EQUAL(header[4196] | header[4197] << 8, 10000);
	CU_ASSERT_EQUAL(header[4200], 8);
	CU_ASSERT_EQUAL(header[4207], 1);
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &out, &random), 0);
	CU_ASSERT_EQUAL(out.audit_ppm, in.audit_ppm);
	CU_ASSERT_EQUAL(out.fail_after_ns, in.fail_after_ns);
	in.audit_ppm = 1000001;
	wm_journal_encode_header(header, &in, RANDOM);
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &out, &random), -EBADMSG);
	/* They are of no interest once all is done. */
	wm_manifest_encode_header(header, &in, RANDOM);
	CU_ASSERT_EQUAL(memcmp(header, plain, sizeof(header)), 0);
}

static void kernel_that_is_not_built_in_makes_it_version_3(void)
{
	struct wm_journal_identity in = identity(), out;
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	uint32_t random = 0;

	strcpy(in.kernel.name, "blend");
	for (unsigned i = 0; i < WM_KERNEL_HASH_BYTES; i++)
		in.kernel.hash[i] = (uint8_t)(0xa0 + i);
	wm_journal_encode_header(header, &in, RANDOM);
	CU_ASSERT(memcmp(header, "WMJRNL\0\3", 8) == 0);
	CU_ASSERT(header[4207] == 0 && header[4208] == 0xa0 && header[4239] == 0xbf);
	CU_ASSERT(is_zero(header + 4240, 8188 - 4240));
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &out, &random), 0);
	CU_ASSERT(same(&in, &out));
	in.audit_ppm = 10000;
	wm_journal_encode_header(header, &in, RANDOM);
	CU_ASSERT_EQUAL(header[7], 3);
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &out, &random), 0);
	CU_ASSERT(same(&in, &out) && out.audit_ppm == 10000);
	wm_manifest_encode_header(header, &in, RANDOM);
	CU_ASSERT(memcmp(header, "WMMNFT\0\3", 8) == 0);
	CU_ASSERT_EQUAL(wm_manifest_decode_header(header, &out, &random), 0);
	CU_ASSERT(same(&in, &out) && out.audit_ppm == 0);
}

static void a_manifest_has_its_own_magic(void)
{
	struct wm_journal_identity in = identity(), out;
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	uint32_t random = 0;

	wm_manifest_encode_header(header, &in, RANDOM);
	CU_ASSERT(memcmp(header, "WMMNFT\0\1", 8) == 0);
	CU_ASSERT(memcmp(header + 8, golden_begin + 8, sizeof(golden_begin) - 8) == 0);
	CU_ASSERT(memcmp(header + 8188, golden_manifest_crc, 4) == 0);
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &out, &random), -EBADMSG);
	CU_ASSERT_EQUAL(wm_manifest_decode_header(header, &out, &random), 0);
	CU_ASSERT(random == RANDOM && same(&in, &out));
	wm_journal_encode_header(header, &in, RANDOM);
	CU_ASSERT_EQUAL(wm_manifest_decode_header(header, &out, &random), -EBADMSG);
}

static void a_record_has_its_golden_bytes(void)
{
	uint8_t bytes[WM_JOURNAL_RECORD_BYTES];
	struct wm_journal_record out;

	wm_journal_encode_record(bytes, &record, RANDOM, 41);
	CU_ASSERT(memcmp(bytes, golden_record, sizeof(bytes)) == 0);
	CU_ASSERT_EQUAL(wm_journal_decode_record(golden_record, &out, RANDOM, 41), 0);
	CU_ASSERT(memcmp(&out, &record, sizeof(out)) == 0);
}

static void every_flipped_bit_of_a_header_is_refused(void)
{
	struct wm_journal_identity in = identity(), out;
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	unsigned accepted = 0;
	uint32_t random;

	wm_journal_encode_header(header, &in, RANDOM);
	for (unsigned bit = 0; bit < 8 * WM_JOURNAL_HEADER_BYTES; bit++) {
		header[bit / 8] ^= (uint8_t)(1u << bit % 8);
		accepted += wm_journal_decode_header(header, &out, &random) == 0;
		header[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CU_ASSERT_EQUAL(accepted, 0);
}

static void every_flipped_bit_of_a_record_is_refused(void)
{
	uint8_t bytes[WM_JOURNAL_RECORD_BYTES];
	struct wm_journal_record out;

	memcpy(bytes, golden_record, sizeof(bytes));
	for (unsigned bit = 0; bit < 8 * WM_JOURNAL_RECORD_BYTES; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CU_ASSERT_EQUAL(wm_journal_decode_record(bytes, &out, RANDOM, 41), -EBADMSG);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void a_record_of_another_place_or_journal_is_refused(void)
{
	struct wm_journal_record out;

	CU_ASSERT_EQUAL(wm_journal_decode_record(golden_record, &out, RANDOM, 40), -EBADMSG);
	CU_ASSERT_EQUAL(wm_journal_decode_record(golden_record, &out, RANDOM, 42), -EBADMSG);
	CU_ASSERT_EQUAL(wm_journal_decode_record(golden_record, &out, RANDOM ^ 1, 41), -EBADMSG);
	CU_ASSERT_EQUAL(wm_journal_decode_record(golden_record, &out, 0, 41), -EBADMSG);
}

static void a_record_of_no_type_is_refused(void)
{
	static const uint32_t types[] = { 0, WM_JOURNAL_QUARANTINE + 1, 0x100, UINT32_MAX };
	uint8_t bytes[WM_JOURNAL_RECORD_BYTES];
	struct wm_journal_record out;

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct wm_journal_record odd = { .type = types[i] };

		wm_journal_encode_record(bytes, &odd, RANDOM, 0);
		CU_ASSERT_EQUAL(wm_journal_decode_record(bytes, &out, RANDOM, 0), -EBADMSG);
	}
	memset(bytes, 0, sizeof(bytes));
	CU_ASSERT_EQUAL(wm_journal_decode_record(bytes, &out, 0, 0), -EBADMSG);
}

/* Its CRC is right: such a header was written on purpose, or by another version. */
static void refused(const struct wm_journal_identity *odd)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];
	struct wm_journal_identity out;
	uint32_t random;

	wm_journal_encode_header(header, odd, RANDOM);
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &out, &random), -EBADMSG);
}

static void values_that_no_job_has_are_refused(void)
{
	struct wm_journal_identity odd;

#define REFUSED(change)           \
	do {                      \
		odd = identity(); \
		odd.change;       \
		refused(&odd);    \
	} while (0)
	REFUSED(kernel.in_bytes = 0);
	REFUSED(kernel.out_bytes = 0);
	REFUSED(kernel.halo_before = 1);
	REFUSED(kernel.halo_after = UINT32_MAX);
	REFUSED(kernel.name[0] = '\0');
	REFUSED(kernel.name[1] = '/');
	REFUSED(extent_elements = 0);
	REFUSED(extent_elements = 32768 - 1);
	REFUSED(extent_elements = 32768 * 2);
	REFUSED(extent_elements = UINT32_MAX);
	REFUSED(output_bytes = 0);
	REFUSED(output_bytes += 32);
	REFUSED(input_bytes = 32);
	REFUSED(input_bytes = 0);
	REFUSED(input_bytes = UINT64_MAX);
	REFUSED(drop_tail = false);
	REFUSED(input_path[0] = '\0');
#undef REFUSED
}

static void changed_but_mended(uint8_t header[WM_JOURNAL_HEADER_BYTES], size_t offset)
{
	struct wm_journal_identity in = identity(), out;
	uint32_t crc, random;

	wm_journal_encode_header(header, &in, RANDOM);
	header[offset] ^= 0x40;
	crc = wm_crc32c(0, header, 8188);
	memcpy(header + 8188, &crc, 4);
	CU_ASSERT_EQUAL(wm_journal_decode_header(header, &out, &random), -EBADMSG);
}

static void bytes_without_a_meaning_must_be_zero(void)
{
	uint8_t header[WM_JOURNAL_HEADER_BYTES];

	changed_but_mended(header, 13);	  /* header bytes */
	changed_but_mended(header, 36);	  /* flags */
	changed_but_mended(header, 39);	  /* flags */
	changed_but_mended(header, 80);	  /* behind the kernel's name */
	changed_but_mended(header, 99);	  /* its last byte */
	changed_but_mended(header, 300);  /* behind the input's path */
	changed_but_mended(header, 4195); /* its last byte */
	changed_but_mended(header, 4196);
	changed_but_mended(header, 4208); /* a hash in version 1 */
	changed_but_mended(header, 4240);
	changed_but_mended(header, 8187);
}

static void extents_are_counted(void)
{
	struct wm_journal_identity in = identity();

	CU_ASSERT_EQUAL(wm_journal_extents(&in), 4);
	in.output_bytes = 3u << 20;
	CU_ASSERT_EQUAL(wm_journal_extents(&in), 3);
	in.output_bytes = 32;
	CU_ASSERT_EQUAL(wm_journal_extents(&in), 1);
}

static const struct wm_test tests[] = {
	WM_TEST(a_header_has_its_golden_bytes),
	WM_TEST(options_make_it_version_2_and_come_back),
	WM_TEST(kernel_that_is_not_built_in_makes_it_version_3),
	WM_TEST(a_manifest_has_its_own_magic),
	WM_TEST(a_record_has_its_golden_bytes),
	WM_TEST(every_flipped_bit_of_a_header_is_refused),
	WM_TEST(every_flipped_bit_of_a_record_is_refused),
	WM_TEST(a_record_of_another_place_or_journal_is_refused),
	WM_TEST(a_record_of_no_type_is_refused),
	WM_TEST(values_that_no_job_has_are_refused),
	WM_TEST(bytes_without_a_meaning_must_be_zero),
	WM_TEST(extents_are_counted),
};

int main(void)
{
	return WM_TESTS_RUN("journal_format", tests);
}
