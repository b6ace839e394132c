/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci_sysfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sysfs.h"

#define DEVICES "/sys/bus/pci/devices"
/* First digits of a class: "0x020000" is Ethernet. */
#define CLASS_NETWORK "0x02"
#define CLASS_BRIDGE "0x06"
/* Disks, displays, bridges, USB: what is named in the place of a card by mistake. Others may be
 * accelerators with ports. */
static const char *const classes_refused[] = { "0x01", "0x03", CLASS_BRIDGE, "0x0c" };
#define COMMAND_BYTES 320u

/* What is asked about. */
struct card {
	const char *root;
	char address[WM_PCI_TEXT_BYTES];
	char driver[WM_SYSFS_NAME_BYTES]; /* "": none */
	char interface[WM_SYSFS_NAME_BYTES];
};

/* ---- what to do ---------------------------------------------------------------- */

/* Binds it to vfio-pci, without a tool that may not be there. */
static const char *bind_command(const struct card *card, char command[COMMAND_BYTES])
{
	const char *address = card->address;
	char unbind[96] = "";

	if (card->driver[0])
		snprintf(unbind, sizeof(unbind), "echo %s > " DEVICES "/%s/driver/unbind; ",
			 address, address);
	snprintf(command, COMMAND_BYTES,
		 "modprobe vfio-pci; echo vfio-pci > " DEVICES "/%s/driver_override; %secho %s > "
		 "/sys/bus/pci/drivers_probe",
		 address, unbind, address);
	return command;
}

/* "0000:00:03.0, 0000:00:04.0": cards that are here, as many as there is room for. */
static void list_cards(const char *root, char *list, size_t list_bytes)
{
	char name[WM_SYSFS_NAME_BYTES], class[WM_SYSFS_NAME_BYTES];
	size_t used = 0;

	list[0] = '\0';
	for (unsigned i = 0; wm_sysfs_entry(name, i, "", root, DEVICES) == 0; i++) {
		if (wm_sysfs_read(class, root, DEVICES "/%s/class", name) < 0 ||
		    strncmp(class, CLASS_NETWORK, strlen(CLASS_NETWORK)) != 0 ||
		    used + strlen(name) + 3 > list_bytes)
			continue;
		used += (size_t)snprintf(list + used, list_bytes - used, "%s%s",
					 used > 0 ? ", " : "", name);
	}
}

/* ---- what may be in the way ------------------------------------------------------ */

static int absent(const struct card *card, struct wm_error *error)
{
	char cards[128];

	if (!wm_sysfs_exists(card->root, DEVICES))
		return wm_error_set(error, ENODEV,
				    "this machine has no PCI bus, so no card at %s: give its "
				    "network interface by --interface",
				    card->address);
	list_cards(card->root, cards, sizeof(cards));
	if (!cards[0])
		return wm_error_set(error, ENODEV,
				    "there is no PCI device %s, and no network card at all: see "
				    "'lspci -D'",
				    card->address);
	return wm_error_set(error, ENODEV,
			    "there is no PCI device %s; network cards are at %s: see 'lspci -D'",
			    card->address, cards);
}

static bool is_other(const struct card *card, char class[WM_SYSFS_NAME_BYTES])
{
	if (wm_sysfs_read(class, card->root, DEVICES "/%s/class", card->address) < 0)
		return false;
	for (unsigned i = 0; i < sizeof(classes_refused) / sizeof(classes_refused[0]); i++) {
		if (strncmp(class, classes_refused[i], strlen(classes_refused[i])) == 0)
			return true;
	}
	return false;
}

static int other(const struct card *card, const char *class, struct wm_error *error)
{
	char cards[128];

	list_cards(card->root, cards, sizeof(cards));
	return wm_error_set(error, ENODEV,
			    "PCI device %s is no network card (class %s)%s%s: see 'lspci -D'",
			    card->address, class, cards[0] ? "; network cards are at " : "", cards);
}

static int no_iommu(const struct card *card, struct wm_error *error)
{
	return wm_error_set(error, ENXIO,
			    "PCI device %s has no IOMMU, which DPDK needs here: switch on VT-d or "
			    "AMD-Vi in the firmware and boot with 'intel_iommu=on iommu=pt' "
			    "(AMD: 'iommu=pt'), or give the kernel's interface by --interface%s%s",
			    card->address, card->interface[0] ? " " : "", card->interface);
}

static int unbound(const struct card *card, struct wm_error *error)
{
	char command[COMMAND_BYTES];

	return wm_error_set(error, ENXIO, "PCI device %s is bound to no driver: run '%s' as root",
			    card->address, bind_command(card, command));
}

static int of_uio(const struct card *card, struct wm_error *error)
{
	char command[COMMAND_BYTES];

	return wm_error_set(error, ENXIO,
			    "PCI device %s is bound to %s, which passes the IOMMU by, and buffers "
			    "here go by virtual address: run '%s' as root",
			    card->address, card->driver, bind_command(card, command));
}

static int of_kernel(const struct card *card, struct wm_error *error)
{
	char command[COMMAND_BYTES], hint[WM_SYSFS_NAME_BYTES + 24] = "";

	if (card->interface[0])
		snprintf(hint, sizeof(hint), ", or give --interface %s", card->interface);
	return wm_error_set(error, ENXIO,
			    "PCI device %s is the kernel's (driver %s): run '%s' as root%s",
			    card->address, card->driver, bind_command(card, command), hint);
}

