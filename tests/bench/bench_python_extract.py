#!/usr/bin/python3
"""bench_python_extract PROGRAM SHARED [BACKBONE [ROUNDS]]: extraction from Python beside the program's, on omi300 into new caches.

Each side is a process of its own, start and end included, in turns; CPU seconds (for a busy machine) and seconds, medians.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

CALL = "import sys, vise_eval as ve; ve.extract(sys.argv[1], sys.argv[2], cache=sys.argv[3])"


def measured(command):
    begin, before = time.perf_counter(), os.times()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, time.perf_counter() - begin


def main():
    program, shared = sys.argv[1:3]
    backbone, rounds = (sys.argv[3:4] or ["random-resnet18"])[0], int((sys.argv[4:5] or ["5"])[0])
    data = f"{shared}/data/datasets/omi300/happy.csv"
    sides = {"program": [], "python": []}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(rounds + 1):
            cache, out = f"{folder}/{i}", f"{folder}/{i}-out"
            extract = [program, "extract", "--data", data, "--backbone", backbone, "--quiet"]
            said = {
                "program": measured([*extract, "--cache", f"{cache}-program", "--out", out]),
                "python": measured([sys.executable, "-c", CALL, data, backbone, f"{cache}-python"]),
            }
            if i > 0:  # the first warms the disk
                for side, pair in said.items():
                    sides[side].append(pair)
    for unit, place in (("CPU s", 0), ("s", 1)):
        medians = {side: statistics.median(pair[place] for pair in pairs) for side, pairs in sides.items()}
        ratio = statistics.median(b[place] / a[place] for a, b in zip(sides["program"], sides["python"]))
        print(f"{backbone}: program {medians['program']:.2f} {unit}, Python {medians['python']:.2f} {unit}; ratio {ratio:.3f} (bar 1.03)")


main()
