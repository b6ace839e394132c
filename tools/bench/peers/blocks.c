/* SPDX-License-Identifier: BSD-3-Clause */
#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
/* With the first vector of the next block, in whole pages as O_DIRECT wants them. */
#define IN_BYTES (WM_BLOCK_BYTES + PAGE_BYTES)
#define MEMORY_BYTES ((size_t)WM_BLOCKS_MAX * (IN_BYTES + WM_BLOCK_BYTES))

struct wm_blocks {
	struct io_uring ring;
	int input, output;
	uint64_t input_bytes, vectors, count; /* count: blocks */
	uint64_t next;			      /* first block not asked for */
	uint64_t written;
	uint8_t *memory;
	struct wm_block block[WM_BLOCKS_MAX];
	bool writing[WM_BLOCKS_MAX];
	struct wm_block *ready[WM_BLOCKS_MAX]; /* a ring: read and not taken */
	uint32_t ready_head, ready_tail;
};

/* ---- open -------------------------------------------------------------------- */

static int open_input(struct wm_blocks *blocks, const char *path, struct wm_error *error)
{
	struct stat status;

	blocks->input = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (blocks->input < 0 || fstat(blocks->input, &status) < 0)
		return wm_error_set(error, errno, "cannot read %s: %s", path, strerror(errno));
	blocks->input_bytes = (uint64_t)status.st_size;
	if (!S_ISREG(status.st_mode) || blocks->input_bytes < 2 * WM_VECTOR_BYTES ||
	    blocks->input_bytes % WM_VECTOR_BYTES != 0)
		return wm_error_set(
			error, EINVAL,
			"%s is no file of two or more vectors of 32 bytes: name another", path);
	blocks->vectors = blocks->input_bytes / WM_VECTOR_BYTES - 1;
	blocks->count = (blocks->vectors + WM_BLOCK_VECTORS - 1) / WM_BLOCK_VECTORS;
	return 0;
}

static int open_output(struct wm_blocks *blocks, const char *path, struct wm_error *error)
{
	blocks->output = open(path, O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0644);
	if (blocks->output < 0)
		return wm_error_set(error, errno, "cannot write %s: %s", path, strerror(errno));
	if (fallocate(blocks->output, 0, 0, (off_t)(blocks->count * WM_BLOCK_BYTES)) < 0)
		return wm_error_set(error, errno, "no room for %s: %s", path, strerror(errno));
	return 0;
}

static int take_memory(struct wm_blocks *blocks)
{
	uint8_t *memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	blocks->memory = memory;
	for (uint32_t i = 0; i < WM_BLOCKS_MAX; i++)
		blocks->block[i] = (struct wm_block){
			.slot = i,
			.in = memory + (size_t)i * IN_BYTES,
			.out = memory + (size_t)WM_BLOCKS_MAX * IN_BYTES +
			       (size_t)i * WM_BLOCK_BYTES,
		};
	return 0;
}

static void queue_read(struct wm_blocks *blocks, struct wm_block *block)
{
	struct io_uring_sqe *sqe;
	uint64_t left;

	if (blocks->next == blocks->count)
		return;
	block->number = blocks->next++;
	left = blocks->vectors - block->number * WM_BLOCK_VECTORS;
	block->vectors = left < WM_BLOCK_VECTORS ? (uint32_t)left : WM_BLOCK_VECTORS;
	blocks->writing[block->slot] = false;
	/* As many entries as blocks: there is always one. */
	sqe = io_uring_get_sqe(&blocks->ring);
	io_uring_prep_read(sqe, blocks->input, (void *)block->in, IN_BYTES,
			   block->number * WM_BLOCK_BYTES);
	io_uring_sqe_set_data(sqe, block);
}

int wm_blocks_open(struct wm_blocks **made, const char *input, const char *output,
		   struct wm_error *error)
{
	struct wm_blocks *blocks = calloc(1, sizeof(*blocks));
	int ret;

