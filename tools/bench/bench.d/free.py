# SPDX-License-Identifier: BSD-3-Clause
# bench: an uncapped rack of 12 nodes: GB/s and CPU, beside the raw echo bound and the best peers
"""The same job by Wiremill with the software GPU, by Wiremill without compute, and by its peers;
and the same frames sent to and fro with neither disk nor compute."""
import json
import os
import sys

import bench
import cpu
import peer_rack
import rack
import wire

NODES = 12
MTU = 9000
SIZE = (128 << 20) if bench.quick else (1 << 30)
TURNS = 1 if bench.quick else 2
ECHO_MS = 500 if bench.quick else 2000
WINDOWS = [8, 16, 32]
# Bytes that may wait on the way to a node: the default, which is for a cheap switch, and as
# much as the peers' larger window.
TARGETS = ["128K", "512K"]
# With FCS, as a generator counts: a request of a job.
FRAME_BYTES = wire.map_wire_bytes(MTU) - 20
OUTPUT_BYTES = wire.batch_vectors(MTU) * wire.VECTOR
# The forms that 'peers' has found to serve each best.
PEERS = [("udp", {"vectors": 256, "window": 32}), ("udp", {"vectors": 256, "window": 64}),
         ("mpi", {"vectors": 8192, "ways": 4}), ("mpi", {"vectors": 32768, "ways": 2})]

source = os.path.join(bench.work, "input")
same = os.path.join(bench.work, "same")
sink = os.path.join(bench.work, "output")


# ---- Wiremill ----------------------------------------------------------------

def job(lab, file):
    """{"gbps", "cpu_s_per_gb", "spun_s_per_gb"}: from the first batch until the output is durable."""
    before = cpu.Reading(lab)
    samples = lab.watch(lab.submit(file, sink), interval_s=0.005)
    used = cpu.Reading(lab).since(before)
    started = next(now for now, shown in samples if shown["state"] not in ("queued", "preparing"))
    gigabytes = samples[-1][1]["output_bytes"] / 1e9
    lab.verify(file, sink)
    return {"gbps": gigabytes / (samples[-1][0] - started), "spun_s_per_gb": used["spun"] / gigabytes,
            "controller_s_per_gb": used["controller"] / gigabytes,
            "cpu_s_per_gb": (used["controller"] + used["nodes"]) / gigabytes}


def jobs(lab, file):
    """The mean of some turns, after one that warms up."""
    job(lab, file)
    taken = [job(lab, file) for _ in range(TURNS)]
    return {key: sum(run[key] for run in taken) / TURNS for key in taken[0]}


def copies(lab):
    """Bytes copied for a byte of payload, on the controller."""
    lanes = lab.controller.call("stats")["lanes"]
    return sum(sum(lane["copied_bytes"].values()) for lane in lanes) / \
        sum(sum(lane["payload_bytes"].values()) for lane in lanes)


def wiremill(target, file, *options):
    options += ("--controller-arg", "--queue-target", "--controller-arg", target)
    with rack.Rack("free", NODES, MTU, options) as lab:
        return jobs(lab, file) | {"copies": copies(lab)}


# ---- the bound ---------------------------------------------------------------

def echo(lab, window):
    """GB/s of output, had the frames that came back been results."""
    lab.lab("exec", "--", bench.program("tools/gen/wiremill-gen"), "roundtrip", "--interface", "port0", "--key",
            lab.path("key"), "--nodes", NODES, "--op", "echo", "--size", FRAME_BYTES, "--window", window,
            "--duration", f"{ECHO_MS}ms", "--json", os.path.join(bench.work, "echo.json"))
    with open(os.path.join(bench.work, "echo.json"), encoding="utf-8") as file:
        total = next(result for result in json.load(file)["results"] if result["scope"] == "total")
    return total["received"]["frames_per_s"] * OUTPUT_BYTES / 1e9


def echo_bound():
    with rack.Rack("freeecho", NODES, MTU, ["--no-controller"]) as lab:
        return max(echo(lab, window) for window in WINDOWS)


# ---- peers -------------------------------------------------------------------

def peers(compute):
    """[(name, report), ...] of every form."""
    with peer_rack.PeerRack("freepeer", NODES) as lab:
        lab.offloads(False)
        return [(name, getattr(lab, name)(source if compute else same, sink, compute=compute, **form))
                for name, form in PEERS]


def best(found, key, better):
    name = better(found, key=lambda pair: pair[1][key])[0]
    return name, better(pair[1][key] for pair in found)


