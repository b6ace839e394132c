# SPDX-License-Identifier: BSD-3-Clause
"""Hugepages for a benchmark: what tools/lab does for a lab, for programs that run outside of one."""
import fcntl
import os

import bench


class Hugepages:
    """So many free ones, and as many as before at the end. /run: the lock of tools/lab."""
    FILE = "/proc/sys/vm/nr_hugepages"

    def __init__(self, wanted):
        self.wanted, self.added = wanted, 0

    def change(self, difference):
        with open(self.FILE, "r+", encoding="ascii") as file:
            count = int(file.read()) + difference
            file.seek(0)
            file.write(str(count))

    @staticmethod
    def free():
        with open("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", encoding="ascii") as file:
            return int(file.read())

    def locked(self, difference):
        lock = os.open("/run", os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            before = self.free()
            self.change(difference(before))
            return self.free() - before
        finally:
            os.close(lock)

    def __enter__(self):
        self.added = self.locked(lambda free: max(0, self.wanted - free))
        if self.free() < self.wanted:
            bench.lacks(f"{self.wanted} hugepages of 2 MiB are needed, {self.free()} are free")
        return self

    def __exit__(self, *_):
        self.locked(lambda free: -min(self.added, free))
