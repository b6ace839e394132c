/* SPDX-License-Identifier: BSD-3-Clause */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_pcapng.h>
#include <rte_ring.h>

#define HUGEPAGE_BYTES (2u * 1024 * 1024)
#define MBUF_CACHE 256u
/* Frames of one writev(2). */
#define WRITE_FRAMES 64u
/* Frames that wait for the control thread, which comes every 2 ms: 1 ms of the smallest
 * ones at 10 Gb/s, 16 ms at 1 million a second. Fewer where they are so large that they
 * would take more memory than this: 5307 at MTU 9000, 19 ms at 10 Gb/s both ways. */
#define FRAMES_MAX 16384u
#define MEMORY_BYTES_MAX (48u * 1024 * 1024)

struct wm_recorder {
	const char *path;
	uint16_t port_id;
	uint32_t snap_bytes;
	struct rte_mempool *pool;
	struct rte_ring *ring;
	uint64_t missed; /* the lcore adds */

	/* the control thread's */
	int fd;
	rte_pcapng_t *file; /* NULL: closed */
	uint64_t frames, lost;
	off_t whole_bytes; /* of the file: up to its last frame */
	int result;	   /* 0, or why the file failed */
};

/* ---- memory ---------------------------------------------------------------- */

static uint32_t kept_bytes(uint16_t mtu, uint32_t snap_bytes)
{
	uint32_t whole = WM_ETHER_HEADER_BYTES + (uint32_t)mtu;

	return snap_bytes > 0 && snap_bytes < whole ? snap_bytes : whole;
}

/* In one piece with what pcapng puts around it: librte_pcapng knows no chains. */
static uint32_t room_bytes(uint32_t kept)
{
	return RTE_PKTMBUF_HEADROOM + rte_pcapng_mbuf_size(kept);
}

static uint32_t object_bytes(uint32_t kept)
{
	return 64 /* the mempool's own header */ + (uint32_t)sizeof(struct rte_mbuf) +
	       room_bytes(kept);
}

static uint32_t frames_max(uint32_t kept)
{
	uint32_t fitting = MEMORY_BYTES_MAX / object_bytes(kept);

	return fitting < FRAMES_MAX ? fitting : FRAMES_MAX;
}

uint32_t wm_recorder_hugepages(uint16_t mtu, uint32_t snap_bytes)
{
	uint32_t kept = kept_bytes(mtu, snap_bytes);
	/* A pointer in the ring, and one in the pool's own. */
	uint32_t bytes = frames_max(kept) * (object_bytes(kept) + 4 * (uint32_t)sizeof(void *));

	return 1 + (bytes + HUGEPAGE_BYTES - 1) / HUGEPAGE_BYTES;
}

