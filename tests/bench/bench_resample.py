#!/usr/bin/python3
"""Our decoding, resizing and normalising beside Pillow's and torchvision's, on one core, interleaved.

Usage: bench_resample.py BENCH_RESAMPLE IMAGE_DIR [--images N] [--rounds N] [--transform imagenet|clip]

BENCH_RESAMPLE is the program of that name. Both sides read the same files in the same order; each round runs one after
the other on the same core; the table shows medians over the rounds, in ms an image, and Pillow's time over ours.
"resize" is the resampling alone, of the whole picture; "resize+crop" is what a network's input needs.
"""
import argparse
import io
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time

import PIL
import torch
import torchvision
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode as M

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PRESETS = {"imagenet": (256, M.BILINEAR), "clip": (224, M.BICUBIC)}


def pillow_pass(files, edge, how):
    resize, crop = T.Resize(edge, how), T.CenterCrop(224)
    finish = T.Compose([T.ToTensor(), T.Normalize(MEAN, STD)])
    took = dict.fromkeys(("decode", "resize", "resize+crop", "normalise"), 0.0)
    for data in files:
        t0 = time.perf_counter()
        image = Image.open(io.BytesIO(data)).convert("RGB")
        t1 = time.perf_counter()
        small = resize(image)
        t2 = time.perf_counter()
        small = crop(small)
        t3 = time.perf_counter()
        finish(small)
        t4 = time.perf_counter()
        for key, t in (("decode", t1 - t0), ("resize", t2 - t1), ("resize+crop", t3 - t1), ("normalise", t4 - t3)):
            took[key] += t
    return {k: v * 1000 / len(files) for k, v in took.items()}


def our_pass(program, transform, paths):
    line = json.loads(subprocess.run([program, transform] + paths, check=True, capture_output=True).stdout)
    ms = 1000 / line["images"]
    return {"decode": line["decode"] * ms, "resize": line["resize"] * ms, "resize+crop": line["window"] * ms,
            "normalise": line["normalise"] * ms}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("folder")
    p.add_argument("--images", type=int, default=60)
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--transform", choices=sorted(PRESETS), default="imagenet")
    a = p.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    paths = sorted(os.path.join(d, f) for d, _, fs in os.walk(a.folder) for f in fs
                   if f.lower().endswith((".jpg", ".jpeg", ".png")))
    if not paths:
        sys.exit("no images below " + a.folder)
    random.Random(0).shuffle(paths)
    paths = paths[:a.images]
    files = [open(f, "rb").read() for f in paths]
    ours, theirs = [], []
    for i in range(a.rounds + 1):  # the first round warms up
        ours.append(our_pass(a.program, a.transform, paths))
        theirs.append(pillow_pass(files, *PRESETS[a.transform]))
    print("%s | %d images of %s, %s, one core, median of %d rounds | Pillow %s, torch %s, torchvision %s" % (
        platform.processor() or platform.machine(), len(paths), os.path.basename(os.path.normpath(a.folder)),
        a.transform, a.rounds, PIL.__version__, torch.__version__, torchvision.__version__))
    print("%-14s %10s %10s %8s" % ("ms an image", "ours", "Pillow", "ratio"))
    for side in (ours, theirs):
        for row in side:
            row["all"] = row["decode"] + row["resize+crop"] + row["normalise"]
    for key in ("decode", "resize", "resize+crop", "normalise", "all"):
        mine = statistics.median(r[key] for r in ours[1:])
        other = statistics.median(r[key] for r in theirs[1:])
        print("%-14s %10.3f %10.3f %8.2f" % (key, mine, other, other / mine))


main()
