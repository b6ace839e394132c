# SPDX-License-Identifier: BSD-3-Clause
# bench: what a batch costs the controller's decisions, at any number of nodes and size of job
"""The same load (tools/bench/core/load.h) at each size; instructions are counted by callgrind."""
import json
import os
import re
import shutil
import statistics
import sys

import bench

NODES = (1, 12, 64, 1024)
SIZES = ("1G", "12G", "12T")
ROUNDS = 1 if bench.quick else 5
# Half of 1 GiB has 65536 batches.
BATCHES = 50000

program = bench.program("tools/bench/core/wm-core-load")


def words(nodes, size):
    return [program, "--nodes", nodes, "--bytes", size, "--middle", "--batches", BATCHES]


def times():
    """{(nodes, size): what it printed, in ns_per_batch the median}. Round by round."""
    taken = {}
    for _ in range(ROUNDS):
        for nodes in NODES:
            for size in SIZES:
                taken.setdefault((nodes, size), []).append(json.loads(bench.run(*words(nodes, size))))
    return {key: runs[0] | {"ns_per_batch": statistics.median(run["ns_per_batch"] for run in runs)}
            for key, runs in taken.items()}


def instructions(nodes, size):
    profile = os.path.join(bench.work, "profile")
    bench.run("valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", "--toggle-collect=load_run",
              *words(nodes, size))
    with open(profile, encoding="utf-8") as file:
        total = re.search(r"^totals: (\d+)$", file.read(), re.MULTILINE)
    # A tenth more warms up, and is counted.
    return int(total.group(1)) / (BATCHES * 1.1)


def main():
    if not shutil.which("valgrind"):
        bench.lacks("valgrind is not installed: sudo tools/deps")
    took = times()
    counted = {key: instructions(*key) for key in took}
    figures, labels = {}, {}
    for nodes, size in took:
        ends = f"{nodes}_nodes_{size.lower()}b"
        figures[f"dispatch_ns_{ends}"] = took[nodes, size]["ns_per_batch"]
        figures[f"dispatch_instructions_{ends}"] = counted[nodes, size]
        labels[f"dispatch_ns_{ends}"] = f"ns a batch, {nodes} nodes, {size}iB"
        labels[f"dispatch_instructions_{ends}"] = f"instructions a batch, {nodes} nodes, {size}iB"
    for size in SIZES:
        figures[f"core_heap_mib_{size.lower()}b"] = took[12, size]["heap_bytes"] / (1 << 20)
        labels[f"core_heap_mib_{size.lower()}b"] = f"memory of dispatch, ledger, progress and replay, {size}iB, MiB"
    bench.answer("core", {
        "dispatch_ns": max(run["ns_per_batch"] for run in took.values()),
        "dispatch_instructions_12t_vs_12g": counted[12, "12T"] / counted[12, "12G"],
        "dispatch_instructions_1024_vs_12": counted[1024, "12T"] / counted[12, "12T"],
        "core_memory_12t_vs_12g": took[12, "12T"]["heap_bytes"] / took[12, "12G"]["heap_bytes"],
    }, figures, LABELS | labels, NOTES)


LABELS = {
    "dispatch_ns": "dispatch, ns a batch, at the worst number of nodes and size of job",
    "dispatch_instructions_12t_vs_12g": "instructions a batch of a job of 12 TiB over one of 12 GiB, 12 nodes",
    "dispatch_instructions_1024_vs_12": "instructions a batch with 1024 nodes over 12, 12 TiB",
    "core_memory_12t_vs_12g": "memory of the core at 12 TiB over 12 GiB",
}

NOTES = [
    f"{BATCHES} batches from the middle of the job, whose first half is replayed from the records of its journal: the "
    "real dispatch, flow, ledger and progress in virtual time, with one round trip of 500 µs for all nodes. Time is "
    "of all the load, which is a little more than dispatch alone; instructions are counted under callgrind, and do "
    "not depend on what else runs.",
    "Memory is what the heap holds after all that; it is taken at the start.",
]

sys.exit(main())
