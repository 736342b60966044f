"""Raw imaging mass cytometry: MCD and TXT files become the images and the panel of steinbock.

Parsing the files is readimc's work, an extra (`pip install 'ilpix[imc]'`). Which file is which
image, the order of the channels, the hot pixel filter and how images are stored are those of
`steinbock preprocess imc`, so that the results are the same.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import tifffile

from ilpix.arrays import FloatArray
from ilpix.disks import lost_by_disk
from ilpix.errors import DiskLostError
from ilpix.files import replacing
from ilpix.images.errors import MissingExtraError
from ilpix.images.left_out import is_visible_file
from ilpix.sources.errors import MissingChannelError, NoRawFilesError, RawFileError
from ilpix.sources.mcd import McdFile
from ilpix.sources.source import DECODING_ERRORS

SUFFIXES = frozenset({".mcd", ".txt"})
_RAW_OR_ARCHIVES = SUFFIXES | {".zip"}
_MOST_PIXELS_PER_BYTE = 100  # of an image in relation to its file; more is a claim, no acquisition


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One measured region, as its file describes it."""

    file: Path
    id: int | None  # None in a TXT file, which holds one acquisition
    channels: tuple[str, ...]  # metal and mass, such as Ir191
    labels: tuple[str, ...]  # the targets, such as DNA1; may be empty
    recovery: Path | None = None  # the TXT file of the same acquisition
    facts: dict[str, Any] = field(default_factory=dict)  # for steinbock's table of images

    @property
    def name(self) -> str:
        """Return what its image is called."""
        return self.file.stem if self.id is None else f"{self.file.stem}_{self.id:03d}"


def is_raw(path: Path) -> bool:
    """Tell whether a file is raw imaging mass cytometry: MCD by its name, TXT by its first line."""
    if path.suffix.lower() == ".mcd":
        return True
    if path.suffix.lower() != ".txt":
        return False
    with path.open("rb") as file:
        return file.read(16).startswith(b"Start_push")


def require_raw_files(folder: Path) -> None:
    """Make sure that below a folder is what may be raw files, also such as cannot be read.

    Raises:
        NoRawFilesError: if nothing of the kind is there.
    """
    unreadable: list[OSError] = []
    paths = (
        Path(root) / name
        for root, _, names in os.walk(folder, onerror=unreadable.append)
        for name in names
    )
    if not any(map(_may_be_raw, paths)) and not unreadable:
        raise NoRawFilesError(folder)


def _may_be_raw(path: Path) -> bool:
    suffix = path.suffix.lower()
    is_text = suffix == ".txt" and is_visible_file(path)
    return is_raw(path) if is_text else suffix in _RAW_OR_ARCHIVES


def list_acquisitions(path: Path) -> list[Acquisition]:
    """Return the acquisitions of a raw file; pixels are not read.

    Raises:
        MissingExtraError: if readimc is not installed.
        RawFileError: if the file cannot be read.
    """
    with _opened(path) as file:
        if path.suffix.lower() != ".mcd":
            return [_describe(path, None, file)]
        return [
            _describe(path, found.id, found)
            for slide in file.slides
            for found in slide.acquisitions
        ]


def match_recovery(acquisition: Acquisition, texts: Sequence[Path]) -> Path | None:
    """Return the TXT file of an acquisition of an MCD file, by name; None where it is not plain."""
    name = re.compile(rf"{re.escape(acquisition.file.stem)}.*_0*{acquisition.id}\.txt")
    matching = [path for path in texts if name.match(path.name)]
    return matching[0] if len(matching) == 1 else None


def read_acquisition(acquisition: Acquisition, channels: Sequence[str]) -> FloatArray:
    """Read the pixels of an acquisition.

    Args:
        acquisition: which.
        channels: names of the channels, in the order of the result.

    Returns:
        (C, Y, X) float32, ion counts.

    Raises:
        MissingChannelError: if it was not measured with one of the channels.
        RawFileError: if the pixels are missing or damaged.
        MissingExtraError: if readimc is not installed.
    """
    indices = [_index_of(acquisition, channel) for channel in channels]
    with _opened(acquisition.file) as file:
        if acquisition.id is None:
            return np.ascontiguousarray(file.read_acquisition()[indices], dtype=np.float32)
        found = next(
            one for slide in file.slides for one in slide.acquisitions if one.id == acquisition.id
        )
        _require_possible(acquisition, found)
        image: FloatArray = file.read_counts(found, indices)
        return image


