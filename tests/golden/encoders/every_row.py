#!/usr/bin/python3
"""Every row of ../shared/data/encoders/manifest.csv through the program itself: `vise-eval extract` on seven pictures.

Usage: every_row.py VISE_EVAL SHARED [--engine onednn|torch] [--precision fp32|bf16] [NAME...]

On the command line stand transform, tap and size, and what the manifest lists as not in the tensors; of a folder, whose
configs say all that, only tap and size. Prints a table of errors beside their tolerances; exits with 1 if one is larger,
with 77 where reference data or the packages that make the checkpoints are missing. VISE_ENCODERS=DIR has checkpoints
that make_encoders.py wrote before.
"""
import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy
    import torch  # noqa: F401  make_encoders.py needs it
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

NORMALISATION = {
    "clip": "mean=0.48145466/0.4578275/0.40821073,std=0.26862954/0.26130258/0.27577711",
    "imagenet": "mean=0.485/0.456/0.406,std=0.229/0.224/0.225",
    "half": "mean=0.5/0.5/0.5,std=0.5/0.5/0.5",
}
TAPS = {
    "pre": "pre default", "post": "post default", "cls": "final cls", "mean": "final avg", "cls+mean": "final cls+avg",
    "last4": "final last4", "last4+mean": "final last4+avg", "cls+dist/2": "final cls+dist", "map": "map default",
    "pooled": "final default",
}
RULES = {"S": "scale", "N": "size", "A": "antialias"}


def options(row):
    """What is said of a file: its transform, and what its tensors do not say."""
    edge = "squash" if row["resize_mode"] == "squash" else "resize"
    said = ["transform=%s=%s" % (edge, row["resize"]), "filter=" + row["filter"]]
    if edge == "resize":
        said.append("crop=" + row["crop"])
    said.append(NORMALISATION[row["mean_std"]])
    if row["act"] in ("exact", "tanh", "quick"):
        said.append("act=" + row["act"])
    said.append("eps=" + row["eps"].split(",")[0])
    rule = RULES.get(row["position_rule"].split()[0])
    return said + (["positions=" + rule] if rule else [])


def extract(program, row, checkpoint, pictures, scratch, arguments):
    layer, pool = TAPS[row["tap"]].split()
    is_folder = checkpoint.is_dir()
    backbone = ",".join(["m=%s" % checkpoint] + ([] if is_folder else options(row)))
    command = [program, "extract", "--data", pictures, "--backbone", backbone, "--layer", layer, "--pool", pool,
               "--engine", arguments.engine, "--precision", arguments.precision, "--cache", scratch / "cache", "--out", scratch / "out"]
    if is_folder and "@" in row["name"]:
        command += ["--side", row["input"]]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        sys.exit("%s %s: %s" % (row["name"], row["tap"], done.stderr))
    return numpy.load(scratch / "out" / "features.npy").astype(float)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("shared", type=Path)
    parser.add_argument("--engine", default="onednn")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    encoders = arguments.shared / "data/encoders"
    if not encoders.exists():
        print("skipped: ../shared not found")
        sys.exit(77)
    wrong = rows = 0
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        pictures = scratch / "pictures.csv"
        with open(encoders / "images.csv") as listed, open(pictures, "w") as table:
            table.write("path,label\n")
            for i, picture in enumerate(csv.DictReader(listed)):
                table.write("%s,%s\n" % ((encoders / picture["path"]).resolve(), "ab"[i % 2]))
        made = None
        with open(encoders / "manifest.csv") as manifest:
            for row in csv.DictReader(manifest):
                name = row["name"].split("@")[0]
                if arguments.names and name not in arguments.names:
                    continue
                at = Path(os.environ.get("VISE_ENCODERS", scratch / "checkpoints"))
                if "VISE_ENCODERS" not in os.environ and made != name:
                    subprocess.run(["rm", "-rf", at, scratch / "cache"], check=True)
                    subprocess.run(["/usr/bin/python3", encoders / "make_encoders.py", at, name], check=True,
                                   stdout=subprocess.DEVNULL)
                    made = name
                got = extract(arguments.program, row, at / row["path"], pictures, scratch, arguments)
                golden = numpy.load(encoders / row["golden"]).astype(float)
                error = (numpy.linalg.norm(got - golden, axis=1) / numpy.linalg.norm(golden, axis=1)).max()
                is_wrong = not error <= float(row["tolerance"])
                print("%-28s %-11s %8.1e  (tolerance %s)%s" % (row["name"], row["tap"], error, row["tolerance"],
                                                              "  TOO FAR" if is_wrong else ""), flush=True)
                wrong += is_wrong
                rows += 1
    print("%d of %d rows within tolerance, %s, %s" % (rows - wrong, rows, arguments.engine, arguments.precision))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
