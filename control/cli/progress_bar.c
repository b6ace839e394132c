/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress_bar.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "clock.h"
#include "number.h"
#include "printable.h"
#include "wrap.h"

#define BAR_WIDTH_MIN 10u
#define BAR_WIDTH_MAX 40u

/* ---- the line ----------------------------------------------------------- */

/* "42 %  420 MB of 1.00 GB  210 MB/s  3 s left" */
static void figures_format(char *text, size_t text_bytes, uint64_t done, uint64_t total,
			   double rate)
{
	/* Rounded down: 100 % is said when all is done. */
	unsigned percent = total ? (unsigned)((double)done / (double)total * 100) : 100;
	char done_text[32], total_text[32], rate_text[32], left_text[32];
	int n;

	if (done < total && percent > 99)
		percent = 99;
	n = snprintf(text, text_bytes, "%3u %%  %s of %s", percent,
		     wm_number_format_bytes(done_text, sizeof(done_text), done),
		     wm_number_format_bytes(total_text, sizeof(total_text), total));
	if (rate > 0)
		n += snprintf(text + n, text_bytes - (size_t)n, "  %s/s",
			      wm_number_format_bytes(rate_text, sizeof(rate_text), (uint64_t)rate));
	if (rate > 0 && done < total)
		snprintf(text + n, text_bytes - (size_t)n, "  %s left",
			 wm_number_format_seconds(left_text, sizeof(left_text),
						  (double)(total - done) / rate));
}

/* "[####....] ", or nothing where that leaves no sensible bar. */
static void bar_format(char *text, uint64_t done, uint64_t total, unsigned room)
{
	unsigned width = room > 3 ? room - 3 : 0, full;

	text[0] = '\0';
	if (width < BAR_WIDTH_MIN)
		return;
	if (width > BAR_WIDTH_MAX)
		width = BAR_WIDTH_MAX;
	full = total ? (unsigned)((double)done / (double)total * width) : width;
	text[0] = '[';
	memset(text + 1, '#', full);
	memset(text + 1 + full, '.', width - full);
	strcpy(text + 1 + width, "] ");
}

char *wm_progress_bar_format(char *text, size_t text_bytes, uint64_t done, uint64_t total,
			     double rate, unsigned width)
{
	char bar[BAR_WIDTH_MAX + 4], figures[192];
	size_t used;

	if (done > total)
		done = total;
	figures_format(figures, sizeof(figures), done, total, rate);
	used = strlen(figures);
	/* The last column stays free: a full line would wrap on some terminals. */
	bar_format(bar, done, total, width > used + 1 ? width - (unsigned)used - 1 : 0);
	snprintf(text, text_bytes, "%s%s", bar, figures);
	if (width > 0 && strlen(text) >= width)
		text[width - 1] = '\0';
	return text;
}

/* ---- where it goes ------------------------------------------------------ */

void wm_progress_bar_init(struct wm_progress_bar *progress, FILE *stream)
{
	const char *terminal = getenv("TERM");

	*progress = (struct wm_progress_bar){ .stream = stream };
	progress->terminal = isatty(fileno(stream)) && terminal && strcmp(terminal, "dumb") != 0;
}

/* Draws over what was there; the rest of the old line goes. */
static void line_draw(struct wm_progress_bar *progress, const char *line)
{
	fputc('\r', progress->stream);
	wm_printable_print(progress->stream, line);
	fputs("\033[K", progress->stream);
	fflush(progress->stream);
	progress->drawn = true;
}

/* The first one begins with the work: what takes less than a second needs no line. */
static bool second_is_over(struct wm_progress_bar *progress, uint64_t now_ns)
{
	if (progress->line_ns == 0)
		progress->line_ns = now_ns;
	if (now_ns - progress->line_ns < WM_NS_PER_S)
		return false;
	progress->line_ns = now_ns;
	return true;
}

void wm_progress_bar_show(struct wm_progress_bar *progress, uint64_t done, uint64_t total,
			  double rate, uint64_t now_ns)
{
	unsigned width = progress->terminal ? wm_wrap_screen(progress->stream) : 0;
	char line[WM_PROGRESS_LINE_BYTES];

	if (!progress->terminal && !second_is_over(progress, now_ns))
		return;
	wm_progress_bar_format(line, sizeof(line), done, total, rate, width);
	progress->note[0] = '\0';
	if (progress->terminal)
		line_draw(progress, line);
	else
		fprintf(progress->stream, "%s\n", line);
}

void wm_progress_bar_note(struct wm_progress_bar *progress, const char *note)
{
	unsigned width = wm_wrap_screen(progress->stream);

	if (strcmp(progress->note, note) == 0)
		return;
	snprintf(progress->note, sizeof(progress->note), "%s", note);
	if (progress->terminal) {
		char line[WM_PROGRESS_LINE_BYTES];

		snprintf(line, width < sizeof(line) ? width : sizeof(line), "%s", note);
		line_draw(progress, line);
	} else {
		wm_printable_print(progress->stream, note);
		fputc('\n', progress->stream);
	}
}

void wm_progress_bar_clear(struct wm_progress_bar *progress)
{
	if (progress->drawn)
		fputs("\r\033[K", progress->stream);
	progress->drawn = false;
}
