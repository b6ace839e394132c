/* SPDX-License-Identifier: BSD-3-Clause */
#include "cores.h"
#include "number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the text ---------------------------------------------------------------------- */

static const char *skip_blanks(const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* Each take_*: at *text, which then is behind it. 0 or -EINVAL. */
static int take_number(const char **text, unsigned limit, unsigned *number)
{
	unsigned long value;
	char *end;

	*text = skip_blanks(*text);
	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	value = strtoul(*text, &end, 10);
	if (errno || value >= limit)
		return -EINVAL;
	*number = (unsigned)value;
	*text = skip_blanks(end);
	return 0;
}

/* "3" or "3-5" */
static int take_range(const char **text, unsigned limit, cpu_set_t *set)
{
	unsigned first, last;

	if (take_number(text, limit, &first) < 0)
		return -EINVAL;
	last = first;
	if (**text == '-') {
		(*text)++;
		if (take_number(text, limit, &last) < 0)
			return -EINVAL;
	}
	for (unsigned i = first < last ? first : last; i <= (first < last ? last : first); i++)
		CPU_SET(i, set);
	return 0;
}

/* "3", "3-5" or "(0,3-5)" */
static int take_set(const char **text, unsigned limit, cpu_set_t *set, bool *is_group)
{
	CPU_ZERO(set);
	*text = skip_blanks(*text);
	*is_group = **text == '(';
	if (!*is_group)
		return take_range(text, limit, set);
	do {
		(*text)++;
		if (take_range(text, limit, set) < 0)
			return -EINVAL;
	} while (**text == ',');
	if (**text != ')')
		return -EINVAL;
	*text = skip_blanks(*text + 1);
	return 0;
}

static unsigned first_of(const cpu_set_t *set)
{
	unsigned i = 0;

	while (i < CPU_SETSIZE && !CPU_ISSET(i, set))
		i++;
	return i;
}

/* "lcores" or "lcores@cores" */
static int take_lcores(const char **text, struct wm_cores *cores)
{
	cpu_set_t lcores, on;
	bool is_group, ignored, each;
	int ret = take_set(text, WM_LCORES_MAX, &lcores, &is_group);

	if (ret < 0)
		return ret;
	on = lcores;
	each = !is_group;
	if (**text == '@') {
		(*text)++;
		each = false;
		ret = take_set(text, CPU_SETSIZE, &on, &ignored);
	}
	if (cores->first == WM_LCORES_MAX)
		cores->first = first_of(&lcores);
	for (unsigned i = 0; i < WM_LCORES_MAX && ret == 0; i++) {
		if (!CPU_ISSET(i, &lcores))
			continue;
		cores->count += CPU_COUNT(&cores->on[i]) == 0;
		if (each)
			CPU_ZERO(&on);
		if (each)
			CPU_SET(i, &on);
		cores->on[i] = on;
	}
	return ret;
}

int wm_cores_parse(struct wm_cores *cores, const char *text)
{
	memset(cores, 0, sizeof(*cores));
	cores->first = WM_LCORES_MAX;
	for (;;) {
		if (take_lcores(&text, cores) < 0)
			return -EINVAL;
		if (*text == '\0')
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

/* ---- what may be used ---------------------------------------------------------------- */

/* "0,2-3": as much of it as there is room for. */
static void format_set(char *text, size_t text_bytes, const cpu_set_t *set)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < CPU_SETSIZE && used + 12 < text_bytes; i++) {
		unsigned last = i;

		if (!CPU_ISSET(i, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		used += (size_t)snprintf(text + used, text_bytes - used, "%s%u",
					 used > 0 ? "," : "", i);
		if (last > i)
			used += (size_t)snprintf(text + used, text_bytes - used, "-%u", last);
		i = last;
	}
}

int wm_cores_choose(char text[WM_CORES_TEXT_BYTES], uint32_t lanes, const cpu_set_t *allowed,
		    struct wm_error *error)
{
	uint32_t wanted = lanes + 1, found = 0;
	char list[80];
	size_t used = 0;

	/* By number, for the log, where DPDK has such a number. */
	for (unsigned i = 0; i < WM_LCORES_MAX && found < wanted; i++) {
		if (!CPU_ISSET(i, allowed))
			continue;
		used += (size_t)snprintf(text + used, WM_CORES_TEXT_BYTES - used, "%s%u",
					 found > 0 ? "," : "", i);
		found++;
	}
	if (found == wanted)
		return 0;
	format_set(list, sizeof(list), allowed);
	return wm_error_set(error, EINVAL,
			    "%" PRIu32 " cores are needed, one that controls and one that polls "
			    "for each port, and this program may use %s only: give it more, or "
			    "let them share with --lcores '(0-%" PRIu32 ")@(%s)', which is slow",
			    wanted, list, lanes, list);
}

static int check_allowed(const struct wm_cores *cores, const char *text, uint32_t lanes,
			 const cpu_set_t *allowed, struct wm_error *error)
{
	char list[80], other[WM_CORES_TEXT_BYTES];

	for (unsigned i = 0; i < WM_LCORES_MAX; i++) {
		cpu_set_t refused;

		CPU_AND(&refused, &cores->on[i], allowed);
		CPU_XOR(&refused, &refused, &cores->on[i]);
		if (CPU_COUNT(&refused) == 0)
			continue;
		if (wm_cores_choose(other, lanes, allowed, error) < 0)
			return -EINVAL;
		format_set(list, sizeof(list), allowed);
		return wm_error_set(error, EINVAL,
				    "core %u of --lcores %s is not there, or a cpuset or taskset "
				    "keeps this program from it: it may use %s, so try --lcores %s",
				    first_of(&refused), text, list, other);
	}
	return 0;
}

int wm_cores_check(const struct wm_cores *cores, const char *text, uint32_t lanes,
		   const cpu_set_t *allowed, struct wm_error *error)
{
	char ports[WM_COUNT_BYTES];

	if (cores->count < lanes + 1)
		return wm_error_set(
			error, EINVAL,
			"--lcores %s has too few cores for %s: one "
			"controls, and each lane needs one, such as --lcores 0-%" PRIu32,
			text, wm_number_format_count(ports, sizeof(ports), lanes, "port"), lanes);
	return check_allowed(cores, text, lanes, allowed, error);
}

int wm_cores_of_lane(const struct wm_cores *cores, uint32_t lane)
{
	for (unsigned i = 0; i < WM_LCORES_MAX; i++) {
		if (i == cores->first || CPU_COUNT(&cores->on[i]) == 0)
			continue;
		if (lane-- == 0)
			return (int)first_of(&cores->on[i]);
	}
	return -1;
}

int wm_cores_allowed(cpu_set_t *allowed, struct wm_error *error)
{
	if (sched_getaffinity(0, sizeof(*allowed), allowed) < 0)
		return wm_error_set(error, errno,
				    "cannot read which cores this program may use: %s",
				    wm_errno_text(errno));
	return 0;
}
