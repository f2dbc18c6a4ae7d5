"""What the estimators share: arrays and folds as the solvers want them, and settings as their options."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupKFold, check_cv
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from vise_eval import _core
from vise_eval._progress import told
from vise_eval._threads import threads_of
from vise_eval.errors import InputError, UsageError

# scikit-learn's names of scores, and ours for the same number.
METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "f1_weighted": "f1_weighted",
    "neg_log_loss": "neg_log_loss",
    "roc_auc": "auc",
    "average_precision": "average_precision",
    "r2": "r2",
    "neg_mean_absolute_error": "neg_mae",
    "neg_root_mean_squared_error": "neg_rmse",
}


def metric_of(scoring, otherwise, known):
    """Our name of a `scoring` of scikit-learn's that is among `known`."""
    if scoring is None:
        return METRICS[otherwise]
    if not isinstance(scoring, str) or scoring not in known:
        raise UsageError(f"scoring={scoring!r} is not supported", "one of " + ", ".join(known))
    return METRICS[scoring]


def positive(name, value):
    """`value` as the solvers' options have numbers."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 < number < float("inf"):
        raise UsageError(f"{name}={value!r}: a positive number is needed")
    return repr(number)


def grid_of(name, values):
    """Distinct positive values rising, as text, and the place of each given one among them."""
    values = np.atleast_1d(np.asarray(values, dtype=float)).ravel()
    if values.size == 0:
        raise UsageError(f"{name}: no value is given")
    for value in values:
        positive(name, value)
    rising, places = np.unique(values, return_inverse=True)
    return values, ",".join(repr(float(value)) for value in rising), places


def folds_of(cv, X, y, groups, classifier):
    """The fold in which each row is held out, -1 for never. A row may be held out once, and is else learnt from."""
    if groups is not None and (cv is None or isinstance(cv, (int, np.integer))):
        splitter = GroupKFold(5 if cv is None else int(cv))
    else:
        splitter = check_cv(5 if cv is None else cv, y, classifier=classifier)
    folds = np.full(len(X), -1, dtype=np.intc)
    for fold, (train, test) in enumerate(splitter.split(X, y, groups)):
        learnt = np.zeros(len(X), dtype=bool)
        learnt[train] = True
        if (folds[test] >= 0).any() or learnt[test].any() or learnt.sum() + len(test) != len(X):
            raise UsageError(
                "cv: folds that overlap, or leave rows out, are not supported",
                "a splitter that holds out each row at most once and learns from all others: KFold, GroupKFold ...",
            )
        folds[test] = fold
    return folds


class Probe(BaseEstimator):
    """An estimator whose fit is one of our probes. Subclasses set `coef_` and the rest from what `_solve` gives."""

    def _rows(self, X):
        """X of predict(), checked; float32."""
        check_is_fitted(self)
        return self._validate_data(X, dtype=np.float32, order="C", reset=False)

    def _solve(self, probe, options, X, y, classes=0, folds=None):
        """X: N x D, float32. y: N class numbers below `classes`, or N x T values. Gives the solver's answer."""
        with told(self.progress) as progress:
            return _core.fit_probe(probe, options, X, y, classes, folds, progress, threads_of(self.n_jobs))


class Classifier(ClassifierMixin, Probe):
    """A probe that tells classes apart."""

    def _rows_and_classes(self, X, y):
        X, y = self._validate_data(X, y, dtype=np.float32, order="C", y_numeric=False)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"{type(self).__name__}: y has 1 class; at least 2 classes are needed")
        return X, numbers.astype(np.intc)

    def predict(self, X):
        """The class of each row: the one of the largest score, ties to the first. X: N x D."""
        scores = self.decision_function(X)
        numbers = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[numbers]


class LinearClassifier(Classifier):
    """One whose scores are ``X @ coef_.T + intercept_``: one vector for two classes, else one a class."""

    def _keep(self, fitted):
        weights, intercepts = fitted.weights, fitted.intercepts
        if len(self.classes_) == 2:  # -w/2 and w/2
            weights, intercepts = 2 * weights[1:], 2 * intercepts[1:]
        self.coef_, self.intercept_ = weights, intercepts

    def decision_function(self, X):
        """Scores: N for two classes (above 0: the second), else N x K. X: N x D."""
        scores = self._rows(X).astype(np.float64) @ self.coef_.T + self.intercept_
        return scores.ravel() if len(self.classes_) == 2 else scores
