# SPDX-License-Identifier: BSD-3-Clause
# bench: the same job by plain UDP sockets, OpenMPI and Dask in a rack of 12 nodes
"""Each peer in the forms that served it best, with and without segmentation offloads, in turn."""
import os
import sys

import bench
import peer_rack

NODES = 12
SIZE = (64 << 20) if bench.quick else (1 << 30)
# Slow enough that a quarter tells as much.
DASK_SIZE = SIZE // 4

source = os.path.join(bench.work, "input")
same = os.path.join(bench.work, "same")
small = os.path.join(bench.work, "small")
sink = os.path.join(bench.work, "output")


def run(lab, peer, form, compute=True):
    """form: what its method is told."""
    file = small if peer == "dask" else source
    return getattr(lab, peer)(file if compute else same, sink, compute=compute, **form)


FORMS = {
    "udp": [{"vectors": 256, "window": 16}, {"vectors": 256, "window": 32}, {"vectors": 256, "window": 64},
            {"vectors": 278, "window": 32}],
    "mpi": [{"vectors": 8192, "ways": 4}, {"vectors": 32768, "ways": 2}, {"vectors": 8192, "ways": 4, "nap": True}],
    "dask": [{"chunk": 4 << 20, "ways": 2}, {"chunk": 16 << 20, "ways": 1}],
}
if bench.quick:
    FORMS = {peer: forms[:1] for peer, forms in FORMS.items()}
TRAINS = {"vectors": 256, "window": 56, "trains": 7}


def best(runs):
    """The quickest form, and the least processor time of any."""
    quickest = max(runs, key=lambda run: run["gbps"])
    leanest = min(runs, key=lambda run: run["cpu_s_per_gb"])
    return {"gbps": quickest["gbps"], "chunk": quickest["chunk"], "form": quickest["form"],
            "cpu_s_per_gb": leanest["cpu_s_per_gb"], "lean_form": leanest["form"]}


def take_forms(lab, peer, forms, compute=True):
    return best([run(lab, peer, form, compute) | {"form": form} for form in forms])


def with_offloads(lab, frames):
    """The best forms again, where a train of frames may pass as one piece."""
    lab.offloads(True)
    found = {peer: run(lab, peer, frames[peer]["form"]) for peer in frames}
    found["udp_trains"] = run(lab, "udp", TRAINS)
    lab.offloads(False)
    return found


def without_compute(lab, frames):
    """Nodes answer zeroes, which is right for an input of one vector repeated."""
    found = {}
    for peer in ("udp", "mpi"):
        forms = [frames[peer]["form"], frames[peer]["lean_form"]]
        found[peer] = take_forms(lab, peer, forms if forms[0] != forms[1] else forms[:1], compute=False)
    return found


def figures_of(kind, found):
    figures = {}
    for peer, runs in found.items():
        figures[f"peer_{peer}{kind}_gbps"] = runs["gbps"]
        figures[f"peer_{peer}{kind}_cpu_s_per_gb"] = runs["cpu_s_per_gb"]
    return figures


def main():
    bench.make_data(source, SIZE)
    bench.make_data(small, DASK_SIZE)
    bench.make_data(same, SIZE, os.urandom(32))
    with peer_rack.PeerRack("peers", NODES) as lab:
        lab.offloads(False)
        frames = {peer: take_forms(lab, peer, forms) for peer, forms in FORMS.items()}
        offloaded = with_offloads(lab, frames)
        zeroes = without_compute(lab, frames)
    figures = figures_of("", frames) | figures_of("_offloads", offloaded) | figures_of("_nocompute", zeroes)
    figures |= {f"peer_{peer}_chunk_kib": frames[peer]["chunk"] / 1024 for peer in frames}
    bench.answer("peers", {}, figures, LABELS, NOTES)


TITLES = {"udp": "plain UDP", "udp_trains": "plain UDP, trains of 7 (GSO)", "mpi": "OpenMPI", "dask": "Dask"}
KINDS = {"": "", "_offloads": ", segmentation offloads on", "_nocompute": ", nodes answer zeroes"}

LABELS = {f"peer_{peer}{kind}_{unit}": f"{title}{rest}, {words}"
          for peer, title in TITLES.items() for kind, rest in KINDS.items()
          for unit, words in (("gbps", "GB/s"), ("cpu_s_per_gb", "CPU seconds a GB"))}
LABELS |= {f"peer_{peer}_chunk_kib": f"{TITLES[peer]}: the best chunk, KiB" for peer in FORMS}

NOTES = [
    f"{NODES} nodes, MTU 9000, uncapped; the same disk (io_uring with O_DIRECT in C, pread and pwrite in Python), the "
    "same durable output, verified. Segmentation offloads are off but where it says so: with them a veth carries "
    "pieces of 64 KiB that no wire does.",
    "GB/s is of the quickest of several chunk sizes and windows; CPU seconds (user and system of all processes, both "
    "sides) are the least of any of them. UDP and TCP checksums are not computed on a veth.",
    "OpenMPI with TCP only; who waits yields, or sleeps 50 µs: the better one counts. Dask sends chunks straight to "
    f"the workers, and gets {DASK_SIZE >> 20} MiB, the others {SIZE >> 20} MiB.",
    "Plain UDP is one datagram a frame; trains are of 7 datagrams, by GSO on the way out and GRO on the way in.",
]

sys.exit(main())
