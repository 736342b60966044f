"""Crops for people who paint labels in another program, each with a label image beside it.

As TIFF all channels are kept, with their names and the intensities between which they are shown, as
ImageJ writes it; Fiji, napari and QuPath read it. As PNG three channels are red, green and blue.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tifffile
from PIL import Image

from ilpix.arrays import FloatArray
from ilpix.errors import IlpixError, Problem
from ilpix.files import replacing
from ilpix.images.channel_statistics import describe_channels
from ilpix.images.hdf5 import ImageRecord, open_prepared
from ilpix.project.crop_names import crop_path, lanes_by_stem
from ilpix.project.errors import CropsNotExportedError
from ilpix.project.label_images import LabelFormat, export_labels
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.stored_lanes import Lane

CROPS, LABELS = "crops", "labels"  # folders
MEAN = "mean"  # of all channels: it says least in colours
_MOST_COLOURS = 7  # channels that ImageJ shows at once
_IN_PNG = 3

Range = tuple[float, float]  # the intensities of black and white


class _Crop(NamedTuple):
    """An opened crop."""

    pixels: FloatArray  # (C, Y, X)
    ranges: tuple[Range, ...]
    record: ImageRecord | None


class Exported(NamedTuple):
    """What was written."""

    crops: list[Path]
    labels: list[Path]


def export_crops(project_path: Path, folder: Path, suffix: LabelFormat = "tiff") -> Exported:
    """Write each crop as `crops/STEM`, and its labels, often none yet, as `labels/STEM`.

    Intensities are shown in the same way in all crops.

    Args:
        project_path: an `.ilp` file.
        folder: gets both folders.
        suffix: of the files.

    Raises:
        InvalidProjectError: if the project cannot be read, or has two crops of one name.
        UnusableLabelsError: if the folder holds other labels already; nothing is written then.
        CropsNotExportedError: with every crop that cannot be read; the others are written.

    Example:
        >>> export_crops(Path("pixel_classifier.ilp"), Path("painting")).crops[0].name
        'region_1_x128_y82_w100_h100.tiff'
    """
    project = read_project(project_path)
    lanes = lanes_by_stem(project)
    labels = export_labels(project_path, folder / LABELS, suffix)
    problems: list[Problem] = []
    opened = {stem: _open(project, stem, lane, problems) for stem, lane in lanes.items()}
    crops = {stem: crop for stem, crop in opened.items() if crop}
    ranges = _common_ranges([crop.ranges for crop in crops.values()])
    written = []
    for stem, crop in crops.items():
        path = folder / CROPS / f"{stem}.{suffix}"
        names = _names(crop, project)
        if suffix == "tiff":
            _write_tiff(path, crop, names, ranges)
        else:
            _write_png(path, crop.pixels, names, ranges)
        written.append(path)
    if problems:
        raise CropsNotExportedError(project_path, tuple(problems))
    return Exported(written, labels)


def _open(project: PixelProject, stem: str, lane: Lane, problems: list[Problem]) -> _Crop | None:
    if lane.inner_path is not None:
        problems.append(Problem(stem, "lies in the project itself; run ilpix fix"))
        return None
    try:
        with open_prepared(crop_path(project, lane), lane.n_channels) as image:
            quantiles = describe_channels(image).quantiles
            ranges = tuple((values[0], values[-1]) for values in quantiles)
            return _Crop(image.read(), ranges, image.record)
    except IlpixError as error:
        problems.append(Problem(stem, str(error)))
        return None


def _common_ranges(ranges: Sequence[tuple[Range, ...]]) -> list[Range]:
    """From the lowest to the highest of all crops, for each channel."""
    if not ranges:
        return []
    lows, highs = np.moveaxis(np.array(ranges), 2, 0)
    bounds = zip(lows.min(axis=0).tolist(), highs.max(axis=0).tolist(), strict=True)
    return [(low, high if high > low else low + 1) for low, high in bounds]


def _names(crop: _Crop, project: PixelProject) -> list[str]:
    record = crop.record or project.record
    names = record.channel_names if record else ()
    n_channels = len(crop.pixels)
    return list(names) if len(names) == n_channels else [f"channel {k}" for k in range(n_channels)]


def _write_tiff(path: Path, crop: _Crop, names: Sequence[str], ranges: Sequence[Range]) -> None:
    n_channels = len(crop.pixels)
    metadata = {
        "axes": "CYX",
        "Labels": list(names),
        "Ranges": tuple(value for bounds in ranges for value in bounds),
        "mode": "composite" if 1 < n_channels <= _MOST_COLOURS else "grayscale",
    }
    resolution = None
    if crop.record and crop.record.pixel_size_um:
        height, width = crop.record.pixel_size_um
        metadata["unit"], resolution = "um", (1 / width, 1 / height)
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary, crop.pixels, imagej=True, resolution=resolution, metadata=metadata
        )


def _write_png(
    path: Path, pixels: FloatArray, names: Sequence[str], ranges: Sequence[Range]
) -> None:
    chosen = [channel for channel, name in enumerate(names) if name != MEAN] or [0]
    picture = np.zeros((*pixels.shape[1:], _IN_PNG), np.uint8)
    for colour, channel in enumerate(chosen[:_IN_PNG]):
        low, high = ranges[channel]
        picture[:, :, colour] = 255 * np.clip((pixels[channel] - low) / (high - low), 0, 1)
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, "PNG")
