#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""wiremill-plot: what gnuplot is told of a result, and what a person is told of what is
missing. Draws nothing. usage: plot_test.py PROGRAM"""
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import traceback

PROGRAM = sys.argv[1]

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("wiremill_plot", PROGRAM)
plot = importlib.util.module_from_spec(importlib.util.spec_from_loader("wiremill_plot", loader))
loader.exec_module(plot)


def way(frames, size):
    return {"frames": frames, "bytes": frames * size, "frames_per_s": frames / 2,
            "bits_per_s": frames * (size + 20) * 8 / 2}


def row(test, size, size_bytes, received=True, latency=None, histogram=None, scope="total"):
    return {"test": test, "size": size, "frame_bytes": float(size_bytes), "scope": scope,
            "sent": way(20000, size_bytes), "received": way(20000, size_bytes) if received else None,
            "latency_ns": latency, "histogram": histogram}


def latency(base):
    return {"count": 20000, "p50": base, "p99": 2 * base, "p99.99": 3 * base, "max": 4 * base}


HISTOGRAM = [[20479, 10000], [40959, 9000], [81919, 999], [163839, 1]]


def result(rows):
    return {"format": "wiremill-gen-result", "results": rows}


def sample(scope="total"):
    return result([row("transmit", "64", 64, received=False, scope=scope),
                   row("echo", "64", 64, latency=latency(20000), histogram=HISTOGRAM, scope=scope),
                   row("echo", "1518", 1518, latency=latency(30000), histogram=HISTOGRAM, scope=scope),
                   row("echo", "imix", 362, latency=latency(25000), histogram=HISTOGRAM, scope=scope)])


def script_of(name, of=None):
    plots = {drawn["name"]: drawn for drawn in plot.plots_of(of or sample())}
    return plot.script("picture.svg", plots[name])


def run(text, prefix="/nowhere/x", path=None, arguments=()):
    """exit status and stderr, with programs only in that folder."""
    done = subprocess.run([sys.executable, "-B", PROGRAM, *arguments, "-", prefix], input=text, text=True,
                          capture_output=True, env=os.environ | ({} if path is None else {"PATH": path}), check=False)
    return done.returncode, done.stderr


def has(text, *parts):
    for part in parts:
        assert part in text, f"no {part!r} in\n{text}"


def an_empty_result_has_nothing_to_draw():
    assert plot.plots_of(result([])) == []
    status, said = run(json.dumps(result([])))
    assert status == 0 and said == "wiremill-plot: -: nothing to draw\n", said


def rows_of_nodes_are_left_out():
    assert plot.plots_of(sample(scope="node")) == []


def rates_have_a_point_for_each_size_of_a_test():
    script = script_of("rate")
    has(script, 'title "transmit: frames/s"', '"echo: frames/s"', '"echo: bit/s"',
        "\n64 10\n362 10\n1518 10\ne\n", "\n64 0.00672\n362 0.03056\n1518 0.12304\ne\n")
    # Bits are of the right-hand side.
    assert script.count("axes x1y2") == 2 and script.count("\ne\n") == 4


def rows_of_one_size_are_drawn_as_their_mean():
    rows = [row("echo", "64", 64, latency=latency(base)) for base in (10000, 30000)]
    has(script_of("latency", result(rows)), "\n64 20\ne\n", "\n64 80\ne\n")


def latencies_leave_out_what_measured_none():
    script = script_of("latency")
    assert "transmit" not in script
    has(script, '"echo: p50"', '"echo: p99"', '"echo: p99.99"', '"echo: max"', "set logscale y", "set xrange [0:*]",
        "\n64 60\n362 75\n1518 90\ne\n")


def a_distribution_begins_with_every_frame():
    script = script_of("distribution")
    has(script, 'with steps title "echo imix"', "\n1 20.479\n0.5 40.959\n0.05 81.919\n5e-05 163.839\ne\n",
        "set xrange [1:2.5e-05]", '"0 %%" 1, "90 %%" 0.1, "99 %%" 0.01, "99.9 %%" 0.001')
    assert "transmit" not in script


def a_quote_in_a_name_does_not_end_it():
    has(plot.script('a"b\\.svg', plot.plots_of(sample())[0]), 'set output "a\\"b\\\\.svg"\n')


def a_list_of_plots_is_drawn_as_it_says():
    drawn = {"name": "n", "title": "T", "x": "rows", "y": "GB/s", "log_x": True,
             "series": [{"title": "one", "points": [[1, 2], [2, 4.5]]}]}
    script = plot.script("n.svg", drawn)
    has(script, 'set title "T"', "set yrange [0:*]", "set logscale x",
        '\'-\' with linespoints pointsize 0.4 title "one"\n1 2\n2 4.5\ne\n')
    assert "y2" not in script and "steps" not in script


def the_script_stays_where_it_is_wanted():
    with tempfile.TemporaryDirectory() as folder:
        # No gnuplot there: what it would have been given is.
        run(json.dumps(sample()), os.path.join(folder, "x"), path="/nowhere", arguments=["--script"])
        assert os.listdir(folder) == ["x-rate.gp"]
        with open(os.path.join(folder, "x-rate.gp"), encoding="utf-8") as file:
            has(file.read(), f'set output "{folder}/x-rate.svg"')


def a_place_that_is_not_there_is_named():
    status, said = run(json.dumps(sample()), arguments=["--script"])
    assert status == 1 and said.startswith("wiremill-plot: /nowhere/x-rate.gp: "), said


def a_machine_without_gnuplot_is_told_what_to_install():
    with tempfile.TemporaryDirectory() as folder:
        status, said = run(json.dumps(sample()), os.path.join(folder, "x"), path=folder)
        assert status == 1 and said == "wiremill-plot: gnuplot is not here: install gnuplot-nox\n", said


def what_is_no_result_is_refused():
    for text, words in (("hello", "-: no JSON: "), ("", "-: no JSON: "), ("{}", "-: no result of wiremill-gen"),
                        ("7", "-: no result of wiremill-gen"), ('{"format": "wiremill-gen-result"}', "-: it is not whole"),
                        ('[{"name": "a"}]', "-: it is not whole"), ("[1]", "-: it is not whole")):
        status, said = run(text)
        assert status == 1 and said.startswith("wiremill-plot: " + words) and said.count("\n") == 1, said


TESTS = [an_empty_result_has_nothing_to_draw, rows_of_nodes_are_left_out,
         rates_have_a_point_for_each_size_of_a_test, rows_of_one_size_are_drawn_as_their_mean,
         latencies_leave_out_what_measured_none, a_distribution_begins_with_every_frame,
         a_quote_in_a_name_does_not_end_it, a_list_of_plots_is_drawn_as_it_says,
         the_script_stays_where_it_is_wanted, a_place_that_is_not_there_is_named,
         a_machine_without_gnuplot_is_told_what_to_install, what_is_no_result_is_refused]


def passes(number, test):
    try:
        test()
    except Exception:  # pylint: disable=broad-except
        print(f"not ok {number} - plot: {test.__name__}")
        print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="")
        return False
    print(f"ok {number} - plot: {test.__name__}")
    return True


outcomes = [passes(number, test) for number, test in enumerate(TESTS, 1)]
print(f"1..{len(TESTS)}")
sys.exit(not all(outcomes))
