/* SPDX-License-Identifier: BSD-3-Clause */
#include "trial.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "generate.h"
#include "trial_private.h"
#include "wiremill/layout.h"
#include "wiremill/limits.h"

#define HUGE_BYTES (2u * 1024u * 1024u)
#define MEASURE_NS (WM_NS_PER_S / 2)
#define CUTS_MAX 8u

/* ---- life ------------------------------------------------------------------------ */

static uint8_t *map_region(void)
{
	size_t bytes = WM_KERNEL_TRIAL_REGION_BYTES + HUGE_BYTES;
	uint8_t *raw =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (raw == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)raw % HUGE_BYTES;
	if (before)
		munmap(raw, before);
	munmap(raw + before + WM_KERNEL_TRIAL_REGION_BYTES, HUGE_BYTES - before);
	return raw + before;
}

static int allocate(struct wm_kernel_trial *trial, struct wm_error *error)
{
	const struct wm_kernel *kernel = trial->kernel;
	size_t out_bytes = (size_t)WM_KERNEL_TRIAL_ELEMENTS_MAX * kernel->out_bytes;

	trial->region = map_region();
	trial->input = malloc(wm_kernel_trial_input_bytes(trial, WM_KERNEL_TRIAL_ELEMENTS_MAX));
	trial->expected = malloc(out_bytes);
	trial->output = malloc(out_bytes);
	if (trial->region && trial->input && trial->expected && trial->output)
		return 0;
	return wm_error_set(error, ENOMEM, "out of memory for the trial of a kernel");
}

static int bring_up(struct wm_kernel_trial *trial, struct wm_error *error)
{
	const struct wm_executor_config config = {
		.memory = trial->region,
		.memory_bytes = WM_KERNEL_TRIAL_REGION_BYTES,
		.rows_max = WM_KERNEL_TRIAL_ROWS_MAX,
		.validate = trial->config.validate,
		.device = trial->config.device,
	};
	int ret;

	ret = wm_compile(&trial->guarded, trial->config.source, trial->config.name, true, error);
	if (ret == 0)
		ret = wm_compile(&trial->plain, trial->config.source, trial->config.name, false,
				 error);
	return ret < 0 ? ret : wm_executor_create(&trial->executor, &config, error);
}

int wm_kernel_trial_open(struct wm_kernel_trial **trial,
			 const struct wm_kernel_trial_config *config, struct wm_error *error)
{
	struct wm_kernel_trial *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return wm_error_set(error, ENOMEM, "out of memory for the trial of a kernel");
	made->config = *config;
	made->kernel = &config->source->kernel;
	made->batch_max = wm_layout_batch_elements(made->kernel, WM_MTU_MAX);
	made->random = config->seed | 1; /* xorshift never leaves 0 */
	ret = allocate(made, error);
	if (ret == 0)
		ret = bring_up(made, error);
	if (ret < 0)
		wm_kernel_trial_close(&made);
	*trial = made;
	return ret;
}

void wm_kernel_trial_close(struct wm_kernel_trial **trial)
{
	struct wm_kernel_trial *t = *trial;

	wm_executor_destroy(&t->executor);
	if (t->region)
		munmap(t->region, WM_KERNEL_TRIAL_REGION_BYTES);
	free(t->input);
	free(t->expected);
	free(t->output);
	free(t->guarded.code);
	free(t->plain.code);
	free(t);
	*trial = NULL;
}

void wm_kernel_trial_get_obtained(const struct wm_kernel_trial *trial,
				  struct wm_executor_obtained *obtained)
{
	wm_executor_get_obtained(trial->executor, obtained);
}

/* ---- what is wrong ----------------------------------------------------------------- */

static int tell_note(const struct wm_kernel_trial *trial, const struct wm_row_note *note,
		     const char *input, uint32_t elements, struct wm_error *error)
{
	const struct wm_kernel *kernel = trial->kernel;
	char what[160];

	if (note->kind == WM_ROW_NOTE_READ)
		snprintf(what, sizeof(what), "in(i %+d) is outside its HALO %" PRIu32 " %" PRIu32,
			 note->distance, kernel->halo_before, kernel->halo_after);
	else if (note->kind == WM_ROW_NOTE_WRITE)
		snprintf(what, sizeof(what), "out(i %+d) is not its own element", note->distance);
	else if (note->kind == WM_ROW_NOTE_SCALAR)
		snprintf(what, sizeof(what), "there is no scalar %d", note->distance);
	else
		snprintf(what, sizeof(what), "it calls out() not once");
	return wm_error_set(error, EDOM,
			    "%.200s: element %" PRIu32 " of %" PRIu32 ", input of %s: %s",
			    trial->config.name, note->element, elements, input, what);
}

