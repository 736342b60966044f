"""Predict a small made-up image with every feature, to fill numba's cache with compiled code."""

from pathlib import Path

import numpy as np

from ilpix.features.selection import FEATURE_IDS, FeatureSelection
from ilpix.forest.stored import LEAF, Forest
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import LabelClass, PixelProject

SCALES = (0.7, 1.0, 1.6)
SIDE_PX = 40  # no multiple of the rows computed at once: the last few are compiled for too


def made_up_project() -> PixelProject:
    """Return a project of one channel and two classes, with a forest of one split."""
    selection = FeatureSelection(
        tuple(FEATURE_IDS), SCALES, tuple((True,) * len(SCALES) for _ in FEATURE_IDS)
    )
    forest = Forest(
        feature=np.array([0, LEAF, LEAF], np.int32),
        threshold=np.array([0.5, 0, 0]),
        left=np.array([1, 0, 0], np.int32),
        right=np.array([2, 0, 0], np.int32),
        votes=np.array([[0, 0], [1, 0], [0, 1]], np.float64),
        roots=np.array([0], np.int32),
        n_columns=len(selection.columns(1)),
        labels=(1, 2),
        trees_per_forest=(1,),
    )
    classes = tuple(LabelClass(name, (0, 0, 0), (0, 0, 0)) for name in ("low", "high"))
    return PixelProject(Path("made-up.ilp"), "1.4.2", classes, (), selection, forest, (), None)


if __name__ == "__main__":
    image = np.linspace(0, 1, SIDE_PX**2, dtype=np.float32).reshape(1, SIDE_PX, SIDE_PX)
    Classifier.of(made_up_project()).predict(image)
