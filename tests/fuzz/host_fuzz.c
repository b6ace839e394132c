/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as a PCI address, and as the cores of --lcores. An address that is accepted is
 * the same when it is formatted and read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cores.h"
#include "pci_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int is_right)
{
	if (!is_right)
		abort();
}

static void try_address(const char *text)
{
	struct wm_pci_address address, again;
	char formatted[WM_PCI_TEXT_BYTES];

	if (wm_pci_address_parse(&address, text) < 0)
		return;
	wm_pci_address_format(formatted, &address);
	check(wm_pci_address_parse(&again, formatted) == 0);
	check(again.domain == address.domain && again.bus == address.bus &&
	      again.device == address.device && again.function == address.function);
}

/* Every lcore has a core, and as many are lanes as there are but the one that controls. */
static void try_cores(const char *text)
{
	struct wm_cores cores;
	uint32_t lanes = 0;

	if (wm_cores_parse(&cores, text) < 0)
		return;
	check(cores.first < WM_LCORES_MAX && CPU_COUNT(&cores.on[cores.first]) > 0);
	while (wm_cores_of_lane(&cores, lanes) >= 0)
		lanes++;
	check(cores.count == lanes + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	try_address(text);
	try_cores(text);
	free(text);
	return 0;
}
