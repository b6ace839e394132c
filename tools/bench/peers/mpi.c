/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wm-peer-mpi: the job as a master and workers of MPI. Rank 0 has the files, every
 * other rank computes.
 *
 * The master keeps a few chunks under way to each worker, sends them from where the
 * disk put them and has the results arrive where the disk takes them; nothing in it
 * blocks. A way is one of those places: its tag goes out with the chunk and comes
 * back with the result. Whoever finds nothing to do gives its core to others: by
 * sched_yield, as MPI itself would, or by a short sleep, whichever serves better.
 */
#include <errno.h>
#include <getopt.h>
#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blocks.h"
#include "clock.h"
#include "number.h"
#include "peer.h"

#define RANKS_MAX 65u
#define WAYS_MAX 16u /* of one worker */
#define END_TAG 1000
#define NAP_NS (50 * WM_NS_PER_US)

struct options {
	const char *input, *output;
	uint64_t vectors, ways;
	bool no_compute, nap;
};

static struct options options = { .vectors = 8192, .ways = 4 };

/* ---- options ------------------------------------------------------------------ */

static const char usage_text[] =
	"Usage: mpirun ... wm-peer-mpi --input FILE --output FILE [OPTION]...\n"
	"XORs each 32-byte vector with the next, on all ranks but the first.\n"
	"\n"
	"  --vectors N   of output in one chunk, 256 to 32768 (8192)\n"
	"  --ways N      chunks under way to a worker, 1 to 16 (4)\n"
	"  --nap         who has nothing to do sleeps 50 us; otherwise it yields\n"
	"  --no-compute  workers answer zeroes\n"
	"  --help        print this text\n"
	"\n"
	"Prints one JSON object. Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static int parse_one(int key)
{
	switch (key) {
	case 'i':
		options.input = optarg;
		return 0;
	case 'o':
		options.output = optarg;
		return 0;
	case 'v':
		return wm_number_parse(optarg, 256, WM_BLOCK_VECTORS, &options.vectors);
	case 'w':
		return wm_number_parse(optarg, 1, WAYS_MAX, &options.ways);
	case 'p':
		options.nap = true;
		return 0;
	case 'n':
		options.no_compute = true;
		return 0;
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	default:
		return -EINVAL;
	}
}

static int parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "input", required_argument, NULL, 'i' },
		{ "output", required_argument, NULL, 'o' },
		{ "vectors", required_argument, NULL, 'v' },
		{ "ways", required_argument, NULL, 'w' },
		{ "nap", no_argument, NULL, 'p' },
		{ "no-compute", no_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int key;

	while ((key = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (parse_one(key) < 0)
			return -EINVAL;
	}
	return optind == argc && options.input && options.output ? 0 : -EINVAL;
}

static void idle(void)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };

	if (options.nap)
		nanosleep(&nap, NULL);
	else
		sched_yield();
}

/* ---- worker -------------------------------------------------------------------- */

struct worker {
	uint8_t *in[WAYS_MAX], *out[WAYS_MAX];
	MPI_Request receive[WAYS_MAX], send[WAYS_MAX];
};

static void worker_listen(struct worker *worker, int way)
{
	MPI_Irecv(worker->in[way], (int)(options.vectors + 1) * (int)WM_VECTOR_BYTES, MPI_BYTE, 0,
		  MPI_ANY_TAG, MPI_COMM_WORLD, &worker->receive[way]);
}

static void worker_start(struct worker *worker)
{
	for (int i = 0; i < (int)options.ways; i++) {
		worker->in[i] = calloc(options.vectors + 1, WM_VECTOR_BYTES);
		worker->out[i] = calloc(options.vectors, WM_VECTOR_BYTES);
		if (!worker->in[i] || !worker->out[i])
			MPI_Abort(MPI_COMM_WORLD, 1);
		worker->send[i] = MPI_REQUEST_NULL;
		worker_listen(worker, i);
	}
}

