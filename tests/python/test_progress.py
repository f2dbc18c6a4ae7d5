"""The bar of a notebook: in a kernel of Jupyter's, as a front end receives it, and its rules without one."""

import os
import sys
import types
import unittest
from unittest import mock

import numpy as np

import vise_eval as ve
from vise_eval import _progress

try:
    import sklearn  # noqa: F401
except ImportError:
    raise unittest.SkipTest("python3-sklearn is missing")

SLOW_FIT = """
import numpy as np, vise_eval as ve
from vise_eval import _progress
_progress._WAIT = 0
rng = np.random.default_rng(0)
y = rng.integers(0, 10, 2000)
X = (rng.normal(size=(10, 200))[y] + 3 * rng.normal(size=(2000, 200))).astype(np.float32)
model = ve.LogisticRegressionCV(40, n_jobs=1{argument}).fit(X, y)
"""


class Kernel(unittest.TestCase):
    """nbclient starts ipykernel and keeps every message of its cells, as a notebook would show them."""

    def outputs(self, source):
        try:
            import ipykernel  # noqa: F401
            import nbclient
            import nbformat
        except ImportError:
            self.skipTest("python3-ipykernel or python3-nbclient is missing")
        cell = nbformat.v4.new_code_cell(source)
        messages = []
        client = nbclient.NotebookClient(
            nbformat.v4.new_notebook(cells=[cell]), kernel_name="python3", timeout=240, startup_timeout=120
        )
        seen = client.process_message
        client.process_message = lambda message, *rest: (messages.append(message), seen(message, *rest))[1]
        with mock.patch.dict(os.environ, {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}):  # a word of the debugger's
            client.execute()
        return messages, cell["outputs"]

    def test_a_long_fit_has_a_bar_that_moves_and_goes(self):
        messages, outputs = self.outputs(SLOW_FIT.format(argument=""))
        shown = [m["content"]["data"] for m in messages if m["msg_type"] in ("display_data", "update_display_data")]
        self.assertGreater(len(shown), 2)
        self.assertIn('<progress value="', shown[0]["text/html"])
        self.assertRegex(shown[0]["text/plain"], r"^logreg: values of C: \[#*\.*\] \d+ of 40$")
        done = [int(data["text/plain"].split()[-3]) for data in shown[:-1]]
        self.assertEqual(done, sorted(done))
        self.assertEqual([output["data"]["text/html"] for output in outputs], [""])

    def test_it_can_be_left_out(self):
        messages, outputs = self.outputs(SLOW_FIT.format(argument=", progress=False"))
        self.assertEqual(outputs, [])


class Rules(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(0)
        self.y = rng.integers(0, 3, 200)
        self.X = rng.normal(size=(200, 8)).astype(np.float32)
        self.shown = []

    def in_a_notebook(self):
        """IPython with a kernel, whose display() notes what it is given."""

        def display(bar, display_id):
            self.shown.append(repr(bar))
            return types.SimpleNamespace(update=lambda bar: self.shown.append(repr(bar)))

        ipython = types.ModuleType("IPython")
        ipython.get_ipython = lambda: types.SimpleNamespace(kernel=object())
        ipython.display = types.ModuleType("IPython.display")
        ipython.display.display = display
        return mock.patch.dict(sys.modules, {"IPython": ipython, "IPython.display": ipython.display})

    def test_a_short_call_shows_nothing(self):
        with self.in_a_notebook(), mock.patch.object(_progress, "_WAIT", 60):
            ve.LogisticRegressionCV(cv=3).fit(self.X, self.y)
        self.assertEqual(self.shown, [])

    def test_the_bar_goes_after_an_error_too(self):
        with self.in_a_notebook(), mock.patch.object(_progress, "_WAIT", 0):
            with self.assertRaises(ZeroDivisionError), _progress.told(None) as tell:
                tell("images", 1, 4)
                raise ZeroDivisionError
        self.assertEqual(self.shown, [f"images: [{'#' * 7}{'.' * 23}] 1 of 4", ""])

    def test_a_callable_is_called_instead(self):
        told = []
        with self.in_a_notebook(), mock.patch.object(_progress, "_WAIT", 0):
            while not told:  # what has ended before the first look tells nothing
                ve.LogisticRegressionCV(60, cv=5, progress=lambda *news: told.append(news)).fit(self.X, self.y)
        self.assertEqual(self.shown, [])

    def test_outside_a_notebook_there_is_no_bar(self):
        with _progress.told(None) as tell:
            self.assertIsNone(tell)

    def test_anything_else_raises(self):
        with self.assertRaises(ve.UsageError):
            ve.LogisticRegression(progress="bar").fit(self.X, self.y)


if __name__ == "__main__":
    unittest.main()
