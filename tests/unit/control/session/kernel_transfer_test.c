/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel that no node has built in: controller and nodes, with and without a key, over links
 * that lose frames, with nodes and jobs that end in the middle. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "keyed_rack.h"
#include "log.h"
#include "wiremill/kernel_object.h"

#define CODE_WORDS 30000u

static uint32_t code[CODE_WORDS];
static uint8_t *bytes;
static size_t bytes_count;
static struct wm_layout blur;

static void make_object(void)
{
	struct wm_kernel_object object = {
		.kernel = { .name = "blur", .in_bytes = 4, .out_bytes = 4, .halo_after = 2 },
		.code = code,
		.code_bytes = sizeof(code),
		.source = "text",
		.source_bytes = 4,
	};

	for (uint32_t i = 0; i < CODE_WORDS; i++)
		code[i] = i * 2654435761u;
	code[0] = 0x07230203; /* what SPIR-V begins with */
	bytes_count = wm_kernel_object_bytes(&object);
	bytes = malloc(bytes_count);
	wm_kernel_object_encode(bytes, &object);
	blur = (struct wm_layout){ .kernel = object.kernel, .batch_elements = 128 };
}

static struct rack *rack_with(const struct wm_key *key, unsigned nodes)
{
	struct rack *rack = rack_create(key);

	rack->object = bytes;
	rack->object_bytes = bytes_count;
	for (unsigned i = 0; i < nodes; i++)
		node_start(rack, i, key);
	pass_ms(rack, 1000);
	CU_ASSERT_EQUAL_FATAL(wm_membership_count_in(&rack->membership), nodes);
	return rack;
}

static void begin(struct rack *rack, uint32_t job)
{
	wm_membership_job_begin(&rack->membership, job, &blur, 9000, rack->now_ns);
}

static unsigned ready(const struct rack *rack)
{
	return wm_membership_count(&rack->membership, WM_MEMBER_READY);
}

static unsigned count(const struct rack *rack, enum wm_op op)
{
	unsigned found = 0;

	for (unsigned i = 0; i < rack->sent; i++)
		found += rack->frames[i].header.op == op;
	return found;
}

static void it_is_here(struct rack *rack, unsigned node)
{
	size_t count_here = 0;
	const uint8_t *here =
		wm_kernel_cache_find(&rack->nodes[node].kernels, blur.kernel.hash, &count_here);

	CU_ASSERT_PTR_NOT_NULL_FATAL(here);
	CU_ASSERT_EQUAL(count_here, bytes_count);
	CU_ASSERT_EQUAL(memcmp(here, bytes, bytes_count), 0);
}

static void comes_to_all(const struct wm_key *key)
{
	struct rack *rack = rack_with(key, NODES);

	begin(rack, JOB);
	pass_ms(rack, 2000);
	CU_ASSERT_EQUAL(ready(rack), NODES);
	for (unsigned i = 0; i < NODES; i++) {
		it_is_here(rack, i);
		CU_ASSERT_EQUAL(rack->nodes[i].prepared, 1);
		CU_ASSERT_EQUAL(rack->nodes[i].with_object, 1);
	}
	CU_ASSERT_EQUAL(ignored_by_controller(rack), 0);
	rack_destroy(rack);
}

static void a_kernel_comes_to_those_who_have_it_not(void)
{
	comes_to_all(NULL);
	comes_to_all(&cluster_key);
}

static void who_has_it_gets_nothing_for_the_next_job(void)
{
	struct rack *rack = rack_with(NULL, NODES);
	unsigned chunks;

	begin(rack, JOB);
	pass_ms(rack, 2000);
	wm_membership_job_end(&rack->membership, JOB);
	chunks = count(rack, WM_OP_CHUNK);
	begin(rack, JOB + 1);
	pass_ms(rack, 100);
	CU_ASSERT_EQUAL(ready(rack), NODES);
	CU_ASSERT_EQUAL(count(rack, WM_OP_CHUNK), chunks);
	rack_destroy(rack);
}

static void one_who_comes_late_gets_it_too(void)
{
	struct rack *rack = rack_with(&cluster_key, 1);

	begin(rack, JOB);
	pass_ms(rack, 2000);
	CU_ASSERT_EQUAL(ready(rack), 1);
	node_start(rack, 1, &cluster_key);
	pass_ms(rack, 3000);
	CU_ASSERT_EQUAL(ready(rack), 2);
	it_is_here(rack, 1);
	rack_destroy(rack);
}

static void what_is_lost_goes_again(void)
{
	struct rack *rack = rack_with(&cluster_key, NODES);

	rack->lose_every = 7;
	begin(rack, JOB);
	pass_ms(rack, 10000);
	CU_ASSERT_EQUAL(ready(rack), NODES);
	for (unsigned i = 0; i < NODES; i++)
		it_is_here(rack, i);
	rack_destroy(rack);
}

static void a_node_that_starts_again_in_the_middle_gets_it_in_its_next_life(void)
{
	struct rack *rack = rack_with(&cluster_key, 1);

	rack->lost_ops = 1u << WM_OP_CHUNK_ACK;
	begin(rack, JOB);
	pass_ms(rack, 100);
	CU_ASSERT(count(rack, WM_OP_CHUNK) > 0);
	node_start(rack, 0, &cluster_key);
	rack->lost_ops = 0;
	pass_ms(rack, 3000);
	CU_ASSERT_EQUAL(ready(rack), 1);
	it_is_here(rack, 0);
	rack_destroy(rack);
}

