/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reference NAME [PARAM...]: the reference of a kernel as a program, for `kernel check`:
 * elements and halo on standard input, results on standard output. Each PARAM is a number, in
 * the order of the source.
 */
#include <stdio.h>
#include <stdlib.h>

#include "wiremill/kernel.h"

#define BYTES_MAX (64u * 1024u * 1024u)
#define PARAMS_MAX 16

int main(int argc, char **argv)
{
	const struct wm_kernel_reference *reference = argc > 1 ? wm_kernel_find_reference(argv[1])
							       : NULL;
	uint8_t *input = malloc(BYTES_MAX), *output;
	double params[PARAMS_MAX] = { 0 };
	size_t bytes, count;

	if (!reference || !input || argc - 2 > PARAMS_MAX) {
		fputs("usage: reference NAME [PARAM...], of a kernel that has one\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		params[i - 2] = strtod(argv[i], NULL);
	bytes = fread(input, 1, BYTES_MAX, stdin);
	if (bytes == BYTES_MAX || bytes % reference->in_bytes != 0 ||
	    bytes / reference->in_bytes <= reference->halo) {
		fprintf(stderr, "reference: %zu bytes are no elements with their halo\n", bytes);
		return 1;
	}
	count = bytes / reference->in_bytes - reference->halo;
	output = malloc(count * reference->out_bytes);
	if (!output)
		return 1;
	reference->compute(output, input, count, params);
	bytes = fwrite(output, reference->out_bytes, count, stdout);
	free(output);
	free(input);
	return bytes == count && fflush(stdout) == 0 ? 0 : 1;
}
