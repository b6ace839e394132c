#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Somebody on the wire: takes down a node's control frames, and sends them again.

usage: replay.py capture INTERFACE FILE
       replay.py send FILE CONTROLLER_INTERFACE NODE_INTERFACE NODE_ADDRESS ROUNDS
Interfaces are ports of the switch. capture runs until it gets SIGTERM. send
gives each frame to whom it was for, and as JSON how many it sent of which op.
"""
import json
import signal
import socket
import struct
import sys
import time

ETHERTYPE = 0x88B5
OPS = {16: "hello", 17: "welcome", 18: "beat", 19: "kernel", 20: "ack", 21: "drain", 22: "bye"}


def wire_of(interface):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((interface, 0))
    return wire


def is_control(frame):
    return len(frame) > 42 and frame[12:14] == struct.pack("!H", ETHERTYPE) and frame[15] in OPS


def capture(interface, path):
    wire = wire_of(interface)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("listening", flush=True)
    with open(path, "wb", buffering=0) as file:
        while True:
            frame = wire.recv(65536)
            if is_control(frame):
                file.write(struct.pack("<H", len(frame)) + frame)


def frames_of(path):
    with open(path, "rb") as file:
        while head := file.read(2):
            yield file.read(*struct.unpack("<H", head))


def send(path, controller_interface, node_interface, node, rounds):
    to_controller, to_node = wire_of(controller_interface), wire_of(node_interface)
    node = bytes.fromhex(node.replace(":", ""))
    sent = dict.fromkeys(OPS.values(), 0)
    for _ in range(rounds):
        for frame in frames_of(path):
            (to_controller if frame[6:12] == node else to_node).send(frame)
            sent[OPS[frame[15]]] += 1
            time.sleep(0.001)
    print(json.dumps(sent))


if sys.argv[1] == "capture":
    capture(*sys.argv[2:4])
else:
    send(*sys.argv[2:6], int(sys.argv[6]))