/* Half of it came in the session before. */
static void what_came_before_a_session_ended_is_not_sent_again(void)
{
	struct rack *rack = rack_with(NULL, 1);
	unsigned chunks = (unsigned)(bytes_count / 896 + 1), before;

	begin(rack, JOB);
	while (count(rack, WM_OP_CHUNK) < chunks / 2)
		deliver(rack, &rack->frames[rack->delivered++]);
	rack->lost_ops = 1u << WM_OP_CHUNK;
	settle(rack);
	wm_membership_close(&rack->membership, "the controller stops");
	settle(rack);
	rack->lost_ops = 0;
	wm_membership_job_end(&rack->membership, JOB);
	before = count(rack, WM_OP_CHUNK);
	begin(rack, JOB + 1);
	pass_ms(rack, 3000);
	CU_ASSERT_EQUAL(ready(rack), 1);
	it_is_here(rack, 0);
	CU_ASSERT(count(rack, WM_OP_CHUNK) - before < chunks);
	rack_destroy(rack);
}

static void a_job_that_ends_in_the_middle_ends_its_transfers(void)
{
	struct rack *rack = rack_with(NULL, NODES);
	unsigned chunks;

	rack->lost_ops = 1u << WM_OP_CHUNK_ACK;
	begin(rack, JOB);
	pass_ms(rack, 100);
	wm_membership_job_end(&rack->membership, JOB);
	rack->object = NULL;
	rack->object_bytes = 0;
	rack->lost_ops = 0;
	chunks = count(rack, WM_OP_CHUNK);
	CU_ASSERT(chunks > 0);
	pass_ms(rack, 2000);
	CU_ASSERT_EQUAL(count(rack, WM_OP_CHUNK), chunks);
	rack_destroy(rack);
}

static void where_nothing_gets_through_the_node_takes_no_part(void)
{
	struct rack *rack = rack_with(NULL, 1);

	rack->lost_ops = 1u << WM_OP_CHUNK;
	begin(rack, JOB);
	pass_ms(rack, 11000);
	CU_ASSERT_EQUAL(ready(rack), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(member_of(rack, 0)->reason, "kernel blur did not get there"));
	rack->lost_ops = 0;
	pass_ms(rack, 10000);
	CU_ASSERT_EQUAL(ready(rack), 1);
	rack_destroy(rack);
}

static void more_nodes_than_transfers_get_it_in_turn(void)
{
	struct rack *rack = rack_with(NULL, NODES);

	/* All places but one are taken. */
	for (unsigned i = 1; i < WM_KERNEL_TRANSFERS_MAX; i++)
		rack->membership.transfers[i].member = &rack->membership.members[WM_NODES_MAX - 1];
	begin(rack, JOB);
	settle(rack);
	CU_ASSERT(ready(rack) < NODES);
	for (unsigned i = 1; i < WM_KERNEL_TRANSFERS_MAX; i++)
		rack->membership.transfers[i].member = NULL;
	pass_ms(rack, 2000);
	CU_ASSERT_EQUAL(ready(rack), NODES);
	rack_destroy(rack);
}

static void an_object_of_another_shape_than_the_job_is_refused(void)
{
	struct rack *rack = rack_with(NULL, 1);
	struct wm_layout wrong = blur;

	wrong.kernel.in_bytes = 8;
	wm_membership_job_begin(&rack->membership, JOB, &wrong, 9000, rack->now_ns);
	pass_ms(rack, 1500);
	CU_ASSERT_EQUAL(ready(rack), 0);
	CU_ASSERT_EQUAL(rack->nodes[0].prepared, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(member_of(rack, 0)->reason, "another shape"));
	rack_destroy(rack);
}

static void bytes_that_are_not_the_object_are_not_taken_for_it(void)
{
	struct rack *rack = rack_with(NULL, 1);
	uint8_t *damaged = malloc(bytes_count);
	size_t here = 0;

	memcpy(damaged, bytes, bytes_count);
	damaged[bytes_count / 2] ^= 1;
	rack->object = damaged;
	begin(rack, JOB);
	pass_ms(rack, 900);
	CU_ASSERT_EQUAL(ready(rack), 0);
	CU_ASSERT_PTR_NULL(wm_kernel_cache_find(&rack->nodes[0].kernels, blur.kernel.hash, &here));
	CU_ASSERT_PTR_NOT_NULL(strstr(member_of(rack, 0)->reason, "did not get there"));
	rack->object = bytes;
	pass_ms(rack, 5000);
	CU_ASSERT_EQUAL(ready(rack), 1);
	it_is_here(rack, 0);
	free(damaged);
	rack_destroy(rack);
}

static const struct wm_test tests[] = {
	WM_TEST(a_kernel_comes_to_those_who_have_it_not),
	WM_TEST(who_has_it_gets_nothing_for_the_next_job),
	WM_TEST(one_who_comes_late_gets_it_too),
	WM_TEST(what_is_lost_goes_again),
	WM_TEST(a_node_that_starts_again_in_the_middle_gets_it_in_its_next_life),
	WM_TEST(what_came_before_a_session_ended_is_not_sent_again),
	WM_TEST(a_job_that_ends_in_the_middle_ends_its_transfers),
	WM_TEST(where_nothing_gets_through_the_node_takes_no_part),
	WM_TEST(more_nodes_than_transfers_get_it_in_turn),
	WM_TEST(an_object_of_another_shape_than_the_job_is_refused),
	WM_TEST(bytes_that_are_not_the_object_are_not_taken_for_it),
};

int main(void)
{
	int ret;

	wm_log_init("kernel_transfer_test", WM_LOG_ERROR);
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	make_object();
	ret = WM_TESTS_RUN("kernel transfer", tests);
	free(bytes);
	return ret;
}
