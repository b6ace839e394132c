/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Can DPDK have a PCI device, as we use it? It gives no reason that a person could act on;
 * sysfs tells all of it before. Our buffers cross pages, so that a device must see virtual
 * addresses: behind an IOMMU, on vfio-pci (or on a driver that shares its card with DPDK).
 */
#ifndef WM_PCI_SYSFS_H
#define WM_PCI_SYSFS_H

#include "pci_address.h"
#include "wiremill/error.h"

/* root as in sysfs.h. 0, or -ENODEV or -ENXIO with what is in the way and the command that
 * mends it. */
int wm_pci_check(const char *root, const struct wm_pci_address *address, struct wm_error *error);

/* The address of the card behind a network interface. 0, or -ENOENT: there is none. */
int wm_pci_find_interface(const char *root, const char *interface, char text[WM_PCI_TEXT_BYTES]);

#endif
