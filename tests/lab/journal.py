#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a journal vouches for, read by other means than any of Wiremill's code.

usage: journal.py JOURNAL
Prints as JSON how many extents, and how many bytes a full one has. Fails if an
extent is in it twice: then one that was durable has been made again. A journal
that is not there yet vouches for nothing.
"""
import json
import struct
import sys

HEADER, RECORD = 8192, 32
ELEMENT = 32


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


data = read(sys.argv[1])
if not data:
    print(json.dumps({"extents": 0, "extent_bytes": 0}))
    sys.exit()
seen = set()
for number in range((len(data) - HEADER) // RECORD):
    kind, _, extent, _, place, _ = struct.unpack_from("<IIQQII", data, HEADER + number * RECORD)
    if kind != 1 or place != number:
        sys.exit(f"record {number} is of type {kind}, number {place}")
    if extent in seen:
        sys.exit(f"extent {extent} was durable and has been made again")
    seen.add(extent)
extent_elements = struct.unpack_from("<I", data, 48)[0]
print(json.dumps({"extents": len(seen), "extent_bytes": extent_elements * ELEMENT}))
