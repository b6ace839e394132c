#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Counts the instructions of the core's hot functions under callgrind, for a load that
is the same each time, and compares them with what is expected of this compiler.

usage: count.py check PROGRAM FILE [SLOWED]   TAP; SLOWED: a build that must not pass
       count.py update PROGRAM FILE           writes FILE anew

Instructions, not seconds: the same on a busy machine as on an idle one.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

LOAD = "--nodes 12 --bytes 12G --batches 20000 --loss 10000 --audit 10000 --frames".split()
# With all they call...
INCLUSIVE = ["wm_dispatch_next", "wm_dispatch_expect", "wm_dispatch_result", "wm_dispatch_opinion",
             "wm_dispatch_tick", "wm_dispatch_extent_open", "wm_flow_send", "wm_flow_accept", "wm_flow_expire",
             "wm_ledger_take_fresh", "wm_ledger_look", "wm_ledger_complete", "wm_ledger_lose", "wm_progress_open",
             "wm_progress_written", "wm_progress_sync", "wm_frame_check_header", "wm_frame_check_length"]
# ... and alone: isa-l has another CRC for each kind of processor.
ALONE = ["wm_frame_crc"]
TOLERANCE = 0.03

HEADER = """# Instructions of {compiler} at -O3 for 'wm-core-load {load}'.
# Made by tests/instructions/update; more than {percent:.0f} % above is a failed test.
"""


def annotate(profile, inclusive):
    """{function: instructions}."""
    text = subprocess.run(["callgrind_annotate", f"--inclusive={'yes' if inclusive else 'no'}", "--threshold=100",
                           "--auto=no", profile], capture_output=True, text=True, check=True).stdout
    counts = {}
    for line in text.splitlines():
        found = re.match(r"\s*([\d,]+) \([^)]*\)\s+\S*:(wm_\w+)(?: \[|$)", line)
        if found:
            counts[found.group(2)] = counts.get(found.group(2), 0) + int(found.group(1).replace(",", ""))
    return counts


def count(program):
    with tempfile.TemporaryDirectory() as folder:
        profile = os.path.join(folder, "profile")
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}",
                               "--toggle-collect=load_run", program, *LOAD], capture_output=True, text=True,
                              env=os.environ | {"LD_BIND_NOW": "1"}, check=False)
        if done.returncode != 0:
            sys.exit(f"{program} fails under callgrind: {done.stderr.strip().splitlines()[-1]}")
        inclusive, alone = annotate(profile, True), annotate(profile, False)
    counts = {name: inclusive.get(name) for name in INCLUSIVE} | {name: alone.get(name) for name in ALONE}
    missing = [name for name, number in counts.items() if number is None]
    if missing:
        sys.exit(f"the load never calls {', '.join(missing)}: it, or the list in count.py, is out of date")
    return counts


def read(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {name: int(number) for number, name in lines}


def update(program, path):
    counts = count(program)
    compiler = re.sub(r".*expected-|\.txt", "", path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEADER.format(compiler=compiler, load=" ".join(LOAD), percent=TOLERANCE * 100))
        file.writelines(f"{number:>10} {name}\n" for name, number in counts.items())


def grown(counts, expected):
    return [name for name in counts if counts[name] > expected.get(name, 0) * (1 + TOLERANCE)]


def check(program, path, slowed):
    counts, expected = count(program), read(path)
    too_many = grown(counts, expected)
    for number, name in enumerate(counts, 1):
        known = expected.get(name, 0)
        change = f"{(counts[name] / known - 1) * 100:+.1f} %" if known else "not in the file"
        print(f"{'not ok' if name in too_many else 'ok'} {number} - {name}: {counts[name]} instructions, {change}")
    if too_many:
        print("# if that is meant, run tests/instructions/update and say why in the commit")
    passed, total = not too_many, len(counts)
    if slowed:
        total += 1
        caught = grown(count(slowed), expected)
        # Those that ask for room, and no others.
        is_caught = "wm_dispatch_result" in caught and "wm_frame_check_header" not in caught
        passed = passed and is_caught
        print(f"{'ok' if is_caught else 'not ok'} {total} - a planted slowdown is caught, in {', '.join(caught)}")
    print(f"1..{total}")
    return 0 if passed else 1


def main():
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in ("check", "update"):
        print("count.py: wrong usage; it begins with how it is used", file=sys.stderr)
        return 2
    if not shutil.which("callgrind_annotate"):
        print("1..0 # SKIP valgrind is not installed: sudo tools/deps")
        return 77
    if sys.argv[1] == "update":
        update(sys.argv[2], sys.argv[3])
        return 0
    return check(sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) == 5 else None)


sys.exit(main())
