# SPDX-License-Identifier: BSD-3-Clause
"""The plots of a benchmark, drawn by tools/plot/wiremill-plot, which says what a plot is."""
import glob
import json
import os
import subprocess

PROGRAM = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../plot/wiremill-plot")


def file_name(bench, plot):
    return f"{bench}-{plot['name']}.svg"


def draw_all(folder, bench, plots):
    """Replaces the files of this benchmark."""
    os.makedirs(folder, exist_ok=True)
    for path in glob.glob(os.path.join(folder, f"{bench}-*.svg")):
        os.remove(path)
    if plots:
        subprocess.run([PROGRAM, "-", os.path.join(folder, bench)], input=json.dumps(plots), text=True,
                       stdout=subprocess.DEVNULL, check=True)
