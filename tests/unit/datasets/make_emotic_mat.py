"""Writes emotic.mat, EMOTIC's Annotations.mat in miniature: make_emotic_mat.py OUT (needs SciPy; the tests don't)."""
import sys

import numpy
import scipy.io


def cell(*texts):
    array = numpy.empty((1, len(texts)), dtype=object)
    array[0, :] = texts
    return array


def struct(*rows):
    array = numpy.empty((1, len(rows)), dtype=[(name, object) for name in rows[0]])
    for i, row in enumerate(rows):
        for name, value in row.items():
            array[0, i][name] = value
    return array


def values(valence, arousal, dominance):
    return struct({"valence": float(valence), "arousal": float(arousal), "dominance": float(dominance)})


def person(categories, continuous, **combined):
    return {"body_bbox": numpy.array([[1.0, 2, 30, 40]]), "annotations_categories": categories,
            "annotations_continuous": continuous, "gender": "Male", "age": "Adult", **combined}


def image(filename, folder, *people):
    return {"filename": filename, "folder": folder, "image_size": struct({"n_col": 640, "n_row": 480}),
            "person": struct(*people)}


adult = person(struct({"categories": cell("Disquitement", "Fear")}), values(3, 7, 4))
child = person(struct({"categories": cell("Happiness")}), values(6, 5, 6))
two_annotators = person(
    struct({"categories": cell("Peace")}, {"categories": cell("Anger")}),
    numpy.concatenate([values(1, 1, 1), values(9, 9, 9)], axis=1),
    combined_categories=cell("Peace", "Doubt/Confusion"), combined_continuous=values(5, float("nan"), 6))
scipy.io.savemat(sys.argv[1], {
    "train": struct(image("a.jpg", "mscoco/images", adult, child), image("b.jpg", "framesdb/images", child)),
    "val": struct(image("c.jpg", "mscoco/images", two_annotators)),
    "test": struct(image("a.jpg", "mscoco/images", two_annotators), image("d.jpg", "ade20k/images", two_annotators)),
}, do_compression=True)
