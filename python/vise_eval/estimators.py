"""Estimators by scikit-learn's rules on our solvers: fit, predict, score, clone, pipelines, searches.

Features are N x D and read as float32 (other types are converted; such arrays, row-major, aren't copied); everything
is solved in double. What scikit-learn's class of the same name has and these don't is no parameter here, so it raises
(TypeError) instead of being ignored: sample_weight, l1 and elastic-net penalties, fit_intercept=False, max_iter, tol.

Every fit has `proof_`, a dict: "objective_text", "objective", "gradient" (the largest derivative at the solution),
"passes" over the data and "converged". `n_jobs`: threads (None: all cores), which never change a result. `progress`: a
callable (what, done, total); None shows a bar in a notebook, False none. Ctrl-C stops a fit. Data that can't be fitted
raise ValueError or InputError, a wrong setting UsageError.
"""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import get_scorer
from sklearn.utils.extmath import softmax

from vise_eval._fitting import Classifier, LinearClassifier, Probe, folds_of, grid_of, metric_of, positive
from vise_eval.errors import UsageError

_BLOCK = 64  # rows that probes/knn.cc takes at once
_OF_CLASSES = ("accuracy", "balanced_accuracy", "f1_weighted", "neg_log_loss", "roc_auc", "average_precision")
_OF_VALUES = ("r2", "neg_mean_absolute_error", "neg_root_mean_squared_error")


def _class_weight(value):
    if value is None:
        return "none"
    if isinstance(value, str) and value == "balanced":
        return "balanced"
    raise UsageError(f"class_weight={value!r} is not supported", 'None, or "balanced"')


