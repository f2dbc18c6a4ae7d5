from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

Progress = Callable[[str, int, int], object] | bool
AnyPath = str | PathLike[str]

__version__: str

class Error(Exception):
    message: str
    hint: str
    def __init__(self, message: str, hint: str = ...) -> None: ...

class UsageError(Error, ValueError): ...
class MissingError(Error): ...
class InputError(Error, ValueError): ...
class VerificationError(Error): ...
class Interrupted(Error): ...
class SystemFailure(Error): ...

def load_image(path: AnyPath, transform: str | None = ..., *, max_pixels: int = ...) -> NDArray[Any]: ...
def transforms() -> list[str]: ...
def read_checkpoint(path: AnyPath, *, skip_foreign: bool = ...) -> dict[str, NDArray[Any]]: ...

class _Probe(BaseEstimator):
    proof_: dict[str, Any]

class _Classifier(ClassifierMixin, _Probe):
    classes_: NDArray[Any]
    def predict(self, X: ArrayLike) -> NDArray[Any]: ...
    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]: ...
    def score(self, X: ArrayLike, y: ArrayLike) -> float: ...

class _Linear(_Classifier):
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

class _Logistic(_Linear):
    n_iter_: NDArray[np.int32]
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]: ...
    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]: ...

class LogisticRegression(_Logistic):
    def __init__(
        self,
        C: float = ...,
        *,
        class_weight: str | None = ...,
        multi_class: str = ...,
        n_jobs: int | None = ...,
        progress: Progress | None = ...,
    ) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike) -> LogisticRegression: ...

class LogisticRegressionCV(_Logistic):
    Cs_: NDArray[np.float64]
    C_: NDArray[np.float64]
    scores_: dict[Any, NDArray[np.float64]]
    selection_: dict[str, Any]
    def __init__(
        self,
        Cs: int | ArrayLike = ...,
        *,
        cv: Any = ...,
        scoring: str | None = ...,
        class_weight: str | None = ...,
        n_jobs: int | None = ...,
        progress: Progress | None = ...,
    ) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = ...) -> LogisticRegressionCV: ...

class LinearSVC(_Linear):
    def __init__(
        self,
        C: float = ...,
        *,
        dual: bool = ...,
        tol: float = ...,
        n_jobs: int | None = ...,
        progress: Progress | None = ...,
    ) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike) -> LinearSVC: ...

class RidgeCV(RegressorMixin, _Probe):
    coef_: NDArray[np.float64]
    intercept_: Any
    alpha_: float
    alphas_: NDArray[np.float64]
    scores_: NDArray[np.float64]
    best_score_: float
    selection_: dict[str, Any]
    def __init__(
        self,
        alphas: ArrayLike = ...,
        *,
        cv: Any = ...,
        scoring: str | None = ...,
        n_jobs: int | None = ...,
        progress: Progress | None = ...,
    ) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = ...) -> RidgeCV: ...
    def predict(self, X: ArrayLike) -> NDArray[np.float64]: ...
    def score(self, X: ArrayLike, y: ArrayLike) -> float: ...

class KNeighbors(_Classifier):
    n_neighbors_: int
    selection_: dict[str, Any]
    def __init__(
        self,
        n_neighbors: int | ArrayLike = ...,
        *,
        temperature: float = ...,
        cv: Any = ...,
        scoring: str | None = ...,
        n_jobs: int | None = ...,
        progress: Progress | None = ...,
    ) -> None: ...
    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = ...) -> KNeighbors: ...
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]: ...

class Table:
    data: dict[str, Any]
    @property
    def rows(self) -> list[dict[str, Any]]: ...
    @property
    def difference(self) -> dict[str, Any]: ...
    def __getitem__(self, metric: str) -> dict[str, dict[str, float | None]]: ...
    def to_markdown(self) -> str: ...
    def to_latex(self) -> str: ...
    def to_csv(self) -> str: ...
    def to_html(self) -> str: ...
    def to_pandas(self) -> Any: ...

def compare(
    a: ArrayLike,
    b: ArrayLike,
    y: ArrayLike,
    *,
    metric: str | None = ...,
    names: tuple[str, str] = ...,
    kind: str | None = ...,
    classes: Sequence[Any] | None = ...,
    ids: Sequence[str] | None = ...,
    logits: bool = ...,
    level: float = ...,
    resamples: int = ...,
    title: str = ...,
    progress: Progress | None = ...,
    n_jobs: int | None = ...,
) -> Table: ...
def evaluate(
    scores: ArrayLike | Mapping[str, ArrayLike],
    y: ArrayLike,
    *,
    metric: str | None = ...,
    name: str = ...,
    kind: str | None = ...,
    classes: Sequence[Any] | None = ...,
    ids: Sequence[str] | None = ...,
    logits: bool = ...,
    level: float = ...,
    resamples: int = ...,
    title: str = ...,
    progress: Progress | None = ...,
    n_jobs: int | None = ...,
) -> Table: ...
def read_table(*runs: AnyPath, baseline: str = ..., progress: Progress | None = ..., n_jobs: int | None = ...) -> Table: ...

class Dataset:
    name: str
    root: Path
    ids: list[str]
    notes: list[str]
    target_names: list[str]
    parts: list[str] | None
    @classmethod
    def open(cls, path: AnyPath) -> Dataset: ...
    @classmethod
    def task(cls, name: str, *, data: AnyPath | Sequence[AnyPath] = ..., cache: AnyPath | None = ...) -> Dataset: ...
    @classmethod
    def of(cls, paths: AnyPath | Sequence[AnyPath]) -> Dataset: ...
    @property
    def paths(self) -> list[Path]: ...
    def __len__(self) -> int: ...
    def target(self, name: str = ...) -> tuple[str, list[str], NDArray[Any]]: ...
    def items(self, part: str) -> NDArray[np.intp]: ...

class Features:
    array: NDArray[np.float32]
    ids: list[str]
    items: NDArray[np.uint32]
    unreadable: dict[str, str]
    layer: str
    pool: str
    notes: list[str]
    computed: int
    folder: Path
    provenance: dict[str, Any]
    def __len__(self) -> int: ...
    def __array__(self, dtype: DTypeLike | None = ...) -> NDArray[Any]: ...

def extract(
    data: Dataset | AnyPath | Sequence[AnyPath],
    backbone: str,
    *,
    tap: tuple[str, str] | Sequence[tuple[str, str]] = ...,
    precision: str = ...,
    views: str = ...,
    storage: str = ...,
    device: str = ...,
    cache: AnyPath | None = ...,
    weights: AnyPath | Sequence[AnyPath] = ...,
    offline: bool = ...,
    on_bad_image: str = ...,
    progress: Progress | None = ...,
    n_jobs: int | None = ...,
) -> Any: ...
def run(
    task: AnyPath,
    *,
    backbones: Sequence[str] = ...,
    probes: Sequence[str] = ...,
    baseline: str = ...,
    seeds: int = ...,
    precision: str = ...,
    out: AnyPath | None = ...,
    cache: AnyPath | None = ...,
    weights: AnyPath | Sequence[AnyPath] = ...,
    data: AnyPath | Sequence[AnyPath] = ...,
    offline: bool = ...,
    on_bad_image: str = ...,
    progress: Progress | None = ...,
    n_jobs: int | None = ...,
) -> Table: ...