static void worker_answer(struct worker *worker, int way, const MPI_Status *status)
{
	uint32_t vectors;
	int bytes;

	MPI_Get_count(status, MPI_BYTE, &bytes);
	vectors = (uint32_t)bytes / WM_VECTOR_BYTES - 1;
	/* The result that was here before may still be on its way. */
	MPI_Wait(&worker->send[way], MPI_STATUS_IGNORE);
	if (!options.no_compute)
		wm_peer_xor(worker->out[way], worker->in[way], vectors);
	MPI_Isend(worker->out[way], (int)(vectors * WM_VECTOR_BYTES), MPI_BYTE, 0, status->MPI_TAG,
		  MPI_COMM_WORLD, &worker->send[way]);
	worker_listen(worker, way);
}

/* False: the master has said that this is the end. */
static bool worker_step(struct worker *worker)
{
	MPI_Status status[WAYS_MAX];
	int done[WAYS_MAX], count;

	MPI_Testsome((int)options.ways, worker->receive, &count, done, status);
	if (count == 0)
		idle();
	for (int i = 0; i < count; i++) {
		if (status[i].MPI_TAG == END_TAG)
			return false;
		worker_answer(worker, done[i], &status[i]);
	}
	return true;
}

static void worker_run(void)
{
	struct worker worker = { 0 };

	worker_start(&worker);
	MPI_Barrier(MPI_COMM_WORLD);
	while (worker_step(&worker))
		;
	for (int i = 0; i < (int)options.ways; i++) {
		if (worker.receive[i] == MPI_REQUEST_NULL)
			continue;
		MPI_Cancel(&worker.receive[i]);
		MPI_Wait(&worker.receive[i], MPI_STATUS_IGNORE);
	}
	MPI_Waitall((int)options.ways, worker.send, MPI_STATUSES_IGNORE);
	for (int i = 0; i < (int)options.ways; i++) {
		free(worker.in[i]);
		free(worker.out[i]);
	}
}

/* ---- master -------------------------------------------------------------------- */

struct way {
	struct wm_block *block;
	MPI_Request send;
};

struct master {
	struct wm_blocks *blocks;
	uint32_t workers, ways; /* ways: of all workers */
	struct way way[RANKS_MAX * WAYS_MAX];
	MPI_Request receive[RANKS_MAX * WAYS_MAX];
	uint32_t idle[RANKS_MAX * WAYS_MAX]; /* a ring of ways, so that workers take turns */
	uint32_t idle_head, idle_tail;
	struct wm_block *cut; /* the block that is being cut, and how far it is */
	uint32_t cut_vectors;
	uint32_t left[WM_BLOCKS_MAX]; /* vectors of a block that are not done */
	uint64_t chunks;
};

static void master_start(struct master *master, int ranks)
{
	master->workers = (uint32_t)ranks - 1;
	master->ways = master->workers * (uint32_t)options.ways;
	/* One way of each worker, then the next of each. */
	for (uint32_t i = 0; i < master->ways; i++) {
		master->receive[i] = MPI_REQUEST_NULL;
		master->idle[master->idle_tail++] = i;
	}
}

/* The vectors of the next chunk; 0: nothing is read now. */
static uint32_t master_cut(struct master *master)
{
	uint32_t left;

	if (!master->cut) {
		master->cut = wm_blocks_take(master->blocks);
		master->cut_vectors = 0;
		if (!master->cut)
			return 0;
		master->left[master->cut->slot] = master->cut->vectors;
	}
	left = master->cut->vectors - master->cut_vectors;
	return left < options.vectors ? left : (uint32_t)options.vectors;
}

/* Way i belongs to worker i modulo their number, whose rank is one more. */
static bool master_send(struct master *master)
{
	uint32_t vectors = master_cut(master), index;
	size_t offset = (size_t)master->cut_vectors * WM_VECTOR_BYTES;
	struct wm_block *block = master->cut;
	int rank, tag;

	if (vectors == 0 || master->idle_head == master->idle_tail)
		return false;
	index = master->idle[master->idle_head++ % master->ways];
	rank = (int)(index % master->workers) + 1;
	tag = (int)(index / master->workers);
	master->way[index].block = block;
	MPI_Irecv(block->out + offset, (int)(vectors * WM_VECTOR_BYTES), MPI_BYTE, rank, tag,
		  MPI_COMM_WORLD, &master->receive[index]);
	MPI_Isend(block->in + offset, (int)((vectors + 1) * WM_VECTOR_BYTES), MPI_BYTE, rank, tag,
		  MPI_COMM_WORLD, &master->way[index].send);
	master->chunks++;
	master->cut_vectors += vectors;
	if (master->cut_vectors == block->vectors)
		master->cut = NULL;
	return true;
}

