/* SPDX-License-Identifier: BSD-3-Clause */
#include "mac.h"

#include <errno.h>
#include <string.h>

#include "harness.h"

static void an_address_comes_back_from_its_text(void)
{
	static const uint8_t mac[] = { 0x02, 0x00, 0xff, 0x1a, 0x00, 0x09 };
	uint8_t parsed[WM_ETHER_ADDR_BYTES];
	char text[WM_MAC_TEXT_BYTES];

	wm_mac_format(text, mac);
	CU_ASSERT_STRING_EQUAL(text, "02:00:ff:1a:00:09");
	CU_ASSERT_EQUAL(wm_mac_parse(parsed, text), 0);
	CU_ASSERT_EQUAL(memcmp(parsed, mac, sizeof(mac)), 0);
}

static void what_is_no_address_is_refused(void)
{
	static const char *const texts[] = {
		"",
		"02",
		"02:00:00:00:00",
		"02:00:00:00:00:0",
		"02:00:00:00:00:0A",
		"02:00:00:00:00:0g",
		"02:00:00:00:00:001",
		"02:00:00:00:00:01 ",
		" 2:00:00:00:00:01",
		"02-00-00-00-00-01",
		"0x:00:00:00:00:01",
		"02:00:00:00:00:01:02",
		"+2:00:00:00:00:01",
	};
	uint8_t mac[WM_ETHER_ADDR_BYTES];

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_EQUAL(wm_mac_parse(mac, texts[i]), -EINVAL);
}

static const struct wm_test tests[] = {
	WM_TEST(an_address_comes_back_from_its_text),
	WM_TEST(what_is_no_address_is_refused),
};

int main(void)
{
	return WM_TESTS_RUN("mac", tests);
}
