#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the pages (*.md) name is there: the files and headings that they link to, and the
files and folders of the tree that they write in code, by path or by name alone.

usage: tools/test.d/pages.py PAGE...     in the top folder; exit status 1: something is not
"""
import os
import re
import sys

from sources import tracked

# A name that stands for many, or for what a build makes.
PATTERN = re.compile(r"[A-Z]{4}|\bX_|^build")
SOURCE = re.compile(r"^[\w./-]+(?:\.(?:h|c|py|sh|comp|glsl|md|txt|json|build)|/)$")
PAGES = {"README.md", "ARCHITECTURE.md", "HACKING.md", "RESULTS.md"}
# Written by commands of the pages' examples, or kept beside an output or a state.
MADE = {"figures.json", "result.json", "jobs.json", "results.json"}


def without_blocks(text):
    return re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)


def anchor(heading):
    """As GitHub makes it."""
    plain = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading.strip()).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(path):
    with open(path, encoding="utf-8") as file:
        headings = re.findall(r"^#+ (.*)$", without_blocks(file.read()), re.M)
    return {anchor(heading) for heading in headings}


def links(page, text):
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        path, _, heading = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(target):
            yield f"links to {link}: there is no such file"
        elif heading and heading not in anchors(target):
            yield f"links to {link}: there is no such heading"


def names(text, paths):
    """Of files and folders: a part of a path of the tree, as `job/work.h` and `job/` are."""
    for name in sorted(set(re.findall(r"`([^`\n]+)`", text))):
        if not SOURCE.match(name) or PATTERN.search(name) and name not in PAGES or name in MADE:
            continue
        part = "/" + name if name.endswith("/") else "/" + name + "\n"
        if not any(part in f"/{path}\n" for path in paths):
            yield f"names {name}: there is no such file"


def main():
    paths = tracked()
    wrong = 0
    for page in sys.argv[1:]:
        with open(page, encoding="utf-8") as file:
            text = without_blocks(file.read())
        for line in [*links(page, text), *names(text, paths)]:
            print(f"{page} {line}")
            wrong = 1
    return wrong


sys.exit(main())
