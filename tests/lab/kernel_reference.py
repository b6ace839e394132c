#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares an output of tests/kernels/wide-halo.glsl with what it must be, by a plain loop.

usage: kernel_reference.py INPUT OUTPUT SHIFT
"""
import array
import os
import sys

ELEMENT = 16
LANES = 4
BEFORE, AFTER = 3, 2
PIECE = 1 << 18  # elements


def words_of(data):
    words = array.array("I", data)
    if sys.byteorder != "little":
        words.byteswap()
    return words


def expected(words, shift):
    """Of so many elements and their halo: sums of six neighbours, lane by lane."""
    shifted = [word >> shift for word in words]
    count = len(shifted) - (BEFORE + AFTER) * LANES
    rows = (shifted[d * LANES:d * LANES + count] for d in range(BEFORE + 1 + AFTER))
    return [sum(row) & 0xffffffff for row in zip(*rows)]


def main():
    source, result, shift = sys.argv[1], sys.argv[2], int(sys.argv[3])
    elements = os.path.getsize(source) // ELEMENT - BEFORE - AFTER
    if os.path.getsize(result) != elements * ELEMENT:
        sys.exit(f"{result} has {os.path.getsize(result)} bytes, not {elements * ELEMENT}")
    with open(source, "rb") as inputs, open(result, "rb") as outputs:
        for first in range(0, elements, PIECE):
            count = min(PIECE, elements - first)
            inputs.seek(first * ELEMENT)
            words = words_of(inputs.read((count + BEFORE + AFTER) * ELEMENT))
            found = words_of(outputs.read(count * ELEMENT))
            for i, (is_there, must_be) in enumerate(zip(found, expected(words, shift))):
                if is_there != must_be:
                    sys.exit(f"{result} differs first at element {first + i // LANES}, "
                             f"scalar {i % LANES}: {is_there:#x} is there, {must_be:#x} must be")


main()
