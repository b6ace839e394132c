# SPDX-License-Identifier: BSD-3-Clause
"""RESULTS.md from what is stored of each benchmark."""
import os

import goals
import plot

HEAD = """# Results

Written by `tools/bench/bench`, from `results.json`; change neither by hand. Medians over the runs of one call, and in
brackets the least and the most. HACKING.md says how to run it and how to add a benchmark.
"""


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
                verdict = "met" if goals.met(goal, found[0]) else "**not met**"
                yield f"| {goal.text} | {goal.bound} {goal.value:g} | {spread(found)} | {verdict} | [{name}](#{name}) |"
                break
        else:
            yield f"| {goal.text} | {goal.bound} {goal.value:g} | – | not measured | |"


def goal_table(entries):
    return ["## Goals", "", "| what | goal | measured | | |", "| --- | --- | --- | --- | --- |", *goal_rows(entries), ""]


def label(entry, key):
    if key in entry["labels"]:
        return entry["labels"][key]
    return goals.GOALS[key].text if key in goals.GOALS else key.replace("_", " ")


def section(name, entry):
    where = entry["circumstances"]
    lines = [f"## {name}", "",
             f"{where['date']}, commit {where['commit']}, `{where['command']}`, runs: {entry['runs']}.  ",
             f"{where['machine']}; {where['system']}", "", "| key | what | median (least – most) |", "| --- | --- | --- |"]
    for kind in ("ratios", "figures"):
        lines += [f"| `{key}` | {label(entry, key)} | {spread(found)} |" for key, found in entry[kind].items()]
    lines.append("")
    lines += [f"- {note}" for note in entry["notes"]] + ([""] if entry["notes"] else [])
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
