# SPDX-License-Identifier: BSD-3-Clause
"""A controller as any program may call it: one line of JSON-RPC 2.0 each way."""
import json
import socket


class Refused(Exception):
    """The line to show to a person."""


class Controller:
    def __init__(self, path):
        self.wire = socket.socket(socket.AF_UNIX)
        self.wire.settimeout(60)
        self.wire.connect(path)
        self.lines = self.wire.makefile()

    def call(self, method, **params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.wire.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self.lines.readline())
        if "error" in answer:
            raise Refused(answer["error"]["message"])
        return answer["result"]
