/* SPDX-License-Identifier: BSD-3-Clause */
#include "sizes.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

static const char rfc2544[] = "64,128,256,512,1024,1280,1518";

static const struct {
	uint16_t bytes, weight;
} imix[] = { { 64, 7 }, { 594, 4 }, { 1518, 1 } };

#define IMIX_KINDS (sizeof(imix) / sizeof(imix[0]))

static int parse_bytes(const char *text, uint32_t bytes_max, uint32_t *bytes,
		       struct wm_error *error)
{
	uint64_t number;
	int ret = wm_number_parse(text, WM_FRAME_SIZE_MIN, bytes_max, &number);

	if (ret == -EINVAL)
		return wm_error_set(error, EINVAL,
				    "frame size '%s' is neither a number nor a range, imix, jumbo "
				    "or rfc2544",
				    text);
	if (ret < 0)
		return wm_error_set(
			error, EINVAL,
			"frame size %s (with FCS): %u to %u fit the MTU: change it or the MTU",
			text, WM_FRAME_SIZE_MIN, bytes_max);
	*bytes = (uint32_t)number;
	return 0;
}

/* "64-1518" or "64-1518:64"; text is taken apart in place. */
static int parse_range(char *text, char *dash, uint32_t bytes_max, struct wm_size_point *point,
		       struct wm_error *error)
{
	char *colon = strchr(dash + 1, ':');
	uint64_t step = 1;
	int ret;

	*dash = '\0';
	if (colon) {
		*colon = '\0';
		if (wm_number_parse(colon + 1, 1, bytes_max, &step) < 0)
			return wm_error_set(error, EINVAL, "step '%s' of frame sizes: 1 to %u",
					    colon + 1, bytes_max);
	}
	point->step = (uint32_t)step;
	ret = parse_bytes(text, bytes_max, &point->first, error);
	if (ret == 0)
		ret = parse_bytes(dash + 1, bytes_max, &point->last, error);
	if (ret == 0 && point->first > point->last)
		ret = wm_error_set(error, EINVAL, "frame sizes %u-%u: the smaller one comes first",
				   point->first, point->last);
	return ret;
}

static int parse_imix(uint32_t bytes_max, struct wm_size_point *point, struct wm_error *error)
{
	*point = (struct wm_size_point){
		.first = imix[0].bytes, .last = imix[IMIX_KINDS - 1].bytes, .step = 1, .imix = true
	};
	if (point->last > bytes_max)
		return wm_error_set(error, EINVAL,
				    "imix has frames of %u bytes: the MTU carries %u at most",
				    point->last, bytes_max);
	return 0;
}

static int parse_point(char *text, uint32_t bytes_max, struct wm_size_point *point,
		       struct wm_error *error)
{
	char *dash = strchr(text, '-');
	int ret;

	if (strcmp(text, "imix") == 0)
		return parse_imix(bytes_max, point, error);
	*point = (struct wm_size_point){ .first = bytes_max, .last = bytes_max, .step = 1 };
	if (strcmp(text, "jumbo") == 0)
		return 0;
	if (dash)
		return parse_range(text, dash, bytes_max, point, error);
	ret = parse_bytes(text, bytes_max, &point->first, error);
	point->last = point->first;
	return ret;
}

/* A word of the list, which is `length` long. */
static int add_point(const char *word, size_t length, uint32_t mtu, struct wm_sizes *sizes,
		     struct wm_error *error)
{
	char name[WM_SIZE_NAME_BYTES], parts[WM_SIZE_NAME_BYTES];
	struct wm_size_point *point = &sizes->points[sizes->count];
	int ret;

	if (length >= sizeof(name))
		return wm_error_set(error, EINVAL, "frame size '%.*s...' is too long",
				    (int)sizeof(name), word);
	if (sizes->count == WM_SIZES_POINTS_MAX)
		return wm_error_set(error, EINVAL, "more than %u frame sizes in a list",
				    WM_SIZES_POINTS_MAX);
	memcpy(name, word, length);
	name[length] = '\0';
	memcpy(parts, name, sizeof(name));
	ret = parse_point(parts, wm_rate_frame_bytes_max(mtu), point, error);
	if (ret < 0)
		return ret;
	memcpy(point->name, name, sizeof(name));
	sizes->count++;
	return 0;
}

static int add_list(const char *text, uint32_t mtu, struct wm_sizes *sizes, struct wm_error *error)
{
	size_t length;
	int ret;

	for (;; text += length + 1) {
		length = strcspn(text, ",");
		if (length == strlen("rfc2544") && memcmp(text, "rfc2544", length) == 0)
			ret = add_list(rfc2544, mtu, sizes, error);
		else
			ret = add_point(text, length, mtu, sizes, error);
		if (ret < 0 || text[length] == '\0')
			return ret;
	}
}

int wm_sizes_parse(const char *text, uint32_t mtu, struct wm_sizes *sizes, struct wm_error *error)
{
	assert(mtu >= WM_MTU_MIN && mtu <= WM_MTU_MAX);
	sizes->count = 0;
	return add_list(text, mtu, sizes, error);
}

static void cycle_add(struct wm_size_cycle *cycle, uint32_t bytes)
{
	assert(cycle->count < WM_SIZE_CYCLE_MAX);
	cycle->bytes[cycle->count++] = (uint16_t)bytes;
}

static void cycle_fill(struct wm_size_cycle *cycle, const struct wm_size_point *point)
{
	if (point->imix) {
		for (unsigned kind = 0; kind < IMIX_KINDS; kind++)
			for (unsigned i = 0; i < imix[kind].weight; i++)
				cycle_add(cycle, imix[kind].bytes);
		return;
	}
	for (uint32_t bytes = point->first; bytes <= point->last; bytes += point->step)
		cycle_add(cycle, bytes);
}

/* Fisher and Yates, by a linear congruence (Knuth's MMIX) whose high bits are used. */
static void cycle_shuffle(struct wm_size_cycle *cycle, uint64_t seed)
{
	for (uint32_t i = cycle->count; i > 1; i--) {
		uint32_t other;
		uint16_t kept = cycle->bytes[i - 1];

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		other = (uint32_t)((seed >> 32) * i >> 32);
		cycle->bytes[i - 1] = cycle->bytes[other];
		cycle->bytes[other] = kept;
	}
}

void wm_size_cycle_init(struct wm_size_cycle *cycle, const struct wm_size_point *point,
			uint64_t seed)
{
	memset(cycle, 0, sizeof(*cycle));
	cycle_fill(cycle, point);
	cycle_shuffle(cycle, seed);
}
