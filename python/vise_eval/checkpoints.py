"""Weights files as arrays."""

import os

from vise_eval import _core


def read_checkpoint(path, *, skip_foreign=False):
    """Read every tensor of a weights file; nothing that stands in the file is executed.

    Parameters
    ----------
    path : path-like
        PyTorch's (zip, legacy, tar), TorchScript, safetensors, or a folder of Hugging Face's; told by content.
    skip_foreign : bool
        Read a pickle that holds other things than tensors and plain values (`argparse.Namespace`), and pass over those.

    Returns
    -------
    dict of str to numpy.ndarray
        In the file's order; keys of nested dicts are joined by ".". The arrays are read-only views of the mapped file,
        which stays mapped as long as one of them lives; bfloat16, which numpy doesn't have, is widened to float32.

    Raises
    ------
    MissingError : there is no such file.
    InputError : it is no whole, lawful checkpoint.
    """
    return _core.read_checkpoint(os.fspath(path), skip_foreign)