static size_t first_difference(const struct wm_kernel_trial *trial)
{
	size_t at = 0;

	while (trial->output[at] == trial->expected[at])
		at++;
	return at;
}

static int tell_difference(const struct wm_kernel_trial *trial, const char *cut, const char *input,
			   uint32_t elements, struct wm_error *error)
{
	uint32_t bytes = trial->kernel->out_bytes;
	size_t at = first_difference(trial);

	return wm_error_set(
		error, EDOM,
		"%.200s: element %zu of %" PRIu32
		", input of %s: byte %zu of its output is 0x%02x %s, and 0x%02x in batches "
		"of many",
		trial->config.name, at / bytes, elements, input, at % bytes, trial->output[at], cut,
		trial->expected[at]);
}

/* The software device ends an invocation whose loop it cuts off. */
static int tell_unwritten(const struct wm_kernel_trial *trial, const char *input, uint32_t elements,
			  struct wm_error *error)
{
	return wm_error_set(
		error, EDOM,
		"%.200s: element %zu of %" PRIu32
		", input of %s: its output is not written: does a loop go on for 65,536 "
		"rounds or more? They are cut off there",
		trial->config.name, first_difference(trial) / trial->kernel->out_bytes, elements,
		input);
}

/* ---- one input --------------------------------------------------------------------- */

/* Every MTU's batches lie in the chunks of its frames. */
static unsigned list_cuts(const struct wm_kernel_trial *trial,
			  struct wm_kernel_trial_cut cuts[CUTS_MAX])
{
	static const struct {
		uint32_t mtu;
		const char *name;
	} mtus[] = { { 1500, "at MTU 1500" }, { 3506, "at MTU 3506" }, { 9000, "at MTU 9000" } };
	const uint32_t chunk = WM_UMEM_CHUNK_BYTES - WM_UMEM_HEADROOM_BYTES;
	unsigned count = 0;

	cuts[count++] = (struct wm_kernel_trial_cut){ .name = "alone", .elements = 1 };
	cuts[count++] = (struct wm_kernel_trial_cut){ .name = "in batches of any size" };
	cuts[count++] = (struct wm_kernel_trial_cut){
		.name = "in batches of any size, the last first", .piece = 64, .reversed = true
	};
	for (unsigned i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
		uint32_t elements = wm_layout_batch_elements(trial->kernel, mtus[i].mtu);

		if (elements > 0)
			cuts[count++] = (struct wm_kernel_trial_cut){ .name = mtus[i].name,
								      .elements = elements,
								      .piece = chunk };
	}
	return count;
}

static int compute_whole(struct wm_kernel_trial *trial, uint32_t elements, uint8_t filler,
			 uint8_t *output, struct wm_row_note *note, struct wm_error *error)
{
	const struct wm_kernel_trial_cut whole = { .elements = trial->batch_max, .filler = filler };

	return wm_kernel_trial_compute(trial, &whole, elements, output, note, error);
}

/* What the guarded kernel notes explains what would differ. It does it twice: a byte that is
 * what was there before was not written. */
static int guard_input(struct wm_kernel_trial *trial, const char *input, uint32_t elements,
		       struct wm_kernel_trial_counts *counts, struct wm_error *error)
{
	size_t bytes = (size_t)elements * trial->kernel->out_bytes;
	struct wm_row_note note;
	int ret;

	ret = compute_whole(trial, elements, 0xa5, trial->output, &note, error);
	if (ret == 0 && note.kind != WM_ROW_NOTE_NONE)
		return tell_note(trial, &note, input, elements, error);
	if (ret == 0)
		ret = compute_whole(trial, elements, 0x5a, trial->expected, &note, error);
	if (ret == 0 && memcmp(trial->output, trial->expected, bytes) != 0)
		return tell_unwritten(trial, input, elements, error);
	counts->inputs++;
	return ret;
}

static int compare(struct wm_kernel_trial *trial, const char *cut, const char *input,
		   uint32_t elements, struct wm_kernel_trial_counts *counts, struct wm_error *error)
{
	size_t bytes = (size_t)elements * trial->kernel->out_bytes;

	if (memcmp(trial->output, trial->expected, bytes) != 0)
		return tell_difference(trial, cut, input, elements, error);
	counts->cuts++;
	counts->elements += elements;
	return 0;
}

static int run_cuts(struct wm_kernel_trial *trial, const char *input, uint32_t elements,
		    struct wm_kernel_trial_counts *counts, struct wm_error *error)
{
	struct wm_kernel_trial_cut cuts[CUTS_MAX];
	unsigned count = list_cuts(trial, cuts);
	struct wm_row_note note;
	int ret = 0;

	for (unsigned i = 0; ret == 0 && i < count; i++) {
		ret = wm_kernel_trial_compute(trial, &cuts[i], elements, trial->output, &note,
					      error);
		if (ret == 0)
			ret = compare(trial, cuts[i].name, input, elements, counts, error);
	}
	return ret;
}

