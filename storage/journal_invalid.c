/* SPDX-License-Identifier: BSD-3-Clause */
#include "crc32c.h"
#include "wiremill/journal.h"

void wm_journal_invalid_note(struct wm_journal_invalid *invalid,
			     const struct wm_journal_record *record, uint64_t number)
{
	if (record->type == WM_JOURNAL_EXTENT)
		return;
	for (unsigned bit = 0; bit < WM_JOURNAL_NODE_BITS; bit++) {
		if (record->nodes >> bit & 1)
			invalid->before[bit] = number;
	}
}

bool wm_journal_invalid_has(const struct wm_journal_invalid *invalid,
			    const struct wm_journal_record *record, uint64_t number)
{
	for (unsigned bit = 0; bit < WM_JOURNAL_NODE_BITS; bit++) {
		if (record->nodes >> bit & 1 && number < invalid->before[bit])
			return true;
	}
	return false;
}

uint64_t wm_journal_node_bit(const uint8_t address[WM_ETHER_ADDR_BYTES])
{
	return 1ull << wm_crc32c(0, address, WM_ETHER_ADDR_BYTES) % WM_JOURNAL_NODE_BITS;
}
