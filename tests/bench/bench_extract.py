#!/usr/bin/python3
"""Extraction beside its peers: torchvision's frozen and eager networks, and oneDNN's bare ceiling on this CPU.

Usage: bench_extract.py VISE_EVAL SHARED [--rounds N] [--images N] [--eager] [--memory]

SHARED holds peers/, weights and data sets. Every round runs all sides one after the other on the same images with the
same weights; the first round warms up and is dropped. Medians and their ratios are printed. Whole: from the first
image opened to the last feature pooled, network built and warm on both sides; ours also writes its store. Forward: the
network alone (for ours: thread-seconds over the number of threads). The frozen peer runs with each of --workers and is
quoted with its best.
"""
import argparse
import csv
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

CASES = [("omi300", "happy.csv", "resnet50"), ("bass", "valence.csv", "resnet50"), ("bass", "valence.csv", "resnet18")]


def run_json(command):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def small_manifest(shared, data, table, images, folder):
    """The first rows of a manifest beside links to its images."""
    source = os.path.abspath(os.path.join(shared, "data", "datasets", data))
    with open(os.path.join(source, table), newline="") as f:
        rows = list(csv.DictReader(f))[:images or None]
    for name in {row["path"].split("/")[0] for row in rows}:
        os.symlink(os.path.join(source, name), os.path.join(folder, name))
    path = os.path.join(folder, table)
    with open(path, "w", newline="") as f:
        writer = csv.DictWriter(f, ["path", "label"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def ours(program, manifest, weights, threads, folder, more=()):
    cache = os.path.join(folder, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    r = run_json([program, "extract", "--json", "--data", manifest, "--backbone", f"net={weights}", "--threads",
                  str(threads), "--cache", cache, "--out", os.path.join(folder, "out"), *more])
    s = r["seconds"]
    return dict(whole=r["rows"] / s["wall"], forward=r["rows"] * threads / s["forward"],
                decode=s["decode"], transform=s["transform"])


def peer(shared, manifest, weights, arch, mode, workers, threads):
    r = run_json([os.path.join(shared, "peers", "torchvision_extract.py"), "--weights", weights, "--arch", arch,
                  "--manifest", manifest, "--mode", mode, "--workers", str(workers), "--threads", str(threads)])
    return dict(whole=r["images_per_s"], forward=r["forward_images_per_s"])


def ceiling(binary, arch):
    out = subprocess.run([binary, arch.removeprefix("resnet"), "8", "8"], check=True, capture_output=True, text=True)
    return {r["ceiling"]: r["images_per_s"] for r in map(json.loads, out.stdout.splitlines()) if "images_per_s" in r}


def bench(o, data, table, arch, binary):
    weights = os.path.join(o.shared, "data", "weights", f"{arch}_imagenet_fp16.pth")
    sides = {}

    def note(side, values):
        for key, value in values.items():
            sides.setdefault((side, key), []).append(value)

    with tempfile.TemporaryDirectory() as folder:
        manifest = small_manifest(o.shared, data, table, o.images, folder)
        for turn in range(o.rounds + 1):
            note("ours", ours(o.program, manifest, weights, o.threads, folder))
            for workers in o.workers:
                note(f"frozen, {workers} workers", peer(o.shared, manifest, weights, arch, "frozen", workers, o.threads))
            if o.eager:
                note("eager", peer(o.shared, manifest, weights, arch, "eager", 0, o.threads))
            for name, rate in ceiling(binary, arch).items():
                note(f"ceiling {name}", dict(forward=rate))
            if turn == 0:
                sides.clear()
    median = {key: statistics.median(values) for key, values in sides.items()}
    print(f"\n{data} {arch}, {o.threads} threads, median of {o.rounds}")
    for (side, what), value in sorted(median.items()):
        print(f"  {side:24} {what:10} {value:8.2f}{'' if what in ('decode', 'transform') else ' images/s'}")
    frozen = max(v for (side, what), v in median.items() if side.startswith("frozen") and what == "whole")
    best = max(v for (side, _), v in median.items() if side.startswith("ceiling fp32"))
    print(f"  whole run ratio to frozen: {median['ours', 'whole'] / frozen:.2f}")
    if o.eager:
        print(f"  whole run ratio to eager: {median['ours', 'whole'] / median['eager', 'whole']:.2f}")
    print(f"  forward ratio to ceiling: {median['ours', 'forward'] / best:.2f}")


def drawn_folder(folder, images, side=64):
    """A folder of `images` binary PPMs of noise in two class folders."""
    for i in range(images):
        path = os.path.join(folder, "images", "ab"[i % 2])
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, f"{i:06}.ppm"), "wb") as f:
            f.write(b"P6\n%d %d\n255\n" % (side, side) + random.Random(i).randbytes(side * side * 3))
    return os.path.join(folder, "images")


def resident_mb(command):
    """Peak resident memory of a program, in MB."""
    child = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{command} failed")
    return usage.ru_maxrss / 1024


def peak_memory(o):
    """Resident memory of extractions over few and over many images."""
    weights = os.path.join(o.shared, "data", "weights")
    cases = [("colour-histogram", (1000, 20000)), (f"net={weights}/resnet18_imagenet_fp16.pth", (200, 2000)),
             (f"net={weights}/resnet50_imagenet_fp16.pth", (100, 500))]
    for backbone, counts in cases:
        peaks = []
        for images in counts:
            with tempfile.TemporaryDirectory() as folder:
                peaks.append(resident_mb([o.program, "extract", "--data", drawn_folder(folder, images), "--backbone",
                                          backbone, "--threads", str(o.threads), "--cache", os.path.join(folder, "cache"),
                                          "--out", os.path.join(folder, "out"), "--quiet"]))
        name = os.path.basename(backbone).split("_")[0]
        print(f"  {name:18} {counts[0]:6} images {peaks[0]:6.1f} MB, {counts[1]:6} images {peaks[1]:6.1f} MB: "
              f"{100 * (peaks[1] / peaks[0] - 1):+.1f} %, {1024 * (peaks[1] - peaks[0]) / (counts[1] - counts[0]):.2f} kB an image",
              flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("program")
    p.add_argument("shared")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--images", type=int, default=0)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--workers", type=lambda t: [int(x) for x in t.split(",")], default=[0, 1, 2])
    p.add_argument("--eager", action="store_true")
    p.add_argument("--memory", action="store_true")
    p.add_argument("--case", type=int, choices=range(len(CASES)))
    o = p.parse_args()
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    print(f"{cpu}, {os.cpu_count()} cores")
    if o.memory:
        print("peak resident memory, fp32")
        return peak_memory(o)
    with tempfile.TemporaryDirectory() as build:
        binary = os.path.join(build, "ceiling")
        subprocess.run(["g++", "-O2", "-std=c++17", os.path.join(o.shared, "peers", "onednn_ceiling.cc"), "-ldnnl", "-o",
                        binary], check=True)
        for i, case in enumerate(CASES):
            if o.case in (None, i):
                bench(o, *case, binary)


if __name__ == "__main__":
    sys.exit(main())
