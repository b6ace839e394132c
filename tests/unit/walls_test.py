#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The walls between folders, as the compiler sees them.

For each library and program that is built, two things are compiled with its own flags:
a header of its own, which must do, so that what fails does not fail for another reason;
and every header behind a wall, under every name that could reach it, which must not.

usage: walls_test.py SOURCES BUILD WALLS
"""
import json
import os
import re
import shlex
import subprocess
import sys


def read_walls(path):
    """{name of a library or program: folders whose headers it may include}"""
    walls = {}
    with open(path) as table:
        for line in table:
            words = line.split("#")[0].split()
            if words:
                walls[words[0]] = set(words[1:])
    return walls


def headers_of(sources):
    """Paths of the tree's headers but the contracts, which are everybody's."""
    found = []
    for top in ("base", "dataplane", "gpu", "storage", "control", "tools"):
        for folder, _, names in os.walk(os.path.join(sources, top)):
            found += [os.path.relpath(os.path.join(folder, name), sources)
                      for name in names if name.endswith(".h")]
    return sorted(found)


def compilations(sources, build):
    """{name: {flags: sources}} of what is built outside tests/."""
    built = {}
    with open(os.path.join(build, "compile_commands.json")) as commands:
        for entry in json.load(commands):
            target, _, _ = entry["output"].partition(".p/")
            if target.startswith("tests" + os.sep):
                continue
            name = re.sub(r"^lib(.*)\.a$", r"\1", os.path.basename(target))
            source = os.path.relpath(os.path.join(build, entry["file"]), sources)
            built.setdefault(name, {}).setdefault(flags_of(entry), []).append(source)
    return built


def flags_of(entry):
    words = shlex.split(entry["command"])
    flags = []
    skip = False
    for word in words:
        if skip or word in ("-o", "-MQ", "-MF"):
            skip = not skip
        elif word not in ("-c", "-MD", entry["file"]):
            flags.append(word)
    return tuple(flags)


class Compiler:
    def __init__(self, build, flags):
        self.build = build
        self.flags = list(flags)

    def run(self, options, text):
        return subprocess.run(self.flags + options + ["-x", "c", "-"], input=text, text=True,
                              cwd=self.build, capture_output=True)

    def refuses(self, header, folder):
        """What the compiler says of a file in the folder that includes the header, if anything."""
        run = self.run(["-fsyntax-only", "-iquote", folder], f'#include "{header}"\n')
        return run.stderr if run.returncode else None

    def finds(self, names):
        """Those of the names that an include would find."""
        text = "".join(f'#if __has_include("{name}")\nfound {name}\n#endif\n' for name in names)
        run = self.run(["-E", "-P"], text)
        if run.returncode:
            raise SystemExit(run.stderr)
        return re.findall(r"^found (\S+)$", run.stdout, re.M)

    def resolves(self, name, sources):
        """The path in the tree that an include of the name finds."""
        folders = [flag[2:] for flag in self.flags if flag.startswith("-I")]
        folders += [flag[len("-isystem"):] for flag in self.flags if flag.startswith("-isystem")]
        for folder in folders:
            path = os.path.join(self.build, folder, name)
            if os.path.exists(path):
                return os.path.relpath(path, sources)
        return name


def names_of(header, own):
    """stream.h, lane/stream.h, dataplane/lane/stream.h. What lies below a source's own folder,
    or base/, is in reach with the folder's name; tools/test.d/checks refuses such names."""
    words = header.split("/")
    below = any(header.startswith(folder + "/") for folder in own)
    return words[-1:] if below else ["/".join(words[first:]) for first in range(len(words))]


def own_header(files, headers):
    """A header that has the name of one of the sources."""
    pairs = [source[:-1] + "h" for source in files]
    return next((os.path.basename(header) for header in pairs if header in headers), None)


def breaches(sources, build, may, compiled, headers):
    """What is wrong with the walls of one library or program, line by line."""
    wrong = []
    for flags, files in compiled.items():
        compiler = Compiler(build, flags)
        own = {os.path.dirname(file) for file in files}
        seen = may | own | {"base"}
        behind = {header for header in headers if os.path.dirname(header) not in seen}
        names = {name for header in behind for name in names_of(header, own | {"base"})}
        for name in compiler.finds(sorted(names)):
            if compiler.resolves(name, sources) in behind:
                wrong.append(f'#include "{name}" compiles in {files[0]}')
        control = own_header(files, headers)
        said = control and compiler.refuses(control, os.path.join(sources, os.path.dirname(files[0])))
        if said:
            wrong.append(f'#include "{control}" does not compile in {files[0]}: {said}')
    return wrong




def main():
    sources, build, table = (os.path.abspath(path) for path in sys.argv[1:])
    walls = read_walls(table)
    headers = headers_of(sources)
    built = compilations(sources, build)
    failed = 0
    for count, name in enumerate(sorted(built), 1):
        wrong = ["is not in the table of walls"] if name not in walls else breaches(
            sources, build, walls[name], built[name], headers)
        print(f'{"not ok" if wrong else "ok"} {count} - walls: {name}')
        print("".join(f"# {line}\n" for line in wrong), end="")
        failed |= bool(wrong)
    print(f"1..{len(built)}")
    return failed


sys.exit(main())
