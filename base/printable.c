/* SPDX-License-Identifier: BSD-3-Clause */
#include "printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "array.h"

/* Of the Unicode Standard's categories Cc, Zl, Zp and Cs all; of Cf those that are not seen, or
 * turn the direction (UAX #9). */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x0000, 0x001f },   { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x061c, 0x061c },
	{ 0x180e, 0x180e },   { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
	{ 0xd800, 0xdfff },   { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xfffe, 0xffff },
	{ 0xe0000, 0xe007f },
};

static bool is_hidden(uint32_t character)
{
	for (size_t i = 0; i < WM_ARRAY_COUNT(hidden); i++) {
		if (character >= hidden[i].first && character <= hidden[i].last)
			return true;
	}
	return false;
}

/* Bytes that a character of that first byte has; 0: none begins with it. */
static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* Bytes of the visible character that text begins with, 0 if it begins with none. *bytes:
 * of the hidden one, or of what is no character. */
static size_t visible_bytes(const unsigned char *text, size_t *bytes)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = length_of(text[0]);
	uint32_t character = length > 1 ? text[0] & (0x7fu >> length) : text[0];

	*bytes = 1;
	if (length == 0)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (text[i] & 0x3f);
	}
	if (character < smallest[length] || character > 0x10ffff)
		return 0;
	*bytes = length;
	return is_hidden(character) ? 0 : length;
}

size_t wm_printable_next(char piece[WM_PRINTABLE_PIECE_BYTES], const char **text)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *from = (const unsigned char *)*text;
	char *to = piece;
	size_t bytes, visible = *from ? visible_bytes(from, &bytes) : (bytes = 0);

	if (visible > 0)
		to = (char *)memcpy(piece, from, visible) + visible;
	for (size_t i = 0; visible == 0 && i < bytes; i++) {
		*to++ = '\\';
		*to++ = 'x';
		*to++ = digits[from[i] >> 4];
		*to++ = digits[from[i] & 0xf];
	}
	*to = '\0';
	*text += bytes;
	return (size_t)(to - piece);
}

char *wm_printable(char *out, size_t out_bytes, const char *text)
{
	char piece[WM_PRINTABLE_PIECE_BYTES];
	size_t bytes, n = 0;

	while ((bytes = wm_printable_next(piece, &text)) > 0 && n + bytes < out_bytes) {
		memcpy(out + n, piece, bytes);
		n += bytes;
	}
	if (out_bytes > 0)
		out[n] = '\0';
	return out;
}

void wm_printable_print(FILE *stream, const char *text)
{
	char piece[WM_PRINTABLE_PIECE_BYTES];

	while (wm_printable_next(piece, &text) > 0)
		fputs(piece, stream);
}
