"""What a forest says about a whole crop, in the form in which a page is told."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ilpix.arrays import FloatArray
from ilpix.features.planes import BAND_ROWS, FeaturePlanes
from ilpix.features.selection import FeatureSelection
from ilpix.forest.stored import Forest
from ilpix.forest.voting import pack
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.probabilities import to_uint16
from ilpix.project.reading import PixelProject

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The prediction of one crop."""

    lane: int
    revision: int  # of the labels that it follows from
    trees: int
    is_final: bool  # whether no further trees follow
    ids: tuple[int, ...]  # K identities of classes, in the order of the project
    probabilities: Bytes  # (K, Y, X); 255 for 1
    classes: Bytes  # (Y, X) identity of the most probable class


def describe(  # noqa: PLR0913 - the facts of an answer
    lane: int,
    revision: int,
    forest: Forest,
    ids: Sequence[int],
    probabilities: FloatArray,
    *,
    is_final: bool,
) -> Answer:
    """Make an answer of (Y, X, K) probabilities of all classes; ties go to the first class."""
    order = np.array(ids, np.uint8)
    return Answer(
        lane=lane,
        revision=revision,
        trees=len(forest.roots),
        is_final=is_final,
        ids=tuple(ids),
        probabilities=np.ascontiguousarray(
            np.moveaxis(np.rint(probabilities * np.float32(255)).astype(np.uint8), 2, 0)
        ),
        classes=order[to_uint16(probabilities).argmax(axis=2)],
    )


def predict_planes(
    planes: FeaturePlanes,
    forest: Forest,
    n_classes: int,
    threads: int,
    go_on: Callable[[], None] = lambda: None,
) -> FloatArray:
    """Predict a crop whose features are in memory.

    Args:
        planes: of the F columns of `forest`.
        forest: its labels are 1 to `n_classes`.
        n_classes: of the project.
        threads: how many bands at a time; does not change a value.
        go_on: what it raises ends the call; asked before each band.

    Returns:
        (Y, X, K) float32; zero for a class that was never labelled.
    """
    height, width = planes.shape
    packed = pack(forest, np.arange(forest.n_columns))
    columns = [label - 1 for label in forest.labels]
    out = np.zeros((height, width, n_classes), np.float32)

    def predict(index: int) -> None:
        go_on()
        rows = out[index * BAND_ROWS : (index + 1) * BAND_ROWS]
        votes = np.empty((len(rows), width, len(columns)), np.float32)
        packed.predict(planes.bands[index], votes)
        rows[:, :, columns] = votes

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(predict, range(len(planes.bands))))
    return out


def predict_pixels(  # noqa: PLR0913 - a project without its forest
    pixels: FloatArray,
    project: PixelProject,
    selection: FeatureSelection,
    forest: Forest,
    n_classes: int,
    threads: int,
) -> FloatArray:
    """Predict a (C, Y, X) crop whose features are too many to be kept; as `predict_planes`."""
    classes = (project.classes * n_classes)[:n_classes]  # their names play no part
    trained = replace(project, classes=classes, features=selection, forest=forest)
    return Classifier.of(trained).predict(pixels, threads)
