/* SPDX-License-Identifier: BSD-3-Clause */
#include "disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bug.h"
#include "sim_lane.h"

#define SECTOR_BYTES 512u
/* A record for each extent, often enough for those that are made again. */
#define RECORDS_MAX(extents) (20 * (extents) + 1000)
#define OPERATIONS_MAX (SIM_SLOTS_MAX + 2)

struct file {
	uint8_t *current; /* with what is in the cache */
	uint8_t *stable;
	uint8_t *before; /* what the disk had there */
	uint64_t *dirty; /* by sector: when it came into the cache, 0: it is not there */
	uint64_t bytes, bytes_stable, room;
};

struct operation {
	bool used;
	enum sim_disk_op op;
	uint64_t extent;
	enum sim_file file; /* what is written now, if anything */
	uint64_t offset, bytes;
	const uint8_t *from;
	uint8_t *to;
	uint64_t synced; /* of a sync: what was in the cache when it began */
	uint8_t records[WM_STORE_JOURNAL_RECORDS_MAX * WM_JOURNAL_RECORD_BYTES];
	uint32_t record_bytes;
};

struct sim_disk {
	struct file file[SIM_FILES];
	struct sim_names names;
	struct operation operation[OPERATIONS_MAX];
	uint64_t writes;
	uint32_t input_changes;
	uint32_t life; /* of the controller: completions of an earlier one are void */
};

