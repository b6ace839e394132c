/* SPDX-License-Identifier: BSD-3-Clause */
#include "outcome.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Of sending, or of receiving where nothing is sent. */
static uint64_t duration_ns(const struct wm_traffic *traffic)
{
	if (wm_traffic_mode_sends(traffic->config.mode))
		return traffic->send_end_ns - traffic->start_ns;
	return traffic->last_ns > traffic->first_ns ? traffic->last_ns - traffic->first_ns : 0;
}

static void fill_head(struct wm_result_row *row, const char *test, const struct wm_traffic *traffic)
{
	const struct wm_traffic_config *config = &traffic->config;

	snprintf(row->test, sizeof(row->test), "%s", test);
	row->sends = wm_traffic_mode_sends(config->mode);
	row->receives = wm_traffic_mode_receives(config->mode);
	row->sequenced = row->receives;
	row->duration_ns = duration_ns(traffic);
	if (!row->sends)
		return;
	snprintf(row->size, sizeof(row->size), "%s", config->size.name);
	row->asked = config->rate;
	row->behind_ns = traffic->behind_max_ns;
	row->slipped_ns = traffic->bucket.slipped_ns;
}

static void fill_totals(struct wm_result_row *row, const struct wm_traffic_totals *totals)
{
	row->sent = (struct wm_result_traffic){ totals->sent, totals->sent_bytes };
	row->received = (struct wm_result_traffic){ totals->received, totals->received_bytes };
	row->reordered = totals->reordered;
	row->duplicates = totals->duplicates;
	row->late = totals->late;
	row->damaged = totals->damaged;
}

static int add_total(struct wm_result *result, const char *test, const struct wm_traffic *traffic,
		     struct wm_histogram *latency)
{
	struct wm_result_row *row = wm_result_add(result);

	if (!row)
		return -ENOMEM;
	wm_histogram_init(latency);
	for (uint32_t i = 0; i < traffic->target_count; i++) {
		if (traffic->targets[i].latency)
			wm_histogram_merge(latency, traffic->targets[i].latency);
	}
	fill_head(row, test, traffic);
	row->scope = WM_RESULT_TOTAL;
	row->busy_ns = traffic->busy_ns;
	row->link_downs = traffic->link_downs;
	fill_totals(row, &traffic->totals);
	if (row->receives)
		row->lost = wm_outcome_lost(traffic);
	return wm_result_row_latency(row, latency, true);
}

static int add_target(struct wm_result *result, const char *test, const struct wm_traffic *traffic,
		      const struct wm_traffic_target *target)
{
	struct wm_result_row *row = wm_result_add(result);

	if (!row)
		return -ENOMEM;
	fill_head(row, test, traffic);
	row->scope = WM_RESULT_NODE;
	wm_traffic_address_name(row->target, &target->address);
	fill_totals(row, &target->totals);
	if (row->receives)
		row->lost = wm_traffic_lost(traffic, target);
	return target->latency ? wm_result_row_latency(row, target->latency, false) : 0;
}

uint64_t wm_outcome_lost(const struct wm_traffic *traffic)
{
	uint64_t lost = 0;

	for (uint32_t i = 0; i < traffic->target_count; i++)
		lost += wm_traffic_lost(traffic, &traffic->targets[i]);
	return lost;
}

int wm_outcome_add(struct wm_result *result, const char *test, const struct wm_traffic *traffic)
{
	struct wm_histogram *latency = malloc(sizeof(*latency));
	int ret = latency ? add_total(result, test, traffic, latency) : -ENOMEM;

	for (uint32_t i = 0; ret == 0 && i < traffic->target_count; i++)
		ret = add_target(result, test, traffic, &traffic->targets[i]);
	free(latency);
	return ret;
}
