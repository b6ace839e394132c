/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "pci_address.h"

/* What it is as it is formatted; "" where it is refused. */
static const char *again(const char *text)
{
	static char formatted[WM_PCI_TEXT_BYTES];
	struct wm_pci_address address;

	formatted[0] = '\0';
	if (wm_pci_address_parse(&address, text) == 0)
		wm_pci_address_format(formatted, &address);
	return formatted;
}

static void an_address_is_read_with_and_without_its_domain(void)
{
	CU_ASSERT_STRING_EQUAL(again("0000:05:00.0"), "0000:05:00.0");
	CU_ASSERT_STRING_EQUAL(again("05:00.0"), "0000:05:00.0");
	CU_ASSERT_STRING_EQUAL(again("0001:FF:1f.7"), "0001:ff:1f.7");
}

static void short_and_long_forms_are_the_same_device(void)
{
	CU_ASSERT_STRING_EQUAL(again("5:0.0"), "0000:05:00.0");
	CU_ASSERT_STRING_EQUAL(again("0:5:0.0"), "0000:05:00.0");
	/* Domains behind a volume management device have five digits. */
	CU_ASSERT_STRING_EQUAL(again("10000:e1:00.0"), "10000:e1:00.0");
}

static void the_largest_of_each_fits(void)
{
	CU_ASSERT_STRING_EQUAL(again("ffffffff:ff:1f.7"), "ffffffff:ff:1f.7");
}

static void anything_else_is_refused(void)
{
	static const char *const texts[] = {
		"",
		"eth0",
		"00:05",
		"05.0",
		"0000:05:00",
		"0000:05:20.0",
		"0000:05:00.8",
		"0000:100:00.0",
		"0000:05:00.0 ",
		" 0000:05:00.0",
		"0000:05:00.0,x=1",
		"-1:00.0",
		"+5:00.0",
		"0x5:00.0",
		"100000000:05:00.0",
		"::.",
		"0000:05:00.00",
		"0000::00.0",
		"g:00.0",
		"0000:05:00.0\n",
		"0:0:0:0.0",
		"05:00:0",
		"0000:05:00,0",
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_STRING_EQUAL(again(texts[i]), "");
}

static const struct wm_test tests[] = {
	WM_TEST(an_address_is_read_with_and_without_its_domain),
	WM_TEST(short_and_long_forms_are_the_same_device),
	WM_TEST(the_largest_of_each_fits),
	WM_TEST(anything_else_is_refused),
};

int main(void)
{
	return WM_TESTS_RUN("pci_address", tests);
}
