#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Calls a method of the controller as any program may: one line of JSON-RPC 2.0.

usage: rpc.py SOCKET METHOD [PARAMETER=VALUE ...]
A VALUE that is JSON is taken as such, any other is text. Prints the result; an
error is one line on stderr and exit status 1.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools/lab.d"))
sys.dont_write_bytecode = True

import controller  # noqa: E402
import words  # noqa: E402


try:
    result = controller.Controller(sys.argv[1]).call(
        sys.argv[2], **words.arguments(sys.argv[3:]))
except controller.Refused as error:
    sys.exit(str(error))
print(json.dumps(result))
