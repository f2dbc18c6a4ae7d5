"""What may go wrong around a call: stop signals, forks, threads, odd arrays. A clear exception or the right answer."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import unittest
import warnings

import numpy as np

import vise_eval as ve

try:
    import sklearn  # noqa: F401
except ImportError:
    raise unittest.SkipTest("python3-sklearn is missing")


def data(rows=300, dim=16, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    return (rng.normal(size=(classes, dim))[y] + rng.normal(size=(rows, dim))).astype(np.float32), y


class Arrays(unittest.TestCase):
    def test_layouts_and_dtypes_give_the_same_answer(self):
        X, y = data()
        whole = ve.LogisticRegression().fit(X, y)
        wide = np.zeros((len(X), 2 * X.shape[1]), np.float32)
        wide[:, ::2] = X
        readonly = X.copy()
        readonly.setflags(write=False)
        for name, same in {
            "columns of a wider one": wide[:, ::2],
            "column-major": np.asfortranarray(X),
            "float64": X.astype(np.float64),
            "big-endian": X.astype(">f4"),
            "read-only": readonly,
            "rows backwards, twice": X[::-1].copy()[::-1],
            "lists": X.tolist(),
        }.items():
            with self.subTest(name):
                other = ve.LogisticRegression().fit(same, y)
                np.testing.assert_array_equal(other.coef_, whole.coef_)
                np.testing.assert_array_equal(other.predict(same), whole.predict(X))

    def test_bad_arrays_raise_value_errors(self):
        X, y = data()
        for name, wrong in {
            "NaN": np.where(np.arange(X.size).reshape(X.shape) == 5, np.nan, X),
            "infinity": np.where(np.arange(X.size).reshape(X.shape) == 5, np.inf, X),
            "beyond float32": np.where(np.arange(X.size).reshape(X.shape) == 5, 1e300, X.astype(np.float64)),
            "one dimension": X[:, 0],
            "three dimensions": X[None],
            "no column": X[:, :0],
            "fewer rows": X[:-1],
            "complex": X.astype(np.complex64),
            "words": np.full(X.shape, "word"),
        }.items():
            for estimator in (ve.LogisticRegression(), ve.LogisticRegressionCV(), ve.KNeighbors(), ve.LinearSVC(), ve.RidgeCV()):
                with self.subTest(name, estimator=type(estimator).__name__), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    with self.assertRaises(ValueError):
                        estimator.fit(wrong, y)
        model = ve.LogisticRegression().fit(X, y)
        with self.assertRaises(ValueError):
            model.predict(X[:, :-1])

    def test_the_room_itself_refuses_what_the_package_would_not_pass(self):
        from vise_eval import _core

        X, y = data()
        y = y.astype(np.intc)
        for wrong in (
            lambda: _core.fit_probe("logreg", {}, X[:0], y[:0], 3, None, None, 1),
            lambda: _core.fit_probe("logreg", {}, X, y[:-1], 3, None, None, 1),
            lambda: _core.fit_probe("logreg", {}, X, y + 1, 3, None, None, 1),
            lambda: _core.fit_probe("logreg", {}, X, y, 3, np.zeros(3, np.intc), None, 1),
            lambda: _core.fit_probe("logreg", {}, X * np.nan, y, 3, None, None, 1),
            lambda: _core.fit_probe("logreg", {"C": "many"}, X, y, 3, None, None, 1),
            lambda: _core.fit_probe("logreg", {}, X, y, 3, None, None, -1),
            lambda: _core.fit_probe("no-such", {}, X, y, 3, None, None, 1),
            lambda: _core.fit_probe("logreg", {}, X, y, 3, None, None, 1).scores(X[:, :-1]),
        ):
            with self.assertRaises(ve.Error):
                wrong()


class Threads(unittest.TestCase):
    def test_two_fits_at_once_are_the_two_fits(self):
        problems = [data(seed=seed) for seed in range(4)]
        alone = [ve.LogisticRegressionCV(cv=3, n_jobs=1).fit(X, y).coef_ for X, y in problems]
        together = [None] * len(problems)

        def fit(i):
            together[i] = ve.LogisticRegressionCV(cv=3).fit(*problems[i]).coef_

        threads = [threading.Thread(target=fit, args=(i,)) for i in range(len(problems))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one, other in zip(alone, together):
            np.testing.assert_array_equal(one, other)

    def test_python_goes_on_during_a_fit(self):
        X, y = data(rows=1500, dim=100, classes=6)
        done = threading.Event()
        fit = threading.Thread(target=lambda: (ve.LogisticRegressionCV(20).fit(X, y), done.set()))
        fit.start()
        steps = 0
        while not done.is_set():
            steps += 1
            time.sleep(0.001)
        fit.join()
        self.assertGreater(steps, 5)

    def test_numpys_threads_are_as_they_were(self):
        code = """
            import ctypes, numpy as np, vise_eval as ve
            blas = ctypes.CDLL("libopenblas.so.0")
            blas.openblas_set_num_threads(2)
            X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
            ve.LogisticRegression().fit(X, X[:, 0] > 0).predict(X)
            ve.KNeighbors(3).fit(X, X[:, 0] > 0).predict(X)
            assert blas.openblas_get_num_threads() == 2, blas.openblas_get_num_threads()
        """
        ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)

    def test_a_forked_child_fits_too(self):
        X, y = data()
        expected = ve.LogisticRegressionCV(cv=3).fit(X, y)
        child = os.fork()
        if child == 0:
            try:
                same = ve.LogisticRegressionCV(cv=3).fit(X, y)
                os._exit(0 if np.array_equal(same.coef_, expected.coef_) else 3)
            finally:
                os._exit(4)
        deadline = time.time() + 120
        while time.time() < deadline:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self.assertEqual(os.waitstatus_to_exitcode(status), 0)
                return
            time.sleep(0.02)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        self.fail("the child did not end")


class Stopping(unittest.TestCase):
    def setUp(self):
        self.X, self.y = data(rows=2000, dim=200, classes=10)

    def test_ctrl_c_stops_a_fit(self):
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        begin = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            while time.monotonic() < begin + 120:  # a fast machine may fit once before the signal comes
                ve.LogisticRegressionCV(200, cv=10).fit(self.X, self.y)
        timer.join()
        self.assertIsNotNone(ve.LogisticRegression().fit(self.X[:500], self.y[:500]))

    def test_an_exception_of_the_callback_stops_it_and_is_what_is_raised(self):
        class Enough(Exception):
            pass

        told = []

        def progress(what, done, total):
            told.append((what, done, total))
            if done >= 2:
                raise Enough

        with self.assertRaises(Enough):
            for _ in range(100):
                ve.LogisticRegressionCV(200, cv=10, progress=progress).fit(self.X, self.y)
        for what, done, total in told:
            self.assertTrue(isinstance(what, str) and 0 < done <= total)


if __name__ == "__main__":
    unittest.main()