def filter_hot_pixels(image: FloatArray, threshold: float) -> FloatArray:
    """Set pixels that exceed the largest of their eight neighbours by more than a threshold to it.

    The hot pixel filter of the IMC Segmentation Pipeline (Zanotelli et al., doi:
    10.5281/zenodo.3841961) as steinbock has it; at the edges the image is mirrored about the
    centres of its outermost pixels.

    Args:
        image: (C, Y, X), ion counts. Not modified.
        threshold: ion counts.
    """
    from scipy.ndimage import maximum_filter  # noqa: PLC0415 - slow to import

    neighbours = np.ones((3, 3), dtype=bool)
    neighbours[1, 1] = False
    filtered = np.empty_like(image)
    for target, plane in zip(filtered, image, strict=True):
        largest = maximum_filter(plane, footprint=neighbours, mode="mirror")
        target[:] = np.where(plane - largest > threshold, largest, plane)
    return filtered


def write_raw_image(target: Path, image: FloatArray) -> None:
    """Write (C, Y, X) float32 as steinbock does: a TIFF file of ImageJ, whole or not at all."""
    with replacing(target) as temporary:
        tifffile.imwrite(temporary, image[np.newaxis, np.newaxis, ..., np.newaxis], imagej=True)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import readimc  # noqa: PLC0415 - an extra, not installed everywhere
        from readimc.mcd_parser import MCDParserError  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError(f"{path.name}: raw imaging mass cytometry", "imc") from error
    damage = (*DECODING_ERRORS, MCDParserError, ParseError, StopIteration)
    try:
        if path.suffix.lower() == ".mcd":
            with path.open("rb") as content:
                yield McdFile(content)
        else:
            with closing(readimc.TXTFile(path)) as text:  # open() leaves it open where it fails
                text.open()
                yield text
    except (RawFileError, MissingChannelError, DiskLostError):
        raise
    except damage as error:
        told = RawFileError(path, str(error) or type(error).__name__)
        raise lost_by_disk(error, path) or told from error


def _describe(path: Path, number: int | None, found: Any) -> Acquisition:
    facts: dict[str, Any] = {}
    if number is not None:
        facts = {
            "acquisition_id": number,
            "acquisition_description": found.description,
        }
        if found.roi_points_um:
            start, end = found.roi_points_um[0], found.roi_points_um[2]
            facts |= {
                "acquisition_start_x_um": start[0],
                "acquisition_start_y_um": start[1],
                "acquisition_end_x_um": end[0],
                "acquisition_end_y_um": end[1],
            }
        facts |= {
            "acquisition_width_um": found.width_um,
            "acquisition_height_um": found.height_um,
        }
    return Acquisition(
        path, number, tuple(found.channel_names), tuple(map(str, found.channel_labels)), None, facts
    )


def _index_of(acquisition: Acquisition, channel: str) -> int:
    if channel not in acquisition.channels:
        raise MissingChannelError(acquisition.name, channel)
    return acquisition.channels.index(channel)


def _require_possible(acquisition: Acquisition, found: Any) -> None:
    begin, end = (found.metadata.get(f"Data{side}Offset") for side in ("Start", "End"))
    if begin == end:  # readimc would make zeros of it
        raise RawFileError(acquisition.file, f"acquisition {acquisition.id} has no pixels")
    n_pixels = int(found.width_px or 0) * int(found.height_px or 0)
    if n_pixels > _MOST_PIXELS_PER_BYTE * acquisition.file.stat().st_size or n_pixels < 1:
        raise RawFileError(
            acquisition.file,
            f"acquisition {acquisition.id} claims {found.width_px} × {found.height_px} pixels",
        )
