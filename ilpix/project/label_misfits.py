"""Why a picture cannot be the labels of a crop, and what to do, in words for who drew it."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ilpix.project.crop_names import crop_path
from ilpix.project.reading import PixelProject
from ilpix.project.stored_lanes import Lane
from ilpix.wording import counted

WHITE = 255  # in a black and white mask
_COLOURS = (3, 4)  # channels of a picture: RGB, RGBA
_SIMILAR = 0.75


def misfit(image: NDArray[Any], project: PixelProject, lane: Lane) -> str:
    """Say what is wrong with an image as labels of a crop; empty where nothing is.

    Args:
        image: (C, Y, X) of any type.
        project: names the classes.
        lane: of the crop.
    """
    if image.shape[0] in _COLOURS:
        return f"is a colour picture; {as_grey(project)}"
    if image.shape != (1, *lane.size):
        where = crop_path(project, lane)
        small = _how_much_smaller(image.shape[1:], lane.size)
        return (
            f"is {in_words(image.shape)}, but its crop is {in_words((1, *lane.size))}{small}; draw "
            f"on the crop itself, {where}"
        )
    if image.dtype.kind == "f":
        return f"has pixels of type {image.dtype}; {as_grey(project)}"
    lowest, highest = int(image.min()), int(image.max())
    if lowest < 0 or highest > len(project.classes):
        if highest == WHITE and np.isin(image, (0, WHITE)).all():
            return f"is a black and white mask; write the number of a class for {WHITE}: " + (
                _classes(project)
            )
        wrong = lowest if lowest < 0 else highest
        return f"holds the label {wrong}, but the classes are {_classes(project)}"
    return ""


def as_grey(project: PixelProject) -> str:
    """Say how labels are saved."""
    return f"save it as 8-bit grey, TIFF or PNG: 0 for no label, {_classes(project)}"


def wrong_name(stem: str, stems: Sequence[str]) -> str:
    """Say how a label image would have to be called."""
    alike = [known for known in stems if known in stem or stem in known]
    close = alike or get_close_matches(stem, stems, 1, _SIMILAR)
    if len(close) == 1:
        return f"no crop is called so; was {close[0]} meant?"
    example = f", such as {stems[0]}.tiff" if stems else ""
    return f"no crop is called so; label images have the names of the crops{example}"


def nothing_drawn(count: int, project: PixelProject) -> str:
    """Say that all of some label images are empty."""
    empty = counted(count, "empty label image")
    return f"holds nothing but {empty}; draw with the values {_classes(project)}"


def in_words(shape: tuple[int, ...]) -> str:
    """Say how large a (C, Y, X) image is."""
    channels = "" if shape[0] == 1 else f" with {counted(shape[0], 'channel')}"
    return f"{counted(shape[-2], 'row')} by {counted(shape[-1], 'column')}{channels}"


def _how_much_smaller(size: tuple[int, ...], crop: tuple[int, int]) -> str:
    factors = {of_crop / of_image for of_crop, of_image in zip(crop, size, strict=True)}
    factor = factors.pop()
    if factors or factor <= 1 or not factor.is_integer():
        return ""
    return f": it was drawn on the image before that was enlarged {factor:.0f} times"


def _classes(project: PixelProject) -> str:
    return ", ".join(f"{value} for {known.name}" for value, known in enumerate(project.classes, 1))
