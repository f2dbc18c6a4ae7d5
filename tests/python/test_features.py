"""extract, Dataset and run against the program's own output on the same cache."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np

import vise_eval as ve

PROGRAM = os.environ.get("VISE_PROGRAM", "")


def write_pictures(folder, count=12):
    """Dark and bright noise as PPM, and a manifest; returns the manifest."""
    rng = np.random.default_rng(0)
    lines = ["path,label,split"]
    for i in range(count):
        pixels = (rng.integers(0, 128, (9, 11, 3)) + 127 * (i % 2)).astype(np.uint8)
        (folder / f"{i:02}.ppm").write_bytes(b"P6\n11 9\n255\n" + pixels.tobytes())
        lines.append(f"{i:02}.ppm,{'bright' if i % 2 else 'dark'},{('train', 'train', 'val', 'test')[i // 2 % 4]}")
    (folder / "mine.csv").write_text("\n".join(lines) + "\n")
    return folder / "mine.csv"


class Extract(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.manifest = write_pictures(self.folder)
        self.cache = self.folder / "cache"

    def test_a_dataset_says_what_its_files_say(self):
        dataset = ve.Dataset.open(self.manifest)
        self.assertEqual(len(dataset), 12)
        self.assertEqual(dataset.ids[:2], ["00.ppm", "01.ppm"])
        kind, names, values = dataset.target()
        self.assertEqual((kind, names), ("classes", ["bright", "dark"]))
        np.testing.assert_array_equal(values, [1, 0] * 6)
        np.testing.assert_array_equal(dataset.items("val"), [4, 5])
        self.assertTrue(all(path.is_file() for path in dataset.paths))
        with self.assertRaises(ve.UsageError):
            dataset.target("mood")
        with self.assertRaises(ve.Error):
            ve.Dataset.open(self.folder / "absent.csv")

    def test_features_are_computed_once_and_known_afterwards(self):
        told = []
        first = ve.extract(self.manifest, "colour-histogram", cache=self.cache, progress=lambda *args: told.append(args))
        self.assertEqual((first.array.shape, first.array.dtype, first.computed), ((12, 512), np.float32, 12))
        again = ve.extract(ve.Dataset.open(self.manifest), "colour-histogram", cache=self.cache)
        self.assertEqual(again.computed, 0)
        np.testing.assert_array_equal(np.asarray(again), first.array)
        paths = [self.folder / f"{i:02}.ppm" for i in (7, 3)]
        chosen = ve.extract(paths, "colour-histogram", cache=self.cache)
        self.assertEqual(chosen.computed, 0)
        np.testing.assert_array_equal(chosen.array, first.array[[7, 3]])
        self.assertEqual(first.provenance["dim"], 512)

    def test_an_unreadable_image_ends_it_or_is_left_out_by_name(self):
        (self.folder / "03.ppm").write_bytes(b"P6\n11 9\n255\n")
        with self.assertRaises(ve.InputError) as bad:
            ve.extract(self.manifest, "colour-histogram", cache=self.cache)
        self.assertIn("03.ppm", bad.exception.message)
        rest = ve.extract(self.manifest, "colour-histogram", cache=self.cache, on_bad_image="skip")
        self.assertEqual((len(rest), list(rest.unreadable)), (11, ["03.ppm"]))
        self.assertNotIn(3, rest.items)

    def test_wrong_names_and_settings_raise(self):
        for settings in ({"tap": "layer4"}, {"precision": "fp8"}, {"on_bad_image": "cry"}, {"n_jobs": 0}):
            with self.assertRaises(ve.UsageError):
                ve.extract(self.manifest, "colour-histogram", cache=self.cache, **settings)
        with self.assertRaises(ve.UsageError):
            ve.extract(self.manifest, "colour-histogramm", cache=self.cache)
        with self.assertRaises(ve.MissingError):
            ve.extract([self.folder / "absent.ppm"], "colour-histogram", cache=self.cache)

    @unittest.skipUnless(os.access(PROGRAM, os.X_OK), "the program is not built")
    def test_the_cache_and_the_table_are_the_programs(self):
        floors = ["colour-histogram", "image-metadata"]
        table = ve.run(self.manifest, backbones=floors, cache=self.cache, out=self.folder / "run")
        self.assertEqual([row["backbone"] for row in table.rows], floors)
        command = [PROGRAM, "run", "--data", str(self.manifest), "--cache", str(self.cache), "--out", str(self.folder / "run")]
        command += [word for floor in floors for word in ("--backbone", floor)]
        ran = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("0 fitted, 2 known", ran.stderr)
        self.assertEqual((self.folder / "run/table.csv").read_text(), table.to_csv())
        subprocess.run(
            [PROGRAM, "extract", "--data", str(self.manifest), "--backbone", floors[0], "--cache", str(self.cache),
             "--out", str(self.folder / "out")],
            check=True, capture_output=True,
        )  # fmt: skip
        mine = ve.extract(self.manifest, floors[0], cache=self.cache)
        self.assertEqual(mine.computed, 0)
        np.testing.assert_array_equal(mine.array, np.load(self.folder / "out/features.npy"))
