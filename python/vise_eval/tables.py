"""Which of two models is better, and can the test set tell? Tables with intervals and paired tests."""

import html
import io
import json
import os

import numpy as np

from vise_eval import _core
from vise_eval._progress import told
from vise_eval._threads import threads_of
from vise_eval.errors import InputError, UsageError


class Table:
    """A comparison table: every row a model, with intervals, and the paired difference to the baseline.

    A notebook shows it; `print(table)` is what the program prints. `data` is the table as docs/formats/table-json.md
    has it; `to_pandas()`, `to_latex()`, `to_markdown()`, `to_csv()` and `to_html()` are its other forms.
    """

    def __init__(self, forms):
        self._forms = forms
        self.data = json.loads(forms.json)

    @property
    def rows(self):
        """The rows of all sections: dicts with "backbone", "metrics" (value, low, high of each) and "difference"."""
        return [row for section in self.data["sections"] for row in section["rows"]]

    @property
    def difference(self):
        """Of a table of two rows: "value" (the first minus the second), "low", "high", "p", "test" and "detectable",
        the smallest difference that such a test set shows in four of five cases (None where the test isn't
        McNemar's)."""
        found = [row["difference"] for row in self.rows if row["difference"] is not None]
        if len(found) != 1:
            raise UsageError(f"the table has {len(found)} differences, not one", "row['difference'] for row in rows")
        return found[0]

    def __getitem__(self, metric):
        """The metric of each row: a dict of names to {"value", "low", "high", "std"}."""
        found = {row["label"]: row["metrics"][metric] for row in self.rows if metric in row["metrics"]}
        if not found:
            raise KeyError(metric)
        return found

    def __repr__(self):
        return self._forms.terminal

    def to_markdown(self):
        return self._forms.markdown

    def to_latex(self):
        """A table environment a section, for booktabs."""
        return self._forms.latex

    def to_csv(self):
        """docs/formats/table-csv.md: fractions, every metric with its interval."""
        return self._forms.csv

    def to_html(self):
        """The interactive page, whole, which works offline."""
        return self._forms.page()

    def to_pandas(self):
        """to_csv() as a DataFrame."""
        import pandas

        return pandas.read_csv(io.StringIO(self._forms.csv))

    def _repr_html_(self):
        return "\n".join(self._section(section) for section in self.data["sections"]) + self._notes()

    def _section(self, section):
        shown = section["shown"]
        head = ["", *(self.data["metric_names"][metric]["title"] for metric in shown), "difference", "p"]
        lines = [[_cell(text) for text in head]]
        for row in section["rows"]:
            values = [self._estimate(metric, row["metrics"].get(metric)) for metric in shown]
            lines.append([_cell(text) for text in (row["label"], *values, *self._difference(section, row))])
        body = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines[1:]]
        names = "".join(f"<th>{cell}</th>" for cell in lines[0])
        return (
            f"<table><caption>{_cell(section['title'])}</caption><thead><tr>{names}</tr></thead>"
            f"<tbody>{''.join(body)}</tbody></table>"
        )

    def _number(self, metric, value):
        return f"{100 * value:.1f}" if self.data["metric_names"][metric]["percent"] else f"{value:.3f}"

    def _estimate(self, metric, estimate):
        if estimate is None or estimate["value"] is None:
            return "-"
        text = self._number(metric, estimate["value"])
        if estimate["low"] is None:
            return text
        return f"{text} [{self._number(metric, estimate['low'])}, {self._number(metric, estimate['high'])}]"

    def _difference(self, section, row):
        difference, metric = row["difference"], section["primary_metric"]
        if difference is None:
            return ("baseline" if row["baseline"] else "", "")
        p = "" if difference["p"] is None else f"{difference['p']:.2g} ({difference['test']})"
        return self._estimate(metric, difference), p

    def _notes(self):
        sentences = [*self.data["reading"], *self.data["footnotes"]]
        return "".join(f"<p><small>{_cell(sentence)}</small></p>" for sentence in sentences)


def _cell(text):
    return html.escape(str(text))


def _targets(y, kind, classes):
    """The kind, the names of classes or columns, and the targets as the table wants them."""
    y = np.asarray(y)
    if kind is None:
        kind = {1: "values" if y.dtype.kind == "f" else "classes", 2: "multi-label"}.get(y.ndim)
        if kind is None or (y.ndim == 2 and y.dtype.kind == "f"):
            raise UsageError(f"y has {y.ndim} dimensions of {y.dtype}: what is it?", 'kind="distribution" or "values"')
    if kind not in ("classes", "multi-label", "distribution", "values"):
        raise UsageError(f"kind={kind!r}", '"classes", "multi-label", "distribution" or "values"')
    if kind != "classes":
        y = y.reshape(len(y), -1) if y.ndim == 1 and kind == "values" else y
        if y.ndim != 2 or y.dtype.kind not in "biuf" or not np.isfinite(y).all():
            raise InputError(f"y of kind {kind}: N x K finite numbers are needed")
        names = [str(name) for name in classes] if classes is not None else [str(k) for k in range(y.shape[1])]
        return kind, names, y, None
    if y.ndim != 1:
        raise InputError(f"y of kind classes has {y.ndim} dimensions: N labels are needed")
    labels = np.unique(y) if classes is None else np.asarray(classes)
    places = {label: place for place, label in enumerate(labels.tolist())}
    unknown = [label for label in y.tolist() if label not in places]
    if unknown:
        raise InputError(f"y: {unknown[0]!r} is none of the classes")
    return kind, [str(label) for label in labels], np.array([places[label] for label in y.tolist()], np.intc), places