static uint64_t sectors(uint64_t bytes)
{
	return (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
}

static void file_create(struct file *file, uint64_t bytes)
{
	file->room = sectors(bytes) * SECTOR_BYTES;
	file->current = sim_allocate(file->room, 1);
	file->stable = sim_allocate(file->room, 1);
	file->before = sim_allocate(file->room, 1);
	file->dirty = sim_allocate(sectors(bytes), sizeof(*file->dirty));
}

/* What the disk had where the journal comes to lie: that of another job, with the
 * same numbers of records. Its end must be seen without a zero to help. */
static void fill_log(struct sim *sim, struct file *file)
{
	uint64_t count = (file->room - WM_JOURNAL_HEADER_BYTES) / WM_JOURNAL_RECORD_BYTES;
	uint32_t other = (uint32_t)wm_random(&sim->random);

	for (uint64_t i = 0; i < count; i++) {
		struct wm_journal_record record = {
			.type = WM_JOURNAL_EXTENT,
			.extent = sim_between(sim, 0, sim->plan.layout.extents - 1),
			.crc32c = (uint32_t)wm_random(&sim->random),
		};

		wm_journal_encode_record(file->before + WM_JOURNAL_HEADER_BYTES +
						 i * WM_JOURNAL_RECORD_BYTES,
					 &record, other, (uint32_t)i);
	}
	memcpy(file->current, file->before, file->room);
	memcpy(file->stable, file->before, file->room);
}

void sim_disk_create(struct sim *sim)
{
	const struct wm_layout *layout = &sim->plan.layout;

	sim->disk = sim_allocate(1, sizeof(*sim->disk));
	file_create(&sim->disk->file[SIM_SINK], layout->output_bytes);
	file_create(&sim->disk->file[SIM_LOG],
		    WM_JOURNAL_HEADER_BYTES +
			    RECORDS_MAX(layout->extents) * WM_JOURNAL_RECORD_BYTES);
	fill_log(sim, &sim->disk->file[SIM_LOG]);
}

void sim_disk_destroy(struct sim *sim)
{
	for (uint32_t i = 0; i < SIM_FILES; i++) {
		free(sim->disk->file[i].current);
		free(sim->disk->file[i].stable);
		free(sim->disk->file[i].before);
		free(sim->disk->file[i].dirty);
	}
	free(sim->disk);
}

/* ---- the cache ------------------------------------------------------------------ */

static uint64_t sector_end(const struct file *file, uint64_t sector)
{
	uint64_t end = (sector + 1) * SECTOR_BYTES;

	return end < file->room ? end : file->room;
}

static void cache_put(struct sim *sim, enum sim_file which, uint64_t offset, const uint8_t *from,
		      uint64_t bytes)
{
	struct file *file = &sim->disk->file[which];

	if (bytes == 0)
		return;
	assert(offset + bytes <= file->room);
	memcpy(file->current + offset, from, bytes);
	if (offset + bytes > file->bytes)
		file->bytes = offset + bytes;
	sim->disk->writes++;
	for (uint64_t i = offset / SECTOR_BYTES; i < sectors(offset + bytes); i++)
		file->dirty[i] = sim->disk->writes;
}

static void sector_settle(struct file *file, uint64_t sector, bool keep)
{
	uint64_t at = sector * SECTOR_BYTES, bytes = sector_end(file, sector) - at;

	if (keep)
		memcpy(file->stable + at, file->current + at, bytes);
	else
		memcpy(file->current + at, file->stable + at, bytes);
	file->dirty[sector] = 0;
}

/* Everything that came into the cache until then. */
static void cache_sync(struct file *file, uint64_t until)
{
	for (uint64_t i = 0; i < sectors(file->room); i++) {
		if (file->dirty[i] && file->dirty[i] <= until)
			sector_settle(file, i, true);
	}
	file->bytes_stable = file->bytes;
}

/* A file system never shows what a file had beyond its end. */
static void forget_beyond(struct file *file)
{
	memcpy(file->current + file->bytes, file->before + file->bytes, file->room - file->bytes);
	memcpy(file->stable + file->bytes, file->before + file->bytes, file->room - file->bytes);
}

/* A sync that fails: some of it is lost, and no later sync will say so. */
static void cache_drop_some(struct sim *sim, struct file *file, uint64_t until)
{
	for (uint64_t i = 0; i < sectors(file->room); i++) {
		if (file->dirty[i] && file->dirty[i] <= until && sim_between(sim, 0, 1))
			sector_settle(file, i, sim_between(sim, 0, 1));
	}
}

/* ---- names ------------------------------------------------------------------------ */

struct sim_names *sim_disk_names(struct sim *sim)
{
	return &sim->disk->names;
}

void sim_disk_make_sink(struct sim *sim)
{
	struct file *file = &sim->disk->file[SIM_SINK];
	int before = (int)sim_between(sim, 0, 255);

	memset(file->stable, before, file->room);
	memset(file->current, before, file->room);
	memset(file->dirty, 0, sectors(file->room) * sizeof(*file->dirty));
	file->bytes = file->bytes_stable = sim->plan.layout.output_bytes;
	sim->disk->names.sink = true;
}

void sim_disk_make_journal(struct sim *sim, const uint8_t header[WM_JOURNAL_HEADER_BYTES])
{
	struct file *file = &sim->disk->file[SIM_LOG];

	memset(file->dirty, 0, sectors(file->room) * sizeof(*file->dirty));
	file->bytes = 0;
	forget_beyond(file);
	memcpy(file->current, header, WM_JOURNAL_HEADER_BYTES);
	memcpy(file->stable, header, WM_JOURNAL_HEADER_BYTES);
	file->bytes = file->bytes_stable = WM_JOURNAL_HEADER_BYTES;
	sim->disk->names.journal = true;
}

void sim_disk_cut_journal(struct sim *sim, uint64_t bytes)
{
	struct file *file = &sim->disk->file[SIM_LOG];

	assert(bytes <= file->bytes);
	file->bytes = bytes;
	forget_beyond(file);
	cache_sync(file, UINT64_MAX);
}

const uint8_t *sim_disk_current(const struct sim *sim, enum sim_file file)
{
	return sim->disk->file[file].current;
}

const uint8_t *sim_disk_stable(const struct sim *sim, enum sim_file file)
{
	return sim->disk->file[file].stable;
}

uint64_t sim_disk_bytes(const struct sim *sim, enum sim_file file)
{
	return sim->disk->file[file].bytes;
}

/* ---- operations ---------------------------------------------------------------------- */

static struct operation *operation_new(struct sim *sim, enum sim_disk_op op, uint64_t extent)
{
	for (uint32_t i = 0; i < OPERATIONS_MAX; i++) {
		struct operation *operation = &sim->disk->operation[i];

		if (operation->used)
			continue;
		operation->used = true;
		operation->op = op;
		operation->extent = extent;
		operation->bytes = 0;
		return operation;
	}
	assert(!"more I/O than slots");
	return NULL;
}

static void operation_at(struct sim *sim, struct operation *operation, uint64_t within_ns,
			 sim_run *run)
{
	sim_at(sim, sim->now_ns + sim_between(sim, within_ns / 10, within_ns), run, operation,
	       operation->extent, operation->op, sim->disk->life);
}

static void operation_end(struct sim *sim, struct operation *operation, int result)
{
	operation->used = false;
	sim->tally.io_errors += result < 0;
	if (result < 0)
		sim_trace(sim, "disk: operation %d on extent %llu fails: %d", operation->op,
			  (unsigned long long)operation->extent, result);
	sim_lane_completed(sim, operation->op, operation->extent, result);
}

uint32_t sim_disk_input_changes(const struct sim *sim)
{
	return sim->disk->input_changes;
}

bool sim_disk_input_differs(const struct sim *sim, const struct wm_journal *journal)
{
	return (uint64_t)journal->identity.input_mtime_ns != sim->disk->input_changes;
}

/* One byte of what is read now, or of all. */
static void change_input(struct sim *sim, const struct wm_span *span)
{
	bool here = sim_between(sim, 0, 1);
	uint64_t at = here ? span->in_offset + sim_between(sim, 0, span->in_bytes - 1)
			   : sim_between(sim, 0, sim->plan.layout.input_bytes - 1);

	sim->input[at] ^= (uint8_t)sim_between(sim, 1, 255);
	sim->disk->input_changes++;
	sim->tally.input_changes++;
	sim_trace(sim, "disk: the input is written to, at byte %llu", (unsigned long long)at);
}

static void read_done(struct sim *sim, const struct sim_event *event)
{
	struct operation *operation = event->object;
	struct wm_span span;

	if (event->life != sim->disk->life)
		return;
	if (sim_fault(sim, sim->plan.disk.read_eio)) {
		operation_end(sim, operation, -EIO);
		return;
	}
	span = wm_layout_extent(&sim->plan.layout, operation->extent);
	if (sim->disk->input_changes == 0 && sim_fault(sim, sim->plan.disk.input_changes))
		change_input(sim, &span);
	memcpy(operation->to, sim->input + span.in_offset, span.in_bytes);
	operation_end(sim, operation, 0);
}

void sim_disk_read(struct sim *sim, uint64_t extent, uint8_t *to)
{
	struct operation *operation = operation_new(sim, SIM_READ, extent);

	operation->to = to;
	operation_at(sim, operation, sim->plan.disk.read_ns, read_done);
}

/* Some sectors of it, from its front or anywhere. */
static void write_part(struct sim *sim, const struct operation *operation)
{
	uint64_t first = operation->offset / SECTOR_BYTES;
	uint64_t count = sectors(operation->offset + operation->bytes) - first;
	uint64_t front = sim_between(sim, 0, 1) ? sim_between(sim, 0, count) : 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t start = (first + i) * SECTOR_BYTES, end = start + SECTOR_BYTES;

		if (front ? i >= front : sim_between(sim, 0, 1))
			continue;
		if (start < operation->offset)
			start = operation->offset;
		if (end > operation->offset + operation->bytes)
			end = operation->offset + operation->bytes;
		cache_put(sim, operation->file, start,
			  operation->from + (start - operation->offset), end - start);
	}
}

