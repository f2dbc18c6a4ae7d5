"""Images as networks see them."""

import os

from vise_eval import _core

_MAX_PIXELS = 178_956_970  # where Pillow refuses


def load_image(path, transform=None, *, max_pixels=_MAX_PIXELS):
    """Decode an image file as Pillow's ``Image.open(path).convert("RGB")`` does.

    Parameters
    ----------
    path : path-like
    transform : str, optional
        A preset ("imagenet", "clip" ...: ``vise_eval.transforms()``) or settings ("resize=256,crop=224,mean=0.5/0.5/0.5,
        std=0.5/0.5/0.5"): what a network is given.
    max_pixels : int
        Larger pictures (width times height) are refused before they are decoded.

    Returns
    -------
    numpy.ndarray
        Without a transform: height x width x 3, uint8, RGB, rows top to bottom. With one: 3 x side x side, float32,
        resized and cropped as torchvision does on Pillow's pixels, normalised.

    Raises
    ------
    MissingError : there is no such file.
    InputError : it is no image, or a damaged one, or too large.
    UsageError : there is no such transform.
    """
    return _core.load_image(os.fspath(path), transform, max_pixels)


def transforms():
    """The names of the presets that `load_image` and backbones know."""
    return _core.transforms()
