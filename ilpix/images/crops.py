"""Choose the crops that a person labels, and cut them.

Offsets depend on nothing but the shapes of the prepared images and the seed. steinbock draws them
all from one generator, so another image moves every later crop; `plan_crops_per_image` has a
generator for each image. In both, asking for more crops per image keeps those of fewer.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ilpix.images.hdf5 import open_prepared, write_image

_CROP = re.compile(r"(?P<image>.+)_x(?P<x>\d{1,9})_y(?P<y>\d{1,9})_w(?P<w>\d{1,9})_h(?P<h>\d{1,9})")


@dataclass(frozen=True, slots=True)
class CropWindow:
    """A square part of an image, in pixels of that image."""

    y: int  # top row, included
    x: int  # left column, included
    size: int  # edge length

    def __post_init__(self) -> None:
        if min(self.y, self.x) < 0 or self.size < 1:
            raise ValueError(f"a crop needs y >= 0, x >= 0 and size >= 1, got {self}")

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index the last two axes of an image with."""
        return slice(self.y, self.y + self.size), slice(self.x, self.x + self.size)


def plan_crops_like_steinbock(
    shapes: Mapping[str, tuple[int, int]], size: int, seed: int, n: int = 1
) -> dict[str, list[CropWindow]]:
    """Draw crops with one generator for all images; the first crop of each image is steinbock's.

    Further crops are drawn with the same generator after all first ones. As in steinbock, the last
    row and column that would fit are never drawn.

    Args:
        shapes: (Y, X) by image name, in the order of the images.
        size: edge length of a crop.
        seed: of the generator.
        n: how many different crops each image gets, or as many as it has positions.

    Returns:
        The crops by image name in the order drawn; none for an image smaller than a crop.
    """
    rng = np.random.default_rng(seed)
    ranges = {
        name: (max(height - size, 1), max(width - size, 1))
        for name, (height, width) in shapes.items()
        if min(height, width) >= size
    }
    crops: dict[str, list[CropWindow]] = {name: [] for name in shapes}
    for k in range(n):
        for name, (n_rows, n_columns) in ranges.items():
            while len(crops[name]) < min(k + 1, n_rows * n_columns):
                # a range of one position takes nothing from the generator
                x, y = int(rng.integers(n_columns)), int(rng.integers(n_rows))
                _add_new(crops[name], CropWindow(y, x, size))
    return crops


def plan_crops_per_image(
    name: str, shape: tuple[int, int], size: int, seed: int, n: int = 1
) -> list[CropWindow]:
    """Draw the crops of one image; every position that fits is equally likely.

    Args:
        name: of the image; with the seed, it alone chooses the generator.
        shape: (Y, X).
        size: edge length of a crop.
        seed: the same for all images.
        n: how many different crops, or as many as the image has positions.

    Returns:
        The crops in the order drawn; none if the image is smaller than a crop.
    """
    height, width = shape
    if min(shape) < size:
        return []
    digest = hashlib.sha256(json.dumps([seed, name]).encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "big"))
    n_rows, n_columns = height - size + 1, width - size + 1
    crops: list[CropWindow] = []
    while len(crops) < min(n, n_rows * n_columns):
        y, x = int(rng.integers(n_rows)), int(rng.integers(n_columns))
        _add_new(crops, CropWindow(y, x, size))
    return crops


def crop_stem(stem: str, window: CropWindow) -> str:
    """Return the name of a crop without `.h5`, in steinbock's spelling."""
    return f"{stem}_x{window.x}_y{window.y}_w{window.size}_h{window.size}"


class CropName(NamedTuple):
    """What the name of a crop says."""

    image: str
    y: int  # top row in the prepared image
    x: int  # left column
    height: int
    width: int


def parse_crop_stem(stem: str) -> CropName | None:
    """Return what a name in steinbock's spelling says; None where it is of another kind."""
    match = _CROP.fullmatch(stem)
    if not match:
        return None
    x, y, width, height = (int(match[name]) for name in "xywh")
    return CropName(match["image"], y, x, height, width)


def cut_crop(source: Path, target: Path, window: CropWindow) -> None:
    """Write a window of a prepared image as a crop, with the image's record.

    Raises:
        UnreadableImageError: if the image cannot be read; see `open_prepared` for the others.
    """
    with open_prepared(source) as image:
        write_image(target, image.read(*window.slices), image.record, "crop")


def _add_new(crops: list[CropWindow], crop: CropWindow) -> None:
    if crop not in crops:
        crops.append(crop)
