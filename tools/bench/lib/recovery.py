#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Kills a node and watches on the switch until others have delivered what it held.
Runs in the switch's network namespace.

usage: recovery.py NODE_PORT UPLINK_PORT PID

Watches for a while what goes to the node out of NODE_PORT and which results go out of
UPLINK_PORT to the controller, kills PID with SIGKILL, and goes on watching. Prints JSON:
killed_at (CLOCK_MONOTONIC), held (batches that it had or was sent, without result), last_s
(kill to the last of them), stuck_s (the longest from a sending to the result).
"""
import json
import os
import select
import signal
import socket
import struct
import sys
import time

OP_MAP, OP_RESULT = 1, 2
HEADER = struct.Struct("<BBHIQI")  # version, op, count, session, batch, job
ETHERNET = 14
ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_RCVBUFFORCE = 33
BEFORE_S = 0.5
AFTER_S = 20
QUIET_S = 1  # without a frame to it, the node is given up


class Tap:
    """Every frame of ours at a port of the switch, as (op, job and batch)."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 512 << 20)
        self.socket.bind((port, ETH_P_ALL))
        self.socket.setblocking(False)

    def frames(self):
        """Those that wait now."""
        while True:
            try:
                frame = self.socket.recv(ETHERNET + HEADER.size)
            except BlockingIOError:
                return
            if len(frame) == ETHERNET + HEADER.size and frame[12:14] == b"\x88\xb5":
                _, op, _, _, batch, job = HEADER.unpack_from(frame, ETHERNET)
                yield op, (job, batch)

    def wait(self, timeout_s):
        return bool(select.select([self.socket], [], [], timeout_s)[0])

    def check(self):
        statistics = self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        if struct.unpack("II", statistics)[1]:
            sys.exit("the switch had more frames than could be watched")


class Watch:
    """When each batch was first sent to the node, and when its first result went to the
    controller. Both are kept, since the two taps are not read in step."""

    def __init__(self, uplink):
        self.uplink, self.node = uplink, None
        self.sent, self.delivered = {}, {}

    def step(self):
        self.uplink.wait(0.01)
        now = time.monotonic()
        for op, place in self.node.frames() if self.node else ():
            if op == OP_MAP:
                self.sent.setdefault(place, now)
        for op, place in self.uplink.frames():
            if op == OP_RESULT:
                self.delivered.setdefault(place, now)

    def run(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.step()

    def after(self, killed_at):
        """Until all that it had and what it still was sent is delivered."""
        heard_at, sent = killed_at, len(self.sent)
        while time.monotonic() < heard_at + QUIET_S or self.sent.keys() - self.delivered.keys():
            if time.monotonic() > killed_at + AFTER_S:
                missing = len(self.sent.keys() - self.delivered.keys())
                sys.exit(f"{missing} batches that the node had were without result for {AFTER_S} s")
            self.step()
            if len(self.sent) > sent:
                heard_at, sent = time.monotonic(), len(self.sent)

    def held(self, killed_at):
        """{place: time of its result}, of what had none when the node was killed."""
        return {place: self.delivered[place] for place in self.sent if self.delivered[place] > killed_at}


def main():
    watch, pid = Watch(Tap(sys.argv[2])), int(sys.argv[3])
    # A batch may wait in the switch while another node delivers it.
    watch.run(BEFORE_S)
    watch.node = Tap(sys.argv[1])
    watch.run(BEFORE_S)
    os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    watch.after(killed_at)
    held = watch.held(killed_at)
    watch.node.check()
    watch.uplink.check()
    print(json.dumps({
        "killed_at": killed_at, "held": len(held),
        "last_s": max((at - killed_at for at in held.values()), default=0.0),
        "stuck_s": max((at - watch.sent[place] for place, at in held.items()), default=0.0)}))


main()
