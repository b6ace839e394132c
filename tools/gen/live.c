/* SPDX-License-Identifier: BSD-3-Clause */
#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"

#define SCREEN_NS (500 * WM_NS_PER_MS)
#define LINES_NS (5 * WM_NS_PER_S)
/* Of less time a rate says nothing. */
#define SETTLED_NS (100 * WM_NS_PER_MS)

static enum wm_live_how obtained(struct wm_live *live, enum wm_live_how how)
{
	bool draws = (how == WM_LIVE_AUTO || how == WM_LIVE_SCREEN) &&
		     wm_terminal_open(&live->terminal, stderr);

	if (how != WM_LIVE_AUTO)
		return how == WM_LIVE_SCREEN && !draws ? WM_LIVE_OFF : how;
	if (draws)
		return WM_LIVE_SCREEN;
	return isatty(STDERR_FILENO) ? WM_LIVE_LINES : WM_LIVE_OFF;
}

int wm_live_open(struct wm_live *live, enum wm_live_how how, struct wm_error *error)
{
	*live = (struct wm_live){ .how = WM_LIVE_OFF };
	live->how = obtained(live, how);
	if (how == WM_LIVE_SCREEN && live->how != how)
		return wm_error_set(error, ENOTTY,
				    "--live screen: stderr is no terminal that can be drawn over "
				    "(TERM says which it is): --live lines works anywhere");
	if (live->how == WM_LIVE_OFF)
		return 0;
	live->scratch = calloc(2, sizeof(*live->scratch));
	return live->scratch ? 0 : wm_error_set(error, ENOMEM, "no memory for the live screen");
}

void wm_live_close(struct wm_live *live)
{
	wm_terminal_clear(&live->terminal);
	free(live->scratch);
	live->scratch = NULL;
	live->how = WM_LIVE_OFF;
}

static uint64_t interval_ns(const struct wm_live *live)
{
	return live->how == WM_LIVE_SCREEN ? SCREEN_NS : LINES_NS;
}

/* Trials that are shorter than the interval are shown now and then. */
void wm_live_begin(struct wm_live *live, const struct wm_traffic *traffic, uint64_t line_bits_per_s,
		   uint64_t now_ns)
{
	const struct wm_traffic_config *config = &traffic->config;

	live->traffic = traffic;
	live->head = (struct wm_live_head){
		.mode = config->mode,
		.size = config->size.name,
		.asked = config->rate,
		.start_ns = now_ns,
		.duration_ns = config->duration_ns,
		.count_max = config->count_max,
		.line_bits_per_s = line_bits_per_s,
	};
	live->samples[live->current] = (struct wm_live_sample){ .now_ns = now_ns };
	if (live->next_ns == 0)
		live->next_ns = now_ns + interval_ns(live);
	if (live->next_ns < now_ns + SETTLED_NS)
		live->next_ns = now_ns + SETTLED_NS;
}

static void draw(struct wm_live *live, const struct wm_live_sample *before,
		 const struct wm_live_sample *now)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return; /* the next one may have memory */
	wm_live_print(stream, &live->head, before, now, wm_terminal_lines(&live->terminal));
	if (fclose(stream) == 0)
		wm_terminal_draw(&live->terminal, text);
	free(text);
}

void wm_live_show(struct wm_live *live, uint64_t now_ns)
{
	const struct wm_live_sample *before = &live->samples[live->current];
	struct wm_live_sample *now = &live->samples[!live->current];

	if (live->how == WM_LIVE_OFF || now_ns < live->next_ns)
		return;
	wm_live_take(now, live->traffic, now_ns, live->scratch);
	if (live->how == WM_LIVE_SCREEN)
		draw(live, before, now);
	else
		wm_live_print_line(stderr, &live->head, before, now);
	live->current = !live->current;
	live->next_ns = now_ns + interval_ns(live);
}
