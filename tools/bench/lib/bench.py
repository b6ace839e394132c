# SPDX-License-Identifier: BSD-3-Clause
"""What a benchmark in Python is given by the driver, and how it answers."""
import json
import os
import signal
import subprocess
import sys

top = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
build = os.environ.get("WM_BUILD", os.path.join(top, "build"))
work = os.environ.get("WM_BENCH_WORK", "/var/tmp")
quick = bool(os.environ.get("WM_BENCH_QUICK"))

EXIT_LACKS = 77

# So that 'with' takes down what a benchmark has built when it is told to end.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def answer(name, ratios, figures, labels=None, notes=None, plots=None):
    print(json.dumps({"name": name, "ratios": ratios, "figures": figures, "labels": labels or {},
                      "notes": notes or [], "plots": plots or []}), flush=True)


def fail(text):
    sys.exit(text)


def lacks(text):
    """This machine or build has not what it takes."""
    print(text, file=sys.stderr)
    sys.exit(EXIT_LACKS)


def program(path):
    """A program of the build, by its path in it."""
    found = os.path.join(build, path)
    return found if os.access(found, os.X_OK) else lacks(f"{path} is not built")


def run(*words, **options):
    """Its stdout; ends the benchmark with its last line on stderr if it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        fail(f"{os.path.basename(str(words[0]))} failed: {said[-1] if said else done.returncode}")
    return done.stdout


def make_data(path, size, vector=None):
    """Random bytes; or one vector repeated, whose xor is zero throughout."""
    block = (vector * (1 << 20))[:1 << 20] if vector else None
    with open(path, "wb") as file:
        for _ in range(0, size, 1 << 20):
            file.write(block or os.urandom(1 << 20))
    return path
