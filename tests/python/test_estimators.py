"""The estimators against scikit-learn's own, and by its check_estimator."""

import pickle
import unittest
import warnings

import numpy as np

import vise_eval as ve

try:
    import sklearn
except ImportError:
    raise unittest.SkipTest("python3-sklearn is missing")

from sklearn import linear_model, svm
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

# Checks of scikit-learn's that don't hold: the solver weighs classes by their rows or not at all, and a dict raises.
EXCEPTIONS = {
    ("LogisticRegression", "check_class_weight_classifiers"): ve.UsageError,
    ("LogisticRegressionCV", "check_class_weight_classifiers"): ve.UsageError,
}


def data(classes, rows=240, dim=12, seed=0):
    """Overlapping classes, float32 as features are, so that both sides see the same numbers."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, classes, rows)
    centres = rng.normal(size=(classes, dim))
    return (centres[numbers] + 1.5 * rng.normal(size=(rows, dim))).astype(np.float32), numbers


def logistic_objective(model, X, y, C):
    """scikit-learn's, of any model's coefficients."""
    z = X.astype(np.float64) @ model.coef_.T + model.intercept_
    if len(model.classes_) == 2:
        z = np.column_stack([np.zeros(len(z)), z])
    top = z.max(axis=1, keepdims=True)
    losses = np.log(np.exp(z - top).sum(axis=1)) + top[:, 0] - z[np.arange(len(z)), np.searchsorted(model.classes_, y)]
    return C * losses.sum() + (model.coef_**2).sum() / 2


class CheckEstimator(unittest.TestCase):
    def check(self, estimator):
        name = type(estimator).__name__
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for instance, check in check_estimator(estimator, generate_only=True):
                check_name = getattr(check, "func", check).__name__
                with self.subTest(check=check_name):
                    if (name, check_name) in EXCEPTIONS:
                        with self.assertRaises(EXCEPTIONS[name, check_name]):
                            check(instance)
                        continue
                    try:
                        check(instance)
                    except unittest.SkipTest:
                        pass

    def test_logistic_regression(self):
        self.check(ve.LogisticRegression())

    def test_logistic_regression_cv(self):
        self.check(ve.LogisticRegressionCV())

    def test_linear_svc(self):
        self.check(ve.LinearSVC())

    def test_ridge_cv(self):
        self.check(ve.RidgeCV())

    def test_k_neighbors(self):
        self.check(ve.KNeighbors())


class Optimum(unittest.TestCase):
    """Against newton-cg (its lbfgs stops at a gradient of 1e-3 whatever `tol` says), which warns that its line search
    ends at the rounding of doubles."""

    def setUp(self):
        quiet = warnings.catch_warnings()
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)
        warnings.simplefilter("ignore")

    def test_logistic_regression_has_sklearns_objective_and_a_lower_or_equal_value(self):
        for classes in (2, 4):
            for C in (0.01, 1.0, 100.0):
                for class_weight in (None, "balanced"):
                    with self.subTest(classes=classes, C=C, class_weight=class_weight):
                        X, y = data(classes)
                        mine = ve.LogisticRegression(C, class_weight=class_weight).fit(X, y)
                        theirs = linear_model.LogisticRegression(
                            C=C, class_weight=class_weight, solver="newton-cg", tol=1e-10, max_iter=1000
                        ).fit(X.astype(np.float64), y)
                        np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=0, atol=2e-4)
                        np.testing.assert_allclose(mine.intercept_, theirs.intercept_, rtol=0, atol=2e-4)
                        np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), atol=2e-4)
                        np.testing.assert_allclose(
                            mine.decision_function(X), theirs.decision_function(X), atol=2e-3
                        )
                        if class_weight is None:
                            value = logistic_objective(mine, X, y, C)
                            self.assertLessEqual(value, logistic_objective(theirs, X, y, C) * (1 + 1e-9))
                            self.assertAlmostEqual(C * mine.proof_["objective"], value, delta=1e-6 * value)
                        self.assertTrue(mine.proof_["converged"])
                        self.assertLess(mine.proof_["gradient"], 0.05)

    def test_one_against_the_rest_is_sklearns(self):
        X, y = data(3)
        mine = ve.LogisticRegression(multi_class="ovr").fit(X, y)
        theirs = linear_model.LogisticRegression(multi_class="ovr", solver="newton-cg", tol=1e-10).fit(X, y)
        np.testing.assert_allclose(mine.coef_, theirs.coef_, rtol=0, atol=1e-3)
        np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), atol=1e-3)

    def test_cross_validation_chooses_what_sklearn_chooses(self):
        for classes in (2, 4):
            with self.subTest(classes=classes):
                X, y = data(classes, rows=200)
                grid = np.logspace(-3, 2, 6)
                mine = ve.LogisticRegressionCV(grid, cv=KFold(4)).fit(X, y)
                theirs = linear_model.LogisticRegressionCV(
                    Cs=grid, cv=KFold(4), solver="newton-cg", tol=1e-10, max_iter=1000, multi_class="auto"
                ).fit(X.astype(np.float64), y)
                self.assertEqual(list(mine.scores_), list(theirs.scores_))
                for label, scores in theirs.scores_.items():
                    self.assertEqual(mine.scores_[label].shape, (4, 6))
                    np.testing.assert_allclose(mine.scores_[label], scores, atol=1e-12)
                np.testing.assert_array_equal(mine.C_, theirs.C_[: len(mine.C_)])
                np.testing.assert_allclose(mine.coef_, theirs.coef_, atol=1e-3)
                self.assertEqual(mine.score(X, y), theirs.score(X, y))

    def test_grids_keep_the_order_they_are_given_in(self):
        X, y = data(3)
        rising = ve.LogisticRegressionCV([0.01, 1.0, 100.0]).fit(X, y)
        mixed = ve.LogisticRegressionCV([1.0, 100.0, 0.01, 1.0]).fit(X, y)
        np.testing.assert_array_equal(mixed.Cs_, [1.0, 100.0, 0.01, 1.0])
        for label in (0, 1, 2):
            np.testing.assert_array_equal(mixed.scores_[label], rising.scores_[label][:, [1, 2, 0, 1]])

    def test_linear_svc_is_sklearns(self):
        for classes in (2, 4):
            with self.subTest(classes=classes):
                X, y = data(classes)
                mine = ve.LinearSVC(0.1, dual=False, tol=1e-8).fit(X, y)
                theirs = svm.LinearSVC(C=0.1, dual=False, tol=1e-8).fit(X, y)
                np.testing.assert_allclose(mine.coef_, theirs.coef_, atol=1e-5)
                np.testing.assert_allclose(mine.intercept_, theirs.intercept_, atol=1e-5)
                np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
                self.assertLess(mine.proof_["gradient"], 1e-3)

    def test_ridge_cv_is_sklearns(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(120, 9)).astype(np.float32)
        y = X @ rng.normal(size=(9, 2)) + rng.normal(size=(120, 2))
        for targets in (y[:, 0], y):
            mine = ve.RidgeCV([100.0, 0.1, 10.0], cv=KFold(5)).fit(X, targets)
            theirs = linear_model.RidgeCV([100.0, 0.1, 10.0], cv=KFold(5)).fit(X.astype(np.float64), targets)
            self.assertEqual(mine.alpha_, theirs.alpha_)
            self.assertAlmostEqual(mine.best_score_, theirs.best_score_, places=5)
            np.testing.assert_allclose(mine.coef_, theirs.coef_, atol=1e-6)
            np.testing.assert_allclose(mine.intercept_, theirs.intercept_, atol=1e-6)
            self.assertEqual(mine.alphas_[mine.scores_.argmax()], mine.alpha_)

    def test_k_neighbors_votes_as_written_down(self):
        X, y = data(3)
        mine = ve.KNeighbors(5, temperature=0.2).fit(X, y)
        unit = X / np.linalg.norm(X, axis=1, keepdims=True)
        near = np.argsort(-(unit @ unit.T), axis=1, kind="stable")[:, :5]
        weights = np.exp(np.take_along_axis(unit @ unit.T, near, axis=1) / 0.2)
        votes = np.stack([(weights * (y[near] == k)).sum(axis=1) for k in range(3)], axis=1)
        np.testing.assert_allclose(mine.predict_proba(X), votes / votes.sum(axis=1, keepdims=True), atol=1e-5)

    def test_k_neighbors_are_chosen_and_survive_pickling(self):
        X, y = data(3)
        model = ve.KNeighbors([1, 10, 50]).fit(X, y)
        self.assertIn(model.n_neighbors_, (1, 10, 50))
        copy = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))


class ByTheRules(unittest.TestCase):
    def test_groups_stay_together(self):
        X, y = data(3)
        groups = np.arange(len(X)) // 6
        mine = ve.LogisticRegressionCV([0.1, 1.0], cv=3).fit(X, y, groups=groups)
        same = ve.LogisticRegressionCV([0.1, 1.0], cv=list(GroupKFold(3).split(X, y, groups))).fit(X, y)
        np.testing.assert_array_equal(mine.scores_[0], same.scores_[0])
        self.assertEqual(mine.scores_[0].shape, (3, 2))

    def test_clone_pipeline_and_search(self):
        X, y = data(2)
        labels = np.array(["no", "yes"])[y]
        pipeline = make_pipeline(StandardScaler(), ve.LogisticRegression())
        search = GridSearchCV(pipeline, {"logisticregression__C": [0.01, 1.0]}, cv=3).fit(X, labels)
        self.assertEqual(set(search.predict(X)), {"no", "yes"})
        model = ve.LogisticRegressionCV(5, cv=3, class_weight="balanced")
        self.assertEqual(clone(model).get_params(), model.get_params())

    def test_what_is_not_supported_raises(self):
        X, y = data(3)
        for wrong in (
            lambda: ve.LogisticRegression(class_weight={0: 2}).fit(X, y),
            lambda: ve.LogisticRegression(-1).fit(X, y),
            lambda: ve.LogisticRegression(multi_class="softmax").fit(X, y),
            lambda: ve.LogisticRegression(multi_class="multinomial").fit(X[y < 2], y[y < 2]),
            lambda: ve.LogisticRegression(multi_class="ovr", class_weight="balanced").fit(X, y),
            lambda: ve.LogisticRegressionCV(scoring="f1").fit(X, y),
            lambda: ve.LogisticRegressionCV(cv=ShuffleSplit(3)).fit(X, y),
            lambda: ve.LogisticRegressionCV([1.0, float("nan")]).fit(X, y),
            lambda: ve.RidgeCV(cv=None).fit(X, y),
            lambda: ve.KNeighbors(2.5).fit(X, y),
            lambda: ve.LogisticRegression(n_jobs=0).fit(X, y),
        ):
            with self.assertRaises(ve.UsageError):
                wrong()
        with self.assertRaises(TypeError):
            ve.LogisticRegression().fit(X, y, sample_weight=np.ones(len(X)))
        with self.assertRaises(TypeError):
            ve.LogisticRegression(penalty="l1")
