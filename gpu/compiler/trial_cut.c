/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of a cut: their inputs are laid into the region as frames lay them, piece by piece. */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "generate.h"
#include "trial_private.h"

#define WAIT_NS (20 * WM_NS_PER_S)
/* Room that nobody writes lies between all that rows have. */
#define GAP_BYTES 64u

struct batch {
	uint32_t first, count; /* elements of output */
	uint32_t out;	       /* where in the region */
};

/* The rows of one submission. */
struct table {
	struct wm_row *rows;
	struct batch batches[WM_KERNEL_TRIAL_ROWS_MAX];
	uint32_t count;
	uint32_t used; /* bytes of the region */
};

uint64_t wm_kernel_trial_random(struct wm_kernel_trial *trial, uint64_t below)
{
	trial->random ^= trial->random << 13;
	trial->random ^= trial->random >> 7;
	trial->random ^= trial->random << 17;
	return (trial->random >> 8) % below;
}

static uint32_t batch_size(struct wm_kernel_trial *trial, const struct wm_kernel_trial_cut *cut,
			   uint32_t left)
{
	uint32_t most = cut->elements
				? cut->elements
				: 1 + (uint32_t)wm_kernel_trial_random(trial, trial->batch_max);

	if (most > trial->batch_max)
		most = trial->batch_max;
	return left < most ? left : most;
}

/* A gap stands after each piece, so that no piece goes on where the next begins. */
static uint32_t place_piece(struct wm_kernel_trial *trial, struct table *table,
			    const uint8_t *input, uint32_t bytes)
{
	uint32_t at = table->used;

	memcpy(trial->region + at, input, bytes);
	table->used += wm_kernel_trial_room(bytes) + GAP_BYTES;
	return at;
}

static uint32_t end_of_piece(const struct wm_kernel_trial_cut *cut, uint32_t before, uint32_t bytes)
{
	uint32_t end = before + cut->piece;

	return cut->piece == 0 || end > bytes ? bytes : end;
}

static void place_batch(struct wm_kernel_trial *trial, const struct wm_kernel_trial_cut *cut,
			struct table *table, uint32_t first, uint32_t count)
{
	const struct wm_kernel *kernel = trial->kernel;
	const uint8_t *input = trial->input + (size_t)first * kernel->in_bytes;
	uint32_t bytes = wm_kernel_trial_input_bytes(trial, count);
	struct wm_row row = { .count = count };

	row.in_end[0] = end_of_piece(cut, 0, bytes);
	row.in_end[1] = end_of_piece(cut, row.in_end[0], bytes);
	row.in[0] = place_piece(trial, table, input, row.in_end[0]);
	row.in[1] = place_piece(trial, table, input + row.in_end[0], row.in_end[1] - row.in_end[0]);
	row.in[2] = place_piece(trial, table, input + row.in_end[1], bytes - row.in_end[1]);
	row.out = table->used;
	table->used += wm_kernel_trial_room(count * kernel->out_bytes) + GAP_BYTES;
	table->batches[table->count] = (struct batch){ first, count, row.out };
	table->rows[table->count++] = row;
}

/* Returns the elements that it took, from `done` on. */
static uint32_t fill_table(struct wm_kernel_trial *trial, const struct wm_kernel_trial_cut *cut,
			   struct table *table, uint32_t done, uint32_t elements)
{
	const uint32_t first = done;

	while (done < elements && table->count < WM_KERNEL_TRIAL_ROWS_MAX) {
		uint32_t count = batch_size(trial, cut, elements - done);

		place_batch(trial, cut, table, cut->reversed ? elements - done - count : done,
			    count);
		done += count;
	}
	return done - first;
}

static void gather(const struct wm_kernel_trial *trial, const struct table *table, uint8_t *output,
		   struct wm_row_note *note)
{
	uint32_t bytes = trial->kernel->out_bytes;

	for (uint32_t i = 0; i < table->count; i++) {
		const struct batch *batch = &table->batches[i];

		memcpy(output + (size_t)batch->first * bytes, trial->region + batch->out,
		       (size_t)batch->count * bytes);
		if (note->kind == WM_ROW_NOTE_NONE && table->rows[i].zero) {
			*note = wm_row_note_decode(table->rows[i].zero);
			note->element += batch->first;
		}
	}
}

static int submit(struct wm_kernel_trial *trial, struct table *table, struct wm_error *error)
{
	uint64_t ticket = wm_executor_submit(trial->executor, table->count);

	if (ticket && wm_executor_wait(trial->executor, ticket, WAIT_NS) == 0)
		return 0;
	return wm_error_set(error, EIO,
			    "%.200s: the device was lost, or did not end in %u s: is there a loop "
			    "without an end?",
			    trial->config.name, (unsigned)(WAIT_NS / WM_NS_PER_S));
}

int wm_kernel_trial_compute(struct wm_kernel_trial *trial, const struct wm_kernel_trial_cut *cut,
			    uint32_t elements, uint8_t *output, struct wm_row_note *note,
			    struct wm_error *error)
{
	uint32_t done = 0;

	*note = (struct wm_row_note){ .kind = WM_ROW_NOTE_NONE };
	while (done < elements) {
		struct table table = { .rows = wm_executor_rows(trial->executor) };

		if (!table.rows)
			return wm_error_set(error, EIO, "%.200s: the device is lost",
					    trial->config.name);
		memset(trial->region, cut->filler, WM_KERNEL_TRIAL_REGION_BYTES);
		done += fill_table(trial, cut, &table, done, elements);
		if (submit(trial, &table, error) < 0)
			return -EIO;
		gather(trial, &table, output, note);
	}
	return 0;
}
