"""The wheel: by its own RECORD, and as pip installs it without a network."""

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import sysconfig
import tempfile
import unittest
import zipfile
from pathlib import Path

import vise_eval as ve

BUILD, CMAKE = os.environ.get("VISE_BUILD", ""), os.environ.get("VISE_CMAKE", "cmake")
SOURCE = Path(__file__).parents[2]

COMPARISON = """
import numpy as np, vise_eval as ve
rng = np.random.default_rng(0)
y = rng.integers(0, 2, 200)
a, b = y + rng.normal(size=200), y + 3 * rng.normal(size=200)
difference = ve.compare(a - 0.5, b - 0.5, y, resamples=200).difference
assert difference["value"] > 0, difference
print(ve.__file__)
"""


def pack(out, date="2026-11-28"):
    command = [CMAKE, f"-DBUILD={BUILD}", f"-DSOURCE={SOURCE}", f"-DPYTHON={sys.executable}", f"-DOUT={out}"]
    command += [f"-DVERSION={ve.__version__}", f"-DDATE={date}", "-P", SOURCE / "cmake/wheel.cmake"]
    subprocess.run(command, check=True, capture_output=True)
    return next(Path(out).glob("*.whl"))


@unittest.skipUnless(BUILD, "VISE_BUILD names no build")
class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.wheel = pack(cls.folder)

    def test_its_name_and_tag_are_this_pythons(self):
        tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
        platform = sysconfig.get_platform().replace("-", "_")
        self.assertEqual(self.wheel.name, f"vise_eval-{ve.__version__}-{tag}-{tag}-{platform}.whl")
        with zipfile.ZipFile(self.wheel) as archive:
            said = archive.read(f"vise_eval-{ve.__version__}.dist-info/WHEEL").decode()
        self.assertIn(f"Tag: {tag}-{tag}-{platform}\n", said)
        self.assertIn("Root-Is-Purelib: false\n", said)

    def test_its_record_has_every_file_with_its_hash(self):
        with zipfile.ZipFile(self.wheel) as archive:
            self.assertIsNone(archive.testzip())
            contents = {name: archive.read(name) for name in archive.namelist()}
        info = f"vise_eval-{ve.__version__}.dist-info"
        record = list(csv.reader(io.StringIO(contents[f"{info}/RECORD"].decode())))
        self.assertEqual({row[0] for row in record}, set(contents))
        for name, digest, size in record:
            if name == f"{info}/RECORD":
                self.assertEqual((digest, size), ("", ""))
                continue
            expected = base64.urlsafe_b64encode(hashlib.sha256(contents[name]).digest()).rstrip(b"=").decode()
            self.assertEqual((digest, size), (f"sha256={expected}", str(len(contents[name]))))
        package = {name for name in contents if name.startswith("vise_eval/")}
        sources = {f"vise_eval/{path.name}" for path in (SOURCE / "python/vise_eval").iterdir() if path.is_file()}
        self.assertEqual(package, sources | {f"vise_eval/_core{sysconfig.get_config_var('EXT_SUFFIX')}"})

    def test_the_same_build_makes_the_same_wheel(self):
        with tempfile.TemporaryDirectory() as other:
            self.assertEqual(pack(other).read_bytes(), self.wheel.read_bytes())

    def test_pip_installs_it_offline_and_it_compares(self):
        pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check"]
        if subprocess.run([*pip, "--version"], capture_output=True).returncode != 0:
            self.skipTest("python3-pip is missing")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        prefix = self.folder / "prefix"
        installed = subprocess.run(
            [*pip, "install", "--no-index", "--prefix", prefix, self.wheel], capture_output=True, text=True, env=environment
        )
        self.assertEqual(installed.returncode, 0, installed.stderr)
        site = next(prefix.glob("**/vise_eval")).parent
        ran = subprocess.run(
            [sys.executable, "-c", COMPARISON], capture_output=True, text=True, cwd=self.folder,
            env={**environment, "PYTHONPATH": str(site)},
        )  # fmt: skip
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(Path(ran.stdout.strip()).parent, site / "vise_eval")
        listed = subprocess.run(
            [*pip, "list", "--path", site], capture_output=True, text=True, env=environment, check=True
        ).stdout
        self.assertRegex(listed, rf"vise-eval +{ve.__version__}")


if __name__ == "__main__":
    unittest.main()