def main():
    bench.make_data(source, SIZE)
    bench.make_data(same, SIZE, os.urandom(wire.VECTOR))
    forms = [wiremill(target, source) for target in TARGETS]
    found = peers(compute=True)
    forms_zeroes = [wiremill(target, same, "--node-arg", "--no-compute") for target in TARGETS]
    bound = echo_bound()
    found_zeroes = peers(compute=False)
    computed, zeroes = (max(side, key=lambda form: form["gbps"]) for side in (forms, forms_zeroes))
    answer(computed, zeroes, bound, forms[0], found, found_zeroes)


def answer(computed, zeroes, bound, default, found, found_zeroes):
    fastest, peer_gbps = best(found, "gbps", max)
    leanest, peer_cpu = best(found_zeroes, "cpu_s_per_gb", min)
    ratios = {
        "free_vs_echo": computed["gbps"] / bound, "free_nocompute_vs_echo": zeroes["gbps"] / bound,
        "free_vs_best_peer": computed["gbps"] / peer_gbps,
        "free_nocompute_vs_best_peer": zeroes["gbps"] / best(found_zeroes, "gbps", max)[1],
        "cpu_vs_best_peer": zeroes["cpu_s_per_gb"] / peer_cpu,
        "cpu_compute_vs_best_peer": computed["cpu_s_per_gb"] / best(found, "cpu_s_per_gb", min)[1]}
    figures = {"free_echo_gbps": bound, "free_default_gbps": default["gbps"], "copies_mtu9000": computed.pop("copies")}
    zeroes.pop("copies")
    figures |= {f"free_{key}": value for key, value in computed.items()}
    figures |= {f"free_nocompute_{key}": value for key, value in zeroes.items()}
    for kind, runs in (("", found), ("_nocompute", found_zeroes)):
        for name in ("udp", "mpi"):
            own = [pair for pair in runs if pair[0] == name]
            figures[f"free_peer_{name}{kind}_gbps"] = best(own, "gbps", max)[1]
            figures[f"free_peer_{name}{kind}_cpu_s_per_gb"] = best(own, "cpu_s_per_gb", min)[1]
    bench.answer("free", ratios, figures, LABELS,
                 NOTES + [f"The best peer of the last run: {fastest} in GB/s, {leanest} in CPU without compute."])


UNITS = {"gbps": "GB/s of output", "cpu_s_per_gb": "CPU seconds a GB, controller and nodes",
         "controller_s_per_gb": "CPU seconds a GB, controller alone",
         "spun_s_per_gb": "seconds a GB that its core spun on top"}
SIDES = {"free": "Wiremill, software GPU", "free_nocompute": "Wiremill, no compute", "free_peer_udp": "UDP sockets",
         "free_peer_mpi": "OpenMPI", "free_peer_udp_nocompute": "UDP sockets, no compute",
         "free_peer_mpi_nocompute": "OpenMPI, no compute"}
LABELS = {f"{side}_{unit}": f"{title}: {text}" for side, title in SIDES.items() for unit, text in UNITS.items()}
LABELS |= {
    "free_echo_gbps": "raw echo bound, GB/s of output",
    "free_default_gbps": "Wiremill, software GPU, default --queue-target: GB/s of output",
    "free_nocompute_vs_best_peer": "GB/s over the best peer, without compute on both sides",
    "cpu_compute_vs_best_peer": "CPU seconds a GB over the best peer's, compute included",
}

NOTES = [
    f"{NODES} nodes, MTU {MTU}, {SIZE >> 20} MiB, from the first batch until the output is durable; each output is verified. "
    "Segmentation offloads are off for all, so that each frame is one that a wire could carry; 'peers' has the others.",
    f"Echo: wiremill-gen sends frames of {FRAME_BYTES} bytes to the same nodes, which answer before the GPU; windows of "
    f"{', '.join(map(str, WINDOWS))} a node, the best counts. No disk and no compute; but CRCs, which both ends check in any frame (about 5 % of the time, by a profile).",
    f"Wiremill with --queue-target {' and '.join(TARGETS)}, the better counts, as of each peer's two forms. The default is half of what a cheap "
    "switch buffers for a port, which this rack's has not to care for.",
    "CPU is user and system time of all processes of both sides. Of the controller's polling core only the rounds count that "
    "moved a frame or finished I/O (wall time, or its processor time if that is less: lib/cpu.py). Work that the kernel does "
    "in threads of its own counts for nobody.",
    "Without compute: nodes answer zeroes, and the input is one vector repeated, so that this is the right result.",
]

sys.exit(main())