static void write_done(struct sim *sim, const struct sim_event *event)
{
	struct operation *operation = event->object;

	if (event->life != sim->disk->life)
		return;
	if (sim_fault(sim, sim->plan.disk.write_eio)) {
		write_part(sim, operation);
		operation_end(sim, operation, -EIO);
	} else if (sim_fault(sim, sim->plan.disk.write_enospc)) {
		operation_end(sim, operation, -ENOSPC);
	} else {
		cache_put(sim, SIM_SINK, operation->offset, operation->from, operation->bytes);
		operation_end(sim, operation, 0);
	}
}

void sim_disk_write(struct sim *sim, uint64_t extent, const uint8_t *from)
{
	struct operation *operation = operation_new(sim, SIM_WRITE, extent);
	struct wm_span span = wm_layout_extent(&sim->plan.layout, extent);

	operation->file = SIM_SINK;
	operation->from = from;
	operation->offset = span.out_offset;
	operation->bytes = span.out_bytes;
	operation_at(sim, operation, sim->plan.disk.write_ns, write_done);
}

static void append_done(struct sim *sim, const struct sim_event *event)
{
	struct operation *operation = event->object;
	struct file *file = &sim->disk->file[SIM_LOG];

	if (event->life != sim->disk->life)
		return;
	if (sim_fault(sim, sim->plan.disk.journal_eio)) {
		write_part(sim, operation);
		operation_end(sim, operation, -EIO);
	} else if (sim_fault(sim, sim->plan.disk.journal_enospc)) {
		operation_end(sim, operation, -ENOSPC);
	} else {
		cache_put(sim, SIM_LOG, operation->offset, operation->from, operation->bytes);
		cache_sync(file, UINT64_MAX);
		operation_end(sim, operation, 0);
	}
}

