/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci_address.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hexadecimal number of so many digits at most, at *text, which then is behind it. */
static int take_hex(const char **text, size_t digits_max, uint32_t max, uint32_t *number)
{
	unsigned long value;
	char *end;

	/* strtoul takes spaces, signs and "0x" too. */
	if (!isxdigit((unsigned char)**text) || tolower((unsigned char)(*text)[1]) == 'x')
		return -EINVAL;
	value = strtoul(*text, &end, 16);
	if ((size_t)(end - *text) > digits_max || value > max)
		return -EINVAL;
	*number = (uint32_t)value;
	*text = end;
	return 0;
}

static int take_sign(const char **text, char sign)
{
	if (**text != sign)
		return -EINVAL;
	(*text)++;
	return 0;
}

int wm_pci_address_parse(struct wm_pci_address *address, const char *text)
{
	const char *colon = strchr(text, ':');
	uint32_t domain = 0, bus, device, function;

	if (colon && strchr(colon + 1, ':') &&
	    (take_hex(&text, 8, UINT32_MAX, &domain) < 0 || take_sign(&text, ':') < 0))
		return -EINVAL;
	if (take_hex(&text, 2, 0xff, &bus) < 0 || take_sign(&text, ':') < 0 ||
	    take_hex(&text, 2, 0x1f, &device) < 0 || take_sign(&text, '.') < 0 ||
	    take_hex(&text, 1, 7, &function) < 0 || *text)
		return -EINVAL;
	*address =
		(struct wm_pci_address){ domain, (uint8_t)bus, (uint8_t)device, (uint8_t)function };
	return 0;
}

void wm_pci_address_format(char text[WM_PCI_TEXT_BYTES], const struct wm_pci_address *address)
{
	snprintf(text, WM_PCI_TEXT_BYTES, "%04" PRIx32 ":%02x:%02x.%x", address->domain,
		 address->bus, address->device, address->function);
}
