/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Extents in, extents out: the storage plane as the data plane sees it.
 *
 *   control thread                          lane thread
 *   wm_source_open, wm_sink_create          wm_store_create (its io_uring)
 *          |                                       |
 *          +---- a job: layout, source, sink ----> wm_store_attach
 *                                                  wm_store_read / _write, _submit, _poll
 *          <------------ all extents written ----- wm_store_detach
 *   wm_sink_commit  or  wm_sink_abandon
 *
 * Source and sink are opened and finished on a thread that may block; a lane
 * only ever queues I/O on its own ring. All lanes share the descriptors.
 *
 * Files and block devices both work on either side. I/O is O_DIRECT where the
 * file system has it (`direct` says what was obtained). The output grows under
 * the name OUTPUT.wm-partial, its space reserved at the start, and gets its own
 * name in wm_sink_commit: nothing half-written ever looks complete. A block
 * device is written in place.
 */
#ifndef WIREMILL_STORE_H
#define WIREMILL_STORE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "wiremill/error.h"
#include "wiremill/layout.h"

/* Extents begin and end on multiples of this in the output, and reads are rounded
 * outward to it: a page, and no disk's logical block is larger. Where elements of
 * input do not fill pages, an extent begins inside one (wm_store_buffer_skew). */
#define WM_STORE_ALIGN_BYTES 4096u

/* ---- the two ends ------------------------------------------------------- */

/* The result of a read that ended too early, and of a journal that must not vouch for what
 * came of another input than was opened; no disk or file system gives it. */
#define WM_STORE_INPUT_CHANGED EREMCHG

struct wm_source {
	int fd; /* O_DIRECT where `direct` */
	bool direct;
	bool block_device;
	uint32_t align_bytes; /* of offset, length and memory (STATX_DIOALIGN) */
	uint64_t bytes;	      /* of the whole file or device */
	dev_t device;	      /* identity, to refuse input = output */
	ino_t inode;
	/* of a file, when it was opened: what tells whether it is still the same */
	int64_t modified_ns, changed_ns;
	uint32_t links;
	char path[PATH_MAX];
};

/* Of the device that an output is on (storage/queue.h); 0: not known, or no such limit. */
struct wm_queue {
	uint32_t boundary_bytes; /* memory: pieces that meet elsewhere are commands of their own */
	uint32_t physical_bytes; /* file: less than that is read first */
	uint32_t segments_max;	 /* pieces of one command */
};

struct wm_sink {
	int fd;	     /* O_DIRECT where `direct` */
	int fd_tail; /* buffered: the last bytes, less than a page; -1 unless direct */
	bool direct;
	bool block_device;
	bool force;	 /* commit may replace what has the output's name */
	bool left;	 /* claimed by a partial file of a job that died; not made yet */
	mode_t mode_max; /* that the output may have: the input's */
	uint32_t align_bytes;
	struct wm_queue queue;
	uint64_t bytes;		     /* of the complete output */
	char path[PATH_MAX];	     /* what the user asked for */
	char path_partial[PATH_MAX]; /* what is written meanwhile; a device itself */
};

/* Which file or device a path means to whoever asks; all zeroes: it was not looked at.
 * Of an inode number 63 bits, so that any JSON can say it; of a device its own number. */
struct wm_source_identity {
	uint64_t device, inode;
};

/* For a client: what cannot be an input, or would be another one to the controller (a pipe, a
 * descriptor), is refused. What the client may not see is left to the controller. */
int wm_source_identify(struct wm_source_identity *identity, const char *path,
		       struct wm_error *error);
/* For the controller: is what it opened what was meant? */
int wm_source_check_identity(const struct wm_source *source,
			     const struct wm_source_identity *identity, struct wm_error *error);

/* Opens for reading. Refuses a directory, an unreadable or missing file, an
 * empty one. -ENOENT, -EISDIR, -EACCES, -ENODATA, ... with the line for it. */
int wm_source_open(struct wm_source *source, const char *path, struct wm_error *error);
void wm_source_close(struct wm_source *source);
/* Is it still as it was opened, and has its name? -WM_STORE_INPUT_CHANGED: what was read
 * may be some of the one and some of the other. Of a block device only its size tells. */
int wm_source_check(const struct wm_source *source, struct wm_error *error);

/*
 * The output becomes this job's: from now on no other job can have it, and nothing of it
 * has changed yet. Refuses: an output that exists (-EEXIST, unless force), one that is
 * stored where the source is (-EINVAL), a directory (-EISDIR), a full disk (-ENOSPC), a
 * device too small, something under the partial file's name that is not ours (side.h).
 * With force an existing output stays as it is until wm_sink_commit replaces it.
 * A block device counts as existing, and may be neither mounted nor in use
 * (-EBUSY). -EBUSY too where another job writes the same output. A symbolic link
 * stands for the file it leads to, and stays.
 */
