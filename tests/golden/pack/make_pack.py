#!/usr/bin/python3
"""The golden pack: small inputs and what Pillow, torchvision, scikit-learn and scipy make of them, so that a clone alone
proves pixels, features, metrics, statistics and optima. The files beside this one were written by

    tests/golden/pack/make_pack.py

on Debian 12 (python3-pil 9.4.0, -torchvision 0.14.1, -sklearn 1.2.1, -scipy 1.10.1, -numpy 1.24.2); two runs give the same
bytes. All pictures are drawn here. Formats are those of the larger reference data that developers have in ../shared, so
that the same tests read both.
"""
import csv
import hashlib
import io
import json
import math
import os
from fractions import Fraction

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def write_lines(name, cases):
    with open(os.path.join(HERE, name), "w") as f:
        for case in cases:
            f.write(json.dumps(case) + "\n")
    print(name, len(cases))


# -- Pixels: files that Pillow writes, and what it reads from them.

def drawing(width, height, seed):
    """Flat parts, slopes, edges and noise: what codecs treat differently."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    red = (x * 255 // max(1, width - 1)).astype(np.uint8)
    green = (y * 255 // max(1, height - 1)).astype(np.uint8)
    blue = np.where((x // 7 + y // 5) % 2 == 0, 220, 30).astype(np.uint8)
    picture = np.stack([red, green, blue], -1)
    picture[height // 3:height // 2, width // 3:] = rng.integers(0, 256, (height // 2 - height // 3, width - width // 3, 3))
    return picture


def files():
    rgb = Image.fromarray(drawing(67, 45, 1))
    tall = Image.fromarray(drawing(301, 540, 2))
    grey, palette, cmyk = rgb.convert("L"), rgb.quantize(31), rgb.convert("CMYK")
    alpha = rgb.copy()
    alpha.putalpha(Image.fromarray(drawing(67, 45, 3)[:, :, 0]))
    sixteen = Image.fromarray((np.asarray(grey).astype(np.uint16) * 5).astype(np.int32), "I")
    exif = Image.Exif()
    exif[274] = 6
    for quality in (30, 75, 95):
        for subsampling in (0, 1, 2):
            yield f"q{quality}-s{subsampling}.jpg", rgb, dict(quality=quality, subsampling=subsampling)
    yield "progressive.jpg", tall, dict(quality=60, progressive=True)
    yield "grey.jpg", grey, {}
    yield "cmyk.jpg", cmyk, {}
    yield "turned.jpg", rgb, dict(exif=exif)
    yield "one-pixel.jpg", rgb.crop((0, 0, 1, 1)), {}
    yield "rgb.png", rgb, {}
    yield "grey.png", grey, {}
    yield "palette.png", palette, {}
    yield "palette-transparent.png", palette, dict(transparency=3)
    yield "alpha.png", alpha, {}
    yield "grey-alpha.png", alpha.convert("LA"), {}
    yield "sixteen.png", sixteen, {}
    yield "bits.png", grey.convert("1"), {}
    yield "lossless.webp", rgb, dict(lossless=True)
    yield "lossy.webp", tall, dict(quality=70)
    yield "alpha.webp", alpha, dict(quality=80)
    yield "palette.gif", palette, {}
    yield "transparent.gif", palette, dict(transparency=2)
    yield "rgb.bmp", rgb, {}
    yield "grey.bmp", grey, {}
    yield "rgb.ppm", rgb, {}
    yield "grey.pgm", grey, {}
    yield "bits.pbm", grey.convert("1"), {}
    yield "lzw.tif", rgb, dict(compression="tiff_lzw")
    yield "deflate.tif", grey, dict(compression="tiff_adobe_deflate")


def sha(data):
    return hashlib.sha256(data).hexdigest()


def pixels():
    from torchvision import transforms
    from torchvision.transforms import InterpolationMode
    bilinear = transforms.Compose([transforms.Resize(256, InterpolationMode.BILINEAR), transforms.CenterCrop(224)])
    bicubic = transforms.Compose([transforms.Resize(224, InterpolationMode.BICUBIC), transforms.CenterCrop(224)])
    os.makedirs(os.path.join(HERE, "images"), exist_ok=True)
    rows = []
    for name, image, options in files():
        memory = io.BytesIO()
        image.save(memory, {"jpg": "JPEG", "tif": "TIFF", "pgm": "PPM", "pbm": "PPM"}.get(name[-3:], name.rsplit(".")[1].upper()),
                   **options)
        with open(os.path.join(HERE, "images", name), "wb") as f:
            f.write(memory.getvalue())
        read = Image.open(io.BytesIO(memory.getvalue()))
        rgb = read.convert("RGB")
        rows.append(dict(path="images/" + name, status="ok", error="", format=read.format, mode=Image.open(memory).mode,
                         width=rgb.width, height=rgb.height, frames=getattr(read, "n_frames", 1),
                         exif_orientation=read.getexif().get(274, ""), rgb_sha256=sha(rgb.tobytes()),
                         resize256_bilinear_crop224=sha(bilinear(rgb).tobytes()),
                         resize224_bicubic_crop224=sha(bicubic(rgb).tobytes())))
    for name, data in (("cut.jpg", open(os.path.join(HERE, "images/q75-s2.jpg"), "rb").read()[:900]),
                       ("no-image.png", b"no image"),
                       ("cut.png", open(os.path.join(HERE, "images/rgb.png"), "rb").read()[:200])):
        with open(os.path.join(HERE, "images", name), "wb") as f:
            f.write(data)
        try:
            Image.open(io.BytesIO(data)).convert("RGB")
            raise SystemExit(f"Pillow reads {name}")
        except OSError as error:
            known = name != "no-image.png"
            rows.append(dict(rows[0], path="images/" + name, status="error", error=type(error).__name__,
                             format={"cut.jpg": "JPEG", "cut.png": "PNG"}.get(name, "")))
    with open(os.path.join(HERE, "pillow.csv"), "w", newline="") as f:
        table = csv.DictWriter(f, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    print("pillow.csv", len(rows))


def noise(width, height, bands, seed):
    """Noise that the test draws too: unsigned 32-bit arithmetic that wraps."""
    x, y, c = (a.astype(np.uint64) for a in np.meshgrid(np.arange(width), np.arange(height), np.arange(bands)))
    wrap = np.uint64(0xFFFFFFFF)
    k = ((x * np.uint64(73856093)) ^ (y * np.uint64(19349663)) ^ (c * np.uint64(83492791) + np.uint64(seed))) & wrap
    k = ((k ^ (k >> np.uint64(13))) * np.uint64(1274126177)) & wrap
    return ((k ^ (k >> np.uint64(16))) & np.uint64(255)).astype(np.uint8)


def resizes():
    rng = np.random.default_rng(5)
    sizes = [(1, 1, 3, 2), (2, 3, 224, 224), (640, 480, 341, 256), (300, 300, 256, 256), (37, 53, 36, 53), (1000, 3, 7, 9)]
    sizes += [tuple(int(v) for v in rng.integers(1, 200, 4)) for _ in range(30)]
    rows = []
    for seed, (w, h, out_w, out_h) in enumerate(sizes):
        for bands in (1, 3):
            data = noise(w, h, bands, seed)
            image = Image.fromarray(data[:, :, 0] if bands == 1 else data)
            for name, kind in (("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)):
                rows.append(dict(pattern="noise", seed=seed, bands=bands, in_w=w, in_h=h, out_w=out_w, out_h=out_h, filter=name,
                                 in_sha256=sha(data.tobytes()), out_sha256=sha(image.resize((out_w, out_h), kind).tobytes())))
    with open(os.path.join(HERE, "resize.csv"), "w", newline="") as f:
        table = csv.DictWriter(f, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    print("resize.csv", len(rows))


# -- Metrics: scikit-learn's and scipy's numbers.

def metrics():
    from scipy import stats
    from sklearn import metrics as m
    rng = np.random.default_rng(7)
    cases = []
    for n, k, right in ((1, 2, 1.0), (9, 2, 0.5), (40, 3, 0.7), (120, 7, 0.3), (60, 5, 0.0)):
        y = rng.integers(0, k, n)
        p = np.where(rng.random(n) < right, y, rng.integers(0, k, n))
        labels = list(range(k))
        by_class = lambda f: f(y, p, labels=labels, average=None, zero_division=0).tolist()
        seen = sorted(set(y.tolist()))
        cases.append(dict(case=f"classes/{n}x{k}", kind="classes", n_classes=k, y_true=y.tolist(), y_pred=p.tolist(), expect=dict(
            accuracy=m.accuracy_score(y, p), balanced_accuracy=float(np.mean([np.mean(p[y == c] == c) for c in seen])),
            precision_per_class=by_class(m.precision_score), recall_per_class=by_class(m.recall_score),
            f1_per_class=by_class(m.f1_score), f1_macro=m.f1_score(y, p, labels=labels, average="macro", zero_division=0),
            f1_micro=m.f1_score(y, p, labels=labels, average="micro", zero_division=0),
            f1_weighted=m.f1_score(y, p, labels=labels, average="weighted", zero_division=0),
            confusion=m.confusion_matrix(y, p, labels=labels).tolist())))
    for n in (2, 25, 200):
        y = np.array([0, 1] + rng.integers(0, 2, n - 2).tolist())
        s = np.round(rng.normal(size=n) + y, 1)  # rounded, so that scores tie
        cases.append(dict(case=f"ranking/{n}", kind="scores", y_true=y.tolist(), score=s.tolist(), expect=dict(
            auc=m.roc_auc_score(y, s), average_precision=m.average_precision_score(y, s))))
    for n, k in ((30, 3), (80, 6)):
        y = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
        z = rng.normal(size=(n, k)) + 1.5 * np.eye(k)[y]
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        cases.append(dict(case=f"logits/{n}x{k}", kind="scores", n_classes=k, y_true=y.tolist(), logits=z.tolist(), expect=dict(
            top1=m.top_k_accuracy_score(y, z, k=1, labels=list(range(k))), log_loss=m.log_loss(y, p, labels=list(range(k))),
            brier_sum=float(((p - np.eye(k)[y]) ** 2).sum(1).mean()),
            auc_ovr_macro=m.roc_auc_score(y, p, multi_class="ovr", average="macro"),
            map=m.average_precision_score(np.eye(k, dtype=int)[y], p, average="macro"),
            balanced_accuracy=m.balanced_accuracy_score(y, z.argmax(1)),
            f1_macro=m.f1_score(y, z.argmax(1), average="macro"))))
    for n, k in ((20, 4), (60, 9)):
        y = (rng.random((n, k)) < 0.3).astype(int)
        y[0], y[1] = 1, 0  # every label has both kinds
        s = rng.normal(size=(n, k)) + y
        cases.append(dict(case=f"multilabel/{n}x{k}", kind="multilabel", n_classes=k, y_true=y.tolist(), scores=s.tolist(),
                          threshold=0.5, expect=dict(
            map=m.average_precision_score(y, s, average="macro"), auc_macro=m.roc_auc_score(y, s, average="macro"),
            f1_macro=m.f1_score(y, s > 0.5, average="macro", zero_division=0),
            f1_micro=m.f1_score(y, s > 0.5, average="micro", zero_division=0),
            f1_samples=m.f1_score(y, s > 0.5, average="samples", zero_division=0),
            exact_match=m.accuracy_score(y, s > 0.5))))
    for n in (3, 40):
        y, p = rng.normal(size=n), rng.normal(size=n)
        p = 0.6 * y + 0.4 * p
        ccc = 2 * np.cov(y, p, bias=True)[0, 1] / (y.var() + p.var() + (y.mean() - p.mean()) ** 2)
        cases.append(dict(case=f"regression/{n}", kind="regression", y_true=y.tolist(), y_pred=p.tolist(), expect=dict(
            r2=m.r2_score(y, p), pearson=stats.pearsonr(y, p)[0], spearman=stats.spearmanr(y, p)[0], ccc=float(ccc),
            mae=m.mean_absolute_error(y, p), rmse=math.sqrt(m.mean_squared_error(y, p)))))
    for case in cases:  # numpy's numbers
        case["expect"] = {k: v if isinstance(v, list) else float(v) for k, v in case["expect"].items()}
    write_lines("metrics.jsonl", cases)


# -- Statistics: scipy's distributions, and definitions in exact fractions.

def delong(y, a, b):
    ones, zeros = [i for i, v in enumerate(y) if v], [i for i, v in enumerate(y) if not v]
    half = lambda s, i, j: Fraction(1) if s[i] > s[j] else Fraction(1, 2) if s[i] == s[j] else Fraction(0)
    v10 = [[sum(half(s, i, j) for j in zeros) / len(zeros) for i in ones] for s in (a, b)]
    v01 = [[sum(half(s, i, j) for i in ones) / len(ones) for j in zeros] for s in (a, b)]
    auc = [sum(v) / len(v) for v in v10]
    def covariance(p, q):
        total = Fraction(0)
        for v in (v10, v01):
            mean = [sum(v[k]) / len(v[k]) for k in (p, q)]
            total += sum((x - mean[0]) * (z - mean[1]) for x, z in zip(v[p], v[q])) / (len(v[p]) - 1) / len(v[p])
        return total
    return auc, covariance(0, 0), covariance(1, 1), covariance(0, 1)


def statistics():
    from scipy import stats
    rng = np.random.default_rng(11)
    cases = []
    for b, c in ((1, 0), (0, 5), (3, 10), (10, 3), (7, 7), (25, 60), (400, 310)):
        n, least = b + c, min(b, c)
        below = float(stats.binom.cdf(least, n, 0.5))
        chi2 = max(0, abs(b - c) - 1) ** 2 / n
        cases.append(dict(case=f"mcnemar/{b}-{c}", kind="mcnemar", b=b, c=c, expect=dict(
            p_exact=min(1.0, 2 * below), p_mid=2 * below - float(stats.binom.pmf(least, n, 0.5)), chi2_continuity=chi2,
            p_chi2_continuity=float(stats.chi2.sf(chi2, 1)))))
    for k, n, level in ((0, 10, 0.95), (3, 10, 0.95), (10, 10, 0.9), (57, 117, 0.95), (900, 1000, 0.99)):
        z = float(stats.norm.ppf(0.5 + level / 2))
        middle = (k + z * z / 2) / (n + z * z)
        half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
        tail = (1 - level) / 2
        cases.append(dict(case=f"interval/{k}-{n}", kind="interval", k=k, n=n, level=level, expect=dict(
            wilson=[0.0 if k == 0 else middle - half, 1.0 if k == n else middle + half],
            clopper_pearson=[0.0 if k == 0 else float(stats.beta.ppf(tail, k, n - k + 1)),
                             1.0 if k == n else float(stats.beta.isf(tail, k + 1, n - k))])))
    for n in (1, 4, 12):
        p = rng.random(n) ** 3
        order, adjusted, running = np.argsort(p, kind="stable"), np.empty(n), 0.0
        for place, i in enumerate(order):
            running = max(running, min(1.0, (n - place) * p[i]))
            adjusted[i] = running
        cases.append(dict(case=f"holm/{n}", kind="holm", p=p.tolist(), expect=dict(adjusted=adjusted.tolist())))
    for n in (12, 60):
        y = [1, 1, 0, 0] + rng.integers(0, 2, n - 4).tolist()
        a, b = (np.round(rng.normal(size=n) + y, 1).tolist() for _ in range(2))
        auc, var_a, var_b, cov = delong(y, a, b)
        z = float(auc[0] - auc[1]) / math.sqrt(var_a + var_b - 2 * cov)
        cases.append(dict(case=f"delong/{n}", kind="delong", y_true=y, a=a, b=b, expect=dict(
            auc_a=float(auc[0]), auc_b=float(auc[1]), var_a=float(var_a), var_b=float(var_b), cov=float(cov), z=z,
            p=float(2 * stats.norm.sf(abs(z))))))
    for n in (2, 5, 30):
        a, b = rng.normal(size=n), rng.normal(size=n) + 0.5
        t = stats.ttest_rel(a, b)
        mean, error = float(np.mean(a - b)), float(stats.sem(a - b))
        reach = float(stats.t.ppf(0.975, n - 1)) * error
        cases.append(dict(case=f"paired_t/{n}", kind="paired_t", a=a.tolist(), b=b.tolist(), level=0.95, expect=dict(
            mean_difference=mean, df=n - 1, t=float(t.statistic), p=float(t.pvalue), interval=[mean - reach, mean + reach])))
    write_lines("statistics.jsonl", cases)


# -- Optima: minima of the sum of log losses and ||W||^2 / (2 C), the intercept free, by Newton's method.

def optimum(x, y, k, c):
    """Softmax with one vector a class, or of two classes one vector; gradient below 1e-12 of its terms."""
    n, d = x.shape
    vectors = 1 if k == 2 else k
    design = np.hstack([x, np.ones((n, 1))]).astype(np.float64)
    penalty = np.r_[np.full(d, 1 / c), 0.0]
    target = np.eye(k)[y]
    w = np.zeros((vectors, d + 1))

    def scores(w):
        z = design @ w.T
        return np.hstack([np.zeros((n, 1)), z]) if vectors == 1 else z

    def objective(w):
        z = scores(w)
        top = z.max(1)
        loss = (top + np.log(np.exp(z - top[:, None]).sum(1)) - z[np.arange(n), y]).sum()
        return loss + 0.5 * (penalty * w * w).sum()

    for _ in range(200):
        z = scores(w)
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        own, goal = (p[:, 1:], target[:, 1:]) if vectors == 1 else (p, target)
        gradient = (own - goal).T @ design + penalty * w
        if np.abs(gradient).max() < 1e-12 * max(1, np.abs(design).sum() / n):
            break
        size = vectors * (d + 1)
        hessian = np.zeros((size, size))
        for i in range(vectors):
            for j in range(vectors):
                weight = own[:, i] * ((i == j) - own[:, j])
                hessian[i * (d + 1):(i + 1) * (d + 1), j * (d + 1):(j + 1) * (d + 1)] = (design * weight[:, None]).T @ design
        hessian += np.diag(np.tile(penalty, vectors))
        step = np.linalg.lstsq(hessian, gradient.ravel(), rcond=1e-14)[0].reshape(w.shape)
        rate = 1.0
        while objective(w - rate * step) > objective(w) and rate > 1e-6:
            rate /= 2
        w = w - rate * step
    if vectors > 1:
        w[:, d] -= w[:, d].mean()
    return w, objective(w), scores(w)


def optima():
    from numpy.lib import format as npy
    rng = np.random.default_rng(13)
    cases = []
    for name, n, d, k in (("two", 90, 24, 2), ("four", 120, 16, 4)):
        y = np.concatenate([np.arange(k), rng.integers(0, k, n - k)])
        x = (rng.normal(size=(n, d)) + rng.normal(size=(k, d))[y] * 0.6).astype(np.float32)
        with open(os.path.join(HERE, f"optima_{name}.npy"), "wb") as f:
            npy.write_array(f, x)
        split = np.where(np.arange(n) % 4 == 3, "test", "train")
        with open(os.path.join(HERE, f"optima_{name}.csv"), "w") as f:
            f.write("path,label,split\n" + "".join(f"{i},c{y[i]},{split[i]}\n" for i in range(n)))
        train, test = split == "train", split == "test"
        for c in (1e-4, 1e-2, 1.0, 100.0):
            w, value, _ = optimum(x[train], y[train], k, c)
            z = np.hstack([x[test], np.ones((test.sum(), 1))]) @ w.T
            predicted = (z[:, 0] > 0).astype(int) if k == 2 else z.argmax(1)
            cases.append(dict(case=f"{name} C={c:g}", manifest=f"optima_{name}", C=c, objective=value,
                              intercept=w[:, d].tolist(), coef_first8=w[:, :8].tolist(),
                              test_predictions="".join(map(str, predicted))))
    write_lines("optima.jsonl", cases)


# -- Features: torchvision's networks with weights that the test computes too.

def fill(seed, count):
    """`count` float32 from -1 (inside) to 1 (outside), multiples of 2^-23: exact on both sides."""
    i = np.arange(count, dtype=np.uint64)
    wrap = np.uint64(0xFFFFFFFF)
    k = (i * np.uint64(2654435761) + np.uint64(seed)) & wrap
    k = ((k ^ (k >> np.uint64(16))) * np.uint64(0x45D9F3B)) & wrap
    k = ((k ^ (k >> np.uint64(16))) * np.uint64(0x45D9F3B)) & wrap
    k = k ^ (k >> np.uint64(16))
    return ((k >> np.uint64(8)).astype(np.float64) * 2.0 ** -23 - 1).astype(np.float32)


def networks():
    import torchvision.models as models
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt
    yield "resnet18", models.resnet18(), 97
    yield "efficientnet-b0", models.efficientnet_b0(), 97
    yield "swin", models.SwinTransformer([4, 4], 32, [2, 2, 2, 2], [1, 2, 4, 8], [7, 7]), 112
    yield "convnext", ConvNeXt([CNBlockConfig(16, 32, 2), CNBlockConfig(32, 64, 2), CNBlockConfig(64, 128, 3),
                                CNBlockConfig(128, None, 2)]), 96
    yield "vit", models.VisionTransformer(64, 16, 3, 2, 128, 256), 64


def features():
    import torch
    cases = []
    for name, model, side in networks():
        tensors, state = [], {}
        for seed, (key, tensor) in enumerate(model.state_dict().items()):
            if not tensor.is_floating_point():
                continue
            positive = key.endswith("running_var") or (tensor.ndim == 1 and key.endswith("weight"))
            exponent = -1 if positive else -3 if tensor.ndim == 1 else round(math.log2(math.sqrt(3 / max(1, tensor[0].numel()))))
            offset = 1.0 if positive else 0.0
            values = offset + fill(seed, tensor.numel()) * np.float32(2.0 ** exponent)
            state[key] = torch.from_numpy(values.astype(np.float32)).reshape(tensor.shape)
            tensors.append(dict(key=key, shape=list(tensor.shape), offset=offset, exponent=exponent, seed=seed))
        model.load_state_dict({**model.state_dict(), **state})
        model = model.double().eval()
        for head in ("fc", "classifier", "heads", "head"):  # the feature before the classifier
            if hasattr(model, head):
                last = getattr(model, head)
                keep = torch.nn.Sequential(*list(last.children())[:-1]) if name == "convnext" else torch.nn.Identity()
                setattr(model, head, keep)
        image = torch.from_numpy(fill(1 << 20, 2 * 3 * side * side).reshape(2, 3, side, side)).double() * 2
        with torch.no_grad():
            rows = model(image).flatten(1)
        cases.append(dict(case=name, side=side, pool="cls" if name == "vit" else "avg", image_seed=1 << 20, tensors=tensors,
                          rows=[[float(np.float32(v)) for v in row] for row in rows.numpy()]))
    write_lines("features.jsonl", cases)


if __name__ == "__main__":
    pixels()
    resizes()
    metrics()
    statistics()
    optima()
    features()
