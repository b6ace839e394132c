# SPDX-License-Identifier: BSD-3-Clause
"""Processor time of the programs of a rack.

A polling core uses all of its time whatever it does. What it needed is the time of the
rounds that moved a frame or finished I/O, which the controller counts ("busy_seconds" of
a lane in 'wiremill stats'). That is wall time, and longer than processor time where
others share the core: the lesser of the two counts.
"""
import os

TICKS = os.sysconf("SC_CLK_TCK")
# How DPDK names the threads of its lcores but the first.
LANE = "rte-worker-"


def seconds(path):
    """User and system time from a stat file of /proc, which has the name in parentheses."""
    with open(path, encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def lanes_seconds(pid):
    total = 0.0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
            if file.read().startswith(LANE):
                total += seconds(f"/proc/{pid}/task/{task}/stat")
    return total


class Reading:
    """What had been used when it was taken."""

    def __init__(self, lab):
        controller = lab.pid("ctl")
        self.lanes = lanes_seconds(controller)
        self.busy = sum(lane["busy_seconds"] for lane in lab.controller.call("stats")["lanes"])
        self.rest = seconds(f"/proc/{controller}/stat") - self.lanes
        self.nodes = sum(seconds(f"/proc/{lab.pid(f'n{node}')}/stat") for node in range(1, lab.nodes + 1))

    def since(self, earlier):
        """Seconds {"controller", "nodes", "spun"} between the two."""
        lanes, busy = self.lanes - earlier.lanes, self.busy - earlier.busy
        needed = min(lanes, busy)
        return {"controller": self.rest - earlier.rest + needed, "nodes": self.nodes - earlier.nodes,
                "spun": lanes - needed}
