# SPDX-License-Identifier: BSD-3-Clause
# bench: source and sink alone, beside fio with the same block size, depth and flags
"""Ours and fio take turns; the median of the turns of a run counts."""
import json
import os
import statistics
import sys

import bench
import hugepages

SIZE = (256 << 20) if bench.quick else (2 << 30)
TURNS = 1 if bench.quick else 3
DEPTH = 16
# 48 of storage_bench, and as many for fio, whose buffers the kernel frees some time after its end.
HUGEPAGES = 96

source = os.path.join(bench.work, "input")
sink = os.path.join(bench.work, "output")


def ours(way):
    found = json.loads(bench.run(bench.program("tools/bench/storage_bench"), way, source, sink, DEPTH))
    if not found["direct"]:
        bench.lacks(f"{bench.work} is on a file system without O_DIRECT")
    return found["bytes"] / found["seconds"]


def fio(way):
    path = source if way == "read" else sink
    output = bench.run(
        "fio", "--name=bench", f"--filename={path}", f"--rw={way}", f"--size={SIZE}", "--bs=1M", f"--iodepth={DEPTH}",
        "--ioengine=io_uring", "--fixedbufs=1", "--direct=1", "--fallocate=native", "--end_fsync=1",
        "--iomem=shmhuge", "--hugepage-size=2m", "--output-format=json")
    return json.loads(output)["jobs"][0][way]["bw_bytes"]


def take_turns(way):
    """(bytes a second of ours, of fio)."""
    taken = {ours: [], fio: []}
    for _ in range(TURNS):
        for side, found in taken.items():
            found.append(side(way))
            if way == "write":
                os.remove(sink)
    return statistics.median(taken[ours]), statistics.median(taken[fio])


def main():
    bench.make_data(source, SIZE)
    with hugepages.Hugepages(HUGEPAGES):
        read, fio_read = take_turns("read")
        write, fio_write = take_turns("write")
    ratios = {"storage_read_vs_fio": read / fio_read, "storage_write_vs_fio": write / fio_write}
    ratios["storage_vs_fio"] = min(ratios.values())
    bench.answer("storage", ratios, {
        "storage_read_gb_s": read / 1e9, "storage_write_gb_s": write / 1e9,
        "fio_read_gb_s": fio_read / 1e9, "fio_write_gb_s": fio_write / 1e9}, LABELS, NOTES)


LABELS = {
    "storage_read_vs_fio": "source over fio's read",
    "storage_write_vs_fio": "sink over fio's write",
    "storage_vs_fio": "the lesser of the two",
    "storage_read_gb_s": "source, GB/s", "storage_write_gb_s": "sink, GB/s",
    "fio_read_gb_s": "fio, read, GB/s", "fio_write_gb_s": "fio, write, GB/s",
}

NOTES = [
    f"{SIZE >> 20} MiB, blocks of 1 MiB, {DEPTH} in flight, io_uring with registered buffers (ours: for reads only, as in "
    f"a job), buffers in hugepages on both sides, O_DIRECT, output preallocated, fsync at the end of a write. {TURNS} turns each, ours and fio alternating; "
    "the median of the turns of a run counts.",
    "The source reads each extent with its halo, rounded to pages: 1 page more than fio in each block.",
]

sys.exit(main())
