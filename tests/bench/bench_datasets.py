#!/usr/bin/python3
"""Reading data sets of a million items: a CSV manifest, a tree of files, and Politics with its official pickle.

Usage: bench_datasets.py BENCH_DATASETS [--items N] [--rounds N]

The files are made here, below TMPDIR; images are empty, as nothing opens them. The tree is listed by `find` beside us,
interleaved; both begin with a warm directory cache. Medians.
"""
import argparse
import json
import os
import pickle
import statistics
import subprocess
import tempfile
import time


def ours(program, *arguments):
    return json.loads(subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout)


def seconds_of_find(folder):
    begin = time.monotonic()
    subprocess.run(["find", folder, "-type", "f"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def report(what, rounds, beside=None):
    median = statistics.median(r["seconds"] for r in rounds)
    line = f"{what}: {rounds[0]['items']} items in {median:.2f} s, {max(r['peak_mb'] for r in rounds)} MB"
    if beside:
        line += f"; find takes {statistics.median(beside):.2f} s"
    print(line, flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--items", type=int, default=1_000_000)
    p.add_argument("--rounds", type=int, default=3)
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        manifest = os.path.join(folder, "million.csv")
        with open(manifest, "w") as f:
            f.write("path,label,split,group\n")
            for i in range(o.items):
                f.write(f"images/{i % 997:03d}/{i:07d}.jpg,class {i % 8},{('train', 'val', 'test')[i % 3]},source {i % 1000}\n")
        os.makedirs(os.path.join(folder, "images", "000"))
        open(os.path.join(folder, "images", "000", "0000000.jpg"), "w").close()  # of the first five, one has to exist
        report("manifest", [ours(o.program, manifest) for _ in range(o.rounds)])

        root = os.path.join(folder, "politics")
        paths = []
        for source in range(1000):
            inside = f"{'LEFT' if source % 2 else 'RIGHT'}/topic{source % 20}/source{source}"
            os.makedirs(os.path.join(root, "imgs", inside))
            for i in range(o.items // 1000):
                os.close(os.open(os.path.join(root, "imgs", inside, f"{i}.jpg"), os.O_CREAT | os.O_WRONLY, 0o644))
                paths.append(f"/data/imgs/{inside}/{i}.jpg")
        rounds, beside = [], []
        for _ in range(o.rounds):
            beside.append(seconds_of_find(root))
            rounds.append(ours(o.program, os.path.join(root, "imgs")))
        report("tree", rounds, beside)
        test = set(paths[::10])
        with open(os.path.join(root, "train_test_paths.pickle"), "wb") as f:
            pickle.dump({"train_imgs": [p for p in paths if p not in test], "test_imgs": sorted(test)}, f, protocol=2)
        rounds = [ours(o.program, root, "politics") for _ in range(o.rounds)]
        assert rounds[0]["in_official_split"] == len(paths), rounds[0]
        report("politics, tree and pickle", rounds)


main()
