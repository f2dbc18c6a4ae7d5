"""Features of images, by the program's extraction and from its cache."""

import json
import os
from pathlib import Path

import numpy as np

from vise_eval import _core
from vise_eval._progress import told
from vise_eval._threads import threads_of
from vise_eval.errors import UsageError


def _texts(paths):
    return [os.fspath(path) for path in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]


def _places(cache, weights, data, offline, on_bad_image):
    return {
        "cache": "" if cache is None else os.fspath(cache),
        "weights": _texts(weights),
        "data": _texts(data),
        "offline": bool(offline),
        "on_bad_image": on_bad_image,
    }


class Dataset:
    """Images in a stable order, and what is known about each. Nothing here opens an image.

    Attributes: name, root, ids (paths below root, with "/"), paths, notes (what a reader of a table must know),
    target_names, and parts ("train", "val", "test" or "unused" an item; None without a split of its own).
    """

    def __init__(self, files):
        self._files = files
        self.name, self.ids, self.notes = files.name, files.ids, files.notes
        self.root, self.target_names, self.parts = Path(files.root), files.target_names, files.parts

    @classmethod
    def open(cls, path):
        """A folder of class folders, one with metadata.csv, or a manifest (.csv, .tsv, .jsonl)."""
        return cls(_core.open_dataset(os.fspath(path), False, _places(None, (), (), True, "fail"), None))

    @classmethod
    def task(cls, name, *, data=(), cache=None):
        """The data set of one of the program's tasks ("demo", "emotion"), below a folder of `data` or $VISE_DATA."""
        return cls(_core.open_dataset(name, True, _places(cache, (), data, True, "fail"), None))

    @classmethod
    def of(cls, paths):
        """Image files, in the order given."""
        return cls(_core.dataset_of_paths(_texts(paths)))

    @property
    def paths(self):
        return [self.root / id for id in self.ids]

    def __len__(self):
        return len(self.ids)

    def __repr__(self):
        return f"Dataset({self.name!r}, {len(self)} images, targets {self.target_names})"

    def target(self, name="label"):
        """(kind, names, values). values: N class numbers (-1: not known), N x K of 1, 0, -1 (labels), N x K votes
        (distribution) or N x T values (NaN: not known)."""
        return self._files.target(name)

    def items(self, part):
        """The numbers of the items in that part of the split, rising."""
        if self.parts is None:
            raise UsageError(f"{self.name} has no split of its own")
        return np.flatnonzero(np.array(self.parts) == part)


class Features:
    """Rows of features, N x D float32, in the data set's order without the images that could not be read.

    Attributes: array (read-only where it lies in the cache's own file), ids and items (of each row), unreadable (id to
    reason), layer, pool, notes (for a table's foot), computed (images that went through the network now), folder (of
    the cache), provenance (what the cache's features.json says: weights, hash, transform, engine, precision).
    `numpy.asarray(features)` is the array.
    """

    def __init__(self, facts):
        for name, value in facts.items():
            setattr(self, name, value)
        self.folder = Path(self.folder)
        facts_file = self.folder / "features.json"
        self.provenance = json.loads(facts_file.read_text(encoding="utf-8")) if facts_file.exists() else {}

    def __len__(self):
        return len(self.ids)

    def __array__(self, dtype=None):
        return np.asarray(self.array, dtype=dtype)

    def __repr__(self):
        return f"Features({self.array.shape[0]} x {self.array.shape[1]}, {self.layer}/{self.pool})"


def _dataset(data, places):
    if isinstance(data, Dataset):
        return data
    if isinstance(data, (str, os.PathLike)):
        return Dataset.open(data)
    return Dataset.of(data)


def extract(
    data, backbone, *, tap=("default", "default"), precision="fp32", views="one", storage="fp32", device="cpu",
    cache=None, weights=(), offline=False, on_bad_image="fail", progress=None, n_jobs=None,
):  # fmt: skip
    """Features of images: from the cache where they are known, computed where they are not.

    Parameters
    ----------
    data : Dataset, a path (folder or manifest), or a list of image files
    backbone : str
        A registry name, or NAME=FILE with options ("mine=run7.pth,transform=clip"): docs/your-backbone.md.
    tap : (layer, pool), or a list of such pairs; "default" is what the backbone's authors probe.
    precision : "fp32", or "bf16" where the CPU has it
    views, storage, device : as the program's options of these names
    cache, weights, offline : by default where the program looks ($VISE_CACHE, $VISE_WEIGHTS, ...)
    on_bad_image : "fail", or "skip": such an image has no row, and stands in `unreadable`
    progress : a callable (what, done, total); None shows a bar in a notebook, False none

    Returns
    -------
    Features, or of a list of taps a list of them (layer "all" gives one a layer).

    Raises
    ------
    MissingError : images or weights that are not there. InputError : bad ones. UsageError : a wrong name or setting.
    """
    taps = [tap] if isinstance(tap, tuple) else list(tap)
    if not taps or not all(isinstance(one, tuple) and len(one) == 2 for one in taps):
        raise UsageError(f"tap={tap!r}: a pair (layer, pool), or a list of pairs", '("default", "default")')
    places = _places(cache, weights, (), offline, on_bad_image)
    settings = {**places, "taps": taps, "precision": precision, "views": views, "storage": storage, "device": device}
    files = _dataset(data, places)._files
    with told(progress) as tell:
        found = _core.extract(files, backbone, settings, tell, threads_of(n_jobs))
    features = [Features(facts) for facts in found]
    return features[0] if isinstance(tap, tuple) and len(features) == 1 else features


def run(
    task, *, backbones=(), probes=(), baseline="", seeds=1, precision="fp32", out=None, cache=None, weights=(), data=(),
    offline=False, on_bad_image="fail", progress=None, n_jobs=None,
):  # fmt: skip
    """From a task to its comparison table, as `vise-eval run` does; what is known already is not computed again.

    Parameters
    ----------
    task : a task's name ("demo", "emotion"), or a pathlib.Path to a folder or manifest
    backbones, probes : lists of names with options; by default the task's
    baseline : the backbone that rows are compared with
    out : the folder of results.jsonl, scores and splits; by default vise-results/<task>
    others : as extract() has them; data: folders of data sets

    Returns
    -------
    Table
    """
    from vise_eval.tables import read_table

    is_path = isinstance(task, os.PathLike)
    folder = Path("vise-results") / (Path(task).stem if is_path else task) if out is None else Path(out)
    settings = {
        **_places(cache, weights, data, offline, on_bad_image),
        "backbones": _texts(backbones),
        "probes": _texts(probes),
        "baseline": baseline,
        "precision": precision,
        "seeds": int(seeds),
    }
    with told(progress) as tell:
        done = _core.run_task(os.fspath(task), is_path, os.fspath(folder), settings, tell, threads_of(n_jobs))
    names = set(done["baselines"].values())
    return read_table(folder, baseline=names.pop() if len(names) == 1 else "", n_jobs=n_jobs)
