"""A prepared data directory with an unlabelled project, made without a flow."""

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from ilpix.example import write_example
from ilpix.images.crops import CropWindow
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.panel import read_panel
from ilpix.images.preparation import channel_names
from ilpix.images.preparation_options import PreparationOptions
from ilpix.sources.reading_options import ReadingOptions
from tasks.preparing import cut_crops, prepare_image
from tasks.projects import create_untrained_project

CLASSES = ("Nucleus", "Cytoplasm", "Background")
WINDOW = CropWindow(y=20, x=10, size=160)
OPTIONS = PreparationOptions()


def make_tissue(folder: Path) -> Path:
    """Write images, prepared images, a crop of each and a project; return the project."""
    write_example(folder)
    crops = []
    for image in sorted((folder / "img").glob("*.tiff")):
        prepared = folder / "ilastik_img" / f"{image.stem}.h5"
        prepare_image.fn(image, 0, prepared, folder / "panel.csv", OPTIONS, ReadingOptions())
        crop = folder / "ilastik_crops" / f"{image.stem}_x10_y20_w160_h160.h5"
        cut_crops.fn(prepared, (crop,), (WINDOW,))
        crops.append(crop)
    record = ImageRecord(
        channel_names=channel_names(read_panel(folder / "panel.csv"), OPTIONS), preparation=OPTIONS
    )
    project = folder / "pixel_classifier.ilp"
    create_untrained_project.fn(project, tuple(crops), CLASSES, record)
    return project


def truth_of(folder: Path, lane: int) -> NDArray[np.uint8]:
    """The (Y, X) classes of a crop: 1 nucleus, 2 cytoplasm, 3 background."""
    path = sorted((folder / "truth").glob("*.tiff"))[lane]
    enlarged = tifffile.imread(path).repeat(OPTIONS.scale, axis=0).repeat(OPTIONS.scale, axis=1)
    truth: NDArray[np.uint8] = enlarged[WINDOW.slices]
    return truth


def runs_of(mask: NDArray[np.bool_]) -> list[int]:
    """The pixels of a mask as a page sends them: y, x, length of runs along rows."""
    padded = np.pad(mask.astype(np.int8), ((0, 0), (1, 1)))
    steps = np.diff(padded, axis=1)
    y, first = np.nonzero(steps == 1)
    _, end = np.nonzero(steps == -1)
    return np.stack([y, first, end - first], axis=1).ravel().tolist()
