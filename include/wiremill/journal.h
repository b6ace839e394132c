/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Durable progress: the journal beside an output that is being made, and the
 * manifest beside one that is finished.
 *
 *   OUTPUT.wm-partial    what has been written so far
 *   OUTPUT.wm-journal    which extents of it are on disk, and their CRC32C
 *   OUTPUT.wm-manifest   the same for a finished OUTPUT, in order
 *
 * (of a block device: in the controller's state directory, under its name; more of these
 * files in side.h.)
 *
 * The journal is a header that says which job it belongs to, and records that
 * are only ever appended, each *after* the data it vouches for is on disk:
 *
 *   write extents (O_DIRECT) ─▶ fdatasync output ─▶ append records (O_DSYNC) ─▶ durable
 *
 * The output comes first in all: created before its journal, named (wm_sink_commit)
 * before its manifest is made and its journal removed.
 *
 * A record holds its own number and a CRC that starts from the journal's random
 * identity, so that a torn tail, or what a disk had there before, ends the
 * journal instead of extending it. Whatever is lost with it is computed again.
 *
 *  header, 8192 bytes                     record, 32 bytes, little-endian
 *   0 u8[8]  "WMJRNL\0" and 1, 2, 3         0 u32 type    enum wm_journal_type
 *   8 u32    identity (random)              4 u32 crc32c  of the extent's output
 *  12 u32    header bytes (8192)            8 u64 extent
 *  16 u64    input bytes                   16 u64 nodes   wm_journal_node_bit of every node
 *  24 i64    input mtime, ns                               that had a part in it
 *  32 u32    sample: CRC32C of 64 pieces   24 u32 number  of this record, from 0
 *            of 4 KiB spread over it       28 u32 crc32c  of bytes 0..27, begun with
 *  36 u32    flags: 1 force, 2 drop tail                   the identity
 *  40 u64    output bytes
 *  48 u32    extent elements
 *  52 u32    kernel: in bytes, out bytes, halo before, halo after (4 x u32)
 *  68 u8[32] kernel name, NUL padded
 * 100 u8[4096] input path, NUL padded
 * 4196 u32   audit: batches of a million  \ version 2 has one of these, or both;
 * 4200 u64   fail after, ns               / in version 1 they are zeroes
 * 4208 u8[32] hash of the kernel's object: version 3; zeroes before, of a built-in one
 *  ... zeroes
 * 8188 u32   crc32c of all before it
 *
 *  manifest: a header of 8192 bytes, laid out as version 1, or 3 without options, with
 *  "WMMNFT\0" and that version, then one
 *  u32 CRC32C for each extent in order, then a u32 CRC32C of those.
 */
#ifndef WIREMILL_JOURNAL_H
#define WIREMILL_JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "wiremill/error.h"
#include "wiremill/kernel.h"
#include "wiremill/layout.h"
#include "wiremill/store.h"
#include "wiremill/verify.h"
#include "wiremill/wire.h"

#define WM_JOURNAL_HEADER_BYTES 8192u
#define WM_JOURNAL_RECORD_BYTES 32u

enum wm_journal_type {
	WM_JOURNAL_EXTENT = 1,	   /* this extent is on disk */
	WM_JOURNAL_QUARANTINE = 2, /* extents before with one of these `nodes` are void */
};

struct wm_journal_record {
	uint32_t type;
	uint32_t crc32c;
	uint64_t extent;
	uint64_t nodes;
};

/* Which job a journal or a manifest belongs to. */
struct wm_journal_identity {
	uint64_t input_bytes;
	int64_t input_mtime_ns;
	uint32_t input_sample;
	bool force, drop_tail;
	uint64_t output_bytes;
	uint32_t extent_elements;
	struct wm_kernel kernel;
	char input_path[PATH_MAX];
	/* What else was asked for, so that whoever resumes need not know. In no manifest, and
	 * no matter for wm_journal_match. */
	uint32_t audit_ppm;
	uint64_t fail_after_ns;
};

/* ---- bytes: pure, any thread ---------------------------------------------- */

