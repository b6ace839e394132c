#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes a journal that of another job: its header says so, and its CRC is right.

usage: journal_header.py JOURNAL FIELD=VALUE ...
"""
import os
import struct
import sys

from crc32c import crc32c

CRC_AT = 8188
# Where include/wiremill/journal.h draws them.
FIELDS = {
    "input_bytes": (16, "<Q"),
    "input_mtime_ns": (24, "<q"),
    "flags": (36, "<I"),
    "output_bytes": (40, "<Q"),
    "extent_elements": (48, "<I"),
    "halo_before": (60, "<I"),
    "halo_after": (64, "<I"),
    "kernel": (68, "32s"),
    "input_path": (100, "4096s"),
}

with open(sys.argv[1], "r+b") as file:
    header = bytearray(file.read(CRC_AT))
    for change in sys.argv[2:]:
        name, value = change.split("=")
        offset, form = FIELDS[name]
        struct.pack_into(form, header, offset, os.fsencode(value) if form.endswith("s") else int(value))
    file.seek(0)
    file.write(header + struct.pack("<I", crc32c(bytes(header))))
