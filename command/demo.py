"""`demo`: synthetic tissue, labelled as by a person, classified, judged by its known truth."""

from pathlib import Path

import numpy as np
import tifffile

from flows.options import PrepareOptions, RunOptions, TrainOptions
from flows.prepare import prepare
from flows.run import run
from flows.train import train
from ilpix.example import draw_labels, write_example
from ilpix.files import replacing
from ilpix.images.crops import CropWindow

CROPSIZE, SEED = 100, 1
LABELS = Path("labels")


def demo(folder: Path) -> float:
    """Write the example data set to a folder, classify it, return the share of right pixels."""
    write_example(folder)
    options = PrepareOptions(cropsize=CROPSIZE, seed=SEED)
    prepare(folder, options)
    write_labels_of_a_person(folder, options)
    train(folder, TrainOptions(labels=LABELS, seed=SEED))
    return accuracy(folder, run(folder, RunOptions()), options.scale)


def write_labels_of_a_person(folder: Path, options: PrepareOptions) -> None:
    """Draw short strokes in every class of each crop, as label images beside the crops."""
    rng = np.random.default_rng(SEED)
    for crop in sorted((folder / options.cropout).glob("*.h5")):
        stem, x, y, *_ = crop.stem.rsplit("_", 4)
        window = CropWindow(int(y[1:]), int(x[1:]), options.cropsize)
        truth = tifffile.imread(folder / "truth" / f"{stem}.tiff")
        with replacing(folder / LABELS / f"{crop.stem}.tiff") as temporary:
            tifffile.imwrite(
                temporary, draw_labels(truth, window, options.scale, rng), metadata=None
            )


def accuracy(folder: Path, probabilities: list[Path], scale: int) -> float:
    """Return the share of pixels whose most probable class is the true one."""
    right, total = 0, 0
    for path in probabilities:
        truth = tifffile.imread(folder / "truth" / path.name)
        classes = tifffile.imread(path).argmax(axis=-1) + 1
        right += int(np.count_nonzero(classes == truth.repeat(scale, axis=0).repeat(scale, axis=1)))
        total += classes.size
    return right / total
