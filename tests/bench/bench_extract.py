#!/usr/bin/python3
"""Extraction beside its peers: torchvision's frozen and eager networks, and oneDNN's bare ceiling on this CPU.

Usage: bench_extract.py VISE_EVAL SHARED [--rounds N] [--images N] [--only fp32,bf16,encoders,several] [--encoders NAME,...]
                        [--no-eager] [--memory [FEW,MANY]]

SHARED holds peers/, weights and data sets. Every round runs all sides one after the other on the same images with the
same weights; the first round warms up and is dropped. Medians and their ratios are printed. Whole: from the first
image opened to the last feature pooled, network built and warm on both sides; ours also writes its store. Forward: the
network alone (for ours: thread-seconds over the number of threads). The frozen peer runs with each of --workers and is
quoted with its best.

  fp32     three cases of data and network, beside the peers and the fp32 ceilings
  bf16     the same with --precision bf16, where the CPU has it: ratios to the bf16 ceiling and to the fp32 peer, how far
           features move, and what a probe on them scores in both precisions
  encoders today's encoders on bass, in fp32 and bf16: torchvision's with random weights (../shared/data/encoders makes them)
           beside torchvision, and the network alone beside the ceiling of its products
  several  three backbones in one run beside the same three in runs of their own
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

PYTHON = "/usr/bin/python3"  # Debian's, as the peer's own first line
CASES = [("omi300", "happy.csv", "resnet50"), ("bass", "valence.csv", "resnet50"), ("bass", "valence.csv", "resnet18")]


def run_json(command):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def cpu_flags():
    return next((l.split(":")[1].split() for l in open("/proc/cpuinfo") if l.startswith("flags")), [])


def describe_machine(o):
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown CPU")
    has = [name for name, flag in (("AVX2", "avx2"), ("AVX-512", "avx512f"), ("bf16", "avx512_bf16")) if flag in cpu_flags()]
    print(f"{model} ({platform.machine()}), {os.cpu_count()} cores, {' '.join(has) or 'no AVX2'}, load {os.getloadavg()[0]:.1f}; "
          f"{o.threads} threads, median of {o.rounds} after a warm-up round")
    if os.getloadavg()[0] > 0.5 * o.threads:
        print("the machine is not idle: ratios of interleaved rounds still mean something, rates don't")


def small_manifest(o, data, table, folder):
    """A manifest, or rows spread over it, beside links to its images."""
    source = os.path.abspath(os.path.join(o.shared, "data", "datasets", data))
    with open(os.path.join(source, table), newline="") as f:
        rows = list(csv.DictReader(f))
    rows = rows[::max(1, len(rows) // (o.images or len(rows)))][:o.images or None]
    for name in {row["path"].split("/")[0] for row in rows}:
        os.symlink(os.path.join(source, name), os.path.join(folder, name))
    path = os.path.join(folder, table)
    with open(path, "w", newline="") as f:
        # The official split may leave a few rows without a test part: a shortened table is split anew.
        writer = csv.DictWriter(f, ["path", "label"] if o.images else list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def weights_of(o, arch):
    return os.path.join(o.shared, "data", "weights", f"{arch}_imagenet_fp16.pth")


def extract(o, manifest, backbone, folder, more=()):
    """Our program over an empty cache: what it says of the run, its features below folder/out."""
    cache = os.path.join(folder, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    r = run_json([o.program, "extract", "--json", "--quiet", "--data", manifest, "--backbone", backbone, "--threads",
                  str(o.threads), "--cache", cache, "--out", os.path.join(folder, "out"), *more])
    return r["rows"], r["seconds"]


def ours(o, manifest, arch, folder, more=()):
    rows, s = extract(o, manifest, f"net={weights_of(o, arch)}", folder, more)
    return dict(whole=rows / s["wall"], forward=rows * o.threads / s["forward"], decode=s["decode"], transform=s["transform"])


def peer(o, manifest, arch, mode, workers):
    r = run_json([os.path.join(o.shared, "peers", "torchvision_extract.py"), "--weights", weights_of(o, arch), "--arch", arch,
                  "--manifest", manifest, "--mode", mode, "--workers", str(workers), "--threads", str(o.threads)])
    return dict(whole=r["images_per_s"], forward=r["forward_images_per_s"])


def ceiling(o, arch):
    environment = dict(os.environ, OMP_NUM_THREADS=str(o.threads))
    out = subprocess.run([o.ceiling, arch.removeprefix("resnet"), "8", "8"], check=True, capture_output=True, text=True,
                         env=environment)
    return {r["ceiling"]: r["images_per_s"] for r in map(json.loads, out.stdout.splitlines()) if "images_per_s" in r}


def interleaved(o, sides):
    """{side: function giving {what: value}} to {(side, what): median}; every round asks all sides in turn."""
    seen = {}
    for turn in range(o.rounds + 1):
        for side, measure in sides.items():
            for what, value in measure().items():
                seen.setdefault((side, what), []).append(value)
        if turn == 0:
            seen.clear()
    return {key: statistics.median(values) for key, values in seen.items()}


def best_whole(median, mode):
    return max((v for (side, what), v in median.items() if side.startswith(mode) and what == "whole"), default=None)


def print_medians(title, median):
    print(f"\n{title}")
    for (side, what), value in sorted(median.items()):
        print(f"  {side:24} {what:16} {value:8.2f}{' s' if what in ('decode', 'transform') else ' images/s'}")


def peer_sides(o, manifest, arch):
    if not o.has_torchvision:
        return {}
    sides = {f"frozen, {w} workers": lambda w=w: peer(o, manifest, arch, "frozen", w) for w in o.workers}
    if o.eager:
        sides["eager"] = lambda: peer(o, manifest, arch, "eager", 0)
    return sides


def bench_fp32(o):
    for data, table, arch in o.cases:
        with tempfile.TemporaryDirectory() as folder:
            manifest = small_manifest(o, data, table, folder)
            median = interleaved(o, {"ours": lambda: ours(o, manifest, arch, folder), **peer_sides(o, manifest, arch),
                                     "ceiling": lambda: ceiling(o, arch)})
        print_medians(f"fp32: {data} {arch}", median)
        for mode in ("frozen", "eager"):
            if whole := best_whole(median, mode):
                print(f"  whole run ratio to {mode}: {median['ours', 'whole'] / whole:.2f}")
        ceilings = {what: v for (side, what), v in median.items() if side == "ceiling" and what.startswith("fp32")}
        name = max(ceilings, key=ceilings.get)
        print(f"  forward ratio to ceiling ({name}): {median['ours', 'forward'] / ceilings[name]:.2f}")
        if "avx512f" not in cpu_flags():
            print("  oneDNN's Winograd needs AVX-512: both ceilings are of its direct convolutions, which our own Winograd may pass")


def relative_error(one, other):
    import numpy as np
    a, b = (np.load(os.path.join(folder, "features.npy")).astype(np.float64) for folder in (one, other))
    return float(np.max(np.linalg.norm(a - b, axis=1) / np.linalg.norm(b, axis=1)))


def probe_score(o, manifest, arch, folder, precision):
    """(metric, test score) of logistic regression, or ridge for numbers, on features of this precision."""
    out = os.path.join(folder, f"run-{precision}")
    subprocess.run([o.program, "run", "--quiet", "--data", manifest, "--backbone", f"net={weights_of(o, arch)}",
                    "--precision", precision, "--threads", str(o.threads), "--cache", os.path.join(folder, "cache-run"),
                    "--out", out], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(out, "results.jsonl")) as f:
        result = json.loads(f.readlines()[-1])
    return result["primary_metric"], result["metrics"][result["primary_metric"]]


def bench_bf16(o):
    if "avx512_bf16" not in cpu_flags():
        return print("\nbf16: not measured, this CPU has no bf16 instructions (AVX-512 BF16)")
    for data, table, arch in o.cases:
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as exact:
            manifest = small_manifest(o, data, table, folder)
            median = interleaved(o, {"ours": lambda: ours(o, manifest, arch, folder, ["--precision", "bf16"]),
                                     **peer_sides(o, manifest, arch), "ceiling": lambda: ceiling(o, arch)})
            ours(o, manifest, arch, exact)
            error = relative_error(os.path.join(folder, "out"), os.path.join(exact, "out"))
            scores = [probe_score(o, manifest, arch, folder, precision) for precision in ("fp32", "bf16")]
        print_medians(f"bf16: {data} {arch}", median)
        if whole := best_whole(median, "frozen"):
            print(f"  whole run ratio to frozen fp32: {median['ours', 'whole'] / whole:.2f}")
        ceilings = [v for (side, what), v in median.items() if side == "ceiling" and what.startswith("bf16")]
        print(f"  forward ratio to bf16 ceiling: {median['ours', 'forward'] / max(ceilings):.2f}")
        print(f"  largest relative error of a feature row: {error:.1e}")
        print(f"  probe's {scores[0][0]} on test: fp32 {scores[0][1]:.4f}, bf16 {scores[1][1]:.4f}")


def together(o, manifest, folder, backbones):
    """Thread-seconds of one run of all these backbones: a run whose probe is the majority class extracts and little else."""
    cache = os.path.join(folder, "cache")
    for name in ("cache", "run"):
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    subprocess.run([o.program, "run", "--quiet", "--data", manifest, *(word for b in backbones for word in ("--backbone", b)),
                    "--probe", "majority", "--threads", str(o.threads), "--cache", cache, "--out", os.path.join(folder, "run")],
                   check=True, stdout=subprocess.DEVNULL)
    stores = os.path.join(cache, "features")
    wall = []
    for key in os.listdir(stores):
        with open(os.path.join(stores, key, "features.json")) as f:
            wall.append(json.load(f)["seconds"]["wall"])
    return dict(seconds=max(wall) * o.threads)


def alone(o, manifest, folder, backbone):
    _, s = extract(o, manifest, backbone, folder)
    return dict(forward=s["forward"], pixels=s["read"] + s["decode"] + s["transform"])


def bench_several(o):
    data, table, _ = o.cases[0]
    backbones = [f"r50={weights_of(o, 'resnet50')}", f"r18={weights_of(o, 'resnet18')}", "random"]
    with tempfile.TemporaryDirectory() as folder:
        manifest = small_manifest(o, data, table, folder)
        sides = {b.split("=")[0]: lambda b=b: alone(o, manifest, folder, b) for b in backbones}
        median = interleaved(o, {**sides, "together": lambda: together(o, manifest, folder, backbones)})
    print(f"\nseveral: three backbones on {data}, thread-seconds")
    for (side, what), value in median.items():
        print(f"  {side:24} {what:16} {value:8.2f} s")
    forward = sum(v for (_, what), v in median.items() if what == "forward")
    pixels = min(v for (_, what), v in median.items() if what == "pixels")
    print(f"  one run of three, ratio to their forward passes and one decoding: {median['together', 'seconds'] / (forward + pixels):.2f}")


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
    cases = [("colour-histogram", (1000, 20000)), (f"net={weights}/resnet18_imagenet_fp16.pth", o.memory or (200, 2000)),
             (f"net={weights}/resnet50_imagenet_fp16.pth", o.memory or (100, 500))]
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


def build_ceiling(o, folder):
    o.ceiling = os.path.join(folder, "ceiling")
    subprocess.run(["g++", "-O2", "-std=c++17", os.path.join(o.shared, "peers", "onednn_ceiling.cc"), "-ldnnl", "-o", o.ceiling],
                   check=True)


# Case of make_encoders.py, its file, our registry's name, torchvision's (none: no peer) and the ceiling's (none: unknown).
ENCODERS = [("torchvision_vit_b16", "vit_b_16-c867db91.pth", "vit-b16", "vit_b_16", "vit_b16"),
            ("dinov2_s14", "dinov2_vits14_pretrain.pth", "dinov2-vit-s14", None, "vit_s14"),
            ("torchvision_convnext_t", "convnext_tiny-983f1562.pth", "convnext-t", "convnext_tiny", "convnext_t"),
            ("torchvision_swin_t", "swin_t-704ceda3.pth", "swin-t", "swin_t", None)]


def encoder_peer(o, manifest, weights, arch, mode, workers):
    r = run_json([os.path.join(o.shared, "peers", "torchvision_extract.py"), "--weights", weights, "--arch", arch,
                  "--manifest", manifest, "--mode", mode, "--workers", str(workers), "--threads", str(o.threads)])
    return dict(whole=r["images_per_s"], forward=r["forward_images_per_s"])


def encoder_ours(o, manifest, backbone, folder, precision):
    rows, s = extract(o, manifest, backbone, folder, ["--precision", precision])
    return dict(whole=rows / s["wall"], forward=rows * o.threads / s["forward"])


def encoder_ceiling(o, arch):
    out = subprocess.run([o.ceiling, arch, "4", "5"], check=True, capture_output=True, text=True,
                         env=dict(os.environ, OMP_NUM_THREADS=str(o.threads))).stdout
    return {r["ceiling"].split()[0]: r["images_per_s"] for r in map(json.loads, out.splitlines()) if "images_per_s" in r}


def bench_encoders(o):
    precisions = ["fp32"] + (["bf16"] if "avx512_bf16" in cpu_flags() else [])
    for case, file, name, torchvision, ceiling_name in ENCODERS:
        if name not in o.encoders:
            continue
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([PYTHON, os.path.join(o.shared, "data", "encoders", "make_encoders.py"), folder, case], check=True,
                           stdout=subprocess.DEVNULL)
            weights = os.path.join(folder, file)
            manifest = small_manifest(o, "bass", "valence.csv", folder)
            sides = {f"ours {p}": lambda p=p: encoder_ours(o, manifest, f"{name}={weights}", folder, p) for p in precisions}
            if torchvision and o.has_torchvision:
                for workers in o.workers:
                    sides[f"frozen, {workers} workers"] = lambda w=workers: encoder_peer(o, manifest, weights, torchvision, "frozen", w)
                if o.eager:
                    sides["eager"] = lambda: encoder_peer(o, manifest, weights, torchvision, "eager", 0)
            if ceiling_name:
                sides["ceiling"] = lambda: encoder_ceiling(o, ceiling_name)
            median = interleaved(o, sides)
        print_medians(f"encoders: bass {name}", median)
        peers = [best_whole(median, mode) for mode in ("frozen", "eager") if best_whole(median, mode)]
        for p in precisions:
            if peers:
                print(f"  {p}: whole run ratio to the best torchvision: {median[f'ours {p}', 'whole'] / max(peers):.2f}")
            if ("ceiling", p) in median:
                print(f"  {p}: forward ratio to the ceiling: {median[f'ours {p}', 'forward'] / median['ceiling', p]:.2f}")


KINDS = {"fp32": bench_fp32, "bf16": bench_bf16, "encoders": bench_encoders, "several": bench_several}


def names_of(choices, text):
    chosen = text.split(",")
    if not set(chosen) <= set(choices):
        raise argparse.ArgumentTypeError(f"of {', '.join(choices)}")
    return chosen


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("program")
    p.add_argument("shared")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--images", type=int, default=0, help="so many of each data set [all]")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--workers", type=lambda t: [int(x) for x in t.split(",")], default=[0, 1, 2])
    p.add_argument("--only", type=lambda t: names_of(KINDS, t), default=list(KINDS))
    p.add_argument("--no-eager", dest="eager", action="store_false")
    p.add_argument("--memory", nargs="?", const=(), type=lambda t: tuple(int(x) for x in t.split(",")), metavar="FEW,MANY",
                   help="peak memory instead, of so many images [minutes: a few hundred]; 1000,20000 takes half an hour")
    names = [e[2] for e in ENCODERS]
    p.add_argument("--encoders", type=lambda t: names_of(names, t), default=names, help="some of " + ", ".join(names))
    p.add_argument("--case", type=int, choices=range(len(CASES)), help="one of " + ", ".join(f"{c[0]} {c[2]}" for c in CASES))
    o = p.parse_args()
    o.cases = CASES if o.case is None else [CASES[o.case]]
    describe_machine(o)
    if o.memory is not None:
        print("peak resident memory, fp32")
        return peak_memory(o)
    o.has_torchvision = subprocess.run([PYTHON, "-c", "import torch, torchvision"], stderr=subprocess.DEVNULL).returncode == 0
    if not o.has_torchvision:
        print("peers: not measured, python3-torch and python3-torchvision are not installed")
    with tempfile.TemporaryDirectory() as build:
        build_ceiling(o, build)
        for kind in o.only:
            KINDS[kind](o)


if __name__ == "__main__":
    sys.exit(main())
