"""Images of which each channel is a TIFF file of its own, as MCD Viewer and MIBI export them.

Usually the files of one image are a folder. Which file is which channel is told by the names in the
panel; where the names say nothing, numbers in them give the order; else a person has to.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ilpix.errors import IlpixError, told_shape
from ilpix.images.left_out import is_visible_file
from ilpix.images.panel import Panel
from ilpix.sources.errors import StackError
from ilpix.sources.naming import channel_keys, find_row, without
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.source import SourceImage
from ilpix.sources.tiff import SUFFIXES, choose_images, image_stem, open_tiff
from ilpix.wording import counted

_PLAIN_FOLDERS = {"tif", "tiff", "tifs", "tiffs", "channels", "images", "img"}


@dataclass(frozen=True, slots=True)
class Stack:
    """The files of one image."""

    name: str
    files: tuple[Path, ...]  # in the order of the channels
    note: str


def plan_stacks(
    folder: Path, panel: Panel, options: ReadingOptions = ReadingOptions()
) -> tuple[Stack, ...]:
    """Find images of one file per channel among the TIFF files of one folder.

    Returns:
        The images; none where the files are images of their own.

    Raises:
        StackError: if the folder has that layout, but there is no telling which file is which
            channel.
    """
    files = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and is_visible_file(path)
    )
    if len(panel.names) < 2 or len(files) < len(panel.names):
        return ()
    if options.stack == "order":
        return _in_order(folder, files, panel, "in the order of the files")
    by_name = _by_names(folder, files, panel)
    if by_name or options.stack == "names":
        return by_name or _refuse(folder, files, panel)
    if len(files) != len(panel.names) or not all(map(_is_plane, files)):
        return ()
    if _are_numbered(files):
        return _in_order(folder, files, panel, "in the order of the numbers in their names")
    return _refuse(folder, files, panel)


@contextmanager
def open_stack(stack: Stack) -> Iterator[SourceImage]:
    """Open an image of one file per channel.

    Raises:
        StackError: if the files are not of one size.
        UnreadableImageError: if a file cannot be read; see `open_tiff` for the others.
    """
    with ExitStack() as opened:
        planes = [opened.enter_context(open_tiff(path, n_channels=1)) for path in stack.files]
        folder, shape = stack.files[0].parent, planes[0].shape
        for plane in planes:
            if plane.shape != shape or shape[0] != 1:
                here, there = told_shape(plane.shape), told_shape(shape)
                what = f"{plane.path.name} is {here}, {planes[0].path.name} is {there}"
                raise StackError(folder, f"its files are not single planes of one size: {what}")
        yield SourceImage(
            folder,
            (len(planes), *shape[1:]),
            np.result_type(*(plane.dtype for plane in planes)),
            "CYX",
            partial(_stack_bands, planes),
            step=max(plane.step for plane in planes),
            channel_names=tuple(image_stem(path) for path in stack.files),
            pixel_size_um=planes[0].pixel_size_um,
            notes=(stack.note,),
        )


def _stack_bands(planes: Sequence[SourceImage], n_rows: int) -> Iterator[NDArray[Any]]:
    for rows in zip(*(plane.read_bands(n_rows) for plane in planes), strict=True):
        yield np.concatenate(rows)


def _by_names(folder: Path, files: Sequence[Path], panel: Panel) -> tuple[Stack, ...]:
    """The images whose files are named as the channels; none where a channel lacks a file."""
    keys = channel_keys(panel)
    rows = {path: find_row(image_stem(path), keys) for path in files}
    if set(rows.values()) - {None} != set(range(len(panel.names))) or not _is_plane(files[0]):
        return ()
    told = {path: row for path, row in rows.items() if row is not None}
    n_left_out = len(files) - len(told)
    note = "one file per channel, by the names in the panel"
    note += f" (left out: {counted(n_left_out, 'file')} of other names)" if n_left_out else ""
    if len(told) == len(panel.names):
        ordered = sorted(told, key=lambda path: told[path])
        return (Stack(_folder_name(folder), tuple(ordered), note),)
    groups: defaultdict[str, dict[int, Path]] = defaultdict(dict)
    for path, row in told.items():
        groups["_".join(without(image_stem(path), keys[row]))][row] = path
    if "" in groups or any(len(group) != len(panel.names) for group in groups.values()):
        return ()
    return tuple(
        Stack(name, tuple(group[row] for row in sorted(group)), note)
        for name, group in sorted(groups.items())
    )


def _in_order(folder: Path, files: Sequence[Path], panel: Panel, how: str) -> tuple[Stack, ...]:
    if len(files) != len(panel.names):
        return _refuse(folder, files, panel)
    ordered = tuple(sorted(files, key=_natural))
    names = ", ".join(path.name for path in ordered)
    return (Stack(_folder_name(folder), ordered, f"one file per channel, {how}: {names}"),)


def _refuse(folder: Path, files: Sequence[Path], panel: Panel) -> tuple[Stack, ...]:
    names = ", ".join(path.name for path in files[:3])
    raise StackError(
        folder,
        f"it holds {counted(len(files), 'file')} of one channel each ({names} …), the panel "
        f"describes {counted(len(panel.names), 'channel')}, and the names do not tell which is "
        "which",
    )


def _is_plane(path: Path) -> bool:
    try:
        with open_tiff(path, choose_images(path).indices[0]) as source:
            return source.shape[0] == 1
    except IlpixError:
        return False


def _are_numbered(files: Sequence[Path]) -> bool:
    """Whether the names differ in nothing but one number, which counts the files."""
    parts = [re.split(r"(\d+)", image_stem(path)) for path in files]
    if len({len(part) for part in parts}) > 1:
        return False
    differing = [k for k, column in enumerate(zip(*parts, strict=True)) if len(set(column)) > 1]
    if len(differing) != 1 or differing[0] % 2 == 0:
        return False
    numbers = sorted(int(part[differing[0]]) for part in parts)
    return numbers == list(range(numbers[0], numbers[0] + len(files)))


def _natural(path: Path) -> list[tuple[int, str]]:
    """A key that sorts numbers in names by their value."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (0, part.casefold()) for part in parts]


def _folder_name(folder: Path) -> str:
    """The name of the image: that of its folder, or of the next one where that says nothing."""
    return folder.parent.name if folder.name.lower() in _PLAIN_FOLDERS else folder.name
