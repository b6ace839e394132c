# SPDX-License-Identifier: BSD-3-Clause
"""Plots as SVG, by gnuplot. A plot is

    {"name", "title", "x": axis, "y": axis, "log_x": bool (optional),
     "series": [{"title", "points": [[x, y], ...]}, ...]}
"""
import glob
import os
import subprocess


def file_name(bench, plot):
    return f"{bench}-{plot['name']}.svg"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def script(path, plot):
    lines = ["set terminal svg size 720,400 noenhanced background rgb 'white'", f"set output {quoted(path)}",
             f"set title {quoted(plot['title'])}", f"set xlabel {quoted(plot['x'])}",
             f"set ylabel {quoted(plot['y'])}", "set yrange [0:*]", "set grid", "set key outside below"]
    if plot.get("log_x"):
        lines.append("set logscale x")
    drawn = [f"'-' with linespoints pointsize 0.4 title {quoted(series['title'])}" for series in plot["series"]]
    lines.append("plot " + ", ".join(drawn))
    for series in plot["series"]:
        lines += [f"{x} {y}" for x, y in series["points"]] + ["e"]
    return "\n".join(lines) + "\n"


def draw_all(folder, bench, plots):
    """Replaces the files of this benchmark."""
    os.makedirs(folder, exist_ok=True)
    for path in glob.glob(os.path.join(folder, f"{bench}-*.svg")):
        os.remove(path)
    for plot in plots:
        path = os.path.join(folder, file_name(bench, plot))
        subprocess.run(["gnuplot"], input=script(path, plot), text=True, check=True)