	if (!blocks)
		return wm_error_set(error, ENOMEM, "no memory");
	blocks->input = blocks->output = -1;
	ret = io_uring_queue_init(WM_BLOCKS_MAX, &blocks->ring, 0);
	if (ret < 0) {
		free(blocks);
		return wm_error_set(error, -ret, "no io_uring: %s", strerror(-ret));
	}
	ret = open_input(blocks, input, error);
	if (ret == 0)
		ret = open_output(blocks, output, error);
	if (ret == 0 && take_memory(blocks) < 0)
		ret = wm_error_set(error, ENOMEM, "no memory for %u blocks", WM_BLOCKS_MAX);
	if (ret < 0) {
		wm_blocks_close(&blocks);
		return ret;
	}
	for (uint32_t i = 0; i < WM_BLOCKS_MAX; i++)
		queue_read(blocks, &blocks->block[i]);
	io_uring_submit(&blocks->ring);
	*made = blocks;
	return 0;
}

void wm_blocks_close(struct wm_blocks **blocks)
{
	if (!*blocks)
		return;
	io_uring_queue_exit(&(*blocks)->ring);
	if ((*blocks)->input >= 0)
		close((*blocks)->input);
	if ((*blocks)->output >= 0)
		close((*blocks)->output);
	if ((*blocks)->memory)
		munmap((*blocks)->memory, MEMORY_BYTES);
	free(*blocks);
	*blocks = NULL;
}

/* ---- run --------------------------------------------------------------------- */

struct wm_block *wm_blocks_take(struct wm_blocks *blocks)
{
	if (blocks->ready_head == blocks->ready_tail)
		return NULL;
	return blocks->ready[blocks->ready_head++ % WM_BLOCKS_MAX];
}

void wm_blocks_give(struct wm_blocks *blocks, struct wm_block *block)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&blocks->ring);
	uint32_t bytes = block->vectors * WM_VECTOR_BYTES;

	/* A last, broken page is cut off at the end. */
	bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
	blocks->writing[block->slot] = true;
	io_uring_prep_write(sqe, blocks->output, block->out, bytes, block->number * WM_BLOCK_BYTES);
	io_uring_sqe_set_data(sqe, block);
	io_uring_submit(&blocks->ring);
}

static int block_step(struct wm_blocks *blocks, struct wm_block *block, int result)
{
	uint32_t out_bytes = block->vectors * WM_VECTOR_BYTES;
	bool writing = blocks->writing[block->slot];

	if (result < 0)
		return result;
	/* A short one is a disk in trouble: a peer has no second try. */
	if ((uint32_t)result < (writing ? out_bytes : out_bytes + WM_VECTOR_BYTES))
		return -EIO;
	if (writing) {
		blocks->written++;
		queue_read(blocks, block);
	} else {
		blocks->ready[blocks->ready_tail++ % WM_BLOCKS_MAX] = block;
	}
	return 0;
}

int wm_blocks_step(struct wm_blocks *blocks)
{
	struct io_uring_cqe *cqe;
	int ret, changed = 0;

	while (io_uring_peek_cqe(&blocks->ring, &cqe) == 0) {
		ret = block_step(blocks, io_uring_cqe_get_data(cqe), cqe->res);
		if (ret < 0)
			return ret;
		io_uring_cqe_seen(&blocks->ring, cqe);
		changed = 1;
	}
	if (changed)
		io_uring_submit(&blocks->ring);
	return changed;
}

int wm_blocks_fd(const struct wm_blocks *blocks)
{
	return blocks->ring.ring_fd;
}

bool wm_blocks_are_done(const struct wm_blocks *blocks)
{
	return blocks->written == blocks->count;
}

uint64_t wm_blocks_input_bytes(const struct wm_blocks *blocks)
{
	return blocks->input_bytes;
}

uint64_t wm_blocks_count(const struct wm_blocks *blocks)
{
	return blocks->count;
}

int wm_blocks_finish(struct wm_blocks *blocks)
{
	if (ftruncate(blocks->output, (off_t)(blocks->vectors * WM_VECTOR_BYTES)) < 0 ||
	    fsync(blocks->output) < 0)
		return -errno;
	return 0;
}
