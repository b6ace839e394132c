# SPDX-License-Identifier: BSD-3-Clause
"""NAME=VALUE words of a command line, as what a call takes: a VALUE that is JSON is taken
as such, any other is text."""
import json


def value(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def arguments(words):
    pairs = (word.split("=", 1) for word in words)
    return {name: value(text) for name, text in pairs}