/* A ring with room for all of the pool is never full. */
static int memory_create(struct wm_recorder *recorder, const struct wm_port *port)
{
	uint32_t kept = recorder->snap_bytes, frames = frames_max(kept);

	recorder->pool = rte_pktmbuf_pool_create("wm-recorder", frames, MBUF_CACHE, 0,
						 (uint16_t)room_bytes(kept), port->socket);
	recorder->ring = rte_ring_create("wm-recorder", frames, port->socket,
					 RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	return recorder->pool && recorder->ring ? 0 : -ENOMEM;
}

/*
 * librte_pcapng takes its clock's zero within the first call that copies a frame, and makes
 * nonsense of a time before that, which that call's own is, and of all after it. So the
 * first one is of a frame that nobody sees, at a time that is still to come.
 */
static int clock_begin(struct wm_recorder *recorder)
{
	struct rte_mbuf *blank = rte_pktmbuf_alloc(recorder->pool), *copy = NULL;

	if (blank && rte_pktmbuf_append(blank, 1))
		copy = rte_pcapng_copy(recorder->port_id, 0, blank, recorder->pool, 1,
				       rte_rdtsc() + rte_get_tsc_hz() / 2,
				       RTE_PCAPNG_DIRECTION_OUT);
	rte_pktmbuf_free(copy);
	rte_pktmbuf_free(blank);
	return copy ? 0 : -ENOMEM;
}

static int file_create(struct wm_recorder *recorder, struct wm_error *error)
{
	recorder->fd = open(recorder->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (recorder->fd < 0)
		return wm_error_set(error, errno, "%s: frames cannot be written there: %s",
				    recorder->path, wm_errno_text(errno));
	recorder->file = rte_pcapng_fdopen(recorder->fd, NULL, NULL, "wiremill-gen", NULL);
	if (!recorder->file)
		return wm_error_set(error, EIO, "%s: frames cannot be written there: %s",
				    recorder->path, errno ? wm_errno_text(errno) : "unknown");
	recorder->whole_bytes = lseek(recorder->fd, 0, SEEK_CUR);
	return 0;
}

int wm_recorder_create(struct wm_recorder **out, const struct wm_port *port, const char *path,
		       uint32_t snap_bytes, struct wm_error *error)
{
	struct wm_recorder *recorder = calloc(1, sizeof(*recorder));
	int ret;

	*out = recorder;
	if (!recorder)
		return wm_error_set(error, ENOMEM, "no memory to record frames");
	recorder->path = path;
	recorder->port_id = port->id;
	recorder->snap_bytes = kept_bytes(port->mtu, snap_bytes);
	recorder->fd = -1;
	ret = memory_create(recorder, port);
	if (ret == 0)
		ret = clock_begin(recorder);
	if (ret < 0)
		wm_error_set(error, -ret,
			     "no memory to record frames: more hugepages are needed, or a "
			     "shorter --snaplen");
	else
		ret = file_create(recorder, error);
	if (ret < 0)
		wm_recorder_destroy(out);
	return ret;
}

static void file_close(struct wm_recorder *recorder)
{
	if (recorder->file)
		rte_pcapng_close(recorder->file);
	else if (recorder->fd >= 0)
		close(recorder->fd);
	recorder->file = NULL;
	recorder->fd = -1;
}

void wm_recorder_destroy(struct wm_recorder **out)
{
	struct wm_recorder *recorder = *out;
	void *frame;

	if (!recorder)
		return;
	while (recorder->ring && rte_ring_sc_dequeue(recorder->ring, &frame) == 0)
		rte_pktmbuf_free(frame);
	file_close(recorder);
	rte_ring_free(recorder->ring);
	rte_mempool_free(recorder->pool);
	free(recorder);
	*out = NULL;
}

/* ---- on the lcore ------------------------------------------------------------ */

static void record(struct wm_recorder *recorder, const struct rte_mbuf *frame,
		   enum rte_pcapng_direction direction)
{
	struct rte_mbuf *copy = rte_pcapng_copy(recorder->port_id, 0, frame, recorder->pool,
						recorder->snap_bytes, rte_rdtsc(), direction);

	if (copy && rte_ring_sp_enqueue(recorder->ring, copy) == 0)
		return;
	rte_pktmbuf_free(copy);
	__atomic_store_n(&recorder->missed, recorder->missed + 1, __ATOMIC_RELAXED);
}

void wm_recorder_hold(struct rte_mbuf *const *frames, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		rte_pktmbuf_refcnt_update(frames[i], 1);
}

void wm_recorder_sent(struct wm_recorder *recorder, struct rte_mbuf *const *frames, uint32_t count,
		      uint32_t sent)
{
	for (uint32_t i = 0; i < count; i++) {
		if (i < sent)
			record(recorder, frames[i], RTE_PCAPNG_DIRECTION_OUT);
		rte_pktmbuf_free(frames[i]);
	}
}

void wm_recorder_received(struct wm_recorder *recorder, struct rte_mbuf *const *frames,
			  uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		record(recorder, frames[i], RTE_PCAPNG_DIRECTION_IN);
}

/* ---- on the control thread ---------------------------------------------------- */

static void fail(struct wm_recorder *recorder, int code)
{
	recorder->result = -code;
	/* A pipe cannot be cut, and need not be. */
	if (recorder->whole_bytes >= 0 && ftruncate(recorder->fd, recorder->whole_bytes) < 0)
		recorder->result = -errno;
}

/* A disk that becomes full takes a part first. */
static void write_frames(struct wm_recorder *recorder, struct rte_mbuf **frames, unsigned count)
{
	ssize_t bytes = 0, written;

	for (unsigned i = 0; i < count; i++)
		bytes += frames[i]->pkt_len;
	written = rte_pcapng_write_packets(recorder->file, frames, (uint16_t)count);
	if (written != bytes) {
		fail(recorder, written < 0 ? rte_errno : ENOSPC);
		return;
	}
	recorder->frames += count;
	if (recorder->whole_bytes >= 0)
		recorder->whole_bytes += bytes;
}

static unsigned serve_burst(struct wm_recorder *recorder)
{
	struct rte_mbuf *frames[WRITE_FRAMES];
	unsigned count =
		rte_ring_sc_dequeue_burst(recorder->ring, (void **)frames, WRITE_FRAMES, NULL);

	if (count > 0 && recorder->result == 0)
		write_frames(recorder, frames, count);
	if (recorder->result < 0)
		recorder->lost += count;
	/* The header of 22.11 says that writing frees them; it does not. */
	rte_pktmbuf_free_bulk(frames, count);
	return count;
}

void wm_recorder_serve(struct wm_recorder *recorder)
{
	/* No more than what is there now: the control thread has other work. */
	for (unsigned left = rte_ring_count(recorder->ring); left > 0;) {
		unsigned count = serve_burst(recorder);

		left -= count < left ? count : left;
	}
}

int wm_recorder_finish(struct wm_recorder *recorder, struct wm_error *error)
{
	struct wm_recorder_counts counts;

	while (serve_burst(recorder) > 0)
		continue;
	counts = wm_recorder_get_counts(recorder);
	if (recorder->file && recorder->result == 0 &&
	    rte_pcapng_write_stats(recorder->file, recorder->port_id, NULL, 0, 0,
				   counts.frames + counts.missed, counts.missed) < 0)
		fail(recorder, errno);
	file_close(recorder);
	if (recorder->result == 0)
		return 0;
	return wm_error_set(error, -recorder->result,
			    "%s: recording ended after %" PRIu64 " frames: %s", recorder->path,
			    recorder->frames, wm_errno_text(-recorder->result));
}

struct wm_recorder_counts wm_recorder_get_counts(const struct wm_recorder *recorder)
{
	return (struct wm_recorder_counts){
		.frames = recorder->frames,
		.missed = recorder->lost + __atomic_load_n(&recorder->missed, __ATOMIC_RELAXED),
	};
}
