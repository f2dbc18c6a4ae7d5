#!/usr/bin/env python3
"""bench_slurm.py PROGRAM [--images N] [--rounds N] [--kills N]: what sharding costs on the cluster it is run in.

Draws N images, and extracts ResNet-18 features (random weights: the work is the same) in one process of two threads and in
four shards, two at a time with a thread each, by turns. Prints whether `extract --out` is the same to the last bit, and the
overhead of sharding and merging over the extraction in one process: by the clock, with waiting in the queue left out, and in
CPU seconds, which other programs on the machine disturb less. Then, on a smaller set, one job is killed at a random moment
and the same command is run until it ends with 0, --kills times.
"""
import argparse, hashlib, json, os, random, re, resource, shutil, statistics, subprocess, tempfile, time
from pathlib import Path

BACKBONE = "random-resnet18"


def draw(folder, count, side=64):
    source = random.Random(7)
    for i in range(count):
        path = folder / ("calm" if i % 2 else "tense") / f"{i:05}.ppm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"P6\n%d %d\n255\n" % (side, side) + source.randbytes(3 * side * side))
    time.sleep(2.1)  # younger files are not remembered by path


def timed(words):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def digest(folder):
    names = ("features.npy", "manifest.csv", "features.json")
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]


class Bench:
    def __init__(self, program, scratch):
        self.program, self.scratch = program, scratch

    def extract(self, images, cache, out):
        return timed([self.program, "extract", "--quiet", "--data", images, "--backbone", BACKBONE, "--cache", cache, "--out", out,
                      "--threads", "2"])

    def launch_words(self, images, name):
        return [self.program, "run", "--data", images, "--backbone", BACKBONE, "--probe", "majority", "--cache",
                self.scratch / f"{name}-cache", "--out", self.scratch / name, "--launcher", "slurm", "--shards", "4", "--quiet"]

    def in_one(self, images, name):
        wall, cpu = self.extract(images, self.scratch / f"{name}-cache", self.scratch / f"{name}-features")
        return {"wall": wall, "cpu": cpu, "digest": digest(self.scratch / f"{name}-features")}

    def in_shards(self, images, name):
        start = time.monotonic()
        timed(self.launch_words(images, name) + ["--wait"])
        whole = time.monotonic() - start
        logs = self.scratch / name / "jobs/logs"
        line = re.compile(r"^([\d.]+) s, of CPU ([\d.]+) \+ ([\d.]+) s$", re.M)
        shards = [m for log in sorted(logs.glob("extract-*")) for m in line.findall(log.read_text())]
        finish = [m for log in logs.glob("finish-*") for m in line.findall(log.read_text())]
        assert len(shards) == 4 and len(finish) == 2, (shards, finish)
        merge = finish[0]
        self.extract(images, self.scratch / f"{name}-cache", self.scratch / f"{name}-features")
        return {"wall": sum(float(s[0]) for s in shards) / 2 + float(merge[0]),
                "cpu": sum(float(m[1]) + float(m[2]) for m in shards + [merge]),
                "merge": float(merge[0]), "whole": whole, "digest": digest(self.scratch / f"{name}-features")}

    def forget(self, name):
        for suffix in ("", "-cache", "-features"):
            shutil.rmtree(self.scratch / f"{name}{suffix}", ignore_errors=True)


def overhead(bench, images, rounds):
    one, four = [], []
    for i in range(rounds):
        for measure, results, name in ((bench.in_one, one, "one"), (bench.in_shards, four, "four")):
            results.append(measure(images, name))
            bench.forget(name)
        print(f"round {i + 1}: one process {one[-1]['wall']:.1f} s, CPU {one[-1]['cpu']:.1f} s; four shards {four[-1]['wall']:.1f} s "
              f"(merge {four[-1]['merge']:.2f}), CPU {four[-1]['cpu']:.1f} s; from submission to table {four[-1]['whole']:.1f} s; "
              f"{'bit-identical' if one[-1]['digest'] == four[-1]['digest'] else 'DIFFERENT'}", flush=True)
    for what in ("wall", "cpu"):
        ratio = statistics.median(f[what] / o[what] for o, f in zip(one, four))
        print(f"overhead of sharding and merging, {what}: {100 * (ratio - 1):+.1f} % (median of {rounds})")
    return all(o["digest"] == f["digest"] for o, f in zip(one, four))


def live_jobs():
    text = subprocess.run(["squeue", "--noheader", "--array", "--format=%F_%K|%A|%T"], stdout=subprocess.PIPE, text=True).stdout
    return [line.split("|") for line in text.split()]


def kill_one(source):
    """A job of the queue, waiting or running, by scancel, or its program by SIGKILL. What was killed, in words."""
    jobs = live_jobs()
    if not jobs:
        return "nothing: all had ended"
    array, job, state = source.choice(jobs)
    name = job if array.endswith("N/A") else array
    if state == "RUNNING" and source.random() < 0.7:
        subprocess.run(["scancel", "--full", "--signal=KILL", name], stderr=subprocess.DEVNULL)
        return f"job {name}, running, every process by SIGKILL"
    subprocess.run(["scancel", name], stderr=subprocess.DEVNULL)
    return f"job {name}, {state.lower()}, by scancel"


def kills(bench, images, rounds, seed):
    source = random.Random(seed)
    reference = bench.in_one(images, "reference")["digest"]
    start = time.monotonic()
    bench.in_shards(images, "timed")
    duration = time.monotonic() - start
    bench.forget("timed")
    passed = 0
    for i in range(rounds):
        name = f"kill-{i}"
        words = bench.launch_words(images, name)
        timed(words)
        moment = source.random() * duration
        time.sleep(moment)
        killed = kill_one(source)
        reruns = 0
        while subprocess.run(words + ["--wait"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
            reruns += 1
            if reruns == 5:
                break
        bench.extract(images, bench.scratch / f"{name}-cache", bench.scratch / f"{name}-features")
        same = digest(bench.scratch / f"{name}-features") == reference
        passed += same and reruns < 5
        print(f"kill {i + 1}: after {moment:.1f} of {duration:.1f} s: {killed}; the same command ended with 0 at call {reruns + 1}; "
              f"{'bit-identical' if same else 'DIFFERENT'}", flush=True)
        bench.forget(name)
    print(f"{passed} of {rounds} ended bit-identical")
    return passed == rounds


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("program", type=Path)
    words.add_argument("--images", type=int, default=2000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--kills", type=int, default=10)
    words.add_argument("--kill-images", type=int, default=400)
    words.add_argument("--seed", type=int, default=0)
    given = words.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="vise-slurm-", dir=os.environ.get("VISE_BENCH_DIR")))
    try:
        bench = Bench(given.program.resolve(), scratch)
        good = True
        if given.rounds:
            draw(scratch / "images", given.images)
            good = overhead(bench, scratch / "images", given.rounds)
        if given.kills:
            draw(scratch / "few", given.kill_images)
            good &= kills(bench, scratch / "few", given.kills, given.seed)
        raise SystemExit(0 if good else 1)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
