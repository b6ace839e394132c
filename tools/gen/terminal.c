/* SPDX-License-Identifier: BSD-3-Clause */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Last: it takes many short words as macros. */
#include <curses.h>
#include <term.h>

#define WIDTH_DEFAULT 80u
#define HEIGHT_DEFAULT 24u

/* Where put_byte puts: terminfo hands it nothing but the byte. */
static FILE *target;

static int put_byte(int byte)
{
	return fputc(byte, target);
}

static void put_sequence(FILE *stream, const char *sequence)
{
	target = stream;
	tputs(sequence, 1, put_byte);
}

/* A capability that is missing is NULL, or -1 where it is no text. */
static const char *find(const char *name)
{
	char *sequence = tigetstr(name);

	return sequence == (char *)-1 ? NULL : sequence;
}

bool wm_terminal_open(struct wm_terminal *terminal, FILE *stream)
{
	int fd = fileno(stream), status;

	*terminal = (struct wm_terminal){ .stream = stream };
	if (!isatty(fd) || setupterm(NULL, fd, &status) != OK)
		return false;
	terminal->up = find("cuu1");
	terminal->erase_line = find("el");
	terminal->erase_below = find("ed");
	return terminal->up && terminal->erase_line && terminal->erase_below;
}

static struct winsize size_of(const struct wm_terminal *terminal)
{
	struct winsize size = { 0 };

	ioctl(fileno(terminal->stream), TIOCGWINSZ, &size);
	if (size.ws_col == 0)
		size.ws_col = WIDTH_DEFAULT;
	if (size.ws_row == 0)
		size.ws_row = HEIGHT_DEFAULT;
	return size;
}

/* Less the empty line above, and the one that the cursor gets to below. */
unsigned wm_terminal_lines(const struct wm_terminal *terminal)
{
	unsigned height = size_of(terminal).ws_row;

	return height > 2 ? height - 2 : 0;
}

/* The last column stays free: a full line would wrap on some terminals. */
static const char *put_line(FILE *stream, const struct wm_terminal *terminal, const char *line,
			    size_t width)
{
	size_t bytes = strcspn(line, "\n");

	fwrite(line, 1, bytes < width ? bytes : width - 1, stream);
	put_sequence(stream, terminal->erase_line);
	fputc('\n', stream);
	return line + bytes + (line[bytes] == '\n');
}

static void put_picture(FILE *stream, const struct wm_terminal *terminal, const char *text)
{
	size_t width = size_of(terminal).ws_col;
	unsigned height = 1, height_max = wm_terminal_lines(terminal) + 1;

	put_line(stream, terminal, "", width);
	for (; *text && height < height_max; height++)
		text = put_line(stream, terminal, text, width);
	put_sequence(stream, terminal->erase_below);
	while (height-- > 0)
		put_sequence(stream, terminal->up);
}

/* In one piece, so that the terminal shows no half of it. */
void wm_terminal_draw(struct wm_terminal *terminal, const char *text)
{
	size_t bytes;
	char *picture = NULL;
	FILE *stream = open_memstream(&picture, &bytes);

	if (!stream)
		return; /* the next one may have memory */
	put_picture(stream, terminal, text);
	if (fclose(stream) == 0)
		fwrite(picture, 1, bytes, terminal->stream);
	fflush(terminal->stream);
	free(picture);
	terminal->is_drawn = true;
}

void wm_terminal_clear(struct wm_terminal *terminal)
{
	if (!terminal->is_drawn)
		return;
	put_sequence(terminal->stream, terminal->erase_below);
	fflush(terminal->stream);
	terminal->is_drawn = false;
}
