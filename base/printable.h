/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text of others (a path, a name, a driver's words) as it may stand in a line of a log or on
 * a terminal: on that line, where it is read from left to right, moving no cursor.
 *
 * Every byte of what is not a visible character becomes \xHH: control characters (C0, DEL,
 * C1), line and paragraph separators, marks that turn the direction of text or are not
 * seen at all, and what is no UTF-8. All else stays, so that to do it twice changes nothing
 * (and a backslash stays one: this is to be read, JSON is to be parsed). Any thread.
 */
#ifndef WM_PRINTABLE_H
#define WM_PRINTABLE_H

#include <stddef.h>
#include <stdio.h>

/* Room for any one character: four bytes as \xHH, and a NUL. */
#define WM_PRINTABLE_PIECE_BYTES 17

/* The next character of *text into piece, with a NUL; *text goes on behind it. Returns the
 * bytes in piece, 0 at the end of text. */
size_t wm_printable_next(char piece[WM_PRINTABLE_PIECE_BYTES], const char **text);
/* All of text, as far as out has room for whole pieces. Returns out. text is not in out. */
char *wm_printable(char *out, size_t out_bytes, const char *text);
void wm_printable_print(FILE *stream, const char *text);

#endif
