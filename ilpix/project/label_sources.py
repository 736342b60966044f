"""Labels that somebody drew elsewhere: a folder of label images, or a table of points."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ilpix.arrays import LabelImage
from ilpix.errors import IlpixError, Problem
from ilpix.images.errors import UnreadableImageError
from ilpix.project.crop_names import lane_stem, lanes_by_stem
from ilpix.project.errors import UnusableLabelsError
from ilpix.project.reading import PixelProject
from ilpix.project.stored_lanes import Lane
from ilpix.sources.tiff import SUFFIXES, image_stem, read_image

_POINT_COLUMNS = ("crop", "y", "x", "label")


def read_label_source(
    project: PixelProject, source: Path, *, clear: bool = True
) -> dict[int, LabelImage]:
    """Read a folder of label images, or a `.csv` table of points.

    Args:
        project: names crops and classes.
        source: the folder or table.
        clear: whether an empty label image may stand for a crop with labels.

    Returns:
        (Y, X) label values by lane index, of the crops that the source names.

    Raises:
        InvalidProjectError: if the project has two crops of one name.
        UnusableLabelsError: with every problem found: no crop of that name, two images for one
            crop, another size, a class that the project does not have, a file that cannot be read.
    """
    problems: list[Problem] = []
    read = _read_points if source.suffix.lower() == ".csv" else _read_label_images
    labels = read(project, source, problems)
    if not clear:
        problems += _check_emptied(project, labels)
    if not labels and not problems:
        problems.append(Problem(source.name, "holds no labels for any crop of the project"))
    if problems:
        raise UnusableLabelsError(source, tuple(problems))
    return labels


def _check_emptied(project: PixelProject, labels: Mapping[int, LabelImage]) -> list[Problem]:
    what = "is labelled ({} pixels), but its label image is empty; leave the image out to keep "
    return [
        Problem(lane_stem(lane), f"{what.format(sum(counts))}the labels, or ask for clearing")
        for lane, counts in zip(project.lanes, project.labelled_pixels, strict=True)
        if any(counts) and lane.index in labels and not labels[lane.index].any()
    ]


def _read_label_images(
    project: PixelProject, folder: Path, problems: list[Problem]
) -> dict[int, LabelImage]:
    lanes = lanes_by_stem(project)
    labels: dict[int, LabelImage] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.suffix.lower() not in SUFFIXES | {".png"} or path.name.startswith("."):
            continue
        lane = lanes.get(image_stem(path))
        if lane is None:
            problems.append(Problem(path.name, "the project has no crop of this name"))
        elif lane.index in labels:
            problems.append(Problem(path.name, "is a second label image of the same crop"))
        else:
            labels[lane.index] = _read_label_image(path, lane, len(project.classes), problems)
    return labels


def _read_label_image(
    path: Path, lane: Lane, n_classes: int, problems: list[Problem]
) -> LabelImage:
    """Read one label image; a problem gives an empty one."""
    try:
        image = _read_png(path) if path.suffix.lower() == ".png" else read_image(path)
        what = _misfit(image, lane.size, n_classes)
    except IlpixError as error:
        what = str(error)
    if what:
        problems.append(Problem(path.name, what))
        return np.zeros(lane.size, np.uint8)
    return np.asarray(image[0], np.uint8)


def _misfit(image: NDArray[Any], size: tuple[int, int], n_classes: int) -> str:
    """What is wrong with a (C, Y, X) image as labels of a crop; empty where nothing is."""
    if image.shape != (1, *size):
        return f"is {_in_words(image.shape)}, but its crop is {_in_words((1, *size))}"
    if image.dtype.kind == "f":
        return f"has pixels of type {image.dtype}; save it with 8 bits"
    if image.min() < 0 or image.max() > n_classes:
        wrong = image.min() if image.min() < 0 else image.max()
        return f"holds the label {wrong}, but the project has the classes 1 to {n_classes}"
    return ""


def _in_words(shape: tuple[int, ...]) -> str:
    channels = "" if shape[0] == 1 else f" with {shape[0]} channels"
    return f"{shape[-2]} rows by {shape[-1]} columns{channels}"


def _read_png(path: Path) -> NDArray[Any]:
    """Read a PNG as (C, Y, X); of an image with a palette the indices, not the colours."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            pixels = np.atleast_3d(np.asarray(image))
    # A damaged PNG is a SyntaxError in Pillow, and one that claims to be huge an error of its own.
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(path, str(error)) from error
    return np.moveaxis(pixels, 2, 0)


def _read_points(
    project: PixelProject, table: Path, problems: list[Problem]
) -> dict[int, LabelImage]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, restval="")
            if missing := set(_POINT_COLUMNS) - set(rows.fieldnames or ()):
                what = f"has no column {' and no '.join(sorted(missing))}"
                problems.append(Problem(table.name, what))
                return {}
            return _draw_points(project, list(rows), problems)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(Problem(table.name, f"cannot be read: {error}"))
        return {}


def _draw_points(
    project: PixelProject, rows: list[dict[str, str]], problems: list[Problem]
) -> dict[int, LabelImage]:
    lanes = lanes_by_stem(project)
    values = {str(value): value for value, _ in enumerate(project.classes, 1)}
    values |= {label_class.name: value for value, label_class in enumerate(project.classes, 1)}
    labels: dict[int, LabelImage] = {}
    for number, row in enumerate(rows, 2):  # the first line of the file is the header
        try:
            lane, value = lanes[row["crop"]], values[row["label"]]
            position = _position(row, lane.size)
        except KeyError as error:
            what = f"the project has no crop or class called {error.args[0]!r}"
            problems.append(Problem(f"line {number}", what))
        except ValueError as error:
            problems.append(Problem(f"line {number}", str(error)))
        else:
            drawn = labels.setdefault(lane.index, np.zeros(lane.size, np.uint8))
            if drawn[position] not in (0, value):
                problems.append(Problem(f"line {number}", "gives a second class to the same pixel"))
            drawn[position] = value
    return labels


def _position(row: Mapping[str, str], size: tuple[int, int]) -> tuple[int, int]:
    """The pixel of a point.

    Raises:
        ValueError: if it is not given by whole numbers, or lies outside of the crop.
    """
    try:
        y, x = int(row["y"]), int(row["x"])
    except (TypeError, ValueError):
        raise ValueError(f"y and x are whole numbers, got {row['y']!r}, {row['x']!r}") from None
    if not (0 <= y < size[0] and 0 <= x < size[1]):
        raise ValueError(f"({y}, {x}) lies outside of the crop, {_in_words((1, *size))}")
    return y, x
