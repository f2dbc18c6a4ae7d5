#!/usr/bin/python3
"""bench_python SHARED: LogisticRegressionCV of vise_eval beside scikit-learn's, both from Python, on one case of bench_probes.

The same features, labels, folds and grid (25 values of C, 1e-6 to 1e6, five folds; then the fit of all rows); one thread
a side, CPU seconds, so that it can be read off a busy machine too. scikit-learn has its defaults (lbfgs, tol 1e-4) but
for max_iter, on float32 as ours has. Ours is the median of five.
"""

import csv
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from sklearn.linear_model import LogisticRegressionCV  # noqa: E402
from sklearn.model_selection import StratifiedKFold  # noqa: E402

import vise_eval as ve  # noqa: E402


def timed(fit):
    begin = time.process_time()
    model = fit()
    return time.process_time() - begin, model


def main():
    shared = Path(sys.argv[1])
    for name, table in (("omi300", "omi300/happy.csv"), ("bass", "bass/valence.csv")):
        X = np.load(shared / f"data/golden/features/{name}_resnet50.npy")
        with open(shared / "data/datasets" / table, newline="", encoding="utf-8") as lines:
            y = np.array([row["label"] for row in csv.DictReader(lines)])
        grid, folds = np.logspace(-6, 6, 25), StratifiedKFold(5)
        ours = [timed(lambda: ve.LogisticRegressionCV(grid, cv=folds, n_jobs=1).fit(X, y)) for _ in range(5)]
        mine, model = statistics.median(seconds for seconds, _ in ours), ours[0][1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, peer = timed(lambda: LogisticRegressionCV(Cs=grid, cv=folds, max_iter=1000).fit(X, y))
        print(f"{name}: {X.shape[0]} x {X.shape[1]}, {len(model.classes_)} classes")
        print(f"  ours {mine:.2f} s, C = {model.C_[0]:g}; scikit-learn {theirs:.2f} s, C = {peer.C_[0]:g}")
        print(f"  sweep ratio: {theirs / mine:.0f}", flush=True)


main()
