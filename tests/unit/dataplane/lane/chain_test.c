/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames that come in segments, cut anywhere. DPDK without hugepages, ports or root. */
#include "chain.h"

#include <string.h>

#include <rte_eal.h>

#include "harness.h"
#include "seed.h"
#include "wiremill/limits.h"
#include "wiremill/wire.h"

#define ROOM_BYTES (WM_ETHER_HEADER_BYTES + WM_MTU_MAX)
#define SEGMENTS_MAX 6u
#define MBUFS 64u

static struct rte_mempool *pool;
static struct wm_seeds seeds;
static uint8_t bytes[2 * ROOM_BYTES];

static struct rte_mbuf *segment(const uint8_t *from, uint32_t count)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)count), from, count);
	return mbuf;
}

/* In up to `most` segments, none of them empty. */
static struct rte_mbuf *cut(uint64_t *random, uint32_t count, uint32_t most)
{
	uint32_t at = 1 + wm_random_below(random, count);
	struct rte_mbuf *frame = segment(bytes, at);

	while (at < count) {
		uint32_t part = frame->nb_segs + 1u == most
					? count - at
					: 1 + wm_random_below(random, count - at);

		CU_ASSERT_EQUAL_FATAL(rte_pktmbuf_chain(frame, segment(bytes + at, part)), 0);
		at += part;
	}
	return frame;
}

static bool is_whole(const struct rte_mbuf *frame, uint32_t count)
{
	return frame->nb_segs == 1 && !frame->next && frame->data_len == count &&
	       frame->pkt_len == count &&
	       memcmp(rte_pktmbuf_mtod(frame, void *), bytes, count) == 0;
}

static void wherever_it_is_cut_a_frame_is_the_same_in_one_piece(void)
{
	for (uint64_t i = 0; i < seeds.count; i++) {
		uint64_t random = seeds.first + i;
		uint32_t count = 1 + wm_random_below(&random, ROOM_BYTES);
		struct rte_mbuf *frame = cut(&random, count, SEGMENTS_MAX);
		const uint8_t *place = rte_pktmbuf_mtod(frame, uint8_t *);
		uint32_t first = frame->data_len;

		CU_ASSERT_EQUAL(wm_chain_join(frame), (int32_t)(count - first));
		CU_ASSERT_TRUE(is_whole(frame, count));
		CU_ASSERT_PTR_EQUAL(rte_pktmbuf_mtod(frame, uint8_t *), place);
		rte_pktmbuf_free(frame);
		CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
	}
}

static void what_is_longer_than_any_frame_stays_as_it_was(void)
{
	struct rte_mbuf *frame = segment(bytes, ROOM_BYTES);

	CU_ASSERT_EQUAL(rte_pktmbuf_chain(frame, segment(bytes, 1)), 0);
	CU_ASSERT_EQUAL(wm_chain_join(frame), -EMSGSIZE);
	CU_ASSERT_EQUAL(frame->nb_segs, 2);
	CU_ASSERT_EQUAL(frame->pkt_len, ROOM_BYTES + 1);
	rte_pktmbuf_free(frame);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

static const struct wm_test tests[] = {
	WM_TEST(wherever_it_is_cut_a_frame_is_the_same_in_one_piece),
	WM_TEST(what_is_longer_than_any_frame_stays_as_it_was),
};

WM_TESTS_ARGUMENTS(0, 2, WM_SEED_USAGE);

int main(int argc, char **argv)
{
	char *eal[] = { argv[0],	  "--no-huge",	       "--no-pci",
			"--no-telemetry", "--no-shconf",       "-m32",
			"--iova-mode=va", "--log-level=error", "--lcores=0@0" };

	seeds = wm_seeds_choose(argc, argv, 5000);
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return wm_tests_skip("DPDK does not start here");
	pool = rte_pktmbuf_pool_create("frames", MBUFS, 0, 0, RTE_PKTMBUF_HEADROOM + ROOM_BYTES, 0);
	if (!pool)
		return wm_tests_skip("no memory for mbufs");
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + i / 256);
	return WM_TESTS_RUN("chain", tests);
}
