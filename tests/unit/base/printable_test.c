/* SPDX-License-Identifier: BSD-3-Clause */
/* What may stand in a line of a log or on a terminal, and what becomes of the rest. */
#include "printable.h"

#include <string.h>

#include "harness.h"

static const char *shown(const char *text)
{
	static char out[256];

	return wm_printable(out, sizeof(out), text);
}

static void visible_text_stays(void)
{
	static const char *const texts[] = {
		"",	     " ",	 "/data/in",	     "back\\slash", "~!@#",
		"Größe",     "数据",	 "данные",	     "עברית",	    "\xf0\x9f\x98\x80",
		"e\xcc\x81", "\xc2\xa0", "\xf4\x8f\xbf\xbd",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_STRING_EQUAL(shown(texts[i]), texts[i]);
}

static void control_characters_are_shown_as_their_bytes(void)
{
	CU_ASSERT_STRING_EQUAL(shown("a\nb\r\tc"), "a\\x0ab\\x0d\\x09c");
	CU_ASSERT_STRING_EQUAL(shown("\033[2J\177"), "\\x1b[2J\\x7f");
	/* C1: CSI and NEL as UTF-8, and CSI as the one byte that some terminals take */
	CU_ASSERT_STRING_EQUAL(shown("\xc2\x9b"
				     "2J\xc2\x85"),
			       "\\xc2\\x9b2J\\xc2\\x85");
	CU_ASSERT_STRING_EQUAL(shown("\x9b"
				     "2J"),
			       "\\x9b2J");
}

static void separators_and_marks_of_direction_are_shown_as_their_bytes(void)
{
	static const char *const marks[] = {
		"\xe2\x80\xa8", "\xe2\x80\xa9",			    /* line, paragraph */
		"\xe2\x80\xae", "\xe2\x80\x8f",	    "\xe2\x81\xa6", /* RLO, RLM, LRI */
		"\xd8\x9c",	"\xe2\x80\x8b",	    "\xef\xbb\xbf", /* ALM, zero width, BOM */
		"\xc2\xad",	"\xf3\xa0\x81\x81",		    /* soft hyphen, a tag */
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		CU_ASSERT_EQUAL(strlen(shown(marks[i])), 4 * strlen(marks[i]));
		CU_ASSERT_EQUAL(strncmp(shown(marks[i]), "\\x", 2), 0);
	}
}

static void what_is_no_utf8_is_shown_as_its_bytes(void)
{
	CU_ASSERT_STRING_EQUAL(shown("a\xff"
				     "b"),
			       "a\\xffb");
	CU_ASSERT_STRING_EQUAL(shown("cut \xc3"), "cut \\xc3");
	CU_ASSERT_STRING_EQUAL(shown("\xe2\x82"), "\\xe2\\x82");
	CU_ASSERT_STRING_EQUAL(shown("\xc0\x8a"), "\\xc0\\x8a");	  /* overlong */
	CU_ASSERT_STRING_EQUAL(shown("\xe0\x80\x8a"), "\\xe0\\x80\\x8a"); /* overlong */
	CU_ASSERT_STRING_EQUAL(shown("\xed\xa0\x80"), "\\xed\\xa0\\x80"); /* surrogate */
	CU_ASSERT_STRING_EQUAL(shown("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
	CU_ASSERT_STRING_EQUAL(shown("\xc3\xc3\xa9"), "\\xc3\xc3\xa9");
}

static void twice_is_as_once(void)
{
	char once[64], twice[64];

	wm_printable(once, sizeof(once), "a\n\xff\\x0a\033");
	wm_printable(twice, sizeof(twice), once);
	CU_ASSERT_STRING_EQUAL(once, twice);
}

static void cut_text_ends_with_a_whole_piece(void)
{
	char out[8];

	for (size_t room = 1; room <= sizeof(out); room++) {
		memset(out, 'x', sizeof(out));
		wm_printable(out, room, "a\n\xc3\xa9");
		CU_ASSERT(strlen(out) < room);
		CU_ASSERT_STRING_EQUAL(out, room < 2   ? ""
					    : room < 6 ? "a"
					    : room < 8 ? "a\\x0a"
						       : "a\\x0a\xc3\xa9");
	}
	out[0] = 'x';
	wm_printable(out, 0, "a");
	CU_ASSERT_EQUAL(out[0], 'x');
}

static const struct wm_test tests[] = {
	WM_TEST(visible_text_stays),
	WM_TEST(control_characters_are_shown_as_their_bytes),
	WM_TEST(separators_and_marks_of_direction_are_shown_as_their_bytes),
	WM_TEST(what_is_no_utf8_is_shown_as_its_bytes),
	WM_TEST(twice_is_as_once),
	WM_TEST(cut_text_ends_with_a_whole_piece),
};

int main(void)
{
	return WM_TESTS_RUN("printable", tests);
}
