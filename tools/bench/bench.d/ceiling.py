# SPDX-License-Identifier: BSD-3-Clause
# bench: one lane against a memif that answers at once, beside dpdk-testpmd on the same memif
"""Frames of four sizes go round: out of the lane or of testpmd, back from wm-ceiling-echo.

One core for each end. What is measured is the memif's client, without copies, as with
a card; the responder counts, for both alike.
"""
import json
import os
import select
import subprocess
import sys
import time

import bench
import hugepages

SIZES = (64, 1514, 3146, 8266)
SECONDS = 1 if bench.quick else 2
NODES = 12
# As many frames go round in testpmd as a lane has in flight at most (dispatch_create in lane.c).
BURST, BURSTS = 32, 24
HEADER_BYTES = 42
HUGEPAGES = 256
PATIENCE_S = 30
LANE_CPU, ECHO_CPU = "0", "1"

socket = os.path.join(bench.work, "memif")


class Process:
    """A program with a line of output to wait for; it is killed at the end."""

    def __init__(self, *words):
        self.words = words

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, bufsize=0)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def line(self, what=b""):
        """The next line with that in it."""
        deadline, text = time.monotonic() + PATIENCE_S, b""
        while time.monotonic() < deadline:
            if not select.select([self.process.stdout], [], [], 1)[0]:
                continue
            read = os.read(self.process.stdout.fileno(), 4096)
            text += read
            for line in text.split(b"\n")[:-1]:
                if what in line:
                    return line
            if not read:
                break
        said = self.process.stderr.read().decode().strip() if self.process.poll() else ""
        bench.fail(f"{os.path.basename(self.words[0])} does not answer: {said or text.decode()[-200:]}")
        return b""

    def say(self, text):
        os.write(self.process.stdin.fileno(), text.encode())

    def leave(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)


def echo(size, crc):
    return Process(bench.program("tools/bench/ceiling/wm-ceiling-echo"), "--socket", socket, "--cpu", ECHO_CPU,
                   "--element", "22" if size == 64 else "32", "--crc", crc, "--seconds", str(SECONDS))


def wait_for_socket():
    deadline = time.monotonic() + PATIENCE_S
    while not os.path.exists(socket):
        if time.monotonic() > deadline:
            bench.fail("wm-ceiling-echo does not open its socket")
        time.sleep(0.02)


def end(responder):
    """Before the other side leaves, which may not poll any more: net_memif bears neither loss."""
    responder.process.kill()
    responder.process.wait()
    os.unlink(socket)


def lane(size, crc):
    """(what the responder counted, what the lane did)"""
    with echo(size, crc) as responder:
        wait_for_socket()
        with Process(bench.program("tools/bench/ceiling/wm-ceiling-lane"), "--socket", socket, "--cpu", LANE_CPU,
                     "--control-cpu", ECHO_CPU, "--frame", str(size), "--nodes", str(NODES),
                     "--seconds", str(SECONDS)) as measured:
            counted, did = json.loads(responder.line()), json.loads(measured.line())
            end(responder)
            measured.leave()
    return counted, did


def testpmd(size):
    with echo(size, "known") as responder:
        wait_for_socket()
        memif = f"net_memif0,role=client,socket-abstract=no,socket={socket},rsize=11,zero-copy=yes"
        with Process("stdbuf", "-oL", "dpdk-testpmd", "--in-memory", "--single-file-segments", "--no-pci",
                     "--no-telemetry", "--log-level=error", "--lcores", f"0@{ECHO_CPU},1@{LANE_CPU}", "-m", "256", "--vdev", memif,
                     "--", "-i", "--no-lsc-interrupt", "--forward-mode=io", f"--burst={BURST}", "--mbuf-size=9600",
                     "--total-num-mbufs=8192", f"--txpkts={size}") as measured:
            measured.say(f"start tx_first {BURSTS}\n")
            counted = json.loads(responder.line())
            measured.say("stop\n")
            measured.line(b"Done.")
            end(responder)
            measured.say("quit\n")
            measured.leave()
    return counted


def rates(counted):
    """(frames/s, payload bytes/s of both directions)"""
    payload = counted["bytes_in"] + counted["bytes_out"] - 2 * HEADER_BYTES * counted["frames"]
    return counted["frames"] * 1e9 / counted["ns"], payload * 1e9 / counted["ns"]


def measure(size, ratios, figures):
    testpmd_frames, testpmd_bytes = rates(testpmd(size))
    counted, did = lane(size, "known")
    frames, payload = rates(counted)
    if did["dropped"] or did["batches"] == 0:
        bench.fail(f"the lane did {did['batches']} batches and dropped {did['dropped']} frames")
    ratios[f"lane_vs_testpmd_{size}"] = payload / testpmd_bytes
    figures.update({
        f"lane_frames_per_s_{size}": frames, f"testpmd_frames_per_s_{size}": testpmd_frames,
        f"lane_gbit_{size}": payload * 8e-9, f"testpmd_gbit_{size}": testpmd_bytes * 8e-9,
        f"lane_ns_per_batch_{size}": 1e9 / frames,
        f"lane_busy_ns_per_batch_{size}": did["busy_ns"] / did["batches"],
        f"lane_resent_{size}": did["resent"] / did["batches"]})


def main():
    ratios, figures = {}, {}
    with hugepages.Hugepages(HUGEPAGES):
        for size in SIZES:
            measure(size, ratios, figures)
        figures["lane_full_crc_gbit_8266"] = rates(lane(8266, "full")[0])[1] * 8e-9
    bench.answer("ceiling", ratios, figures, labels(), NOTES)


def labels():
    each = {
        "lane_vs_testpmd": "lane over testpmd, payload of both directions",
        "lane_frames_per_s": "lane, frames/s each way", "testpmd_frames_per_s": "testpmd, frames/s each way",
        "lane_gbit": "lane, Gbit/s of payload both ways", "testpmd_gbit": "testpmd, Gbit/s of payload both ways",
        "lane_ns_per_batch": "lane, ns a batch", "lane_busy_ns_per_batch": "of it in polls that did something, ns",
        "lane_resent": "share of batches sent again"}
    known = {f"{name}_{size}": f"{text}; {size}-byte frames" for name, text in each.items() for size in SIZES}
    return known | {"lane_full_crc_gbit_8266": "lane, Gbit/s, where the responder computes each CRC; 8266-byte frames"}


NOTES = [
    "Frames go round between two cores: out of the lane (or testpmd, io forwarding of 768 frames), back from "
    "wm-ceiling-echo, which counts. The lane is the one of wiremilld with a disk that takes no time; it seals, "
    "checks, and takes the CRC of each extent. testpmd looks at no payload.",
    "The responder makes the RESULT's CRC out of a table, since it has zeroes alone, so that it costs about what "
    "echoing testpmd's frames costs. It copies each payload twice, and may be what bounds both: the lane's own "
    "cost is its busy time a batch.",
    "64-byte frames carry one element of 22 bytes of a kernel that only measures: no job has batches so small, since "
    "the MTU is 1280 at least.",
]

if __name__ == "__main__":
    main()
