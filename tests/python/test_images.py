"""load_image against Pillow, and what importing costs."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

import vise_eval as ve

try:
    from PIL import Image
except ImportError:
    Image = None


@unittest.skipIf(Image is None, "python3-pil is missing")
class LoadImage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        noise = np.random.default_rng(0).integers(0, 256, (97, 131, 3), dtype=np.uint8)
        self.path = self.folder / "noise.jpg"
        Image.fromarray(noise).save(self.path, quality=80)

    def test_pixels_are_pillows(self):
        pixels = ve.load_image(self.path)
        self.assertEqual(pixels.dtype, np.uint8)
        np.testing.assert_array_equal(pixels, np.asarray(Image.open(self.path).convert("RGB")))

    def test_a_networks_input_is_pillows_resized_cropped_and_normalised(self):
        mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
        given = ve.load_image(self.path, "resize=64,crop=32,mean=0.485/0.456/0.406,std=0.229/0.224/0.225")
        resized = Image.open(self.path).convert("RGB").resize((int(64 * 131 / 97), 64), Image.BILINEAR)
        left, top = round((resized.width - 32) / 2), 16
        cropped = np.asarray(resized.crop((left, top, left + 32, top + 32)), dtype=np.float32) / np.float32(255)
        self.assertEqual((given.shape, given.dtype), ((3, 32, 32), np.float32))
        np.testing.assert_allclose(given, ((cropped - mean) / std).transpose(2, 0, 1), rtol=0, atol=1e-6)

    def test_errors_have_kind_message_and_hint(self):
        with self.assertRaises(ve.MissingError) as missing:
            ve.load_image(self.folder / "absent.png")
        self.assertIn("absent.png", missing.exception.message)
        (self.folder / "words.png").write_text("no picture")
        with self.assertRaises(ve.InputError) as bad:
            ve.load_image(self.folder / "words.png")
        self.assertIsInstance(bad.exception, ve.Error)
        self.assertIsInstance(bad.exception, ValueError)
        with self.assertRaises(ve.UsageError) as usage:
            ve.load_image(self.path, "imagenett")
        self.assertIn("imagenet", usage.exception.hint)
        with self.assertRaises(ve.InputError):
            ve.load_image(self.path, max_pixels=100)


class Importing(unittest.TestCase):
    def test_opens_neither_libtorch_nor_numpy_nor_sklearn_and_is_quick(self):
        code = (
            "import time; begin = time.perf_counter(); import vise_eval, sys; took = time.perf_counter() - begin\n"
            "assert not {'numpy', 'sklearn', 'pandas'} & set(sys.modules), sys.modules\n"
            "assert 'libtorch' not in open('/proc/self/maps').read()\n"
            "print(took)"
        )
        runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(5)]
        self.assertEqual([run.stderr for run in runs], [""] * 5)
        self.assertLess(min(float(run.stdout) for run in runs), 0.15)

    def test_every_name_is_there(self):
        for name in dir(ve):
            self.assertTrue(hasattr(ve, name), name)
        with self.assertRaises(AttributeError):
            ve.no_such_name
