"""Frozen features, linear probes and honest tables for subjective visual tasks.

>>> import vise_eval as ve
>>> scores = [ve.LogisticRegressionCV().fit(X[train], y[train]).decision_function(X[test]) for X in (mine, theirs)]
>>> ve.compare(*scores, y[test])                    # the paired table, with interval and test
"""

import importlib

from vise_eval import _core
from vise_eval.checkpoints import read_checkpoint
from vise_eval.errors import Error, InputError, Interrupted, MissingError, SystemFailure, UsageError, VerificationError
from vise_eval.images import load_image, transforms

__version__ = _core.version

# The rest is imported at first use: scikit-learn takes most of a second, numpy a tenth.
_LAZY = {
    "estimators": ("KNeighbors", "LinearSVC", "LogisticRegression", "LogisticRegressionCV", "RidgeCV"),
    "features": ("Dataset", "Features", "extract", "run"),
    "tables": ("Table", "compare", "evaluate", "read_table"),
}
_MODULE_OF = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "Error", "InputError", "Interrupted", "MissingError", "SystemFailure", "UsageError", "VerificationError",
    "load_image", "read_checkpoint", "transforms", *_MODULE_OF,
]  # fmt: skip


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"vise_eval.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'vise_eval' has no attribute '{name}'")


def __dir__():
    return sorted([*__all__, "__version__"])
