"""Browse prepared images and cut a crop where something worth labelling is.

The crop's file and lane are those that `prepare` would make. A table beside the crops names what
was chosen, so that a later `prepare` keeps it.
"""

from pathlib import Path, PurePosixPath

import numpy as np

from annotation.crops import BoundedCache, Crop
from annotation.errors import BadRequestError, CropNotCutError
from annotation.pictures import shrink, step_for
from annotation.session import Session
from ilpix.arrays import FloatArray
from ilpix.images.chosen_crops import add_chosen
from ilpix.images.crops import CropWindow, crop_stem, cut_crop
from ilpix.images.hdf5 import find_prepared, open_prepared
from ilpix.project.lanes import add_lanes

OVERVIEW_PX = 768  # the longer edge of an image at low resolution
OVERVIEW_BYTES = 2**27
_ROWS_AT_ONCE = 512


class Images:
    """The prepared images of a data directory."""

    def __init__(self, folder: Path, crops: Path, session: Session) -> None:
        self._folder, self._crops, self._session = folder, crops, session
        self._overviews: BoundedCache[str, FloatArray] = BoundedCache(
            OVERVIEW_BYTES, lambda planes: planes.nbytes
        )

    def list(self) -> list[dict[str, object]]:
        """Return name and size of every image that fits the project; none without a folder."""
        if not self._folder.is_dir() or not any(self._folder.glob("*.h5")):
            return []
        n_channels = self._session.project.lanes[0].n_channels
        found: list[dict[str, object]] = []
        for path in find_prepared(self._folder):
            with open_prepared(path) as image:
                if image.shape[0] == n_channels:
                    found.append({"name": path.stem, "size": image.shape[1:]})
        return found

    def overview(self, name: str) -> FloatArray:
        """Return a (C, Y, X) image at low resolution, read in little memory.

        Raises:
            BadRequestError: if there is no such image.
            IlpixError: if it cannot be read.
        """
        if (kept := self._overviews.get(name)) is not None:
            return kept
        with open_prepared(self._path(name)) as image:
            height = image.shape[1]
            step = step_for(image.shape, OVERVIEW_PX)
            rows = max(_ROWS_AT_ONCE // step, 1) * step
            parts = [
                shrink(image.read(slice(first, first + rows)), step)
                for first in range(0, height, rows)
            ]
        n_columns = min(part.shape[2] for part in parts)
        overview = np.concatenate([part[:, :, :n_columns] for part in parts], axis=1)
        self._overviews.put(name, overview)
        return overview

    def cut(self, name: str, y: int, x: int, size: int) -> int:
        """Cut a crop, add its lane to the project and return that.

        Raises:
            CropNotCutError: if it does not lie in the image.
            ProjectChangedError: if another program changed the project.
            IlpixError: if the image cannot be read, or the project not be written.
        """
        session, path = self._session, self._path(name)
        with open_prepared(path) as image:
            n_channels, height, width = image.shape
        if not (0 <= y <= height - size and 0 <= x <= width - size and size >= 1):
            raise CropNotCutError(name, y, x, size)
        window = CropWindow(y, x, size)
        target = self._crops / f"{crop_stem(name, window)}.h5"
        with session.lock:
            session.require_unchanged()
            known = [crop for crop in session.crops.of_lane.values() if crop.name == target.stem]
            if known:
                return known[0].lane
            cut_crop(path, target, window)
            add_chosen(self._crops, name, window)
            shape = (n_channels, size, size)
            (lane,) = add_lanes(session.path, {str(self._beside(target)): shape})
            session.add_crop(Crop(lane, target.stem, target, (size, size)))
        return lane

    def _path(self, name: str) -> Path:
        path = self._folder / f"{name}.h5"
        if path.parent != self._folder or not path.is_file():
            raise BadRequestError(f"there is no prepared image {name!r}")
        return path

    def _beside(self, crop: Path) -> PurePosixPath:
        folder, absolute = self._session.path.absolute().parent, crop.absolute()
        inside = absolute.is_relative_to(folder)
        return PurePosixPath((absolute.relative_to(folder) if inside else absolute).as_posix())
