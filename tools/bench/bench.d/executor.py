# SPDX-License-Identifier: BSD-3-Clause
# bench: rows of xor through the executor, beside vkCmdCopyBuffer of as many bytes
"""For several numbers of rows in a submission, each in turns within one process."""
import json
import os
import sys

import bench

ROWS = [1, 4, 16, 64]
TURN_MS = 20 if bench.quick else 200
# The lab's: a driver without threads of its own, since nodes share cores.
THREADS = {"inline": {"LP_NUM_THREADS": "0"}, "threads": {}}


def measure(rows, environment):
    """GB/s (computed, copied)."""
    without = {key: value for key, value in os.environ.items() if key != "LP_NUM_THREADS"}
    found = json.loads(bench.run(bench.program("tools/bench/executor_bench"), rows, TURN_MS,
                                 env=without | environment))
    return [found[side]["bytes"] / found[side]["ns"] for side in ("computed", "copied")]


def main():
    rates = {(kind, rows): measure(rows, environment)
             for rows in ROWS for kind, environment in THREADS.items()}
    computed, copied = rates["inline", 16]
    figures = {f"executor_{kind}_{rows}_gb_s": rate[0] for (kind, rows), rate in rates.items()}
    figures["executor_copy_16_gb_s"] = copied
    series = [{"title": title, "points": [[rows, rates[kind, rows][side]] for rows in ROWS]}
              for title, kind, side in (("executor, driver inline", "inline", 0),
                                        ("executor, driver with threads", "threads", 0),
                                        ("vkCmdCopyBuffer, inline", "inline", 1))]
    bench.answer("executor", {"executor_vs_copy": computed / copied}, figures, LABELS, NOTES, [
        {"name": "rows", "title": "Rows of 8 KiB through the executor", "x": "rows in a submission",
         "y": "GB/s of output", "log_x": True, "series": series}])


LABELS = {"executor_vs_copy": "executor over vkCmdCopyBuffer of the same bytes, 16 rows a submission",
          "executor_copy_16_gb_s": "vkCmdCopyBuffer, 16 regions of 8 KiB a submission, GB/s"} | {
    f"executor_{kind}_{rows}_gb_s": f"executor, {rows} rows a submission, {text}, GB/s of output"
    for rows in ROWS
    for kind, text in (("inline", "LP_NUM_THREADS=0"), ("threads", "the driver's own threads"))}

NOTES = [
    "Rows as AF_XDP delivers them at MTU 9000 (three pieces in, 256 vectors out), four submissions in flight. Five turns of "
    f"{TURN_MS} ms each, computing and copying in turn in one process.",
    "On a software device this says what the driver costs, not what a GPU would do: xor reads each vector twice "
    "where a copy reads it once.",
]

sys.exit(main())
