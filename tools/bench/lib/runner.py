# SPDX-License-Identifier: BSD-3-Clause
"""Finds the benchmarks and runs them, each in a process of its own, bounded in time."""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import results

LIMIT_S = 280
EXIT_LACKS = 77

Bench = collections.namedtuple("Bench", "name about path")


def find(folder):
    benches = []
    for entry in sorted(os.listdir(folder)):
        name, extension = os.path.splitext(entry)
        if extension in (".py", ".sh"):
            path = os.path.join(folder, entry)
            benches.append(Bench(name, about(path), path))
    return benches


def about(path):
    """What stands after 'bench:' in a comment at the file's top."""
    with open(path, encoding="utf-8") as file:
        found = re.search(r"^# bench: (.+)$", file.read(4096), re.MULTILINE)
    return found.group(1) if found else ""


def fail(text):
    sys.exit(f"bench: {text}")


def prepare(here, build):
    """Installs and builds what is missing; the folder of the build."""
    top = os.path.realpath(os.path.join(here, "..", ".."))
    build = os.path.join(top, build)
    make = [os.path.join(top, "tools", "test.d", "build"), "gcc", build]
    if subprocess.run([os.path.join(top, "tools", "deps"), "--bench"], stdout=sys.stderr).returncode:
        fail("what it needs cannot be installed: see the lines above")
    if subprocess.run(make, cwd=top, stdout=subprocess.DEVNULL).returncode:
        fail(f"'{' '.join(make)}' failed; run it by hand to see why")
    return build


def run_all(benches, runs, build, quick):
    """({name: summary}, [what failed]). Round by round, so that the benchmarks interleave."""
    taken, failures = {bench.name: [] for bench in benches}, []
    for run in range(runs):
        for bench in benches:
            if any(failure.startswith(bench.name + ":") for failure in failures):
                continue
            print(f"bench: {bench.name}, run {run + 1} of {runs}", file=sys.stderr, flush=True)
            try:
                taken[bench.name].append(run_one(bench, build, quick))
            except ValueError as error:
                failures.append(f"{bench.name}: {error}")
    return {name: results.summarise(found) for name, found in taken.items() if found}, failures


def run_one(bench, build, quick):
    """What it printed. ValueError with one line if it did not end well."""
    work = tempfile.mkdtemp(prefix="wiremill-bench.", dir="/var/tmp")
    try:
        status, output, last_words = execute(bench, build, quick, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if status == EXIT_LACKS:
        raise ValueError(f"not measured: {last_words}")
    if status != 0:
        raise ValueError(f"failed ({status}): {last_words}")
    try:
        return results.check(json.loads(output.splitlines()[-1]), bench.name)
    except (ValueError, IndexError) as error:
        raise ValueError(f"its output cannot be taken: {error}") from None


def execute(bench, build, quick, work):
    """(exit status, stdout, last line of stderr)."""
    environment = os.environ | {
        "PYTHONPATH": os.path.dirname(os.path.realpath(__file__)), "PYTHONDONTWRITEBYTECODE": "1",
        "WM_BUILD": build, "WM_BENCH_WORK": work, "WM_BENCH_QUICK": "1" if quick else ""}
    interpreter = [sys.executable] if bench.path.endswith(".py") else ["bash"]
    errors = os.path.join(work, "stderr")
    with open(errors, "w", encoding="utf-8") as stderr:
        process = subprocess.Popen(interpreter + [bench.path], env=environment, stdout=subprocess.PIPE,
                                   stderr=stderr, text=True, start_new_session=True)
        try:
            output, _ = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            stop(process)
            raise ValueError(f"not done in {LIMIT_S} s") from None
        except (KeyboardInterrupt, SystemExit):
            stop(process)
            raise
    with open(errors, encoding="utf-8", errors="replace") as stderr:
        lines = [line for line in stderr.read().splitlines() if line.strip()]
    return process.returncode, output, lines[-1] if lines else "it said nothing"


def stop(process):
    """It takes down its lab on SIGTERM; what is left of its session after that is killed."""
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
