# SPDX-License-Identifier: BSD-3-Clause
"""Where and when something was measured, in words."""
import datetime
import os
import platform
import subprocess


def first(path, key):
    """The value after 'key' and a colon or '=' in a file of such lines."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, _, value = line.replace("=", ":", 1).partition(":")
            if name.strip() == key:
                return value.strip().strip('"')
    return "unknown"


def commit(folder):
    def git(*words):
        return subprocess.run(["git", "-c", "safe.directory=*", "-C", folder, *words],
                              capture_output=True, text=True).stdout.strip()

    # Its own results do not count as a change.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!RESULTS.md", ":!results.json",
                  ":!plots")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def describe(folder, command):
    memory_kib = int(first("/proc/meminfo", "MemTotal").split()[0])
    return {
        "machine": f"{first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {memory_kib >> 20} GiB",
        "system": f"{first('/etc/os-release', 'PRETTY_NAME')}, Linux {platform.release()}",
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(folder),
        "command": command.strip(),
    }
