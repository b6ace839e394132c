# SPDX-License-Identifier: BSD-3-Clause
# bench: goodput of a rack whose ports are slower than the programs: steady, with loss, a slow node, a dead one
"""The shape of a real rack at a tenth of its speed: twelve nodes at 100 Mbit/s on an uplink of
1 Gbit/s each way. 1.2 Gbit/s of ports are more than the uplink, which is what limits."""
import os
import sys

import bench
import rack
import wire

NODES = 12
NODE_BITS = 100e6
UPLINK_BITS = 1e9
SIZE = (384 << 20) if bench.quick else (768 << 20)
RATES = ["--rate", "100mbit", "--uplink-rate", "1gbit"]
WINDOW_S = 0.25

source = os.path.join(bench.work, "input")
same = os.path.join(bench.work, "same")
sink = os.path.join(bench.work, "output")


def limit(mtu):
    return min(wire.payload_limit(mtu, UPLINK_BITS), NODES * wire.payload_limit(mtu, NODE_BITS))


def measure(lab, each=None, file=source):
    """(samples, goodput in its middle, share sent again there, goodput of all of it)."""
    samples = lab.watch(lab.submit(file, sink), each)
    goodput, resends, _ = rack.steady(rack.middle(samples))
    last = samples[-1][1]
    return samples, goodput, resends, last["output_bytes"] / last["seconds"]


def shape(lab, node, rate):
    lab.lab("exec", "--switch", "--", "tc", "qdisc", "replace", "dev", f"n{node}", "root", "tbf", "rate", rate,
            "burst", "256kb", "latency", "20ms", "overhead", str(wire.BESIDE))


def clean(lab, ratios, figures):
    samples, goodput, resends, whole = measure(lab)
    ratios[f"capped_mtu{lab.mtu}"] = goodput / limit(lab.mtu)
    ratios[f"capped_resends_mtu{lab.mtu}"] = resends
    figures[f"capped_goodput_mtu{lab.mtu}_mb_s"] = goodput / 1e6
    figures[f"capped_whole_job_mtu{lab.mtu}_mb_s"] = whole / 1e6
    figures[f"capped_cap_mtu{lab.mtu}_mb_s"] = limit(lab.mtu) / 1e6
    return samples, goodput


def lossy(lab, ratios, figures, clean_goodput):
    lab.lab("fault", "--node", "all", "--loss", "1%")
    samples, goodput, resends, _ = measure(lab)
    lab.lab("fault", "--node", "all", "--clear")
    ratios["capped_loss1"] = goodput / clean_goodput
    figures["capped_loss1_resends"] = resends
    return samples


def slow(lab, ratios):
    shape(lab, 1, "10mbit")
    samples, goodput, _, _ = measure(lab)
    shape(lab, 1, "100mbit")
    ratios["capped_slow_node"] = goodput / limit(lab.mtu)
    return samples


def killed(lab, figures):
    """Node 12 is killed half-way. What it held is watched on the wire (lib/recovery.py)."""
    watcher = []

    def strike(shown):
        if not watcher and shown["batches_done"] > shown["batches"] / 2:
            watcher.append(rack.Recovery(lab, NODES))

    samples, _, _, _ = measure(lab, strike)
    seen = watcher[0].result()
    figures["capped_killed_stuck_s"] = seen["stuck_s"]
    figures["capped_killed_recovery_s"] = recovery_s(samples, seen["killed_at"])
    lab.lab("start", "--node", NODES)
    return samples


def rates(samples, window_s=WINDOW_S):
    """[(end of window, bytes a second in it), ...] of the time in which the job ran."""
    running = [sample for sample in samples if sample[1]["state"] == "running" and sample[1]["batches_done"]]
    found, start = [], 0
    for index, (now, shown) in enumerate(running):
        if now - running[start][0] >= window_s:
            done = shown["batches_done"] - running[start][1]["batches_done"]
            found.append((now, done * rack.batch_bytes(shown) / (now - running[start][0])))
            start = index
    return found


