/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text: what is made of it is one line of UTF-8 that JSON takes, and stays as it is. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "printable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int is_right)
{
	if (!is_right)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	size_t room = 4 * strlen(text) + 1;
	char *once = malloc(room), *twice = malloc(room), cut[16];
	json_t *string;

	wm_printable(once, room, text);
	for (const char *c = once; *c; c++)
		check((unsigned char)*c >= ' ' && *c != 0x7f);
	string = json_string(once);
	check(string != NULL);
	json_decref(string);
	check(strcmp(wm_printable(twice, room, once), once) == 0);
	check(strncmp(wm_printable(cut, sizeof(cut), text), once, strlen(cut)) == 0);
	free(text);
	free(once);
	free(twice);
	return 0;
}
