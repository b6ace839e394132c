# SPDX-License-Identifier: BSD-3-Clause
"""A lab (tools/lab) as benchmarks use it: built, watched while a job runs, taken down."""
import json
import os
import subprocess
import sys
import time

import bench

sys.path.insert(0, os.path.join(bench.top, "tools", "lab.d"))

from controller import Controller  # noqa: E402

ENDED = ("done", "failed", "cancelled")
# The controller's port of the switch.
UPLINK_PORT = "ctl0"


class Rack:
    """with Rack("capped", nodes=12, mtu=9000, options=["--rate", "100mbit"]) as rack: ..."""

    def __init__(self, name, nodes=12, mtu=9000, options=()):
        self.name = f"{name}{os.getpid()}"[:16]
        self.nodes = nodes
        self.mtu = mtu
        self.options = list(options)
        self.controller = None

    def __enter__(self):
        try:
            self.lab("up", "--nodes", self.nodes, "--mtu", self.mtu, "--build", bench.build, *self.options)
        except BaseException:
            self.__exit__()
            raise
        if os.path.exists(self.path("wiremilld.sock")):
            self.controller = Controller(self.path("wiremilld.sock"))
        return self

    def __exit__(self, *_):
        subprocess.run([os.path.join(bench.top, "tools", "lab"), "down", "--name", self.name], check=False)

    def lab(self, verb, *words):
        return bench.run(os.path.join(bench.top, "tools", "lab"), verb, "--name", self.name, *words)

    def path(self, name):
        return f"/run/wiremill/{self.name}/{name}"

    def pid(self, machine):
        with open(self.path(f"{machine}.pid"), encoding="utf-8") as file:
            return int(file.read().split()[0])

    def submit(self, source, sink):
        job = self.controller.call("job.submit", kernel="xor", input=source, output=sink, force=True)
        return job["job"]

    def watch(self, job, each=None, interval_s=0.02):
        """[(time, job object), ...] until it ends; each(shown) is called at every sample."""
        samples = []
        while True:
            shown = self.controller.call("job.show", job=job)
            samples.append((time.monotonic(), shown))
            if shown["state"] in ENDED:
                break
            if each:
                each(shown)
            time.sleep(interval_s)
        if shown["state"] != "done":
            bench.fail(f"the job {shown['state']}: {shown['reason']}")
        return samples

    def verify(self, source, sink):
        """And takes it away: to free the blocks of an old output is no part of making the next."""
        bench.run(bench.program("control/cli/wiremill"), "verify", "--kernel", "xor", "--input", source,
                  "--output", sink)
        os.remove(sink)


def batch_bytes(shown):
    """Of output, on average: the last batch of an extent may be shorter."""
    return shown["output_bytes"] / shown["batches"]


def middle(samples, low=0.2, high=0.85):
    """The samples between these parts of the job's batches: neither its start nor its end."""
    total = samples[-1][1]["batches"]
    return [sample for sample in samples
            if sample[1]["state"] == "running" and low <= sample[1]["batches_done"] / total <= high]


def steady(samples):
    """(bytes a second, share of batches sent again, seconds) of these samples, first to last."""
    if len(samples) < 2 or samples[-1][0] - samples[0][0] < 0.5:
        bench.fail(f"the job was too short: {len(samples)} samples in its middle")
    (start, first), (end, last) = samples[0], samples[-1]
    done = last["batches_done"] - first["batches_done"]
    return (done * batch_bytes(last) / (end - start), (last["resends"] - first["resends"]) / done, end - start)


class Recovery:
    """Kills a node of a rack and watches (recovery.py), beside whatever else is done."""

    def __init__(self, lab, node):
        script = os.path.join(os.path.dirname(os.path.realpath(__file__)), "recovery.py")
        self.process = subprocess.Popen(
            [os.path.join(bench.top, "tools", "lab"), "exec", "--switch", "--name", lab.name, "--", sys.executable,
             script, f"n{node}", UPLINK_PORT, str(lab.pid(f"n{node}"))],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self):
        output, errors = self.process.communicate(timeout=60)
        if self.process.returncode:
            bench.fail(f"the recovery could not be watched: {errors.strip()}")
        return json.loads(output)
