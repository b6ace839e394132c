/* SPDX-License-Identifier: BSD-3-Clause */
#include "mac.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void wm_mac_format(char text[WM_MAC_TEXT_BYTES], const uint8_t mac[WM_ETHER_ADDR_BYTES])
{
	snprintf(text, WM_MAC_TEXT_BYTES, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
}

int wm_mac_parse(uint8_t mac[WM_ETHER_ADDR_BYTES], const char *text)
{
	char again[WM_MAC_TEXT_BYTES];

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		   &mac[4], &mac[5]) != WM_ETHER_ADDR_BYTES)
		return -EINVAL;
	wm_mac_format(again, mac);
	return strcmp(again, text) == 0 ? 0 : -EINVAL;
}