int wm_sink_claim(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		  const struct wm_source *source, struct wm_error *error);
/* Creates it anew and reserves its space. An error leaves nothing behind, and closes. */
int wm_sink_make(struct wm_sink *sink, struct wm_error *error);
/* Both. */
int wm_sink_create(struct wm_sink *sink, const char *path, uint64_t bytes, bool force,
		   const struct wm_source *source, struct wm_error *error);
/* Only the refusals of wm_sink_claim that need no writing, so that a job is
 * refused when it is submitted, not when its turn comes. */
int wm_sink_check(const char *path, uint64_t bytes, bool force, const struct wm_source *source,
		  struct wm_error *error);
/* Everything written is made durable, then gets its name, mode and owner: those of the
 * file that it replaces, else of a new one, and never open to more than the input. Closes.
 * Without force a file that appeared under that name meanwhile is kept (-EEXIST), and so
 * is the complete output under its partial name: the line says where. So it is, too, when
 * it cannot be made durable: what the journal vouches for was. -ESTALE: the partial name is
 * not that of the file that was written any more, and what has it now is let be. */
int wm_sink_commit(struct wm_sink *sink, struct wm_error *error);
/* Removes what was written. Closes. */
void wm_sink_abandon(struct wm_sink *sink);

/* Whether a write of many pieces of so many bytes, that lie apart on multiples of align_bytes,
 * is one that the device takes as it is. Else one copy is cheaper (storage/queue.h). */
bool wm_queue_takes_pieces(const struct wm_queue *queue, uint32_t piece_bytes,
			   uint32_t align_bytes);

/* ---- a lane's ring ------------------------------------------------------ */

struct wm_store;

struct wm_store_config {
	uint32_t depth;		     /* reads and writes in flight at most */
	const struct iovec *buffers; /* extent buffers, registered with the ring */
	uint32_t buffer_count;	     /* each wm_store_buffer_bytes(), aligned to 4096 */
};

enum wm_store_op { WM_STORE_READ, WM_STORE_WRITE, WM_STORE_JOURNAL /* journal.h */ };

struct wm_store_event {
	enum wm_store_op op;
	int result;	 /* 0 or a negative errno; short I/O is finished inside */
	uint64_t extent; /* of a journal: how many records */
};

/* Where a request to the kernel ends up; a journal's are the output's, but for its look at
 * the input. */
enum wm_store_file { WM_STORE_INPUT, WM_STORE_OUTPUT, WM_STORE_FILES };

struct wm_store_requests {
	uint64_t asked, answered;
};

struct wm_store_counters {
	struct wm_store_requests requests[WM_STORE_FILES];
	uint64_t reads, read_bytes, reads_direct;
	uint64_t writes, write_bytes, writes_direct;
	uint64_t short_ios; /* requests that had to be continued */
};

/* Bytes that a full extent of this layout needs in memory, however long the job
 * is: its span with the halo, rounded outward to WM_STORE_ALIGN_BYTES. */
uint32_t wm_store_buffer_bytes(const struct wm_layout *layout);
/* Where in its buffer the extent's first byte (of the halo) lands. */
uint32_t wm_store_buffer_skew(const struct wm_layout *layout, uint64_t extent);

int wm_store_create(struct wm_store **store, const struct wm_store_config *config,
		    struct wm_error *error);
/* Nothing may be in flight. Leaves NULL. */
void wm_store_destroy(struct wm_store **store);

/* Between jobs only. The three stay the caller's and must outlive the detach. */
void wm_store_attach(struct wm_store *store, const struct wm_layout *layout,
		     const struct wm_source *source, const struct wm_sink *sink);
/* -EBUSY while anything is in flight. */
int wm_store_detach(struct wm_store *store);

/* Queues the read of an extent with its halo into registered buffer `buffer`,
 * which the ring owns until the event. 0, or -EAGAIN when depth is reached. */
int wm_store_read(struct wm_store *store, uint64_t extent, uint32_t buffer);
/*
 * Queues the write of an extent. The parts lie in order, add up to its output
 * and, where the sink is direct, begin and end on multiples of its align_bytes
 * in memory and file but for the end of the output. The array is copied; the
 * memory it names stays the ring's until the event. 0, -EAGAIN, or -EINVAL.
 */
int wm_store_write(struct wm_store *store, uint64_t extent, const struct iovec *parts,
		   uint32_t part_count);
/* Hands all that was queued to the kernel: one system call, none if nothing was. An error
 * is that of every request which the kernel did not take: they end with it as events. */
int wm_store_submit(struct wm_store *store);
/* Collects finished extents without blocking. Returns how many. */
unsigned wm_store_poll(struct wm_store *store, struct wm_store_event *events, unsigned events_max);
uint32_t wm_store_in_flight(const struct wm_store *store);
void wm_store_get_counters(const struct wm_store *store, struct wm_store_counters *counters);

#endif
