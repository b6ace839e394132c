/* SPDX-License-Identifier: BSD-3-Clause */
/* A trial's parts: the device and its memory, the cuts, the inputs, the author's program. */
#ifndef WM_KERNEL_TRIAL_PRIVATE_H
#define WM_KERNEL_TRIAL_PRIVATE_H

#include "compiler.h"
#include "trial.h"

#define WM_KERNEL_TRIAL_ROWS_MAX 64u
/* Those rows, each in a frame of 9000. */
#define WM_KERNEL_TRIAL_REGION_BYTES (4u * 1024u * 1024u)
/* Of output in one input: several batches of the largest, and no multiple of anything. */
#define WM_KERNEL_TRIAL_ELEMENTS_MAX 1031u

struct wm_kernel_trial {
	struct wm_kernel_trial_config config;
	const struct wm_kernel *kernel;
	uint32_t batch_max; /* elements that fit the largest frame */
	struct wm_executor *executor;
	struct wm_spirv guarded, plain;
	uint8_t *region;
	uint8_t *input;		    /* of the largest, with its halo */
	uint8_t *expected, *output; /* of the largest */
	uint64_t random;
};

/* Of so many elements of output, with the halo of the first and the last. */
static inline uint32_t wm_kernel_trial_input_bytes(const struct wm_kernel_trial *trial,
						   uint32_t elements)
{
	const struct wm_kernel *kernel = trial->kernel;

	return (kernel->halo_before + elements + kernel->halo_after) * kernel->in_bytes;
}

/* What a piece or an output takes in the region. */
static inline uint32_t wm_kernel_trial_room(uint32_t bytes)
{
	return (bytes + WM_ROW_ALIGN_BYTES - 1) / WM_ROW_ALIGN_BYTES * WM_ROW_ALIGN_BYTES;
}

/* How a run of elements becomes rows. */
struct wm_kernel_trial_cut {
	const char *name;  /* "batches of one element" */
	uint32_t elements; /* of a batch at most (and as many as fit a frame); 0: at random */
	uint32_t piece;	   /* bytes of the first piece of its input at most, 0: it is in one */
	uint8_t filler;	   /* what the region holds before: what is not written shows */
	bool reversed;	   /* the last batch comes first */
};

uint64_t wm_kernel_trial_random(struct wm_kernel_trial *trial, uint64_t below);

/* Computes `elements` of output from input, with the kernel that is prepared, into output.
 * *note is the first of the guard's, WM_ROW_NOTE_NONE where it noted nothing; its element is
 * counted from the beginning of the output. 0 or -EIO. */
struct wm_row_note;
int wm_kernel_trial_compute(struct wm_kernel_trial *trial, const struct wm_kernel_trial_cut *cut,
			    uint32_t elements, uint8_t *output, struct wm_row_note *note,
			    struct wm_error *error);

/* Fills input for that many elements of output. Returns what it is, or NULL past the last. */
const char *wm_kernel_trial_fill(struct wm_kernel_trial *trial, unsigned index, uint32_t elements);

/* The author's program on the input: its output. 0, -EIO. */
int wm_kernel_trial_refer(struct wm_kernel_trial *trial, uint32_t elements, uint8_t *output,
			  struct wm_error *error);

#endif
