#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Somebody on the wire without the cluster key, who can make a CRC: answers the
batches that he sees on their way to a node before the node does.

usage: forger.py CONTROLLER_INTERFACE NODE_INTERFACE NODE_ADDRESS TAG
Interfaces are ports of the switch. Runs until it gets SIGTERM; prints as JSON what
it sent. TAG is one of
  none   results without a tag
  guess  in the place of the tag is noise, the tag of the batch itself, the last
         tag that the node made, or nothing; and the node is given batches too.
         (Without tags it would compute them, and its results would be found wrong.)

A forged result is one that the controller's own check of the xor kernel (the XOR
of all results is first ^ last) finds nothing wrong with.
"""
import json
import os
import signal
import socket
import struct
import sys

from crc32c import crc32c

ETHERTYPE = 0x88B5
SO_RCVBUFFORCE = 33  # Python has no name for it
VECTOR = 32
HEADER = struct.Struct("<BBHIQIII")
MAP, RESULT = 1, 2

def wire_of(interface):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    wire.bind((interface, 0))
    return wire


def frame_of(source, destination, fields, payload, tag):
    body = payload + tag
    crc = crc32c(HEADER.pack(*fields, 0) + body)
    frame = destination + source + struct.pack("!H", ETHERTYPE) + HEADER.pack(*fields, crc) + body
    return frame.ljust(60, b"\0")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


class Forger:
    def __init__(self, controller_interface, node_interface, node, guess):
        self.controller, self.to_node = wire_of(controller_interface), wire_of(node_interface)
        self.node = bytes.fromhex(node.replace(":", ""))
        self.guess = guess
        self.last_tag = os.urandom(16)
        self.sent = {"seen": 0, "results": 0, "maps": 0}

    def tag(self, batch, seen_tag):
        if not self.guess:
            return b""
        return (os.urandom(16), seen_tag, self.last_tag, b"")[batch % 4]

    def answer(self, frame):
        version, op, count, session, batch, job, sequence, _ = HEADER.unpack_from(frame, 14)
        end = 42 + (count + 1) * VECTOR
        payload, seen_tag = frame[42:end], frame[end:end + 16]
        result = xor(payload[:VECTOR], payload[-VECTOR:]).ljust(count * VECTOR, b"\0")
        self.controller.send(frame_of(frame[:6], frame[6:12],
                                       (version, RESULT, count, session, batch, job, sequence),
                                       result, self.tag(batch, seen_tag)))
        self.sent["results"] += 1
        if self.guess and batch % 8 == 0:
            self.to_node.send(frame_of(frame[6:12], frame[:6],
                                       (version, MAP, count, session, batch, job, sequence),
                                       bytes(len(payload)), self.tag(batch // 8, seen_tag)))
            self.sent["maps"] += 1

    def run(self):
        print("listening", flush=True)
        while True:
            frame = self.controller.recv(65536)
            if len(frame) < 60 or frame[12:14] != struct.pack("!H", ETHERTYPE):
                continue
            if frame[15] == MAP and frame[:6] == self.node:
                self.sent["seen"] += 1
                self.answer(frame)
            elif frame[15] == RESULT:
                self.last_tag = frame[-16:]

    def finish(self, *_):
        print(json.dumps(self.sent), flush=True)
        sys.exit(0)


forger = Forger(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] == "guess")
signal.signal(signal.SIGTERM, forger.finish)
forger.run()
