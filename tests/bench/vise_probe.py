#!/usr/bin/python3
"""vise_probe.py --features X.npy --labels y.npy --folds folds.npy --out curve.json: vise_eval's LogisticRegressionCV as a peer of bench_probes.

So the program's solver and the same solver from Python get the same rows, folds and grid (../shared/peers/sklearn_probe.py has
the interface). "cpu_s": median of five fits, of this process's clock alone.
"""

import argparse
import json
import os
import statistics
import time

import numpy as np
from sklearn.model_selection import PredefinedSplit

import vise_eval as ve

parser = argparse.ArgumentParser()
for name in ("features", "labels", "folds", "out"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("--no-objective", action="store_true")
given = parser.parse_args()
x, y, folds = np.load(given.features), np.load(given.labels), np.load(given.folds)
wall, cpu = [], []
for _ in range(5):
    begin, cpu_begin = time.perf_counter(), time.process_time()
    model = ve.LogisticRegressionCV(
        np.logspace(-6, 6, 25), cv=PredefinedSplit(folds), n_jobs=int(os.environ["OPENBLAS_NUM_THREADS"])
    ).fit(x, y)
    wall.append(time.perf_counter() - begin)
    cpu.append(time.process_time() - cpu_begin)
curve = list(zip(model.Cs_.tolist(), next(iter(model.scores_.values())).mean(axis=0).tolist()))
objective = model.proof_["objective"]
with open(given.out, "w", encoding="utf-8") as out:
    result = {"sweep_s": statistics.median(wall), "cpu_s": statistics.median(cpu), "chosen_c": model.C_[0]}
    json.dump({**result, "objective_at_chosen": objective, "curve": curve}, out)
