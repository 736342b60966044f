"""The crops of a project: their pixels, in a bounded amount of memory, and what identifies them."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from annotation.edits import CropKey
from annotation.errors import CropPixelsError
from ilpix.arrays import FloatArray
from ilpix.errors import IlpixError, told_shape
from ilpix.features.computing import require_finite
from ilpix.images.hdf5 import open_prepared
from ilpix.project.crop_names import crop_path, lane_stem
from ilpix.project.reading import PixelProject

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")

PIXEL_BYTES = 2**28  # of crops in memory


class BoundedCache(Generic[Key, Kept]):
    """Keeps what was used last within a number of bytes; many threads may ask."""

    def __init__(self, most_bytes: int, bytes_of: Callable[[Kept], int]) -> None:
        self._most, self._bytes_of = most_bytes, bytes_of
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Key) -> Kept | None:
        """Return what is kept under a key."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Key, value: Kept) -> None:
        """Keep a value, in place of what was used longest ago."""
        with self._lock:
            self._drop(key)
            self._kept[key] = value
            self._bytes += self._bytes_of(value)
            while self._bytes > self._most and len(self._kept) > 1:
                self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, key: Key) -> None:
        if key in self._kept:
            self._bytes -= self._bytes_of(self._kept.pop(key))


@dataclass(frozen=True, slots=True)
class Crop:
    """One crop of a project."""

    lane: int
    name: str
    path: Path
    size: tuple[int, int]  # rows and columns


@dataclass(eq=False)
class Crops:
    """All crops of a project, by lane; pixels are read when they are asked for."""

    of_lane: dict[int, Crop]
    _pixels: BoundedCache[int, FloatArray] = field(
        default_factory=lambda: BoundedCache(PIXEL_BYTES, lambda pixels: pixels.nbytes)
    )
    _keys: dict[int, CropKey] = field(default_factory=dict)

    def pixels(self, lane: int) -> FloatArray:
        """Return the (C, Y, X) pixels of a crop.

        Raises:
            CropPixelsError: if it is missing, damaged, of another size than its lane, or not
                finite.
        """
        if (kept := self._pixels.get(lane)) is not None:
            return kept
        crop = self.of_lane[lane]
        try:
            with open_prepared(crop.path) as image:
                pixels = image.read()
            require_finite(pixels)
        except (IlpixError, OSError) as error:
            raise CropPixelsError(crop.name, str(error)) from error
        if pixels.shape[1:] != crop.size:
            found, stored = told_shape(pixels.shape[1:]), told_shape(crop.size)
            reason = f"it is of size {found}, its lane in the project of {stored}"
            raise CropPixelsError(crop.name, reason)
        self._pixels.put(lane, pixels)
        return pixels

    def key(self, lane: int) -> CropKey:
        """Return what identifies a crop wherever it stands in the list.

        Raises:
            CropPixelsError: as `pixels`.
        """
        if lane not in self._keys:
            pixels = self.pixels(lane)
            digest = sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()[:32]
            self._keys[lane] = CropKey(name=self.of_lane[lane].name, digest=digest)
        return self._keys[lane]

    def find(self, key: CropKey) -> int | None:
        """Return the lane of a crop: the one of its name, else the first of its content."""
        named = [lane for lane, crop in self.of_lane.items() if crop.name == key.name]
        others = [lane for lane in self.of_lane if lane not in named]
        return next((lane for lane in named + others if self._has_content(lane, key)), None)

    def add(self, crop: Crop) -> None:
        """Add a crop that was cut."""
        self.of_lane[crop.lane] = crop

    def _has_content(self, lane: int, key: CropKey) -> bool:
        try:
            return self.key(lane).digest == key.digest
        except CropPixelsError:
            return False


def crops_of(project: PixelProject) -> Crops:
    """Return the crops of a project."""
    return Crops(
        {
            lane.index: Crop(lane.index, lane_stem(lane), crop_path(project, lane), lane.size)
            for lane in project.lanes
        }
    )


def is_plane(axes: str, shape: Sequence[int]) -> bool:
    """Tell whether a lane is one plane: every axis but channels, rows and columns has length 1."""
    return all(n == 1 for key, n in zip(axes, shape, strict=True) if key not in "cyx")