void wm_journal_encode_header(uint8_t header[WM_JOURNAL_HEADER_BYTES],
			      const struct wm_journal_identity *identity, uint32_t random);
/* -EBADMSG: no journal, damaged, or values that no job has. */
int wm_journal_decode_header(const uint8_t header[WM_JOURNAL_HEADER_BYTES],
			     struct wm_journal_identity *identity, uint32_t *random);
void wm_journal_encode_record(uint8_t bytes[WM_JOURNAL_RECORD_BYTES],
			      const struct wm_journal_record *record, uint32_t random,
			      uint32_t number);
/* -EBADMSG: torn, damaged, of another journal or place; the journal ends here. */
int wm_journal_decode_record(const uint8_t bytes[WM_JOURNAL_RECORD_BYTES],
			     struct wm_journal_record *record, uint32_t random, uint32_t number);

/* The same of a manifest's header: it has another magic. */
void wm_manifest_encode_header(uint8_t header[WM_JOURNAL_HEADER_BYTES],
			       const struct wm_journal_identity *identity, uint32_t random);
int wm_manifest_decode_header(const uint8_t header[WM_JOURNAL_HEADER_BYTES],
			      struct wm_journal_identity *identity, uint32_t *random);
/* How many extents the output of a decoded or identified job has. */
uint64_t wm_journal_extents(const struct wm_journal_identity *identity);

/*
 * Which records of extents a quarantine has made invalid. Every record is noted, in
 * order and with its number from 0; then, in a second scan, each can be asked about.
 * An extent is done if the last record of it is not invalid.
 */
#define WM_JOURNAL_NODE_BITS 64u
struct wm_journal_invalid {
	uint64_t before[WM_JOURNAL_NODE_BITS]; /* records before this one, with that bit */
};
void wm_journal_invalid_note(struct wm_journal_invalid *invalid,
			     const struct wm_journal_record *record, uint64_t number);
bool wm_journal_invalid_has(const struct wm_journal_invalid *invalid,
			    const struct wm_journal_record *record, uint64_t number);
/* The bit of a node in `nodes`, by its address: the same in every life of a job, as an
 * index is not. Where two nodes share one, more is made again than need be. */
uint64_t wm_journal_node_bit(const uint8_t address[WM_ETHER_ADDR_BYTES]);

/* ---- files: a thread that may block ----------------------------------------- */

struct wm_journal {
	int fd; /* O_DSYNC */
	uint32_t random;
	uint32_t records; /* that are in it: the number of the next */
	bool failed;	  /* an append failed: takes no more until it is opened again */
	struct wm_journal_identity identity;
	char path[PATH_MAX];
};

/* Fills the identity from an open source (its sample is read here), but for what is no
 * matter for a match. */
int wm_journal_identify(struct wm_journal_identity *identity, const struct wm_source *source,
			const struct wm_layout *layout, bool force, bool drop_tail,
			struct wm_error *error);
/* Is this the same job? Otherwise the error says what differs. Paths may differ. */
int wm_journal_match(const struct wm_journal_identity *journal,
		     const struct wm_journal_identity *job, struct wm_error *error);

/* Bytes of the journal of so many extents that are reserved when it is made, and again
 * when it is opened; and of their manifest. */
uint64_t wm_journal_bytes(uint64_t extents);
uint64_t wm_manifest_bytes(uint64_t extents);
/* -EEXIST: there is one already. -ENOSPC. Header and directory entry are durable on return. */
int wm_journal_create(struct wm_journal *journal, const char *path,
		      const struct wm_journal_identity *identity, struct wm_error *error);
/* Called for each record in order; a negative return ends the scan with it. */
typedef int wm_journal_visit(void *context, const struct wm_journal_record *record);
/* Opens an existing one, reads it through in bounded memory, and cuts a torn tail
 * off. -ENOENT, -EBADMSG. visit may be NULL. */
int wm_journal_open(struct wm_journal *journal, const char *path, wm_journal_visit *visit,
		    void *context, struct wm_error *error);
/* Reads it through again. */
int wm_journal_scan(const struct wm_journal *journal, wm_journal_visit *visit, void *context,
		    struct wm_error *error);
