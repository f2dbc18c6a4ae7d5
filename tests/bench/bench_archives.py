#!/usr/bin/python3
"""The same small JPEGs as files, in a zip, in tar shards, as WebDataset and as Parquet: features, tables, time and memory.

Usage: bench_archives.py VISE_EVAL [--images N] [--rounds N] [--backbone B] [--modules NODE_MODULES] [--only FORM,...]

The images are drawn here, below TMPDIR, split and class given by folders or archives' names. Every round extracts cold
(an empty cache) and once more warm, from each form in turn; medians, and their ratio to the files', are printed, of the wall
clock and of processor time. Then features are compared by the content's hash, byte for byte, and the metrics of a run on each
form as tables print them. Exit 1 if they differ. Parquet is written by DuckDB: --modules names a folder
node_modules that has @duckdb/node-api (npm install @duckdb/node-api); without it that form is left out.
"""
import argparse
import csv
import io
import json
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

LABELS = ("calm", "tense")
SPLITS = ("train", "val", "test")
SHARDS = 10  # of each split


def draw(count):
    """(split, label, name, bytes) of images, redder in four of five of one class, in an order that is no form's own."""
    import numpy as np
    from PIL import Image
    rng = np.random.default_rng(1)
    samples = []
    for i in range(count):
        label = LABELS[i % 2]
        small = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
        redder = (label == "tense") != (rng.random() < 0.2)
        small[..., 0] = small[..., 0] // 2 + (20 if redder else 0)
        jpeg = io.BytesIO()
        Image.fromarray(small).resize((128, 128), Image.BICUBIC).save(jpeg, "JPEG", quality=92)
        samples.append((SPLITS[max(0, i % 10 // 2 - 2)], label, f"{i:06d}.jpg", jpeg.getvalue()))
    random.Random(0).shuffle(samples)
    return samples


def add(archive, name, content):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def write_files(samples, folder):
    for split in SPLITS:
        for label in LABELS:
            os.makedirs(os.path.join(folder, split, label))
    for split, label, name, content in samples:
        with open(os.path.join(folder, split, label, name), "wb") as f:
            f.write(content)


def write_zip(samples, file):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as z:
        for split, label, name, content in samples:
            z.writestr(f"{split}/{label}/{name}", content)


def shards(samples, folder, add_sample):
    os.makedirs(folder)
    for split in SPLITS:
        of_split = [s for s in samples if s[0] == split]
        for k in range(SHARDS):
            with tarfile.open(os.path.join(folder, f"{split}-{k:06d}.tar"), "w") as t:
                for sample in of_split[k::SHARDS]:
                    add_sample(t, *sample)


def add_member(t, split, label, name, content):
    add(t, f"{label}/{name}", content)


def add_pair(t, split, label, name, content):
    add(t, name, content)
    add(t, name.replace(".jpg", ".cls"), str(LABELS.index(label)).encode())


def write_webdataset(samples, folder):
    shards(samples, folder, add_pair)
    with open(os.path.join(folder, "classnames.txt"), "w") as f:
        f.write("\n".join(LABELS) + "\n")


def write_parquet(folder, files, modules):
    """Rows in the files' order, as a converted data set has them."""
    os.makedirs(folder)
    hub = json.dumps({"info": {"features": {"image": {"_type": "Image"}, "label": {"names": list(LABELS), "_type": "ClassLabel"}}}})
    script = f"""
const {{ createRequire }} = require('node:module');
const {{ DuckDBInstance }} = createRequire('{modules}/x.js')('@duckdb/node-api');
(async () => {{
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  for (const split of {json.dumps(SPLITS)})
    await db.run(`COPY (SELECT {{'bytes': content, 'path': regexp_extract(filename, '[^/]*$')}} AS image,
      CASE WHEN filename LIKE '%/calm/%' THEN 0 ELSE 1 END::BIGINT AS label FROM read_blob('{files}/${{split}}/*/*.jpg')
      ORDER BY filename) TO '{folder}/${{split}}-00000-of-00001.parquet' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 1024,
      KV_METADATA {{huggingface: '{hub}'}})`);
}})();
"""
    subprocess.run(["node", "-e", script], check=True)


def write_all(o, at):
    samples = draw(o.images)
    write_files(samples, at("files"))
    write_zip(samples, at("images.zip"))
    shards(samples, at("shards"), add_member)
    write_webdataset(samples, at("webdataset"))
    if o.modules:
        write_parquet(at("parquet"), at("files"), os.path.abspath(o.modules))


def timed(command):
    """Seconds by the clock, processor seconds, and peak memory in MB of a child."""
    begin = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"exit {os.waitstatus_to_exitcode(status)}: {' '.join(command)}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def features(folder):
    """Bytes of each row by the content's hash."""
    import numpy as np
    matrix = np.load(os.path.join(folder, "features.npy"))
    with open(os.path.join(folder, "manifest.csv"), newline="") as f:
        return {row["content"]: matrix[int(row["row"])].tobytes() for row in csv.DictReader(f)}


def table(program, data, folder):
    """The metrics of a run to four decimals: last digits differ where rows come in another order (WebDataset's keys)."""
    out = os.path.join(folder, "table")
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([program, "run", "--data", data, "--backbone", "colour-histogram",
                    "--cache", os.path.join(folder, "cache"), "--out", out, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(out, "results.jsonl")) as f:
        metrics = [json.loads(line).get("metrics") for line in f]
    metrics = [{name: f"{value:.4f}" for name, value in m.items() if value is not None} for m in metrics if m]
    if not metrics:
        sys.exit(f"{out}/results.jsonl has no metrics")
    return metrics


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--images", type=int, default=20_000)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--backbone", default="colour-histogram")
    p.add_argument("--modules")
    p.add_argument("--only", default="")
    o = p.parse_args()
    with tempfile.TemporaryDirectory() as root:
        at = lambda *parts: os.path.join(root, *parts)  # noqa: E731
        # In a process of its own: the peak of a child is at least its parent's size.
        drawing = multiprocessing.Process(target=write_all, args=(o, at))
        drawing.start()
        drawing.join()
        if drawing.exitcode != 0:
            sys.exit("the images could not be made")
        forms = {"files": at("files"), "zip": at("images.zip"), "tar shards": at("shards"), "webdataset": at("webdataset")}
        if o.modules:
            forms["parquet"] = at("parquet")
        if o.only:
            forms = {k: v for k, v in forms.items() if k == "files" or k in o.only.split(",")}

        cold, warm = {f: [] for f in forms}, {f: [] for f in forms}
        for _ in range(o.rounds):
            for form, data in forms.items():
                shutil.rmtree(at("cache of " + form), ignore_errors=True)
                extract = [o.program, "extract", "--data", data, "--backbone", o.backbone, "--cache", at("cache of " + form, "cache"),
                           "--quiet", "--out"]
                cold[form].append(timed([*extract, at("cache of " + form, "cold")]))
                warm[form].append(timed([*extract, at("cache of " + form, "warm")]))

        median = lambda runs, k: statistics.median(r[k] for r in runs)  # noqa: E731
        print(f"{o.images} JPEGs, {o.backbone}, median of {o.rounds}, load {os.getloadavg()[0]:.1f}; ratios to files")
        print("form          cold s  ratio  of pairs  cpu s  ratio  peak MB  warm s")
        for form in forms:
            pairs = statistics.median(a[0] / b[0] for a, b in zip(cold[form], cold["files"]))
            print(f"{form:12} {median(cold[form], 0):7.2f} {median(cold[form], 0) / median(cold['files'], 0):6.3f} {pairs:9.3f}"
                  f"{median(cold[form], 1):7.2f} {median(cold[form], 1) / median(cold['files'], 1):6.3f}"
                  f"{max(r[2] for r in cold[form]):9.0f} {median(warm[form], 0):7.2f}", flush=True)

        differ = False
        expected, values = features(at("cache of files", "cold")), table(o.program, forms["files"], at("cache of files"))
        for form, data in forms.items():
            same = {run: features(at("cache of " + form, run)) == expected for run in ("cold", "warm")}
            tables = table(o.program, data, at("cache of " + form)) == values
            differ |= not (all(same.values()) and tables)
            print(f"{form}: features {'equal' if all(same.values()) else 'DIFFER'}, table {'equal' if tables else 'DIFFERS'}")
        sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
