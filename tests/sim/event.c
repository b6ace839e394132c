/* SPDX-License-Identifier: BSD-3-Clause */
/* Time, chance and what is said. The queue is a binary heap. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static bool is_earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

void sim_at(struct sim *sim, uint64_t at_ns, sim_run *run, void *object, uint64_t value,
	    uint32_t index, uint32_t life)
{
	struct sim_event event = {
		.at_ns = at_ns < sim->now_ns ? sim->now_ns : at_ns,
		.order = sim->order++,
		.run = run,
		.object = object,
		.value = value,
		.index = index,
		.life = life,
	};
	uint32_t i = sim->heap_count++;

	if (i == sim->heap_max) {
		sim->heap_max = sim->heap_max ? 2 * sim->heap_max : 1024;
		sim->heap = realloc(sim->heap, sim->heap_max * sizeof(*sim->heap));
		if (!sim->heap)
			abort();
	}
	while (i > 0 && is_earlier(&event, &sim->heap[(i - 1) / 2])) {
		sim->heap[i] = sim->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	sim->heap[i] = event;
}

static struct sim_event event_take(struct sim *sim)
{
	struct sim_event first = sim->heap[0], last = sim->heap[--sim->heap_count];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < sim->heap_count) {
		if (child + 1 < sim->heap_count &&
		    is_earlier(&sim->heap[child + 1], &sim->heap[child]))
			child++;
		if (!is_earlier(&sim->heap[child], &last))
			break;
		sim->heap[i] = sim->heap[child];
		i = child;
	}
	sim->heap[i] = last;
	return first;
}

bool sim_step(struct sim *sim)
{
	struct sim_event event;

	if (sim->heap_count == 0)
		return false;
	event = event_take(sim);
	sim->now_ns = event.at_ns;
	sim->events++;
	sim_mix(sim, event.at_ns ^ event.value << 20 ^ event.index);
	event.run(sim, &event);
	return true;
}

uint64_t sim_between(struct sim *sim, uint64_t low, uint64_t high)
{
	return low + wm_random(&sim->random) % (high - low + 1);
}

bool sim_fault(struct sim *sim, uint32_t in_a_million)
{
	return in_a_million && sim->now_ns < sim->plan.heal_ns &&
	       wm_random_below(&sim->random, 1000000) < in_a_million;
}

void sim_mix(struct sim *sim, uint64_t value)
{
	sim->hash = (sim->hash ^ value) * 0x9e3779b97f4a7c15;
	sim->hash ^= sim->hash >> 29;
}

void sim_say(struct sim *sim, const char *format, ...)
{
	va_list arguments;

	printf("%12.6f  ", (double)sim->now_ns / WM_NS_PER_S);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

void sim_violate(struct sim *sim, const char *format, ...)
{
	va_list arguments;
	int used;

	if (sim->violation[0])
		return;
	used = snprintf(sim->violation, sizeof(sim->violation),
			"at %.6f s: ", (double)sim->now_ns / WM_NS_PER_S);
	va_start(arguments, format);
	vsnprintf(sim->violation + used, sizeof(sim->violation) - (size_t)used, format, arguments);
	va_end(arguments);
	sim_trace(sim, "VIOLATION %s", sim->violation);
	sim->ended = true;
}