def recovery_s(samples, killed_at):
    """From the kill to the end of the last window below 11/12 of what was before; 0 if none is."""
    goodput, _, _ = rack.steady([sample for sample in rack.middle(samples, 0.15, 0.5) if sample[0] < killed_at])
    last = rack.middle(samples, 0.5, 0.9)[-1][0]
    below = [end for end, rate in rates(samples) if killed_at < end <= last and rate < goodput * 11 / 12]
    return max(below, default=killed_at) - killed_at


def curve(title, samples):
    start = samples[0][0]
    return {"title": title, "points": [[round((end - start) / WINDOW_S) * WINDOW_S, rate / 1e6]
                                       for end, rate in rates(samples)]}


def main():
    ratios, figures, curves = {}, {}, []
    bench.make_data(source, SIZE)
    bench.make_data(same, SIZE, os.urandom(wire.VECTOR))
    with rack.Rack("capped", NODES, 9000, RATES) as lab:
        samples, goodput = clean(lab, ratios, figures)
        curves += [curve("clean", samples), curve("1 % loss each way", lossy(lab, ratios, figures, goodput)),
                   curve("node 1 at a tenth", slow(lab, ratios)),
                   curve("node 12 killed half-way", killed(lab, figures))]
    with rack.Rack("capped", NODES, 1500, RATES) as lab:
        samples, _ = clean(lab, ratios, figures)
        curves.append(curve("clean, MTU 1500", samples))
    with rack.Rack("cappedzero", NODES, 1500, [*RATES, "--node-arg", "--no-compute"]) as lab:
        _, goodput, _, _ = measure(lab, file=same)
        ratios["capped_nocompute_mtu1500"] = goodput / limit(1500)
    bench.answer("capped", ratios, figures, LABELS, NOTES, [
        {"name": "goodput", "title": f"Goodput of {NODES} nodes on a 1 Gbit/s uplink", "x": "seconds",
         "y": "MB/s of output", "series": curves}])


LABELS = {
    "capped_nocompute_mtu1500": "MTU 1500, nodes that answer zeroes: likewise",
    "capped_slow_node": "one node at a tenth of its rate: steady goodput over the line's",
    "capped_loss1_resends": "share of batches sent again with 1 % loss each way",
    "capped_goodput_mtu9000_mb_s": "steady goodput, MTU 9000, MB/s of output",
    "capped_goodput_mtu1500_mb_s": "steady goodput, MTU 1500, MB/s of output",
    "capped_whole_job_mtu9000_mb_s": "start and end included, MTU 9000, MB/s",
    "capped_whole_job_mtu1500_mb_s": "start and end included, MTU 1500, MB/s",
    "capped_cap_mtu9000_mb_s": "the line's payload limit, MTU 9000, MB/s",
    "capped_cap_mtu1500_mb_s": "the line's payload limit, MTU 1500, MB/s",
}

NOTES = [
    f"{NODES} nodes, each behind a switch port of 100 Mbit/s, and an uplink of 1 Gbit/s each way (tbf, burst 256 kB, "
    "20 ms; checksum, preamble and gap of each frame count). All ports together are 1.2 Gbit/s: the uplink limits, "
    "by what a request with its halo takes on the wire (8290 bytes for 8192 of output at MTU 9000, 1538 for 1440 at 1500).",
    f"Steady: from 20 % to 85 % of the batches of a job of {SIZE >> 20} MiB, by two readings of the controller's counter.",
    "At MTU 1500 the line carries 81 000 batches a second each way, and all nodes, the switch and the controller share the cores of "
    "this machine: the run whose nodes do not compute says how much of a shortfall is that.",
    "Killed: stuck is the longest time that a batch which the dead node held was without result, from its first "
    "sending, as seen on the switch; recovery ends with the last window of 0.25 s below 11/12 of the goodput before.",
]

sys.exit(main())