static void append_begin(struct sim *sim, struct operation *operation)
{
	operation->file = SIM_LOG;
	operation->from = operation->records;
	operation->offset = sim->disk->file[SIM_LOG].bytes;
	operation->bytes = operation->record_bytes;
	operation_at(sim, operation, sim->plan.disk.sync_ns, append_done);
}

static int sync_result(struct sim *sim, uint64_t until)
{
	struct file *file = &sim->disk->file[SIM_SINK];

	if (sim_fault(sim, sim->plan.disk.sync_eio)) {
		cache_drop_some(sim, file, until);
		return sim_bug == SIM_BUG_IGNORE_SYNC ? 0 : -EIO;
	}
	cache_sync(file, until);
	return 0;
}

static void sync_done(struct sim *sim, const struct sim_event *event)
{
	struct operation *operation = event->object;
	int result;

	if (event->life != sim->disk->life)
		return;
	result = sync_result(sim, operation->synced);
	/* The look at the input, between the two. */
	if (result == 0 && sim_disk_input_differs(sim, &sim_lane_job(sim)->journal) &&
	    sim_bug != SIM_BUG_NO_LOOK)
		result = -WM_STORE_INPUT_CHANGED;
	if (result == 0)
		append_begin(sim, operation);
	else
		operation_end(sim, operation, result);
}

void sim_disk_journal(struct sim *sim, const uint8_t *records, uint32_t count)
{
	struct operation *operation = operation_new(sim, SIM_JOURNAL, 0);

	operation->synced = sim->disk->writes;
	operation->record_bytes = count * WM_JOURNAL_RECORD_BYTES;
	memcpy(operation->records, records, operation->record_bytes);
	if (sim_bug == SIM_BUG_NO_SYNC)
		append_begin(sim, operation);
	else
		operation_at(sim, operation, sim->plan.disk.sync_ns, sync_done);
}

int sim_disk_sync(struct sim *sim)
{
	return sync_result(sim, sim->disk->writes);
}

bool sim_disk_appends(const struct sim *sim)
{
	for (uint32_t i = 0; i < OPERATIONS_MAX; i++) {
		const struct operation *operation = &sim->disk->operation[i];

		if (operation->used && operation->op == SIM_JOURNAL && operation->bytes > 0)
			return true;
	}
	return false;
}

/* ---- crash ------------------------------------------------------------------------------ */

enum fate { KEPT, LOST, TORN, FRONT, FATES };

static void file_crash(struct sim *sim, struct file *file)
{
	enum fate fate = sim->plan.crash_keeps_cache ? KEPT : (enum fate)sim_between(sim, 0, 3);
	uint64_t front = sim_between(sim, 0, sectors(file->room));

	for (uint64_t i = 0; i < sectors(file->room); i++) {
		bool keep = fate == KEPT || (fate == TORN && sim_between(sim, 0, 1)) ||
			    (fate == FRONT && i < front);

		if (file->dirty[i])
			sector_settle(file, i, keep);
	}
	/* The length is durable by itself. */
	if (fate != KEPT && sim_between(sim, 0, 1))
		file->bytes = file->bytes_stable;
	file->bytes_stable = file->bytes;
	/* What lay beyond a length that went back is no file's any more: when it grows
	 * again, a file system shows zeroes there. */
	memset(file->current + file->bytes, 0, file->room - file->bytes);
	memset(file->stable + file->bytes, 0, file->room - file->bytes);
}

void sim_disk_crash(struct sim *sim)
{
	for (uint32_t i = 0; i < OPERATIONS_MAX; i++) {
		struct operation *operation = &sim->disk->operation[i];

		if (operation->used && operation->bytes > 0)
			write_part(sim, operation);
		operation->used = false;
	}
	for (uint32_t i = 0; i < SIM_FILES; i++)
		file_crash(sim, &sim->disk->file[i]);
	sim->disk->life++;
}
