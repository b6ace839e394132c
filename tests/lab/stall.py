#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Watches a job until it ends, for how long anything stands still.

usage: stall.py SOCKET JOB
Prints as JSON: job_s, the longest time for which no batch was done; and node_s, the
longest for which a node had batches and answered none of them, and which one.
Seen in so many samples. Where the watcher itself was held up, which says nothing of the
job, a tenth of a second counts.
"""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools/lab.d"))
sys.dont_write_bytecode = True

from controller import Controller  # noqa: E402


class Stalls:
    """The longest time for which a thing's count stayed the same while it had work."""

    def __init__(self):
        self.since = {}
        self.longest = (0.0, None)

    def note(self, thing, count, has_work, now):
        if not has_work or thing not in self.since or self.since[thing][0] != count:
            self.since[thing] = (count, now)
        self.longest = max(self.longest, (now - self.since[thing][1], thing), key=lambda s: s[0])


def watch(controller, job):
    jobs, nodes, samples = Stalls(), Stalls(), 0
    now, looked = 0.0, time.monotonic()
    while True:
        shown = controller.call("job.show", job=job)
        if shown["state"] not in ("queued", "preparing", "running", "finishing"):
            return jobs, nodes, samples
        listed = controller.call("node.list")["nodes"]
        now += min(time.monotonic() - looked, 0.1)
        looked = time.monotonic()
        jobs.note("job", shown["batches_done"], shown["state"] == "running", now)
        # A node that came back is listed once for each life.
        for place, node in enumerate(listed):
            nodes.note(f"{node['name']} ({place})", node["batches"], node["in_flight"] > 0, now)
        samples += 1
        time.sleep(0.02)


jobs, nodes, samples = watch(Controller(sys.argv[1]), int(sys.argv[2]))
print(json.dumps({"job_s": jobs.longest[0], "node_s": nodes.longest[0], "node": nodes.longest[1],
                  "samples": samples}))
