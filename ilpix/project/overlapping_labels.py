"""Labels of crops that a project does not have, taken over where its own crops lie.

Names say where a crop was cut from its prepared image, so a label of one crop has its place in any
other crop of the same image. The prepared images have to be the same; nothing here can tell.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ilpix.arrays import LabelImage
from ilpix.errors import Problem
from ilpix.images.crops import CropName, parse_crop_stem
from ilpix.project.crop_names import lanes_by_stem
from ilpix.project.errors import UnusableLabelsError
from ilpix.project.label_sources import LABEL_SUFFIXES, label_stem, read_label_image
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import PixelProject


def read_overlapping(project: PixelProject, folder: Path) -> tuple[dict[int, LabelImage], int]:
    """Read a folder of label images of other crops of the same prepared images.

    A pixel that is labelled in the project keeps its label. Where several label images cover a
    pixel the first one by name decides.

    Args:
        project: names crops and classes.
        folder: the label images, named like crops.

    Returns:
        (Y, X) label values by lane index, of the crops that get labels; and how many labelled
        pixels lie in no crop of the project.

    Raises:
        InvalidProjectError: if the project has two crops of one name, or damaged labels.
        UnusableLabelsError: with every label image that cannot be read, has no name of a crop,
            another size than its name says, or an unknown class.
    """
    problems: list[Problem] = []
    places = {
        lane.index: place
        for stem, lane in lanes_by_stem(project).items()
        if (place := parse_crop_stem(stem))
    }
    stored, taken, n_outside = read_all_labels(project), dict[int, LabelImage](), 0
    for place, drawn in _read_placed(project, folder, problems):
        is_outside = drawn != 0
        for index, crop in places.items():
            if crop.image == place.image and (shared := _shared(place, crop)):
                in_drawn, in_crop = shared
                is_outside[in_drawn] = False
                if not drawn[in_drawn].any():
                    continue
                part = taken.setdefault(index, stored[index].copy())[in_crop]
                part[part == 0] = drawn[in_drawn][part == 0]
        n_outside += int(is_outside.sum())
    if not taken and not problems:
        problems.append(Problem(folder.name, "no label lies where the project has a crop"))
    if problems:
        raise UnusableLabelsError(folder, tuple(problems))
    return taken, n_outside


def _read_placed(
    project: PixelProject, folder: Path, problems: list[Problem]
) -> Iterator[tuple[CropName, LabelImage]]:
    for path in sorted(folder.glob("[!.]*")):
        if path.suffix.lower() not in LABEL_SUFFIXES:
            continue
        stem = label_stem(path)
        if not (place := parse_crop_stem(stem)):
            problems.append(Problem(path.name, "has no name of a crop, IMAGE_x…_y…_w…_h…"))
        elif project.lanes:
            size = (place.height, place.width)
            crop = replace(project.lanes[0], file_path=f"{stem}.h5", axes="yx", shape=size)
            drawn = read_label_image(path, project, crop, problems)
            if drawn is not None:
                yield place, drawn


def _shared(
    drawn: CropName, crop: CropName
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where two crops of an image overlap, in pixels of each; None where they do not."""
    top, bottom = max(drawn.y, crop.y), min(drawn.y + drawn.height, crop.y + crop.height)
    left, right = max(drawn.x, crop.x), min(drawn.x + drawn.width, crop.x + crop.width)
    if top >= bottom or left >= right:
        return None
    first, second = (
        (slice(top - one.y, bottom - one.y), slice(left - one.x, right - one.x))
        for one in (drawn, crop)
    )
    return first, second
