#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A client without manners, until it is told to stop (SIGTERM).

usage: flood.py SOCKET
Three connections: one sends lists as notifications without end, one asks for batches of
lists and reads no answer, one begins a line and does not end it.
"""
import json
import selectors
import socket
import sys


def request(**members):
    return dict(members, jsonrpc="2.0", method="job.list", params={})


LINES = {
    "notifications": (json.dumps(request()) + "\n").encode() * 500,
    "batches": (json.dumps([request(id=n) for n in range(64)]) + "\n").encode(),
    "endless": b'{"jsonrpc": "2.0", "method": "' + b"x" * 4096,
}


def connect(lines):
    wire = socket.socket(socket.AF_UNIX)
    wire.connect(sys.argv[1])
    wire.setblocking(False)
    selector.register(wire, selectors.EVENT_WRITE, lines)


selector = selectors.DefaultSelector()
for lines in LINES.values():
    connect(lines)
while True:
    for key, _ in selector.select():
        try:
            key.fileobj.send(key.data)
        except BlockingIOError:
            pass
        except OSError:
            # Thrown out: it comes back.
            selector.unregister(key.fileobj)
            key.fileobj.close()
            connect(key.data)
