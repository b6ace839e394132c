/* SPDX-License-Identifier: BSD-3-Clause */
/* MAC addresses as text: "02:00:00:00:01:0a". Pure. */
#ifndef WM_MAC_H
#define WM_MAC_H

#include <stdint.h>

#include "wiremill/wire.h"

#define WM_MAC_TEXT_BYTES 18u

void wm_mac_format(char text[WM_MAC_TEXT_BYTES], const uint8_t mac[WM_ETHER_ADDR_BYTES]);
/* As it is formatted, and nothing else: 0 or -EINVAL. */
int wm_mac_parse(uint8_t mac[WM_ETHER_ADDR_BYTES], const char *text);

#endif