def _scores(name, scores, kind, width, rows, places):
    """N x K numbers; of two classes a score z each row becomes -z/2 and z/2, and labels become 0 and 1."""
    scores = np.asarray(scores)
    if scores.ndim not in (1, 2) or len(scores) != rows:
        raise InputError(f"{name}: scores of shape {scores.shape} for {rows} rows of y")
    said = kind == "classes" and scores.ndim == 1 and (width > 2 or scores.dtype.kind != "f")
    if said:
        unknown = [label for label in scores.tolist() if label not in places]
        if unknown:
            raise InputError(f"{name}: {unknown[0]!r} is none of the classes, and scores of {width} are N x {width}")
        return np.eye(width)[[places[label] for label in scores.tolist()]], True
    if scores.dtype.kind not in "biuf" or not np.isfinite(scores).all():
        raise InputError(f"{name}: scores are not all finite numbers")
    if scores.ndim == 1 and kind == "classes":
        scores = np.stack([-scores / 2, scores / 2], axis=1)
    scores = scores.reshape(rows, -1)
    if scores.shape[1] != width:
        raise InputError(f"{name}: {scores.shape[1]} columns of scores for {width} classes, labels or values")
    return scores.astype(np.float64, copy=False), False


def _table(named, y, *, metric, kind, classes, ids, logits, level, resamples, title, progress, n_jobs):
    if not 0.5 <= level < 1:
        raise UsageError(f"level={level!r}: at least 0.5 and below 1")
    kind, names, y, places = _targets(y, kind, classes)
    if kind == "classes" and len(names) < 2:
        raise InputError("y has one class: two are needed", "classes=... names them all")
    pairs = [_scores(name, scores, kind, len(names), len(y), places) for name, scores in named.items()]
    ids = [f"row {i}" for i in range(len(y))] if ids is None else [str(i) for i in ids]
    if len(ids) != len(y) or len(set(ids)) != len(ids):
        raise InputError(f"{len(set(ids))} different ids for {len(y)} rows of y")
    settings = {
        "title": title,
        "metric": metric or "",
        "logits": bool(logits) and not any(said for _, said in pairs),
        "level": float(level),
        "resamples": int(resamples),
    }
    arrays = [array for array, _ in pairs]
    with told(progress) as tell:
        return Table(_core.table_of_scores(list(named), arrays, y, kind, names, ids, settings, tell, threads_of(n_jobs)))


def compare(
    a, b, y, *, metric=None, names=("a", "b"), kind=None, classes=None, ids=None, logits=True, level=0.95,
    resamples=10_000, title="comparison", progress=None, n_jobs=None,
):  # fmt: skip
    """The paired table of two models' scores on the same test items; the second is the baseline.

    Parameters
    ----------
    a, b : array
        Scores: N x K logits (or N, of two classes: above 0 is the second), N x K of labels, N or N x T of values. Or N
        predicted classes, for what needs no scores.
    y : array
        N classes (integers or words), N x K of 1, 0, -1 (unknown) of labels, N or N x T values; or, with
        kind="distribution", N x K votes.
    metric : str
        What the difference is of: "accuracy" (classes), "map" (labels), "kl" (distributions), "r2" (values) by default;
        "auc", "f1_macro" ...
    classes : names of all classes, where y may lack some; by default those in y, sorted. Columns of scores are theirs.
    ids : N names of items, for messages.
    logits : False where scores are margins or votes: no log loss, Brier score or calibration error.
    level, resamples : of the intervals; of the bootstrap.

    Returns
    -------
    Table
        `table.difference` has the difference a - b with interval, p and what such a test set can show. Accuracies are
        tested by McNemar's exact test, AUCs of two classes by DeLong's, others by a paired bootstrap.

    Raises
    ------
    InputError : arrays that don't match, or with NaN.
    UsageError : an unknown metric or setting.
    """
    if len(names) != 2 or names[0] == names[1]:
        raise UsageError(f"names={names!r}: two different names are needed")
    named = {str(names[0]): a, str(names[1]): b}
    return _table(
        named, y, metric=metric, kind=kind, classes=classes, ids=ids, logits=logits, level=level, resamples=resamples,
        title=title, progress=progress, n_jobs=n_jobs,
    )  # fmt: skip


def evaluate(
    scores, y, *, metric=None, name="scores", kind=None, classes=None, ids=None, logits=True, level=0.95,
    resamples=10_000, title="evaluation", progress=None, n_jobs=None,
):  # fmt: skip
    """Every metric of a model's scores with its interval; the parameters are compare()'s.

    `evaluate(...)["accuracy"]["scores"]` is {"value", "low", "high", "std"}. `scores` may also be a dict of names to
    scores: a table of many models, each compared with the last, and p adjusted by Holm's method.
    """
    named = {str(key): value for key, value in scores.items()} if isinstance(scores, dict) else {name: scores}
    if not named:
        raise UsageError("no scores are given")
    return _table(
        named, y, metric=metric, kind=kind, classes=classes, ids=ids, logits=logits, level=level, resamples=resamples,
        title=title, progress=progress, n_jobs=n_jobs,
    )  # fmt: skip


def read_table(*runs, baseline="", progress=None, n_jobs=None):
    """The table of one or several runs' folders, as `vise-eval report` makes it."""
    if not runs:
        raise UsageError("no run is given")
    with told(progress) as tell:
        return Table(_core.table_of_runs([os.fspath(run) for run in runs], baseline, tell, threads_of(n_jobs)))