class _Logistic(LinearClassifier):
    def predict_proba(self, X):
        """Probabilities of the classes, N x K. X: N x D."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return softmax(np.stack([np.zeros_like(scores), scores], axis=1))
        if getattr(self, "multi_class", None) == "ovr":
            shares = 1 / (1 + np.exp(-np.clip(scores, -700, 700)))
            return shares / shares.sum(axis=1, keepdims=True)
        return softmax(scores)

    def predict_log_proba(self, X):
        """Their logarithms, N x K. X: N x D."""
        return np.log(self.predict_proba(X))

    def _finish(self, fitted):
        self._keep(fitted)
        self.proof_ = fitted.proof
        self.n_iter_ = np.array([self.proof_["passes"]], dtype=np.int32)
        return self


class LogisticRegression(_Logistic):
    """L2-regularised logistic regression with free intercepts, solved to its optimum.

    Minimises ``C * sum of log losses + ||W||^2 / 2``, as scikit-learn's does: two classes have one weight vector, more
    a softmax ("auto", "multinomial") or one problem a class against the rest ("ovr").

    Attributes: classes_, coef_ (1 x D for two classes, else K x D), intercept_, n_iter_ (passes over the data), proof_.
    """

    def __init__(self, C=1.0, *, class_weight=None, multi_class="auto", n_jobs=None, progress=None):
        self.C = C
        self.class_weight = class_weight
        self.multi_class = multi_class
        self.n_jobs = n_jobs
        self.progress = progress

    def fit(self, X, y):
        """X: N x D. y: N labels of two classes or more."""
        options = {"C": positive("C", self.C), "class-weight": _class_weight(self.class_weight)}
        X, numbers = self._rows_and_classes(X, y)
        if self.multi_class not in ("auto", "multinomial", "ovr"):
            raise UsageError(f"multi_class={self.multi_class!r}", '"auto", "multinomial" or "ovr"')
        if self.multi_class == "multinomial" and len(self.classes_) == 2:
            raise UsageError('multi_class="multinomial": a softmax of two classes is not supported', '"auto"')
        if self.multi_class == "ovr" and len(self.classes_) > 2:
            if self.class_weight is not None:
                raise UsageError('class_weight="balanced" is not supported with multi_class="ovr"')
            options["multi"] = "one-vs-rest"
        return self._finish(self._solve("logreg", options, X, numbers, len(self.classes_)))


class LogisticRegressionCV(_Logistic):
    """Logistic regression at the C that does best in cross-validation: the whole path and all folds are solved at once.

    The objective is LogisticRegression's; more than two classes are a softmax. Of equal scores the smallest C is taken,
    and the model is fitted on all rows at that C. "balanced" weights are those of all rows, in the folds too.

    Parameters: Cs, a number of values between 1e-4 and 1e4, or the values. cv, folds (stratified; with `groups`, whole
    groups) or a splitter that holds out each row at most once. scoring, "accuracy" (None), "balanced_accuracy",
    "f1_weighted", "neg_log_loss", "roc_auc" or "average_precision" (the last two for two classes).

    Attributes: classes_, coef_, intercept_, Cs_, C_ (as often as coef_ has rows), scores_ (class to folds x Cs; of two
    classes the second alone, of more the same for each; none where one C leaves nothing to choose), n_iter_ (passes of
    the last fit), proof_, selection_.
    """

    def __init__(self, Cs=10, *, cv=None, scoring=None, class_weight=None, n_jobs=None, progress=None):
        self.Cs = Cs
        self.cv = cv
        self.scoring = scoring
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.progress = progress

    def fit(self, X, y, groups=None):
        """X: N x D. y: N labels. groups: N, of which none is divided between folds."""
        options = {"class-weight": _class_weight(self.class_weight)}
        options["metric"] = metric_of(self.scoring, "accuracy", _OF_CLASSES)
        given = np.logspace(-4, 4, self.Cs) if isinstance(self.Cs, (int, np.integer)) else self.Cs
        self.Cs_, options["grid"], places = grid_of("Cs", given)
        X, numbers = self._rows_and_classes(X, y)
        folds = folds_of(self.cv, X, numbers, groups, classifier=True)
        fitted = self._solve("logreg", options, X, numbers, len(self.classes_), folds)
        self.selection_ = fitted.selection
        self._finish(fitted)
        if self.selection_["scores"]:  # of one C alone nothing is measured
            by_fold = self.selection_["fold_scores"].T[:, places]
            self.scores_ = {label: by_fold.copy() for label in self.classes_[-len(self.coef_) :]}
        self.C_ = np.full(len(self.coef_), self.selection_["chosen"]["C"])
        return self

    def score(self, X, y):
        """`scoring` of the predictions. X: N x D. y: N labels."""
        return get_scorer(self.scoring or "accuracy")(self, X, y)


class LinearSVC(LinearClassifier):
    """Linear support vector machines of LIBLINEAR, one class against the rest, squared hinge loss.

    Minimises ``C * sum of max(0, 1 - y z)^2 + (||w||^2 + b^2) / 2`` for each class (of two, for the second), as
    scikit-learn's defaults do: the intercept is regularised. `dual` chooses LIBLINEAR's solver 1 (True) or 2, `tol` its
    stopping tolerance. Its draws are fixed, so that a fit is always the same.

    Attributes: classes_, coef_, intercept_, proof_ (measured here: LIBLINEAR says nothing).
    """

    def __init__(self, C=1.0, *, dual=True, tol=1e-4, n_jobs=None, progress=None):
        self.C = C
        self.dual = dual
        self.tol = tol
        self.n_jobs = n_jobs
        self.progress = progress

    def fit(self, X, y):
        """X: N x D. y: N labels of two classes or more."""
        options = {
            "C": positive("C", self.C),
            "eps": positive("tol", self.tol),
            "solver": "1" if self.dual else "2",
        }
        X, numbers = self._rows_and_classes(X, y)
        self._keep(self._solve("liblinear", options, X, numbers, len(self.classes_)))
        self.proof_ = self._measure(X.astype(np.float64), numbers)
        return self

    def _measure(self, X, numbers):
        labels = [1] if len(self.classes_) == 2 else range(len(self.classes_))
        sides = np.where(numbers[:, None] == np.array(labels), 1.0, -1.0)
        short = np.maximum(0, 1 - sides * (X @ self.coef_.T + self.intercept_))
        slopes = -2 * self.C * sides * short
        gradient = np.column_stack([slopes.T @ X + self.coef_, slopes.sum(axis=0) + self.intercept_])
        squares = (self.coef_**2).sum() + (self.intercept_**2).sum()
        return {
            "objective_text": "C * sum of squared hinge losses + (||w||^2 + b^2) / 2, summed over classes",
            "objective": float(self.C * (short**2).sum() + squares / 2),
            "gradient": float(np.abs(gradient).max()),
            "passes": None,
            "converged": None,
        }


class RidgeCV(RegressorMixin, Probe):
    """Least squares with an L2 penalty and free intercepts, at the penalty that does best in cross-validation.

    Minimises ``||y - X w - b||^2 + alpha ||w||^2``, as scikit-learn's does; all penalties come from one decomposition a
    fold. Of equal scores the largest alpha is taken. Leave-one-out, scikit-learn's default, is not offered.

    Parameters: alphas, positive. cv, folds (5) or a splitter. scoring, "r2" (None), "neg_mean_absolute_error" or
    "neg_root_mean_squared_error".

    Attributes: coef_ (D, or T x D for y of N x T), intercept_, alpha_, alphas_, scores_ (an alpha each: the mean over folds), best_score_,
    proof_, selection_.
    """

    def __init__(self, alphas=(0.1, 1.0, 10.0), *, cv=5, scoring=None, n_jobs=None, progress=None):
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.progress = progress

    def fit(self, X, y, groups=None):
        """X: N x D. y: N values, or N x T. groups: N, of which none is divided between folds."""
        if self.cv is None:
            raise UsageError("cv=None: leave-one-out is not offered", "cv=5, another number of folds, or a splitter")
        options = {"metric": metric_of(self.scoring, "r2", _OF_VALUES)}
        self.alphas_, options["grid"], places = grid_of("alphas", self.alphas)
        X, y = self._validate_data(X, y, dtype=np.float32, order="C", multi_output=True, y_numeric=True)
        values = np.ascontiguousarray(y, dtype=np.float64).reshape(len(X), -1)
        folds = folds_of(self.cv, X, y, groups, classifier=False)
        fitted = self._solve("ridge", options, X, values, 0, folds)
        self.selection_, self.proof_ = fitted.selection, fitted.proof
        self.alpha_ = self.selection_["chosen"]["lambda"]
        self.coef_, self.intercept_ = fitted.weights, fitted.intercepts
        if np.ndim(y) == 1:
            self.coef_, self.intercept_ = self.coef_[0], float(self.intercept_[0])
        if self.selection_["scores"]:  # the solver goes from the strongest penalty to the weakest
            self.scores_ = np.array(self.selection_["scores"])[::-1][places]
            self.best_score_ = self.scores_.max()
        return self

    def predict(self, X):
        """N values, or N x T. X: N x D."""
        return self._rows(X).astype(np.float64) @ self.coef_.T + self.intercept_

    def _more_tags(self):
        return {"multioutput": True}


class KNeighbors(Classifier):
    """The nearest neighbours by cosine, weighted by exp(similarity / temperature), as DINOv2's evaluation has it.

    With several values of `n_neighbors` the one that does best in cross-validation is taken (of equal ones the
    largest); values beyond the rows that there are count as all rows.

    Attributes: classes_, n_neighbors_, proof_, selection_.
    """

    def __init__(self, n_neighbors=20, *, temperature=0.07, cv=None, scoring=None, n_jobs=None, progress=None):
        self.n_neighbors = n_neighbors
        self.temperature = temperature
        self.cv = cv
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.progress = progress

    def fit(self, X, y, groups=None):
        """X: N x D. y: N labels. groups: N, of which none is divided between folds."""
        options = {"temperature": positive("temperature", self.temperature)}
        options["metric"] = metric_of(self.scoring, "accuracy", _OF_CLASSES)
        given, options["k"], _ = grid_of("n_neighbors", self.n_neighbors)
        if (given != np.floor(given)).any():
            raise UsageError(f"n_neighbors={self.n_neighbors!r}: whole numbers are needed")
        X, numbers = self._rows_and_classes(X, y)
        folds = folds_of(self.cv, X, numbers, groups, classifier=True) if len(given) > 1 else None
        self._options, self._known = options, (X, numbers)
        self._fitted = self._solve("knn", options, X, numbers, len(self.classes_), folds)
        self.selection_, self.proof_ = self._fitted.selection, self._fitted.proof
        self.n_neighbors_ = int(self.selection_["chosen"]["k"])
        return self

    def decision_function(self, X):
        """Logarithms of the classes' votes: of two classes their difference, N; else N x K. X: N x D."""
        votes = self._votes(X)
        return votes[:, 1] - votes[:, 0] if len(self.classes_) == 2 else votes

    def predict_proba(self, X):
        """The classes' shares of the votes, N x K. X: N x D."""
        return softmax(self._votes(X))

    def _votes(self, X):
        """Logarithms of the votes, N x K. The solver takes 64 rows at once, and fewer by another product, whose float32
        sums end otherwise: whole blocks make a row's votes depend on that row alone."""
        rows = self._rows(X)
        whole = np.zeros((-(-len(rows) // _BLOCK) * _BLOCK, rows.shape[1]), dtype=np.float32)
        whole[: len(rows)] = rows
        return self._fitted.scores(whole)[: len(rows)]

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "_fitted"}

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_known" in state:  # the chosen number alone: nothing is chosen again
            options = {**self._options, "k": str(self.n_neighbors_)}
            largest = max(1, int(np.max(self.n_neighbors)))
            self._fitted = self._solve("knn", {**options, "largest": str(largest)}, *self._known, len(self.classes_))
