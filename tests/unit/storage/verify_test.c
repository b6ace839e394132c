/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "scratch.h"
#include "wiremill/verify.h"

/* More than two of the pieces that it compares at a time. */
#define INPUT_BYTES (9u * 1024 * 1024 + 96)
#define OUTPUT_BYTES (INPUT_BYTES - 32)

static char input[PATH_MAX], output[PATH_MAX];
static uint8_t *in, *out;

static void write_both(size_t in_bytes, size_t out_bytes)
{
	wm_scratch_write(input, in, in_bytes);
	wm_scratch_write(output, out, out_bytes);
}

static struct wm_verify_result verified(bool drop_tail)
{
	struct wm_verify_result result = { 0 };
	struct wm_error error = { "" };

	CU_ASSERT_EQUAL(
		wm_verify("xor", NULL, input, output, drop_tail, NULL, NULL, &result, &error), 0);
	CU_ASSERT_EQUAL(error.text[0], '\0');
	return result;
}

static void refused(const char *kernel, const char *from, const char *to, int code)
{
	struct wm_verify_result result;
	struct wm_error error = { "" };

	CU_ASSERT_EQUAL(wm_verify(kernel, NULL, from, to, false, NULL, NULL, &result, &error),
			-code);
	CU_ASSERT(wm_scratch_is_line(&error));
}

static void the_right_output_is_equal(void)
{
	struct wm_verify_result result;

	write_both(INPUT_BYTES, OUTPUT_BYTES);
	result = verified(false);
	CU_ASSERT_TRUE(result.equal);
	CU_ASSERT_EQUAL(result.bytes_checked, OUTPUT_BYTES);
}

static void two_vectors_are_enough(void)
{
	write_both(64, 32);
	CU_ASSERT_TRUE(verified(false).equal);
}

static void any_byte_that_differs_is_found_at_its_offset(void)
{
	static const size_t offsets[] = {
		0, 1, 31, 32, 4194303, 4194304, 5000001, OUTPUT_BYTES - 32, OUTPUT_BYTES - 1
	};

	write_both(INPUT_BYTES, OUTPUT_BYTES);
	for (unsigned i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		uint8_t wrong = out[offsets[i]] ^ 0x10;
		struct wm_verify_result result;
		int fd = open(output, O_WRONLY);

		CU_ASSERT_EQUAL(pwrite(fd, &wrong, 1, (off_t)offsets[i]), 1);
		result = verified(false);
		CU_ASSERT_FALSE(result.equal);
		CU_ASSERT_EQUAL(result.offset, offsets[i]);
		CU_ASSERT_EQUAL(result.expected, out[offsets[i]]);
		CU_ASSERT_EQUAL(result.found, wrong);
		CU_ASSERT_EQUAL(result.bytes_checked, offsets[i]);
		CU_ASSERT_EQUAL(pwrite(fd, &out[offsets[i]], 1, (off_t)offsets[i]), 1);
		close(fd);
	}
}

static void the_first_of_two_differences_is_reported(void)
{
	int fd;

	write_both(INPUT_BYTES, OUTPUT_BYTES);
	fd = open(output, O_WRONLY);
	CU_ASSERT_EQUAL(pwrite(fd, "\0\0\0\0", 4, 8000000), 4);
	CU_ASSERT_EQUAL(pwrite(fd, "\0\0\0\0", 4, 3000000), 4);
	close(fd);
	CU_ASSERT(verified(false).offset >= 3000000);
	CU_ASSERT(verified(false).offset < 3000004);
}

static void an_output_too_short_differs_at_its_end(void)
{
	static const size_t lengths[] = { 0, 1, 4194304, 4194305, OUTPUT_BYTES - 1 };

	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct wm_verify_result result;

		write_both(INPUT_BYTES, lengths[i]);
		result = verified(false);
		CU_ASSERT_FALSE(result.equal);
		CU_ASSERT_EQUAL(result.offset, lengths[i]);
		CU_ASSERT_EQUAL(result.expected, out[lengths[i]]);
	}
}

static void an_output_too_long_differs_where_it_should_end(void)
{
	struct wm_verify_result result;

	out[OUTPUT_BYTES] = 0x77;
	write_both(INPUT_BYTES, OUTPUT_BYTES + 1);
	result = verified(false);
	CU_ASSERT_FALSE(result.equal);
	CU_ASSERT_EQUAL(result.offset, OUTPUT_BYTES);
	CU_ASSERT_EQUAL(result.found, 0x77);
	CU_ASSERT_EQUAL(result.bytes_checked, OUTPUT_BYTES);
}

