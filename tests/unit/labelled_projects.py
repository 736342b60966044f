"""Small projects with crops and labels, for tests that train."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ilpix.features.selection import FEATURE_IDS, FeatureSelection
from ilpix.images.hdf5 import write_image
from ilpix.project.labels import write_labels
from ilpix.project.writing import create_project, label_classes

CLASSES = ("Nucleus", "Cytoplasm", "Background")
EDGE_PX = 24
# Two features at two scales: quick, and more than one of each.
SMALL_SELECTION = FeatureSelection(
    FEATURE_IDS,
    (1.0, 1.6),
    tuple(
        (name in {"GaussianSmoothing", "StructureTensorEigenvalues"},) * 2 for name in FEATURE_IDS
    ),
)


def make_crop(rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """An image (3, Y, X) whose first two channels tell its three classes apart, and the truth."""
    truth = np.full((EDGE_PX, EDGE_PX), 3, np.uint8)
    y, x = rng.integers(4, 10, 2)
    truth[y : y + 12, x : x + 12] = 2
    truth[y + 3 : y + 9, x + 3 : x + 9] = 1
    brightness = np.array([[0, 9, 2, 0], [0, 2, 8, 0], [1, 1, 1, 1]])[:, truth]
    return rng.poisson(brightness).astype(np.float32), truth


def make_labelled_project(folder: Path, n_crops: int = 3, labelled_share: float = 0.1) -> Path:
    """A project with `n_crops` crops, of which a share of the pixels is labelled as in truth."""
    rng = np.random.default_rng(0)
    path = folder / "pixel_classifier.ilp"
    crops, labels = {}, {}
    for index in range(n_crops):
        image, truth = make_crop(rng)
        crops[f"ilastik_crops/roi_{index}.h5"] = image.shape
        write_image(folder / f"ilastik_crops/roi_{index}.h5", image, None, "crop")
        labels[index] = truth * (rng.random(truth.shape) < labelled_share).astype(np.uint8)
    create_project(path, crops, label_classes(CLASSES))
    write_labels(path, labels)
    return path
