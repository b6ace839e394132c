/* SPDX-License-Identifier: BSD-3-Clause */
#include "numbers.h"

#include "array.h"

#define JOB(name, field) WM_JSON_NUMBER(struct wm_job, name, field)
#define COUNTER(name, field) WM_JSON_NUMBER(struct wm_lane_job_counters, name, field)

static const struct wm_json_field job_numbers[] = {
	JOB("input_bytes", input_bytes),
	JOB("output_bytes", lane.layout.output_bytes),
	JOB("dropped_tail_bytes", dropped_tail_bytes),
	JOB("elements", lane.layout.elements),
	JOB("batch_elements", lane.layout.batch_elements),
	JOB("mtu", mtu),
	JOB("extents", lane.layout.extents),
	JOB("batches", lane.layout.batches),
	JOB("audit_ppm", audit_ppm),
	JOB("resumed_bytes", resumed_bytes),
	JOB("nodes", nodes),
};

/* Which an older spool has not. */
static const struct wm_json_field newer_numbers[] = {
	JOB("checked_bytes", checked_bytes),
	JOB("differing_extents", differing_extents),
};

static const struct wm_json_field counter_numbers[] = {
	COUNTER("extents_done", extents_done),
	COUNTER("batches_done", batches_done),
	COUNTER("output_bytes_done", output_bytes_done),
	COUNTER("sends", dispatch.sent),
	COUNTER("resends", dispatch.resent),
	COUNTER("duplicates", dispatch.duplicates),
	COUNTER("speculated", dispatch.speculated),
	COUNTER("audited", dispatch.audited),
	COUNTER("waited_max_ns", dispatch.waited_max_ns),
};

void wm_job_numbers_put(json_t *object, const struct wm_job *job,
			const struct wm_lane_job_counters *counters)
{
	wm_json_put(object, job_numbers, WM_ARRAY_COUNT(job_numbers), job);
	wm_json_put(object, newer_numbers, WM_ARRAY_COUNT(newer_numbers), job);
	wm_json_put(object, counter_numbers, WM_ARRAY_COUNT(counter_numbers), counters);
}

int wm_job_numbers_take(const json_t *object, struct wm_job *job)
{
	int ret = wm_json_take(object, job_numbers, WM_ARRAY_COUNT(job_numbers), job);

	for (size_t i = 0; i < WM_ARRAY_COUNT(newer_numbers) && ret == 0; i++) {
		if (json_object_get(object, newer_numbers[i].name))
			ret = wm_json_take(object, &newer_numbers[i], 1, job);
	}
	return ret < 0 ? ret
		       : wm_json_take(object, counter_numbers, WM_ARRAY_COUNT(counter_numbers),
				      &job->counters);
}
