"""Which of several images in one file are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ilpix.sources.errors import NoSuchSeriesError, SeriesError


@dataclass(frozen=True, slots=True)
class ChosenImages:
    """Which images of a file are read."""

    indices: tuple[int, ...]  # counted from 0
    n_images: int  # in the file
    note: str | None = None  # what a person should know about the choice


def choose_told(path: Path, series: int, n_images: int) -> ChosenImages:
    """Choose the image that a person named by its number, counted from 1.

    Raises:
        NoSuchSeriesError: if the file has fewer.
    """
    if series > n_images:
        raise NoSuchSeriesError(path, series, n_images)
    return ChosenImages((series - 1,), n_images)


def choose_fitting(path: Path, counts: Sequence[int], n_channels: int | None) -> ChosenImages:
    """Choose the images that have the panel's number of channels.

    Args:
        path: the file.
        counts: the number of channels of each image in it; 0 for what is no image.
        n_channels: of the panel, where there is one.

    Raises:
        SeriesError: if none has.
    """
    fitting = tuple(k for k, count in enumerate(counts) if count and count == n_channels)
    if not fitting:
        raise SeriesError(path, tuple(counts), n_channels)
    note = f"{len(fitting)} of the {len(counts)} images in the file are read"
    if others := [str(k + 1) for k in range(len(counts)) if k not in fitting]:
        note += f"; left out for their number of channels or as smaller copies: {', '.join(others)}"
    return ChosenImages(fitting, len(counts), note)
