/* SPDX-License-Identifier: BSD-3-Clause */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>

const uint8_t golden_controller[6] = { 2, 0, 0, 0, 0, 0xfe };
const uint8_t golden_node[6] = { 2, 0, 0, 0, 0, 7 };

void golden_load(struct golden *golden)
{
	char path[512];
	unsigned byte;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.hex", WM_FIXTURES, golden->name);
	file = fopen(path, "r");
	if (!file) {
		fprintf(stderr, "cannot open %s\n", path);
		exit(EXIT_FAILURE);
	}
	while (golden->len < GOLDEN_BYTES_MAX && fscanf(file, "%2x", &byte) == 1)
		golden->bytes[golden->len++] = (uint8_t)byte;
	fclose(file);
}
