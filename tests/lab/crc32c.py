# SPDX-License-Identifier: BSD-3-Clause
"""CRC32C for the tests' scripts, at the speed of C."""
import ctypes

isal = ctypes.CDLL("libisal.so.2")
isal.crc32_iscsi.restype = ctypes.c_uint32


def crc32c(data):
    return isal.crc32_iscsi(data, len(data), 0xFFFFFFFF) ^ 0xFFFFFFFF
