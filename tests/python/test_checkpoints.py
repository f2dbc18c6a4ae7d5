"""read_checkpoint against the bytes that were written, and torch where it is there."""

import gc
import json
import pickle
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np

import vise_eval as ve

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}


def write_safetensors(path, tensors):
    """The format's own description: 8 bytes of length, a JSON header, the tensors' bytes."""
    header, data = {}, b""
    for name, (kind, shape, content) in tensors.items():
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class ReadCheckpoint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_arrays_are_the_files(self):
        rng = np.random.default_rng(0)
        arrays = {kind: (rng.random((3, 5)) * 100).astype(dtype) for kind, dtype in DTYPES.items()}
        path = self.folder / "all.safetensors"
        write_safetensors(path, {kind: (kind, a.shape, a.tobytes()) for kind, a in arrays.items()})
        read = ve.read_checkpoint(path)
        self.assertEqual(list(read), list(arrays))
        for kind, array in arrays.items():
            self.assertEqual(read[kind].dtype, array.dtype)
            np.testing.assert_array_equal(read[kind], array)

    def test_bfloat16_is_widened_exactly(self):
        exact = np.float32([1, -2.5, 3e38, 1e-40, 0])
        halves = (exact.view(np.uint32) >> 16).astype("<u2")
        path = self.folder / "bf16.safetensors"
        write_safetensors(path, {"w": ("BF16", halves.shape, halves.tobytes())})
        read = ve.read_checkpoint(path)["w"]
        self.assertEqual(read.dtype, np.float32)
        np.testing.assert_array_equal(read.view(np.uint32), halves.astype(np.uint32) << 16)

    def test_arrays_are_read_only_views_that_outlive_the_dict(self):
        values = np.arange(1 << 16, dtype="<f4")
        path = self.folder / "large.safetensors"
        write_safetensors(path, {"w": ("F32", values.shape, values.tobytes())})
        array = ve.read_checkpoint(path)["w"]
        gc.collect()
        path.unlink()
        self.assertFalse(array.flags.writeable)
        self.assertFalse(array.flags.owndata)
        np.testing.assert_array_equal(array, values)

    def test_nothing_in_a_pickle_is_executed(self):
        marker = self.folder / "executed"

        class Evil:
            def __reduce__(self):
                return (open, (str(marker), "w"))

        path = self.folder / "evil.pth"
        path.write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=2))
        with self.assertRaises(ve.InputError):
            ve.read_checkpoint(path)
        self.assertFalse(marker.exists())
        with self.assertRaises(ve.MissingError):
            ve.read_checkpoint(self.folder / "absent.pth")

    def test_strided_tensors_are_torchs(self):
        try:
            import torch
        except ImportError:
            self.skipTest("python3-torch is missing")
        base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
        path = self.folder / "strided.pth"
        torch.save({"model": {"t": base.t(), "part": base[1:, 2::2]}}, path)
        read = ve.read_checkpoint(path)
        np.testing.assert_array_equal(read["model.t"], base.t().numpy())
        np.testing.assert_array_equal(read["model.part"], base[1:, 2::2].numpy())
