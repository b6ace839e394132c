/* SPDX-License-Identifier: BSD-3-Clause */
/* Outputs that are compared, with what the CLI computes or with a manifest. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_rig.h"
#include "crc32c.h"
#include "wiremill/journal.h"

/* ---- verify ------------------------------------------------------------- */

static const char *file_make(const char *name, const void *bytes, size_t count)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];
	int fd;

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	CU_ASSERT_EQUAL(write(fd, bytes, count), (ssize_t)count);
	close(fd);
	return path;
}

/* "wiremill verify" of two vectors, 'a' and 'b', against those bytes. */
static int verify(const void *bytes, size_t count)
{
	char vectors[64];
	const char *input, *output;
	int status;

	memset(vectors, 'a', 32);
	memset(vectors + 32, 'b', 32);
	input = file_make("in", vectors, sizeof(vectors));
	output = file_make("out", bytes, count);
	status = RUN("verify", "--kernel", "xor", "--input", input, "--output", output);
	unlink(input);
	unlink(output);
	return status;
}

static void verify_names_the_first_difference(void)
{
	char result[33];

	memset(result, 'a' ^ 'b', sizeof(result));
	CU_ASSERT_EQUAL(verify(result, 32), 0);
	CU_ASSERT_EQUAL(strncmp(out, "verified: 32 bytes of ", 22), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(out, " are exactly kernel xor of "));
	CU_ASSERT_EQUAL(verify(result, 33), 1);
	CU_ASSERT(says("it goes on at offset 32, where it should end "
		       "(it has 33 bytes, and should have 32)"));
	CU_ASSERT_EQUAL(verify(result, 31), 1);
	CU_ASSERT(says("it ends at offset 31, where it should go on"));
	CU_ASSERT_EQUAL(verify(result, 0), 1);
	result[7] ^= 0x10;
	CU_ASSERT_EQUAL(verify(result, 32), 1);
	CU_ASSERT(says("at offset 7 it has 0x13, and should have 0x03"));
	CU_ASSERT_PTR_NULL(strstr(err, "bytes, and should have 32"));
	CU_ASSERT_EQUAL(verify(result, 31), 1);
	CU_ASSERT(says("at offset 7 it has 0x13, and should have 0x03 "
		       "(it has 31 bytes, and should have 32)"));
}

/* ---- verify by manifest ------------------------------------------------- */

#define EXTENT_BYTES (1u << 20)
#define LONG_BYTES (2 * EXTENT_BYTES + 992)

/* The manifest of an output of two extents and a piece, as a job leaves it. */
static const char *manifest_make(const char *name, const uint8_t *bytes)
{
	struct wm_journal_identity identity = {
		.input_bytes = LONG_BYTES + 32,
		.output_bytes = LONG_BYTES,
		.extent_elements = EXTENT_BYTES / 32,
		.kernel = *wm_kernel_find("xor"),
		.input_path = "/data/in",
	};
	uint8_t file[WM_JOURNAL_HEADER_BYTES + 4 * sizeof(uint32_t)];
	uint32_t crcs[4];

	CU_ASSERT_EQUAL(wm_journal_extents(&identity), 3);
	wm_manifest_encode_header(file, &identity, 77);
	for (unsigned i = 0; i < 3; i++)
		crcs[i] = wm_crc32c(0, bytes + i * EXTENT_BYTES, i < 2 ? EXTENT_BYTES : 992);
	crcs[3] = wm_crc32c(0, crcs, 3 * sizeof(crcs[0]));
	memcpy(file + WM_JOURNAL_HEADER_BYTES, crcs, sizeof(crcs));
	return file_make(name, file, sizeof(file));
}

/* Runs "wiremill verify --manifest" of that many bytes, the one at `wrong` changed. */
static int verify_long(size_t count, size_t wrong)
{
	uint8_t *bytes = malloc(LONG_BYTES + 1);
	const char *output, *manifest;
	int status;

	for (size_t i = 0; i < LONG_BYTES + 1; i++)
		bytes[i] = (uint8_t)(i >> 8 ^ i);
	manifest = manifest_make("long.wm-manifest", bytes);
	bytes[wrong] ^= 1;
	output = file_make("long", bytes, count);
	status = RUN("verify", "--manifest", "--output", output);
	unlink(manifest);
	unlink(output);
	free(bytes);
	return status;
}

static void manifest_names_the_first_extent_that_differs(void)
{
	/* The byte after the end is not part of it. */
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES, LONG_BYTES), 0);
	CU_ASSERT(out_has("verified: 2098144 bytes of ") && out_has("/long.wm-manifest says\n"));
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES, 5), 1);
	CU_ASSERT(says("long.wm-manifest says: the extent at offset 0 has other bytes"));
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES, EXTENT_BYTES), 1);
	CU_ASSERT(says("the extent at offset 1048576 has other bytes"));
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES, LONG_BYTES - 1), 1);
	CU_ASSERT(says("the extent at offset 2097152 has other bytes"));
}

static void manifest_knows_where_the_output_ends(void)
{
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES + 1, LONG_BYTES), 1);
	CU_ASSERT(says("it goes on at offset 2098144, where it should end"));
	CU_ASSERT_EQUAL(verify_long(LONG_BYTES - 1, LONG_BYTES), 1);
	CU_ASSERT(says("it ends at offset 2098143, where it should go on"));
	CU_ASSERT_EQUAL(verify_long(0, LONG_BYTES), 1);
	CU_ASSERT(says("it ends at offset 0, where it should go on"));
	/* A piece that is short and wrong. */
	CU_ASSERT_EQUAL(verify_long(EXTENT_BYTES + 7, 3), 1);
	CU_ASSERT(says("the extent at offset 0 has other bytes "
		       "(it has 1048583 bytes, and should have 2098144)"));
}

static void manifest_may_lie_elsewhere(void)
{
	uint8_t *bytes = calloc(1, LONG_BYTES);
	const char *manifest = manifest_make("elsewhere", bytes);
	const char *output = file_make("long", bytes, LONG_BYTES);
	char option[160];

	snprintf(option, sizeof(option), "--manifest=%s", manifest);
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, option, "--json"), 0);
	CU_ASSERT(json_has("manifest", manifest) && out_has("\"equal\": true"));
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, "--manifest"), 1);
	CU_ASSERT(says("/long.wm-manifest, which a job leaves when it is done: name it with "
		       "--manifest=FILE, or verify with --kernel and --input"));
	file_make("long", "x", 1);
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, option, "--json"), 1);
	CU_ASSERT(out_has("\"equal\": false") && out_has("\"offset\": 1"));
	unlink(output);
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, option), 1);
	CU_ASSERT(says("output does not exist: "));
	CU_ASSERT_EQUAL(truncate(manifest, 8200), 0);
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, option), 1);
	CU_ASSERT(says("manifest has not the length that its header says: "));
	CU_ASSERT_EQUAL(RUN("verify", "--output", output, "--manifest=/nonexistent/m"), 1);
	CU_ASSERT(says("manifest does not exist: /nonexistent/m"));
	unlink(manifest);
	free(bytes);
}

static const struct wm_test tests[] = {
	WM_TEST(verify_names_the_first_difference),
	WM_TEST(manifest_names_the_first_extent_that_differs),
	WM_TEST(manifest_knows_where_the_output_ends),
	WM_TEST(manifest_may_lie_elsewhere),
};

WM_TESTS_ARGUMENTS(1, 1, "WIREMILL");

int main(int argc, char **argv)
{
	return rig_run("cli verify", tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
