"""compare, evaluate and Table, against scikit-learn, and the definitions where it has none."""

import math
import unittest

import numpy as np

import vise_eval as ve

try:
    from sklearn import metrics
except ImportError:
    raise unittest.SkipTest("python3-sklearn is missing")


def two_models(classes=3, rows=200, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    truth = np.eye(classes)[y]
    shared = rng.normal(size=(rows, classes))
    return truth * 2.0 + shared, truth * 1.2 + shared + 0.4 * rng.normal(size=(rows, classes)), y


def mcnemar_exact(only_a, only_b):
    n, low = only_a + only_b, min(only_a, only_b)
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(low + 1)) / 2**n)


class Compare(unittest.TestCase):
    def test_difference_of_accuracies_is_mcnemars(self):
        a, b, y = two_models()
        difference = ve.compare(a, b, y).difference
        right_a, right_b = a.argmax(axis=1) == y, b.argmax(axis=1) == y
        self.assertAlmostEqual(difference["value"], right_a.mean() - right_b.mean(), places=12)
        self.assertEqual(difference["test"], "McNemar, exact")
        exact = mcnemar_exact((right_a & ~right_b).sum(), (right_b & ~right_a).sum())
        self.assertAlmostEqual(difference["p"], exact, places=12)
        self.assertEqual(difference["only_row"], (right_a & ~right_b).sum())
        self.assertTrue(difference["low"] <= difference["value"] <= difference["high"])
        self.assertGreater(difference["detectable"], 0)

    def test_labels_and_their_indicator_scores_are_the_same_question(self):
        a, b, y = two_models()
        words = np.array(["anger", "fear", "joy"])
        by_words = ve.compare(words[a.argmax(axis=1)], words[b.argmax(axis=1)], words[y]).difference
        by_scores = ve.compare(a, b, y).difference
        self.assertEqual((by_words["value"], by_words["p"]), (by_scores["value"], by_scores["p"]))

    def test_other_metrics_have_their_tests(self):
        a, b, y = two_models(classes=2)
        margins_a, margins_b = a[:, 1] - a[:, 0], b[:, 1] - b[:, 0]
        table = ve.compare(margins_a, margins_b, y, metric="auc", names=("mine", "theirs"))
        expected = metrics.roc_auc_score(y, margins_a) - metrics.roc_auc_score(y, margins_b)
        self.assertAlmostEqual(table.difference["value"], expected, places=12)
        self.assertEqual(table.difference["test"], "DeLong")
        f1 = ve.compare(a, b, y, metric="f1_macro", resamples=2000).difference
        self.assertEqual(f1["test"], "paired bootstrap")
        values = np.random.default_rng(0).normal(size=100)
        r2 = ve.compare(values + 0.1, values - 0.5, values, resamples=2000)
        self.assertGreater(r2.difference["value"], 0)

    def test_what_does_not_match_raises(self):
        a, b, y = two_models()
        broken = a.copy()
        broken[3, 1] = np.nan
        for wrong in (
            lambda: ve.compare(a[:-1], b, y),
            lambda: ve.compare(a[:, :2], b, y),
            lambda: ve.compare(broken, b, y),
            lambda: ve.compare(a, b, y.reshape(-1, 1, 1)),
            lambda: ve.compare(a, b, y, classes=[0, 1]),
            lambda: ve.compare(a, b, y, metric="no-such"),
            lambda: ve.compare(a, b, y, names=("same", "same")),
            lambda: ve.compare(a, b, y, ids=["x"] * len(y)),
            lambda: ve.compare(a, b, y, level=2),
            lambda: ve.compare(a, b, np.zeros(len(y), int)),
            lambda: ve.evaluate({}, y),
        ):
            with self.assertRaises((ve.InputError, ve.UsageError)):
                wrong()


class Evaluate(unittest.TestCase):
    def test_metrics_are_sklearns(self):
        a, _, y = two_models()
        table = ve.evaluate(a, y)
        probabilities = np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)
        for name, value in {
            "accuracy": metrics.accuracy_score(y, a.argmax(axis=1)),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, a.argmax(axis=1)),
            "f1_macro": metrics.f1_score(y, a.argmax(axis=1), average="macro"),
            "kappa": metrics.cohen_kappa_score(y, a.argmax(axis=1)),
            "log_loss": metrics.log_loss(y, probabilities),
        }.items():
            estimate = table[name]["scores"]
            self.assertAlmostEqual(estimate["value"], value, places=10, msg=name)
            self.assertTrue(estimate["low"] < estimate["value"] < estimate["high"], name)

    def test_labels_distributions_and_values(self):
        rng = np.random.default_rng(1)
        bits = rng.integers(0, 2, (80, 4))
        scores = bits + rng.normal(size=bits.shape)
        mean = metrics.average_precision_score(bits, scores, average="macro")
        self.assertAlmostEqual(ve.evaluate(scores, bits, resamples=500)["map"]["scores"]["value"], mean, places=10)
        votes = rng.integers(1, 9, (80, 3)).astype(float)
        self.assertGreater(ve.evaluate(np.log(votes), votes, kind="distribution", resamples=500)["kl"]["scores"]["value"], -1e-9)
        values = rng.normal(size=80)
        r2 = ve.evaluate(values + 0.1, values, resamples=500)["r2"]["scores"]["value"]
        self.assertAlmostEqual(r2, metrics.r2_score(values, values + 0.1), places=10)
        with self.assertRaises(ve.UsageError):
            ve.evaluate(np.log(votes), votes)


class Forms(unittest.TestCase):
    def test_a_table_has_its_forms(self):
        a, b, y = two_models()
        table = ve.compare(a, b, y, names=("<mine>", "theirs"), resamples=500)
        self.assertIn("&lt;mine&gt;", table._repr_html_())
        self.assertNotIn("<mine>", table._repr_html_())
        self.assertIn("\\toprule", table.to_latex())
        self.assertIn("theirs", table.to_markdown())
        self.assertIn("theirs", repr(table))
        self.assertTrue(table.to_html().startswith("<!DOCTYPE html>") or "<html" in table.to_html())
        try:
            import pandas  # noqa: F401
        except ImportError:
            self.skipTest("python3-pandas is missing")
        frame = table.to_pandas()
        self.assertEqual(len(frame), len(table.to_csv().strip().splitlines()) - 1)

    def test_many_models_are_compared_with_the_last(self):
        a, b, y = two_models()
        table = ve.evaluate({"one": a, "two": b, "base": np.roll(b, 1, axis=0)}, y, resamples=500)
        self.assertEqual([row["baseline"] for row in table.rows], [False, False, True])
        with self.assertRaises(ve.UsageError):
            table.difference
