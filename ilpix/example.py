"""Synthetic tissue to try everything on, its truth, and the labels a person would draw.

Cells are ellipses with a nucleus inside; the counts of a mass tag follow from what a pixel belongs
to, with the noise of counting. Only sums, products and square roots of uniform random numbers are
used, no function whose last digit differs between machines, so one seed gives the same bytes
everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ilpix.data_directory import IMAGES, PANEL
from ilpix.files import replacing, write_text
from ilpix.images.crops import CropWindow

NUCLEUS, CYTOPLASM, BACKGROUND = 1, 2, 3  # as in the labels of a new project
SEED = 7
SHAPES = {
    "region_1": (110, 130),
    "region_2": (120, 120),
    "region_3": (100, 140),
    "region_4": (130, 110),
    "region_5": (105, 105),
}

_STROKES_PER_CLASS = 8
_STROKE_PX = 10


@dataclass(frozen=True, slots=True)
class _Marker:
    """One row of the panel, with the mean count in a pixel of each class."""

    channel: str
    name: str
    group: str
    nucleus: float
    cytoplasm: float
    background: float


_MARKERS = (
    _Marker("Ir191", "DNA1", "1", 34, 5, 1.5),
    _Marker("Ir193", "DNA2", "1", 55, 8, 2),
    _Marker("Er166", "E-Cadherin", "2", 6, 22, 2),
    _Marker("Nd143", "Vimentin", "3", 2, 4, 9),
    _Marker("Xe134", "Xenon", "", 3, 3, 3),
)


def write_example(folder: Path, seed: int = SEED) -> None:
    """Write `img/*.tiff`, `panel.csv` and `truth/*.tiff` (classes 1 to 3) below a folder.

    The same seed gives the same bytes.
    """
    rng = np.random.default_rng(seed)
    for name, shape in SHAPES.items():
        truth, image = _grow_tissue(shape, rng)
        _write_tiff(folder / IMAGES / f"{name}.tiff", image, "CYX")
        _write_tiff(folder / "truth" / f"{name}.tiff", truth, "YX")
    rows = [f"{m.channel},{m.name},1,{m.group}" for m in _MARKERS]
    write_text(folder / PANEL, "\n".join(["channel,name,keep,ilastik", *rows, ""]))


def draw_labels(
    truth: NDArray[np.uint8], window: CropWindow, scale: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw a few short strokes in each class of a crop, away from the borders between classes.

    Args:
        truth: (Y, X), the classes of the whole image before it was enlarged.
        window: the crop, in pixels of the enlarged image.
        scale: how many times the image was enlarged.
        rng: chooses the strokes.

    Returns:
        (window.size, window.size), 0 where nothing is drawn.
    """
    enlarged = truth.repeat(scale, axis=0).repeat(scale, axis=1)
    classes = np.where(_is_interior(enlarged), enlarged, 0)[window.slices]
    labels: NDArray[np.uint8] = np.zeros_like(classes)
    for value in np.unique(classes[classes > 0]):
        pixels = np.argwhere(classes == value)
        for y, x in pixels[rng.integers(len(pixels), size=_STROKES_PER_CLASS)]:
            for position in _walk(classes, (int(y), int(x)), rng):
                labels[position] = value
    return labels


def _grow_tissue(
    shape: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The classes (Y, X) and the counts (C, Y, X) of one region."""
    truth = np.full(shape, BACKGROUND, dtype=np.uint8)
    brightness = np.ones(shape)
    for cell, nucleus in _place_cells(shape, rng):
        truth[cell & (truth == BACKGROUND)] = CYTOPLASM
        truth[nucleus] = NUCLEUS
        brightness[nucleus] = 0.6 + 0.9 * rng.random()
    channels = []
    for marker in _MARKERS:
        means = np.array([0, marker.nucleus, marker.cytoplasm, marker.background])
        channels.append(_count(means[truth] * brightness, rng))
    return truth, np.stack(channels)


def _place_cells(
    shape: tuple[int, int], rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Masks (Y, X) of cells and their nuclei; nuclei do not touch, cells may."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    centres: list[NDArray[Any]] = []
    for _ in range(shape[0] * shape[1] // 100):
        centre = rng.random(2) * shape
        direction = rng.random(2) - 0.5
        radii = 3.5 + 2.5 * rng.random(2)
        if any(np.sum((centre - other) ** 2) < 16**2 for other in centres):
            continue
        centres.append(centre)
        cosine, sine = direction / np.sqrt(np.sum(direction**2))
        y, x = rows - centre[0], columns - centre[1]
        along, across = y * cosine + x * sine, x * cosine - y * sine
        cell, nucleus = (
            (along / (radii[0] + rim)) ** 2 + (across / (radii[1] + rim)) ** 2 <= 1
            for rim in (4.5, 0.0)
        )
        yield cell, nucleus


def _count(means: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Counts with these means and the variance of counting; four uniform numbers make a bell."""
    bell = np.sqrt(3.0) * (rng.random((4, *means.shape)).sum(axis=0) - 2.0)
    counts: NDArray[np.float64] = np.rint(means + np.sqrt(means) * bell)
    return counts.clip(0, 255).astype(np.uint8)


def _is_interior(classes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where all eight neighbours are of the same class."""
    padded = np.pad(classes, 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    return np.asarray((around == classes[..., np.newaxis, np.newaxis]).all(axis=(2, 3)))


def _walk(
    classes: NDArray[np.uint8], start: tuple[int, int], rng: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Positions along a straight line that ends where the class does."""
    height, width = classes.shape
    step_y, step_x = ((0, 1), (1, 0), (1, 1), (1, -1))[rng.integers(4)]
    y, x = start
    for _ in range(_STROKE_PX):
        if not (0 <= y < height and 0 <= x < width) or classes[y, x] != classes[start]:
            return
        yield y, x
        y, x = y + step_y, x + step_x


def _write_tiff(path: Path, pixels: NDArray[np.uint8], axes: str) -> None:
    with replacing(path) as temporary:
        tifffile.imwrite(temporary, pixels, imagej=True, metadata={"axes": axes})
