#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Calls a method of the controller as any program may: one line of JSON-RPC 2.0.

usage: rpc.py SOCKET METHOD [PARAMETER=VALUE ...]
A VALUE that is JSON is taken as such, any other is text. Prints the result; an
error is one line on stderr and exit status 1.
"""
import json
import socket
import sys


def parameter(word):
    name, text = word.split("=", 1)
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


def call(path, method, params):
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(60)
        wire.connect(path)
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        wire.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(wire.makefile().readline())


answer = call(sys.argv[1], sys.argv[2], dict(parameter(word) for word in sys.argv[3:]))
if "error" in answer:
    sys.exit(answer["error"]["message"])
print(json.dumps(answer["result"]))
