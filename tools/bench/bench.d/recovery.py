# SPDX-License-Identifier: BSD-3-Clause
# bench: from kill -9 of a node to the last of its batches delivered by others
"""Node after node of a capped rack is killed while one job runs."""
import os
import statistics
import sys

import bench
import rack

NODES = 12
KILLS = 2 if bench.quick else 3
SIZE = (768 << 20) if bench.quick else (2 << 30)

source = os.path.join(bench.work, "input")
sink = os.path.join(bench.work, "output")


def kill_in_turn(lab):
    """What was seen of each kill. The first comes after the start, the next when all is told of the last."""
    watchers, seen = [], []

    def strike(shown):
        if watchers and watchers[-1].process.poll() is None:
            return
        if len(watchers) < KILLS and shown["batches_done"] / shown["batches"] > 0.1:
            watchers.append(rack.Recovery(lab, NODES - len(watchers)))

    lab.watch(lab.submit(source, sink), strike)
    for watcher in watchers:
        seen.append(watcher.result())
    return seen


def main():
    bench.make_data(source, SIZE)
    with rack.Rack("recovery", NODES, 9000, ["--rate", "100mbit", "--uplink-rate", "1gbit"]) as lab:
        seen = kill_in_turn(lab)
        lab.verify(source, sink)
    if len(seen) < KILLS:
        bench.fail(f"the job was too short for {KILLS} kills")
    last = [kill["last_s"] for kill in seen]
    bench.answer("recovery", {}, {
        "recovery_s": statistics.median(last), "recovery_worst_s": max(last),
        "recovery_stuck_worst_s": max(kill["stuck_s"] for kill in seen),
        "recovery_held": statistics.median(kill["held"] for kill in seen)}, LABELS, NOTES)


LABELS = {
    "recovery_s": "kill -9 to the last of its batches delivered by another, s",
    "recovery_worst_s": "the slowest of them, s",
    "recovery_stuck_worst_s": "from the sending of a batch to its result, the longest of all, s",
    "recovery_held": "batches that a killed node had or was still sent",
}

NOTES = [f"{KILLS} of {NODES} nodes killed one after the other in a job; ports of 100 Mbit/s, uplink of 1 Gbit/s. Seen "
         "on the switch: what went to the node and did not come back, and the first result of each such batch that "
         "went to the controller. The output is verified."]

sys.exit(main())
