#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Raw frames over a pair of interfaces, each numbered and filled so that every
loss, copy and flipped bit can be told.

usage: fault_probe.py send INTERFACE COUNT BYTES ETHERTYPE
       fault_probe.py receive INTERFACE COUNT BYTES ETHERTYPE
The receiver prints a line when it listens, and one with what it saw when the
last frame has come or none has for two seconds.
"""
import json
import socket
import struct
import sys

SOURCE = bytes.fromhex("02574d0f0001")
DESTINATION = bytes.fromhex("02574d0f0002")
ETH_P_ALL = 3
SO_RCVBUFFORCE = 33


def frame(number, size, ethertype):
    head = DESTINATION + SOURCE + struct.pack("!HI", ethertype, number)
    fill = struct.pack("!I", number * 2654435761 & 0xFFFFFFFF)
    return head + (fill * (size // 4 + 1))[: size - len(head)]


def flipped_bits(a, b):
    return bin(int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).count("1")


def send(wire, count, size, ethertype):
    for number in range(count):
        wire.send(frame(number, size, ethertype))
    # The end is told by a frame that no fault touches: of another protocol.
    wire.send(frame(0, 60, 0x88B6))


def receive(wire, count, size, ethertype):
    seen = [0] * count
    saw = {"frames": 0, "damaged": 0, "flipped_bits": 0, "other_length": 0}
    wire.settimeout(2)
    print("listening", flush=True)
    try:
        while True:
            data, address = wire.recvfrom(65536)
            if data[6:12] != SOURCE or address[2] == socket.PACKET_OUTGOING:
                continue
            if data[12:14] == b"\x88\xb6" and len(data) == 60:
                break
            saw["frames"] += 1
            number = struct.unpack("!I", data[14:18])[0]
            if len(data) != size:
                saw["other_length"] += 1
            elif number < count and data == frame(number, size, ethertype):
                seen[number] += 1
            else:
                # A flip in the number itself: the rest still tells which it was.
                right = min((frame(n, size, ethertype) for n in {min(number, count - 1)}
                             | {number ^ 1 << bit for bit in range(32) if number ^ 1 << bit < count}),
                            key=lambda other: flipped_bits(data, other))
                saw["damaged"] += 1
                saw["flipped_bits"] += flipped_bits(data, right)
    except TimeoutError:
        saw["ended"] = False
    saw["copies"] = sum(times - 1 for times in seen if times > 1)
    saw["missing"] = sum(times == 0 for times in seen)
    print(json.dumps(saw))


def main():
    role, interface = sys.argv[1:3]
    count, size, ethertype = int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5], 0)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 30)
    wire.bind((interface, ETH_P_ALL))
    {"send": send, "receive": receive}[role](wire, count, size, ethertype)


main()