/* VFIO takes a group as a whole. */
static bool has_rival(const struct card *card, struct card *rival)
{
	char class[WM_SYSFS_NAME_BYTES], name[WM_SYSFS_NAME_BYTES];

	*rival = (struct card){ .root = card->root };
	for (unsigned i = 0; wm_sysfs_entry(name, i, "", card->root,
					    DEVICES "/%s/iommu_group/devices", card->address) == 0;
	     i++) {
		snprintf(rival->address, sizeof(rival->address), "%.*s", WM_PCI_TEXT_BYTES - 1,
			 name);
		if (wm_sysfs_link(rival->driver, card->root, DEVICES "/%s/driver", name) == 0 &&
		    !strstr(rival->driver, "vfio") && strcmp(rival->driver, "pci-stub") != 0 &&
		    wm_sysfs_read(class, card->root, DEVICES "/%s/class", name) == 0 &&
		    strncmp(class, CLASS_BRIDGE, strlen(CLASS_BRIDGE)) != 0)
			return true;
	}
	return false;
}

/* It is bound to vfio-pci: may it be opened? */
static int check_group(const struct card *card, const char *group, struct wm_error *error)
{
	char command[COMMAND_BYTES];
	struct card rival;

	if (has_rival(card, &rival))
		return wm_error_set(error, ENXIO,
				    "PCI device %s shares its IOMMU group %s with %s (driver %s), "
				    "which must go to vfio-pci too: run '%s' as root",
				    card->address, group, rival.address, rival.driver,
				    bind_command(&rival, command));
	if (!wm_sysfs_exists(card->root, "/dev/vfio/%s", group))
		return wm_error_set(
			error, ENXIO,
			"PCI device %s is on vfio-pci, but there is no /dev/vfio/%s: "
			"run 'modprobe vfio-pci' as root, or give it and /dev/vfio/vfio "
			"to this container",
			card->address, group);
	return 0;
}

/* ---- the card -------------------------------------------------------------------- */

/* A virtio device is one level below its PCI device. */
static void find_interface(struct card *card)
{
	char virtio[WM_SYSFS_NAME_BYTES];

	if (wm_sysfs_entry(card->interface, 0, "", card->root, DEVICES "/%s/net", card->address) ==
		    0 ||
	    (wm_sysfs_entry(virtio, 0, "virtio", card->root, DEVICES "/%s", card->address) == 0 &&
	     wm_sysfs_entry(card->interface, 0, "", card->root, DEVICES "/%s/%s/net", card->address,
			    virtio) == 0))
		return;
	card->interface[0] = '\0';
}

/* Their DPDK drivers work beside the kernel's. */
static bool is_shared(const char *driver)
{
	return strcmp(driver, "mlx4_core") == 0 || strcmp(driver, "mlx5_core") == 0;
}

static bool has_iommu(const struct card *card, char group[WM_SYSFS_NAME_BYTES])
{
	char name[WM_SYSFS_NAME_BYTES];

	if (wm_sysfs_link(group, card->root, DEVICES "/%s/iommu_group", card->address) < 0)
		return false;
	/* What VFIO makes of a device that has none, where it is told to. */
	return wm_sysfs_read(name, card->root, DEVICES "/%s/iommu_group/name", card->address) < 0 ||
	       strcmp(name, "vfio-noiommu") != 0;
}

int wm_pci_check(const char *root, const struct wm_pci_address *address, struct wm_error *error)
{
	struct card card = { .root = root };
	char group[WM_SYSFS_NAME_BYTES], class[WM_SYSFS_NAME_BYTES];

	wm_pci_address_format(card.address, address);
	if (!wm_sysfs_exists(root, DEVICES "/%s", card.address))
		return absent(&card, error);
	if (is_other(&card, class))
		return other(&card, class, error);
	if (wm_sysfs_link(card.driver, root, DEVICES "/%s/driver", card.address) < 0)
		card.driver[0] = '\0';
	if (is_shared(card.driver))
		return 0;
	find_interface(&card);
	if (!has_iommu(&card, group))
		return no_iommu(&card, error);
	if (!card.driver[0])
		return unbound(&card, error);
	if (strstr(card.driver, "uio"))
		return of_uio(&card, error);
	if (!strstr(card.driver, "vfio"))
		return of_kernel(&card, error);
	return check_group(&card, group, error);
}

int wm_pci_find_interface(const char *root, const char *interface, char text[WM_PCI_TEXT_BYTES])
{
	struct wm_pci_address address;
	char path[PATH_MAX], *last;

	if (strchr(interface, '/') ||
	    wm_sysfs_resolve(path, root, "/sys/class/net/%s/device", interface) < 0)
		return -ENOENT;
	/* A virtio device is one level below its PCI device. */
	while ((last = strrchr(path, '/'))) {
		if (wm_pci_address_parse(&address, last + 1) == 0) {
			wm_pci_address_format(text, &address);
			return 0;
		}
		*last = '\0';
	}
	return -ENOENT;
}
