"""Features of crops: computed once, kept within a bound of memory."""

from collections.abc import Callable

import numpy as np

from annotation.crops import BoundedCache, Crops
from ilpix.arrays import FloatArray
from ilpix.features.computing import features_at
from ilpix.features.planes import FeaturePlanes, Places, compute_planes, planes_bytes
from ilpix.features.selection import FeatureSelection

PLANES_BYTES = 2**30  # of all crops


class CropFeatures:
    """Features of whole crops for one choice of features at a time."""

    def __init__(self, crops: Crops, threads: int) -> None:
        self._crops, self._threads = crops, threads
        self._selection: FeatureSelection | None = None
        self._planes: BoundedCache[int, FeaturePlanes] = BoundedCache(
            PLANES_BYTES, lambda planes: planes.nbytes
        )

    def planes(
        self, lane: int, selection: FeatureSelection, go_on: Callable[[], None]
    ) -> FeaturePlanes | None:
        """Return all features of a crop; None where they are too many to be kept.

        Args:
            lane: the crop.
            selection: which features.
            go_on: what it raises ends the call; asked again and again.

        Raises:
            CropPixelsError: if the crop cannot be read.
            ImageTooSmallError: if a selected scale needs a larger crop.
        """
        self._choose(selection)
        if (kept := self._planes.get(lane)) is not None:
            return kept
        pixels = self._crops.pixels(lane)
        if planes_bytes(pixels.shape, selection) > PLANES_BYTES:
            return None
        planes = compute_planes(pixels, selection, self._threads, go_on)
        self._planes.put(lane, planes)
        return planes

    def at(self, lane: int, selection: FeatureSelection, places: Places) -> FloatArray:
        """Return the (P, F) features of some pixels of a crop, from memory or computed now.

        Args:
            lane: the crop.
            selection: which features.
            places: (P,) pixels, counted row by row.

        Raises:
            CropPixelsError: if the crop cannot be read.
            ImageTooSmallError: if a selected scale needs a larger crop.
        """
        self._choose(selection)
        positions = np.stack(np.divmod(places, self._crops.of_lane[lane].size[1]), axis=1)
        if (kept := self._planes.get(lane)) is not None:
            return kept.at(positions)
        return features_at(self._crops.pixels(lane), selection, positions)

    def _choose(self, selection: FeatureSelection) -> None:
        if selection != self._selection:
            self._planes.clear()
            self._selection = selection
