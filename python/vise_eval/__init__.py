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

# What needs scikit-learn is imported at first use: it takes most of a second.
_LAZY = {}

__all__ = [
    "Error", "InputError", "Interrupted", "MissingError", "SystemFailure", "UsageError", "VerificationError",
    "load_image", "read_checkpoint", "transforms", *_LAZY,
]  # fmt: skip


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'vise_eval' has no attribute '{name}'")


def __dir__():
    return sorted([*__all__, "__version__"])