/* Reads up to count records from number `first` on; any thread, while it grows. Returns
 * how many, fewer only at the end, or a negative errno. */
#define WM_JOURNAL_READ_MAX 64u
int wm_journal_read(const struct wm_journal *journal, uint32_t first,
		    struct wm_journal_record *records, uint32_t count);
/* Reads back the newest extents it vouches for. -EINVAL: none of them is there, or with
 * `each` one is not: the output is something else (another disk under the same name, a file
 * that was exchanged). */
int wm_journal_check_output(const struct wm_journal *journal, const struct wm_layout *layout,
			    const char *output_path, bool each, struct wm_error *error);
void wm_journal_close(struct wm_journal *journal);
/* From now on it vouches for nothing: the output may go. Durable. */
void wm_journal_forget(struct wm_journal *journal);
/* Closes and removes; the removal is durable. */
void wm_journal_remove(struct wm_journal *journal);

/* The manifest's space, as `path` with ".new" until it is written; and gives it back. */
int wm_manifest_reserve(const char *path, const struct wm_journal *journal, struct wm_error *error);
void wm_manifest_unreserve(const char *path);
/* Writes the manifest from a journal in which every extent has a record (the last
 * one counts, unless it is invalid), in bounded memory; durable on return, with the mode and
 * owner of the output, and in place of an older one. -EBADMSG: one is missing. */
int wm_manifest_create(const char *path, const char *output_path, const struct wm_journal *journal,
		       const struct wm_layout *layout, struct wm_error *error);
/* Which job a manifest belongs to, and by which journal it was made. -ENOENT, -EBADMSG. */
int wm_manifest_identify(const char *path, struct wm_journal_identity *identity, uint32_t *random,
			 struct wm_error *error);
/* Checks an output against its manifest at the speed of the disk: the extents are
 * read with O_DIRECT and several in flight. result->offset: where the first extent
 * that differs begins, or the output ends too early or should; expected and found
 * are not known. -EBADMSG: the manifest is damaged. */
int wm_manifest_verify(const char *manifest_path, const char *output_path,
		       wm_verify_progress *progress, void *context, struct wm_verify_result *result,
		       struct wm_error *error);

/* ---- with the sink and the lane's ring (store.h) ---------------------------- */

/* Opens what wm_sink_create of an earlier life left behind: OUTPUT.wm-partial with
 * its full size, or the device. -ENOENT: it is not there; -EINVAL: not its size. */
int wm_sink_resume(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		   const struct wm_source *source, struct wm_error *error);
/* Closes and leaves the partial output for a later wm_sink_resume. */
void wm_sink_suspend(struct wm_sink *sink);

/* Removes what an unfinished job left of that output: its partial file, its journal and the
 * space reserved for a manifest, and says which there were. Refused while a job is at it
 * (-EBUSY), and what is not ours stays (side.h). owner NULL: whosever it is. A block device
 * itself stays as it is. */
struct wm_discard_owner {
	uint32_t journal; /* its random identity; 0: not known, so that it stays */
};
struct wm_discarded {
	char journal[PATH_MAX], partial[PATH_MAX], reserved[PATH_MAX]; /* "": there was none */
};
int wm_output_discard(struct wm_discarded *removed, const char *output, const char *state_directory,
		      const struct wm_discard_owner *owner, struct wm_error *error);

/*
 * Queues on the lane's ring, one after the other: fdatasync of the sink, then the
 * records appended to the journal. Everything whose write was reported before the
 * call is durable and vouched for when the event (WM_STORE_JOURNAL, extent = number
 * of records) comes with result 0; journal->records has grown by then. The records
 * are copied. One at a time: -EBUSY; it counts as in flight, but not into depth.
 * record_count is 1 to WM_STORE_JOURNAL_RECORDS_MAX.
 *
 * A negative result: what the disk refused may be lost, so neither is tried again.
 * From then on -EIO. What the journal really holds shows when it is opened anew.
 */
#define WM_STORE_JOURNAL_RECORDS_MAX 128u
int wm_store_journal(struct wm_store *store, struct wm_journal *journal,
		     const struct wm_journal_record *records, uint32_t record_count);

#endif
