#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares an output of kernel xor with what it must be, by other means than any
of Wiremill's code: pieces of the input as one big number, XORed with the piece
that starts 32 bytes later.

usage: xor_reference.py INPUT OUTPUT [INPUT_BYTES]
"""
import os
import sys

VECTOR = 32
PIECE = 4 << 20


def expected_pieces(path, size):
    """The output, piece by piece; bytes past the last whole vector are ignored."""
    results = size // VECTOR - 1
    with open(path, "rb") as file:
        for offset in range(0, results * VECTOR, PIECE):
            count = min(PIECE, results * VECTOR - offset)
            file.seek(offset)
            data = file.read(count + VECTOR)
            number = int.from_bytes(data[:-VECTOR], "big") ^ int.from_bytes(data[VECTOR:], "big")
            yield offset, number.to_bytes(count, "big")


def size_of(path):
    with open(path, "rb") as file:
        return file.seek(0, os.SEEK_END)


def main():
    source, result = sys.argv[1:3]
    size = int(sys.argv[3]) if len(sys.argv) > 3 else size_of(source)
    length = (size // VECTOR - 1) * VECTOR
    # A block device is as large as it is.
    if os.path.isfile(result) and size_of(result) != length:
        sys.exit(f"{result} has {size_of(result)} bytes, not {length}")
    with open(result, "rb") as file:
        for offset, expected in expected_pieces(source, size):
            found = file.read(len(expected))
            if found != expected:
                first = next(i for i, pair in enumerate(zip(found, expected)) if pair[0] != pair[1])
                sys.exit(f"{result} differs first at byte {offset + first}")


main()
