"""Labels that somebody drew elsewhere: label images, shapes of QuPath, or a table of points."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ilpix.arrays import LabelImage
from ilpix.errors import IlpixError, Problem
from ilpix.images.crops import parse_crop_stem
from ilpix.images.errors import UnreadableImageError
from ilpix.images.left_out import is_dangling, is_visible_file, list_folder
from ilpix.project import drawn_shapes
from ilpix.project.crop_names import lane_stem, lanes_by_stem
from ilpix.project.errors import NoLabelSourceError, UnusableLabelsError
from ilpix.project.label_misfits import as_grey, in_words, misfit, nothing_drawn, wrong_name
from ilpix.project.reading import PixelProject
from ilpix.project.stored_lanes import Lane
from ilpix.sources.tiff import SUFFIXES, image_stem, read_image
from ilpix.wording import counted

LABEL_SUFFIXES = SUFFIXES | {".png", drawn_shapes.SUFFIX}
_POINT_COLUMNS = ("crop", "y", "x", "label")


def read_label_source(
    project: PixelProject, source: Path, *, clear: bool = True
) -> dict[int, LabelImage]:
    """Read a folder of label images and GeoJSON shapes, or a `.csv` table of points.

    Args:
        project: names crops and classes.
        source: the folder or table.
        clear: whether an empty label image may stand for a crop with labels.

    Returns:
        (Y, X) label values by lane index, of the crops that the source names.

    Raises:
        NoLabelSourceError: if there is no such folder or table.
        InvalidProjectError: if the project has two crops of one name.
        FolderNotReadableError: if nobody may look into the folder.
        UnusableLabelsError: with every problem found: no crop of that name, two images for one
            crop, another size, a class that the project does not have, a file that cannot be read.
    """
    if not source.exists():
        raise NoLabelSourceError(source)
    problems: list[Problem] = []
    read = _read_points if source.suffix.lower() == ".csv" else _read_label_images
    labels = read(project, source, problems)
    if not clear:
        problems += _check_emptied(project, labels)
    if not problems and (what := _nothing_in(project, source, labels, clear=clear)):
        problems.append(Problem(source.name or str(source), what))
    if problems:
        raise UnusableLabelsError(source, tuple(problems))
    return labels


def _check_emptied(project: PixelProject, labels: Mapping[int, LabelImage]) -> list[Problem]:
    what = "is labelled ({}), but its label image is empty; leave the image out to keep "
    return [
        Problem(
            lane_stem(lane),
            f"{what.format(counted(sum(counts), 'pixel'))}the labels, or ask for clearing",
        )
        for lane, counts in zip(project.lanes, project.labelled_pixels, strict=True)
        if any(counts) and lane.index in labels and not labels[lane.index].any()
    ]


def _nothing_in(
    project: PixelProject, source: Path, labels: Mapping[int, LabelImage], *, clear: bool
) -> str:
    """Say why there is nothing to store; empty where there is something."""
    if not labels and source.suffix.lower() != ".csv" and source.is_file():
        return "is one file; name the folder of the label images, or a CSV table of points"
    if not labels:
        example = next(iter(lanes_by_stem(project)), "CROP")
        return f"holds no labels; draw them on the crops and save them there, as {example}.tiff"
    is_empty = not any(drawn.any() for drawn in labels.values())
    return nothing_drawn(len(labels), project) if is_empty and not clear else ""


def _read_label_images(
    project: PixelProject, folder: Path, problems: list[Problem]
) -> dict[int, LabelImage]:
    lanes = lanes_by_stem(project)
    read: dict[int, LabelImage | None] = {}  # None where there is a problem
    paths = list_folder(folder)
    problems += [
        Problem(path.name, f"is a link to {path.readlink()}, which is not there")
        for path in filter(is_dangling, paths)
        if path.suffix.lower() in LABEL_SUFFIXES
    ]
    for path in filter(is_visible_file, paths):
        stem = label_stem(path)
        lane = lanes.get(stem)
        if path.suffix.lower() not in LABEL_SUFFIXES:
            if lane is not None:
                problems.append(Problem(path.name, f"is no TIFF or PNG; {as_grey(project)}"))
        elif lane is None:
            problems.append(Problem(path.name, _without_crop(stem, [*lanes])))
        elif lane.index in read:
            problems.append(Problem(path.name, "is a second label image of the same crop"))
        else:
            read[lane.index] = read_label_image(path, project, lane, problems)
    return {index: labels for index, labels in read.items() if labels is not None}


def _without_crop(stem: str, stems: Sequence[str]) -> str:
    """Say what to do with labels of a crop that the project does not have."""
    crop, known = parse_crop_stem(stem), map(parse_crop_stem, stems)
    if crop and crop.image in {other.image for other in known if other}:
        return (
            "the project has other crops of this image; ilpix labels import --overlapping takes "
            "the labels that lie in them"
        )
    return wrong_name(stem, stems)


def label_stem(path: Path) -> str:
    """Return the name of the crop that labels belong to; QuPath may keep the image's suffix."""
    named = Path(path.stem)
    is_doubled = path.suffix.lower() == drawn_shapes.SUFFIX and named.suffix.lower() in SUFFIXES
    return image_stem(named if is_doubled else path)


def read_label_image(
    path: Path, project: PixelProject, lane: Lane, problems: list[Problem]
) -> LabelImage | None:
    """Read one label image, or the shapes drawn on one crop; a problem gives none."""
    try:
        if path.suffix.lower() == drawn_shapes.SUFFIX:
            return drawn_shapes.read_shapes(path, lane.size, project)
        image = read_png(path) if path.suffix.lower() == ".png" else read_image(path)
        what = misfit(image, project, lane)
    except (IlpixError, drawn_shapes.UnusableShapesError) as error:
        what = str(error)
    if what:
        problems.append(Problem(path.name, what))
        return None
    return np.asarray(image[0], np.uint8)


def read_png(path: Path) -> NDArray[Any]:
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
            given = rows.fieldnames or ()
            if missing := ", ".join(name for name in _POINT_COLUMNS if name not in given):
                what = f"its first line lacks {missing}; it has to name {', '.join(_POINT_COLUMNS)}"
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
        raise ValueError(f"y {y}, x {x} lies outside of the crop, {in_words((1, *size))}")
    return y, x
