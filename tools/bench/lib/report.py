# SPDX-License-Identifier: BSD-3-Clause
"""RESULTS.md from what is stored of each benchmark. No line of it is over 100 columns: a row that
would be has too long a label, which the checks of the sources find."""
import os
import textwrap

import goals
import plot

HEAD = """# Results

Written by `tools/bench/bench`, from `results.json`, which has the keys of the figures; change
neither by hand. Medians over the runs of one call, and in brackets the least and the most.
HACKING.md says how to run it and how to add a benchmark.
"""

WIDTH = 95


def number(value):
    if value and abs(value) < 0.001:
        return f"{value:.1e}"
    digits = max(0, 3 - len(str(int(abs(value)))) + 1)
    return f"{value:.{digits}f}" if abs(value) < 10000 else f"{value:,.0f}".replace(",", " ")


def spread(found):
    median, least, most = found
    return number(median) + (f" ({number(least)} – {number(most)})" if least != most else "")


def goal_rows(entries):
    for key, goal in goals.GOALS.items():
        for name, entry in entries.items():
            found = entry["ratios"].get(key) or entry["figures"].get(key)
            if found:
                verdict = "yes" if goals.met(goal, found[0]) else "**no**"
                yield f"| {goal.text} | {goal.bound} {goal.value:g} | {spread(found)} | {verdict} |"
                break
        else:
            yield f"| {goal.text} | {goal.bound} {goal.value:g} | – | not measured |"


GOALS_ARE = """Met or not, all that is aimed at. The capped rack's goodput is the steady one, over what its line
can carry of payload; each row stands again below, under its benchmark."""


def goal_table(entries):
    return ["## Goals", "", GOALS_ARE, "", "| what | goal | measured | met |", "| --- | --- | --- | --- |", *goal_rows(entries), ""]


def label(entry, key):
    if key in entry["labels"]:
        return entry["labels"][key]
    return goals.GOALS[key].text if key in goals.GOALS else key.replace("_", " ")


def section(name, entry):
    where = entry["circumstances"]
    lines = [f"## {name}", "",
             f"{where['date']}, commit {where['commit']}, runs: {entry['runs']}  ", f"`{where['command']}`  ",
             f"{where['machine']}; {where['system']}", "", "| what | median (least – most) |", "| --- | --- |"]
    for kind in ("ratios", "figures"):
        lines += [f"| {label(entry, key)} | {spread(found)} |" for key, found in entry[kind].items()]
    lines.append("")
    for note in entry["notes"]:
        lines += textwrap.wrap(f"- {note}", WIDTH, subsequent_indent="  ", break_long_words=False)
    lines += [""] if entry["notes"] else []
    for drawn in entry["plots"]:
        lines += [f"![{drawn['title']}](plots/{plot.file_name(name, drawn)})", ""]
    return lines


def write(folder, entries):
    lines = [HEAD, *goal_table(entries)]
    for name in sorted(entries):
        plot.draw_all(os.path.join(folder, "plots"), name, entries[name]["plots"])
        lines += section(name, entries[name])
    with open(os.path.join(folder, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip("\n") + "\n")
