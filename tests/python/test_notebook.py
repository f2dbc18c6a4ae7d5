"""examples/compare.ipynb runs from its first cell to its last."""

import json
import unittest
from pathlib import Path

try:
    import sklearn  # noqa: F401
except ImportError:
    raise unittest.SkipTest("python3-sklearn is missing")


class Notebook(unittest.TestCase):
    def test_its_cells_run_in_order(self):
        path = Path(__file__).parents[2] / "examples/compare.ipynb"
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        names = {}
        for cell in cells:
            exec(compile("".join(cell["source"]), str(path), "exec"), names)
        self.assertIn("<table>", names["table"]._repr_html_())
