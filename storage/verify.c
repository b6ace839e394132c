/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The second opinion. It shares nothing with the path that a job takes: the kernel's
 * reference, which has sizes of its own, a plain loop on the CPU, buffered reads, and
 * no layout. So a mistake in one cannot hide in the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "wiremill/kernel.h"
#include "wiremill/verify.h"

/* Output compared at a time: large enough that the reads are what takes time. */
#define PIECE_BYTES (4u * 1024 * 1024)

struct check {
	const char *kernel;
	const double *params;
	const struct wm_kernel_reference *reference;
	struct wm_file input, output;
	uint64_t elements;	 /* of the right output */
	uint64_t expected_bytes; /* its length */
	uint64_t found_bytes;	 /* the output's */
	uint32_t piece_elements;
	uint8_t *in, *expected, *found;
};

static int measure(struct check *check, const char *input_path, bool drop_tail,
		   struct wm_error *error)
{
	const struct wm_kernel_reference *reference = check->reference;
	uint64_t elements = check->input.bytes / reference->in_bytes;
	uint64_t tail = check->input.bytes % reference->in_bytes;

	if (tail && !drop_tail)
		return wm_error_set(error, EINVAL,
				    "input of %" PRIu64 " bytes is no multiple of %" PRIu32
				    ", --tail drop leaves the last %" PRIu64 " out: %s",
				    check->input.bytes, reference->in_bytes, tail, input_path);
	if (elements <= reference->halo)
		return wm_error_set(error, ERANGE,
				    "input has %" PRIu64 " elements, kernel %s needs %" PRIu32
				    ": %s",
				    elements, check->kernel, reference->halo + 1, input_path);
	check->elements = elements - reference->halo;
	check->expected_bytes = check->elements * reference->out_bytes;
	check->found_bytes = check->output.bytes;
	/* A device is larger than what was written to it, and that is right. */
	if (check->output.block_device && check->found_bytes > check->expected_bytes)
		check->found_bytes = check->expected_bytes;
	return 0;
}

static int allocate(struct check *check, struct wm_error *error)
{
	const struct wm_kernel_reference *reference = check->reference;
	size_t out_bytes, in_bytes;

	check->piece_elements = PIECE_BYTES / reference->out_bytes;
	out_bytes = (size_t)check->piece_elements * reference->out_bytes;
	in_bytes = (size_t)(check->piece_elements + reference->halo) * reference->in_bytes;
	check->in = malloc(in_bytes);
	check->expected = malloc(out_bytes);
	check->found = malloc(out_bytes);
	if (check->in && check->expected && check->found)
		return 0;
	return wm_error_set(error, ENOMEM, "no memory to verify with: needs %zu bytes",
			    in_bytes + 2 * out_bytes);
}

static int read_whole(int fd, uint8_t *bytes, size_t count, uint64_t offset, const char *path,
		      struct wm_error *error)
{
	while (count > 0) {
		ssize_t n = pread(fd, bytes, count, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return wm_error_set(error, errno, "cannot read at %" PRIu64 " (%s): %s",
					    offset, strerror(errno), path);
		if (n == 0)
			return wm_error_set(error, ENODATA,
					    "file shrank to %" PRIu64 " bytes meanwhile: %s",
					    offset, path);
		bytes += n;
		offset += (uint64_t)n;
		count -= (size_t)n;
	}
	return 0;
}

static size_t first_difference(const uint8_t *a, const uint8_t *b, size_t count)
{
	size_t i = 0;

	if (memcmp(a, b, count) == 0)
		return count;
	while (a[i] == b[i])
		i++;
	return i;
}

/* After `have` equal bytes of the piece at `offset`; also where the output ends there. */
static void report_difference(const struct check *check, uint64_t offset, uint64_t have,
			      struct wm_verify_result *result)
{
	result->equal = false;
	result->offset = offset + have;
	result->expected = result->offset < check->expected_bytes ? check->expected[have] : 0;
	result->found = result->offset < check->found_bytes ? check->found[have] : 0;
}

/* Compares from element `first` on. Returns how many, 0 at a difference, or an error. */
static int64_t check_piece(struct check *check, uint64_t first, const char *input_path,
			   const char *output_path, struct wm_verify_result *result,
			   struct wm_error *error)
{
	const struct wm_kernel_reference *reference = check->reference;
	uint64_t left = check->elements - first;
	uint64_t count = left < check->piece_elements ? left : check->piece_elements;
	uint64_t offset = first * reference->out_bytes;
	uint64_t have = count * reference->out_bytes;
	uint64_t same;
	int ret;

	ret = read_whole(check->input.fd, check->in,
			 (count + reference->halo) * reference->in_bytes,
			 first * reference->in_bytes, input_path, error);
	if (ret < 0)
		return ret;
	reference->compute(check->expected, check->in, count, check->params);

	if (have > check->found_bytes - offset)
		have = check->found_bytes - offset;
	ret = read_whole(check->output.fd, check->found, have, offset, output_path, error);
	if (ret < 0)
		return ret;
	same = first_difference(check->expected, check->found, have);
	result->bytes_checked = offset + same;
	if (same == count * reference->out_bytes)
		return (int64_t)count;
	report_difference(check, offset, same, result);
	return 0;
}

static int check_end(struct check *check, const char *output_path, struct wm_verify_result *result,
		     struct wm_error *error)
{
	int ret;

	if (check->found_bytes == check->expected_bytes) {
		result->equal = true;
		return 0;
	}
	ret = read_whole(check->output.fd, check->found, 1, check->expected_bytes, output_path,
			 error);
	if (ret < 0)
		return ret;
	result->offset = check->expected_bytes;
	result->found = check->found[0];
	return 0;
}

static int compare(struct check *check, const char *input_path, const char *output_path,
		   wm_verify_progress *progress, void *context, struct wm_verify_result *result,
		   struct wm_error *error)
{
	uint64_t first = 0;

	while (first < check->elements) {
		int64_t n = check_piece(check, first, input_path, output_path, result, error);

		if (n <= 0)
			return (int)n;
		first += (uint64_t)n;
		if (progress &&
		    !progress(context, first * check->reference->out_bytes, check->expected_bytes))
			return wm_error_set(error, ECANCELED, "verification was stopped");
	}
	return check_end(check, output_path, result, error);
}

int wm_verify(const char *kernel, const double *params, const char *input_path,
	      const char *output_path, bool drop_tail, wm_verify_progress *progress, void *context,
	      struct wm_verify_result *result, struct wm_error *error)
{
	struct check check = { .kernel = kernel,
			       .params = params,
			       .reference = wm_kernel_find_reference(kernel) };
	int ret;

	if (!check.reference)
		return wm_error_set(error, ENOENT, "kernel is unknown to verify: %s", kernel);
	ret = wm_file_open(&check.input, input_path, "input", error);
	if (ret < 0)
		return ret;
	ret = wm_file_open(&check.output, output_path, "output", error);
	if (ret < 0)
		goto close_input;
	ret = measure(&check, input_path, drop_tail, error);
	if (ret < 0)
		goto close_output;
	ret = allocate(&check, error);
	if (ret < 0)
		goto free_memory;

	posix_fadvise(check.input.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	posix_fadvise(check.output.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*result = (struct wm_verify_result){ .equal = false,
					     .expected_bytes = check.expected_bytes,
					     .found_bytes = check.found_bytes };
	ret = compare(&check, input_path, output_path, progress, context, result, error);

free_memory:
	free(check.found);
	free(check.expected);
	free(check.in);
close_output:
	close(check.output.fd);
close_input:
	close(check.input.fd);
	return ret;
}