static void a_tail_is_refused_unless_dropped(void)
{
	write_both(INPUT_BYTES - 1, OUTPUT_BYTES - 32);
	refused("xor", input, output, EINVAL);
	CU_ASSERT_TRUE(verified(true).equal);
}

static void fewer_than_two_vectors_are_refused(void)
{
	write_both(32, 0);
	refused("xor", input, output, ERANGE);
	write_both(0, 0);
	refused("xor", input, output, ERANGE);
}

static void an_unknown_kernel_is_refused(void)
{
	write_both(64, 32);
	refused("xor2", input, output, ENOENT);
	refused("", input, output, ENOENT);
}

static void files_that_cannot_be_read_are_refused(void)
{
	write_both(64, 32);
	refused("xor", wm_scratch_path("missing"), output, ENOENT);
	refused("xor", input, wm_scratch_path("missing"), ENOENT);
	refused("xor", wm_scratch_path(""), output, EISDIR);
	refused("xor", input, wm_scratch_path(""), EISDIR);
}

struct calls {
	unsigned count, stop_at;
	uint64_t done_bytes, total_bytes;
};

static bool count_calls(void *context, uint64_t done_bytes, uint64_t total_bytes)
{
	struct calls *calls = context;

	CU_ASSERT(done_bytes > calls->done_bytes);
	calls->done_bytes = done_bytes;
	calls->total_bytes = total_bytes;
	return ++calls->count != calls->stop_at;
}

static void progress_rises_to_the_total(void)
{
	struct wm_verify_result result;
	struct calls calls = { 0 };

	write_both(INPUT_BYTES, OUTPUT_BYTES);
	CU_ASSERT_EQUAL(
		wm_verify("xor", NULL, input, output, false, count_calls, &calls, &result, NULL),
		0);
	CU_ASSERT(calls.count > 1);
	CU_ASSERT_EQUAL(calls.done_bytes, OUTPUT_BYTES);
	CU_ASSERT_EQUAL(calls.total_bytes, OUTPUT_BYTES);
}

static void progress_can_stop_it(void)
{
	struct wm_verify_result result;
	struct wm_error error = { "" };
	struct calls calls = { .stop_at = 1 };

	write_both(INPUT_BYTES, OUTPUT_BYTES);
	CU_ASSERT_EQUAL(
		wm_verify("xor", NULL, input, output, false, count_calls, &calls, &result, &error),
		-ECANCELED);
	CU_ASSERT_EQUAL(calls.count, 1);
	CU_ASSERT(wm_scratch_is_line(&error));
}

static const struct wm_test tests[] = {
	WM_TEST(the_right_output_is_equal),
	WM_TEST(two_vectors_are_enough),
	WM_TEST(any_byte_that_differs_is_found_at_its_offset),
	WM_TEST(the_first_of_two_differences_is_reported),
	WM_TEST(an_output_too_short_differs_at_its_end),
	WM_TEST(an_output_too_long_differs_where_it_should_end),
	WM_TEST(a_tail_is_refused_unless_dropped),
	WM_TEST(fewer_than_two_vectors_are_refused),
	WM_TEST(an_unknown_kernel_is_refused),
	WM_TEST(files_that_cannot_be_read_are_refused),
	WM_TEST(progress_rises_to_the_total),
	WM_TEST(progress_can_stop_it),
};

/* Eight bytes at a time: other code than the loop under test. */
static void make_output(void)
{
	for (size_t i = 0; i < OUTPUT_BYTES; i += 8) {
		uint64_t a, b;

		memcpy(&a, in + i, 8);
		memcpy(&b, in + i + 32, 8);
		a ^= b;
		memcpy(out + i, &a, 8);
	}
}

int main(void)
{
	int failed;

	if (wm_scratch_begin(true) < 0)
		return EXIT_FAILURE;
	snprintf(input, sizeof(input), "%s", wm_scratch_path("input"));
	snprintf(output, sizeof(output), "%s", wm_scratch_path("output"));
	in = wm_scratch_bytes(INPUT_BYTES, 7);
	out = wm_scratch_bytes(INPUT_BYTES, 8);
	make_output();
	failed = WM_TESTS_RUN("verify", tests);
	free(in);
	free(out);
	wm_scratch_end();
	return failed;
}
