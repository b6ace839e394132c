#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Calls a command of QEMU's machine protocol (QMP).

usage: qmp.py SOCKET COMMAND [ARGUMENT=VALUE ...]
A VALUE that is JSON is taken as such, any other is text. Prints what is returned; an
error is one line on stderr and exit status 1.
"""
import json
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lab"))
sys.dont_write_bytecode = True

import words  # noqa: E402


def answer(stream):
    """The next answer; events in between are not."""
    while line := stream.readline():
        message = json.loads(line)
        if "return" in message:
            return message["return"]
        if "error" in message:
            sys.exit(message["error"]["desc"])
    sys.exit("QEMU has closed the connection")


with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(60)
    connection.connect(sys.argv[1])
    stream = connection.makefile("rw")
    stream.readline()  # who it is
    for call in [{"execute": "qmp_capabilities"},
                 {"execute": sys.argv[2],
                  "arguments": words.arguments(sys.argv[3:])}]:
        stream.write(json.dumps(call) + "\n")
        stream.flush()
        result = answer(stream)
    print(json.dumps(result))
