# SPDX-License-Identifier: BSD-3-Clause
"""What a benchmark prints, and what is kept of it.

A benchmark prints one JSON object as its last line on stdout:

    name      its own
    ratios    {key: number}  what has a goal or compares two sides (lib/goals.py)
    figures   {key: number}  the rest
    labels    {key: text}    optional: what a key means, with its unit
    notes     [text]         optional: how it was measured, what limits it
    plots     [plot]         optional, see tools/plot/wiremill-plot

Numbers are plain and finite. No two benchmarks have the same key, since --json puts
them all together. Exit status 0; 77: this machine lacks something, said in one line
on stderr; else failed, likewise.
"""
import json
import math
import os
import statistics

NUMBERS = ("ratios", "figures")


def check(result, name):
    """The object if it is one, else ValueError with what is wrong."""
    if not isinstance(result, dict) or result.get("name") != name:
        raise ValueError(f"it is not an object of name '{name}'")
    for kind in NUMBERS:
        for key, value in result.get(kind, {}).items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise ValueError(f"{kind}.{key} is {value!r}, not a finite number")
    return {"labels": {}, "notes": [], "plots": [], "ratios": {}, "figures": {}} | result


def spread(runs, kind):
    """{key: [median, least, most]} over the runs of a benchmark."""
    keys = dict.fromkeys(key for run in runs for key in run[kind])
    values = {key: [run[kind][key] for run in runs if key in run[kind]] for key in keys}
    return {key: [statistics.median(found), min(found), max(found)] for key, found in values.items()}


def merge_plots(runs):
    """The plots of all runs as one each: the median where several have the same x."""
    merged = {}
    for plot in (plot for run in runs for plot in run["plots"]):
        kept = merged.setdefault(plot["name"], plot | {"series": {}})
        for series in plot["series"]:
            points = kept["series"].setdefault(series["title"], {})
            for x, y in series["points"]:
                points.setdefault(x, []).append(y)
    return [plot | {"series": [{"title": title, "points": [[x, statistics.median(points[x])] for x in points]}
                               for title, points in plot["series"].items()]}
            for plot in merged.values()]


def summarise(runs):
    last = runs[-1]
    return {kind: spread(runs, kind) for kind in NUMBERS} | {
        "runs": len(runs), "labels": last["labels"], "notes": last["notes"], "plots": merge_plots(runs)}


def write_json(path, measured):
    """Medians only: {"ratios": {key: number}, "figures": {key: number}}."""
    medians = {kind: {key: found[0] for entry in measured.values() for key, found in entry[kind].items()}
               for kind in NUMBERS}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(medians, file, indent=1)
        file.write("\n")


class Store:
    """results.json: the latest of each benchmark. RESULTS.md is made of it."""

    def __init__(self, path):
        self.path = path
        self.entries = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                self.entries = json.load(file)

    def replace(self, measured, circumstances):
        for name, entry in measured.items():
            self.entries[name] = entry | {"circumstances": circumstances}
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(self.entries, file, indent=1, sort_keys=True)
            file.write("\n")