static int run_reference(struct wm_kernel_trial *trial, const char *input, uint32_t elements,
			 struct wm_kernel_trial_counts *counts, struct wm_error *error)
{
	int ret;

	if (!trial->config.reference)
		return 0;
	ret = wm_kernel_trial_refer(trial, elements, trial->output, error);
	return ret < 0 ? ret : compare(trial, "by the reference", input, elements, counts, error);
}

static int cut_input(struct wm_kernel_trial *trial, const char *input, uint32_t elements,
		     struct wm_kernel_trial_counts *counts, struct wm_error *error)
{
	struct wm_row_note note;
	int ret;

	ret = compute_whole(trial, elements, 0, trial->expected, &note, error);
	if (ret == 0)
		ret = run_cuts(trial, input, elements, counts, error);
	if (ret == 0)
		ret = run_reference(trial, input, elements, counts, error);
	return ret;
}

/* All inputs, of all sizes, with this kernel prepared. */
static int for_each_input(struct wm_kernel_trial *trial, const struct wm_spirv *spirv,
			  int (*run)(struct wm_kernel_trial *trial, const char *input,
				     uint32_t elements, struct wm_kernel_trial_counts *counts,
				     struct wm_error *error),
			  struct wm_kernel_trial_counts *counts, struct wm_error *error)
{
	static const uint32_t sizes[] = { WM_KERNEL_TRIAL_ELEMENTS_MAX, 257, 7, 1 };
	const char *input;
	int ret;

	ret = wm_executor_prepare_code(trial->executor, trial->kernel, spirv->code,
				       spirv->code_bytes, error);
	for (unsigned i = 0; ret == 0 && i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (unsigned kind = 0; ret == 0; kind++) {
			input = wm_kernel_trial_fill(trial, kind, sizes[i]);
			if (!input)
				break;
			ret = run(trial, input, sizes[i], counts, error);
		}
	}
	return ret;
}

int wm_kernel_trial_run(struct wm_kernel_trial *trial, struct wm_kernel_trial_counts *counts,
			struct wm_error *error)
{
	struct wm_executor_counters counters;
	int ret;

	*counts = (struct wm_kernel_trial_counts){ 0 };
	ret = for_each_input(trial, &trial->guarded, guard_input, counts, error);
	if (ret == 0)
		ret = for_each_input(trial, &trial->plain, cut_input, counts, error);
	wm_executor_get_counters(trial->executor, &counters);
	counts->validation_messages = counters.validation_messages;
	return ret;
}

/* ---- how fast ------------------------------------------------------------------------ */

/* The same rows in every table, as large as frames are: results are overwritten. */
static uint32_t fill_table(const struct wm_kernel_trial *trial, struct wm_row *rows)
{
	const struct wm_kernel *kernel = trial->kernel;
	uint32_t count = trial->batch_max;
	uint32_t in_bytes = wm_kernel_trial_input_bytes(trial, count);
	uint32_t out_at = wm_kernel_trial_room(in_bytes),
		 stride = out_at + wm_kernel_trial_room(count * kernel->out_bytes);
	uint32_t row_count = 0;

	while (row_count < WM_KERNEL_TRIAL_ROWS_MAX &&
	       (row_count + 1) * stride <= WM_KERNEL_TRIAL_REGION_BYTES) {
		uint32_t at = row_count * stride;

		rows[row_count++] = (struct wm_row){ .in = { at },
						     .in_end = { in_bytes, in_bytes },
						     .out = at + out_at,
						     .count = count };
	}
	return row_count;
}

double wm_kernel_trial_measure(struct wm_kernel_trial *trial, struct wm_error *error)
{
	const struct wm_kernel *kernel = trial->kernel;
	uint32_t count = trial->batch_max;
	double row_bytes = (double)wm_kernel_trial_input_bytes(trial, count) +
			   (double)count * kernel->out_bytes;
	uint64_t begin_ns = wm_clock_ns(), now_ns, rows_done = 0;

	do {
		struct wm_row *rows = wm_executor_rows(trial->executor);
		uint32_t row_count = rows ? fill_table(trial, rows) : 0;
		uint64_t ticket = rows ? wm_executor_submit(trial->executor, row_count) : 0;

		if (!ticket || wm_executor_wait(trial->executor, ticket, 20 * WM_NS_PER_S) < 0) {
			wm_error_set(error, EIO,
				     "the device was lost while the kernel was measured");
			return 0;
		}
		rows_done += row_count;
		now_ns = wm_clock_ns();
	} while (now_ns - begin_ns < MEASURE_NS);
	return (double)rows_done * row_bytes / ((double)(now_ns - begin_ns) / WM_NS_PER_S);
}
