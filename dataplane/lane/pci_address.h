/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of PCI devices, as text: "0000:05:00.0", the domain may be left out. Pure. */
#ifndef WM_PCI_ADDRESS_H
#define WM_PCI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* As formatted: a domain of up to 8 digits, ":bb:dd.f", the end. */
#define WM_PCI_TEXT_BYTES 20u

struct wm_pci_address {
	uint32_t domain;
	uint8_t bus, device, function;
};

/* 0 or -EINVAL. */
int wm_pci_address_parse(struct wm_pci_address *address, const char *text);
/* As the kernel and DPDK name it. */
void wm_pci_address_format(char text[WM_PCI_TEXT_BYTES], const struct wm_pci_address *address);

#endif
