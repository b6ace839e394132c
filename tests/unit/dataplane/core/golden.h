/* SPDX-License-Identifier: BSD-3-Clause */
/* Golden frames of tests/fixtures, which make_frames.py makes: it shares no code with what is
 * tested by them. Whoever uses it is compiled with -DWM_FIXTURES="...". */
#ifndef WM_GOLDEN_H
#define WM_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

#define GOLDEN_BYTES_MAX 256

struct golden {
	const char *name;
	uint8_t bytes[GOLDEN_BYTES_MAX];
	size_t len;
};

/* The two ends of their frames. */
extern const uint8_t golden_controller[6], golden_node[6];

/* Ends the program if it is not there. */
void golden_load(struct golden *golden);

#endif
