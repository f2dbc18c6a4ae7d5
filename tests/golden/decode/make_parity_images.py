#!/usr/bin/python3
"""Writes extract/images/parity_images.cc: tiny pictures and what Pillow 9.4 and torchvision 0.14.1 make of them, for the
program's own self-test.

Usage: /usr/bin/python3 tests/golden/decode/make_parity_images.py > extract/images/parity_images.cc
Needs Debian 12's python3-pil, python3-torchvision and python3-numpy; the files' bytes depend on their versions, the
program only needs them to be what they are.
"""
import hashlib
import io

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode as M

TV256 = T.Compose([T.Resize(256, M.BILINEAR), T.CenterCrop(224)])
CLIP224 = T.Compose([T.Resize(224, M.BICUBIC), T.CenterCrop(224)])


def picture(w, h, bands):
    """Soft waves and a hard edge: something for every codec to round."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    planes = []
    for c in range(bands):
        wave = 127 + 90 * np.sin(x / (2.0 + c)) * np.cos(y / (3.0 - 0.5 * c))
        planes.append(np.where(x + 2 * y > w + c * 5, 255 - wave, wave))
    return np.clip(np.dstack(planes), 0, 255).astype(np.uint8)


def encode(array, mode, fmt, **options):
    image = Image.fromarray(array if array.shape[2] > 1 else array[..., 0], mode)
    if options.pop("palette", False):
        image = image.quantize(32)
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


def sha(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def files():
    rgb, grey, rgba, cmyk = (picture(29, 21, b) for b in (3, 1, 4, 4))
    yield "JPEG 4:2:0", encode(rgb, "RGB", "JPEG", quality=75, subsampling=2)
    yield "JPEG 4:4:4 progressive", encode(rgb, "RGB", "JPEG", quality=60, subsampling=0, progressive=True)
    yield "JPEG grey", encode(grey, "L", "JPEG", quality=50)
    yield "JPEG CMYK", encode(cmyk[:9, :11], "CMYK", "JPEG", quality=50)
    yield "PNG RGBA", encode(rgba[:15, :13], "RGBA", "PNG")
    yield "PNG palette", encode(rgb, "RGB", "PNG", palette=True)
    yield "WebP lossy", encode(rgb, "RGB", "WEBP", quality=60)
    yield "GIF", encode(rgb, "RGB", "GIF", palette=True)
    yield "BMP", encode(rgb[:7, :5], "RGB", "BMP")
    yield "PPM", encode(rgb[:5, :7], "RGB", "PPM")


def main():
    print("// Written by tests/golden/decode/make_parity_images.py with Pillow %s and torchvision %s. Do not edit."
          % (PIL.__version__, torchvision.__version__))
    print("// clang-format off")
    print('#include "extract/images/parity_images.h"\n\nnamespace vise::images {\nnamespace {\n')
    rows = []
    for i, (name, data) in enumerate(files()):
        print("constexpr unsigned char kFile%d[] = {" % i)
        for at in range(0, len(data), 28):
            print("    " + "".join("%d," % b for b in data[at:at + 28]))
        print("};\n")
        rgb = Image.open(io.BytesIO(data)).convert("RGB")
        rows.append((name, i, sha(rgb), sha(TV256(rgb)), sha(CLIP224(rgb))))
    print("constexpr ParityImage kImages[] = {")
    for name, i, *shas in rows:
        print('    {"%s", kFile%d,' % (name, i))
        print(",\n".join('     "%s"' % s for s in shas) + "},")
    print("};\n\n}  // namespace\n")
    print("std::span<const ParityImage> parity_images() { return kImages; }\n\n}  // namespace vise::images")


main()
