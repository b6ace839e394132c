# SPDX-License-Identifier: BSD-3-Clause
"""What a line can carry: the arithmetic of one batch on Ethernet."""

VECTOR = 32
HEADERS = 14 + 28  # Ethernet's and ours (include/wiremill/wire.h)
BESIDE = 4 + 20  # checksum, preamble and gap, which a wire carries for each frame
DISK_ALIGN = 512


def batch_vectors(mtu):
    """Of output: as base/layout.c cuts them, rounded to what a disk takes if that costs little."""
    fits = min((mtu - 28) // VECTOR - 1, 256)
    rounded = fits - fits % (DISK_ALIGN // VECTOR)
    return rounded if fits - rounded < fits / 8 else fits


def map_wire_bytes(mtu):
    """A request with its halo: the larger of the two frames, so what limits a line used both ways."""
    return HEADERS + (batch_vectors(mtu) + 1) * VECTOR + BESIDE


def payload_share(mtu):
    return batch_vectors(mtu) * VECTOR / map_wire_bytes(mtu)


def payload_limit(mtu, bits_per_second):
    """Bytes of output a second that a line of that rate has room for."""
    return bits_per_second / 8 * payload_share(mtu)