static void master_receive(struct master *master, uint32_t index, const MPI_Status *status)
{
	struct way *way = &master->way[index];
	int bytes;

	MPI_Get_count(status, MPI_BYTE, &bytes);
	MPI_Wait(&way->send, MPI_STATUS_IGNORE);
	master->idle[master->idle_tail++ % master->ways] = index;
	master->left[way->block->slot] -= (uint32_t)bytes / WM_VECTOR_BYTES;
	if (master->left[way->block->slot] == 0)
		wm_blocks_give(master->blocks, way->block);
}

static int master_step(struct master *master)
{
	static MPI_Status status[RANKS_MAX * WAYS_MAX];
	static int done[RANKS_MAX * WAYS_MAX];
	int disk, count;
	bool sent = false;

	disk = wm_blocks_step(master->blocks);
	if (disk < 0)
		return disk;
	while (master_send(master))
		sent = true;
	MPI_Testsome((int)master->ways, master->receive, &count, done, status);
	/* No way is under way. */
	if (count == MPI_UNDEFINED)
		count = 0;
	for (int i = 0; i < count; i++)
		master_receive(master, (uint32_t)done[i], &status[i]);
	if (!disk && !sent && count == 0)
		idle();
	return 0;
}

static void master_stream(struct master *master)
{
	int ret = 0;

	while (ret == 0 && !wm_blocks_are_done(master->blocks))
		ret = master_step(master);
	if (ret == 0)
		ret = wm_blocks_finish(master->blocks);
	if (ret < 0) {
		fprintf(stderr, "wm-peer-mpi: %s\n", strerror(-ret));
		MPI_Abort(MPI_COMM_WORLD, 1);
	}
	for (uint32_t rank = 1; rank <= master->workers; rank++)
		MPI_Send(NULL, 0, MPI_BYTE, (int)rank, END_TAG, MPI_COMM_WORLD);
}

/* Returns the seconds that it took. */
static double master_run(struct master *master)
{
	struct wm_error error;
	uint64_t began_ns;

	MPI_Barrier(MPI_COMM_WORLD);
	began_ns = wm_clock_ns();
	if (wm_blocks_open(&master->blocks, options.input, options.output, &error) < 0) {
		fprintf(stderr, "wm-peer-mpi: %s\n", error.text);
		MPI_Abort(MPI_COMM_WORLD, 1);
	}
	master_stream(master);
	return (double)(wm_clock_ns() - began_ns) / 1e9;
}

static void report(const struct master *master, double seconds, double own_cpu, double all_cpu)
{
	const struct wm_peer_report done = {
		.bytes = wm_blocks_input_bytes(master->blocks),
		.seconds = seconds,
		.cpu_seconds_controller = own_cpu,
		.cpu_seconds_nodes = all_cpu - own_cpu,
		.nodes = master->workers,
		.chunk_bytes = (uint32_t)options.vectors * WM_VECTOR_BYTES,
		.window = (uint32_t)options.ways,
		.chunks = master->chunks,
	};

	wm_peer_report_print(&done);
}

int main(int argc, char **argv)
{
	static struct master master;
	double cpu, all_cpu = 0, seconds = 0;
	int rank, ranks;

	if (parse(argc, argv) < 0) {
		fputs("wm-peer-mpi: wrong usage; see --help\n", stderr);
		return 2;
	}
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks);
	if (ranks < 2 || ranks > (int)RANKS_MAX) {
		fprintf(stderr, "wm-peer-mpi: it wants 2 to %u ranks, not %d\n", RANKS_MAX, ranks);
		MPI_Abort(MPI_COMM_WORLD, 2);
	}
	cpu = wm_peer_cpu_seconds();
	if (rank == 0) {
		master_start(&master, ranks);
		seconds = master_run(&master);
	} else {
		worker_run();
	}
	cpu = wm_peer_cpu_seconds() - cpu;
	MPI_Reduce(&cpu, &all_cpu, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
	if (rank == 0)
		report(&master, seconds, cpu, all_cpu);
	wm_blocks_close(&master.blocks);
	MPI_Finalize();
	return 0;
}
