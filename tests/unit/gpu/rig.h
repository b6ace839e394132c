/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What tests of the executor share: a region like a UMEM, the executor on it
 * under the validation layer, and a second region that says what the first one
 * must look like. Both are compared whole, so that a byte written anywhere it
 * should not be is seen.
 */
#ifndef WM_RIG_H
#define WM_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "harness.h"
#include "wiremill/error.h"
#include "wiremill/executor.h"
#include "wiremill/kernel.h"

#define RIG_BYTES (8u * 1024u * 1024u)
#define RIG_ROWS_MAX 256u
/* Long enough for any machine; only a hang reaches it. */
#define RIG_WAIT_NS 60000000000ull

struct rig {
	struct wm_executor *executor;
	uint8_t *memory;
	uint8_t *expected;
	uint64_t random;
};

/* Anonymous memory aligned to 2 MiB, as a UMEM is. Aborts if there is none. */
uint8_t *rig_map(size_t bytes);
void rig_unmap(uint8_t *memory, size_t bytes);

/* Prints the seed (WM_TEST_SEED sets it). `invocations` is the first argument of a test's
 * program, how many compute a row, or NULL. 0, or what wm_executor_create says. */
int rig_init(struct rig *rig, const char *invocations, struct wm_error *error);
void rig_fini(struct rig *rig);
/* Main of a program whose tests share that rig, with `xor` prepared: its exit status. */
int rig_run(struct rig *rig, const char *invocations, const char *suite,
	    const struct wm_test *tests, unsigned count);

/* From lowest to highest, both included. */
uint32_t rig_random(struct rig *rig, uint32_t lowest, uint32_t highest);
/* New random bytes everywhere, in both regions. */
void rig_fill(struct rig *rig);

/* Bytes of the input of this row. */
uint32_t rig_input_bytes(const struct wm_row *row, const struct wm_kernel *kernel);
/* Collects a row's input from its pieces, byte by byte as executor.h says. */
void rig_input(const struct rig *rig, const struct wm_row *row, uint8_t *input,
	       uint32_t input_bytes);
/* Whether the region is as expected; prints where not. */
bool rig_is_as_expected(const struct rig *rig);

uint64_t rig_messages(const struct rig *rig);

#endif
