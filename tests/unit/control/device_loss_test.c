/* SPDX-License-Identifier: BSD-3-Clause */
/* What a node does about a lost GPU, between an executor and a worker that are not. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "device_loss.h"
#include "harness.h"
#include "log.h"

static uint32_t failures; /* of the next rebuilds */
static uint32_t rebuilt, forgotten, slept;
static uint64_t results;

int wm_executor_rebuild(struct wm_executor *executor, struct wm_error *error)
{
	(void)executor;
	if (failures > 0) {
		failures--;
		return wm_error_set(error, EIO, "not yet");
	}
	rebuilt++;
	return 0;
}

void wm_executor_get_counters(const struct wm_executor *executor,
			      struct wm_executor_counters *counters)
{
	(void)executor;
	*counters = (struct wm_executor_counters){ .losses = rebuilt };
}

void wm_worker_get_counters(const struct wm_worker *worker, struct wm_worker_counters *counters)
{
	(void)worker;
	*counters = (struct wm_worker_counters){ .results = results };
}

/* Only once the device owns nothing any more. */
void wm_worker_forget(struct wm_worker *worker)
{
	(void)worker;
	CU_ASSERT_EQUAL(++forgotten, rebuilt);
}

int usleep(useconds_t microseconds)
{
	slept += microseconds;
	return 0;
}

static int mend(struct wm_device_loss *loss, struct wm_error *error)
{
	return wm_device_loss_mend(loss, NULL, NULL, error);
}

static void begin(struct wm_device_loss *loss)
{
	*loss = (struct wm_device_loss){ 0 };
	failures = rebuilt = forgotten = slept = 0;
	results = 0;
}

static void a_device_that_takes_its_time_is_waited_for(void)
{
	struct wm_device_loss loss;
	struct wm_error error = { "" };

	begin(&loss);
	failures = 4;
	CU_ASSERT_EQUAL(mend(&loss, &error), 0);
	CU_ASSERT_EQUAL(forgotten, 1);
	CU_ASSERT(slept > 0);
}

static void one_that_does_not_come_back_ends_the_node_with_the_reason(void)
{
	struct wm_device_loss loss;
	struct wm_error error = { "" };

	begin(&loss);
	failures = UINT32_MAX;
	CU_ASSERT_EQUAL(mend(&loss, &error), -EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "does not come back (not yet)"));
	CU_ASSERT_EQUAL(forgotten, 0);
	CU_ASSERT(slept < 5000000); /* its session lives so long */
}

static void one_that_computes_between_its_losses_goes_on(void)
{
	struct wm_device_loss loss;
	struct wm_error error = { "" };

	begin(&loss);
	for (uint32_t i = 1; i <= 100; i++) {
		results++;
		CU_ASSERT_EQUAL(mend(&loss, &error), 0);
		CU_ASSERT_EQUAL(rebuilt, i);
	}
}

static void one_that_is_lost_again_and_again_ends_the_node(void)
{
	struct wm_device_loss loss;
	struct wm_error error = { "" };
	uint32_t times = 0;

	begin(&loss);
	while (times < 100 && mend(&loss, &error) == 0)
		times++;
	CU_ASSERT(times > 2 && times < 20);
	CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "computed nothing in between"));
}

static const struct wm_test tests[] = {
	WM_TEST(a_device_that_takes_its_time_is_waited_for),
	WM_TEST(one_that_does_not_come_back_ends_the_node_with_the_reason),
	WM_TEST(one_that_computes_between_its_losses_goes_on),
	WM_TEST(one_that_is_lost_again_and_again_ends_the_node),
};

int main(void)
{
	wm_log_init("device_loss_test", WM_LOG_ERROR);
	return WM_TESTS_RUN("device_loss", tests);
}
