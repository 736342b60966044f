"""A person's labels as a project stores them: rectangular blocks.

A block is an array with an attribute `blockSlice`, such as `[8:94,11:121,0:1]`, that gives its
place in the lane. The version of Ilastik decides the order of its axes (see `block_order`); every
axis but rows and columns has length 1. The blocks of a lane that fit it in another order only are
a problem to whoever reads labels, and are mended by a fix.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from ilpix.errors import told_shape
from ilpix.images.axistags import TYPE_FLAGS, parse_axistags
from ilpix.project.block_order import other_orders
from ilpix.project.damage import DAMAGE
from ilpix.project.file import LABEL_SETS, ProjectReader

Labels = npt.NDArray[np.uint8]

BLOCK_SLICE = "blockSlice"
AXIS_TAGS = "axistags"
PLANE_AXES = "yx"

_INTERVAL = re.compile(r"\s*(\d{1,9})\s*:\s*(\d{1,9})\s*")
_ASCII, _UTF8 = h5py.string_dtype("ascii"), h5py.string_dtype("utf-8")  # as Ilastik marks them


@dataclass(frozen=True, slots=True, eq=False)
class StoredBlock:
    """A block as it is stored, not yet placed in its lane."""

    name: str  # of its dataset in the project
    values: npt.NDArray[np.uint8]
    intervals: tuple[tuple[int, int], ...]  # (start, stop) of each axis
    named_axes: str  # the order that the block itself names; empty where it names none


@dataclass(frozen=True, slots=True, eq=False)
class LabelBlock:
    """Labels of a rectangle of one lane."""

    name: str  # of its dataset in the project
    y: int  # top row
    x: int  # left column
    labels: Labels  # (Y, X); 0 is unlabelled


def labels_group(lane_index: int) -> str:
    """Return where the label blocks of a lane lie."""
    return f"{LABEL_SETS}/labels{lane_index:03d}"


def read_label_blocks(
    reader: ProjectReader,
    lane_index: int,
    axes: str,
    lane_axes: str,
    lane_size: tuple[int, int],
) -> tuple[LabelBlock, ...]:
    """Read the label blocks of a lane; problems go to `reader`.

    Args:
        reader: an open project.
        lane_index: counted from 0.
        axes: the order of label blocks that the version of the project asks for.
        lane_axes: of the file behind the lane, such as `cyx`.
        lane_size: (Y, X) of the lane, in pixels.
    """
    stored = read_stored_blocks(reader, lane_index)
    found = find_order(stored, axes, lane_axes, lane_size)
    where = labels_group(lane_index)
    if found != axes:
        what = f"lie in the axis order {found}, where Ilastik looks for {axes}; run fix"
        reader.note(where, f"the labels {what}")
        return ()
    placed = []
    for block in stored:
        try:
            placed.append(place_block(block, axes, lane_size))
        except ValueError as error:
            reader.note(f"{where}/{block.name}", f"{error}; run fix, which takes it out")
    return tuple(placed)


def find_spare_labels(file: h5py.File, n_lanes: int) -> tuple[str, ...]:
    """Return where there are label blocks of lanes that the project does not have."""
    stored = file.get(LABEL_SETS)
    groups = stored.items() if isinstance(stored, h5py.Group) else ()
    known = {labels_group(index) for index in range(n_lanes)}
    return tuple(
        f"{LABEL_SETS}/{name}"
        for name, group in groups
        if f"{LABEL_SETS}/{name}" not in known and isinstance(group, h5py.Group) and len(group)
    )


def read_stored_blocks(reader: ProjectReader, lane_index: int) -> tuple[StoredBlock, ...]:
    """Read the label blocks of a lane, wherever they belong; problems go to `reader`."""
    where = labels_group(lane_index)
    if LABEL_SETS not in reader.file or where not in reader.file:
        return ()
    group = reader.group(where)
    blocks = (_read_block(reader, f"{where}/{name}") for name in group or ())
    return tuple(block for block in blocks if block is not None)


def find_order(
    blocks: Sequence[StoredBlock], axes: str, lane_axes: str, lane_size: tuple[int, int]
) -> str:
    """Return the axis order in which most blocks of a lane fit it: `axes`, if no other is better.

    Args:
        blocks: all of one lane.
        axes: the order that the version of the project asks for.
        lane_axes: of the file behind the lane.
        lane_size: (Y, X) of the lane.
    """
    named = (block.named_axes for block in blocks if block.named_axes)
    orders = (axes, *other_orders(axes, lane_axes, named))
    return max(orders, key=lambda order: _count_fitting(blocks, order, lane_size))


def place_block(block: StoredBlock, axes: str, lane_size: tuple[int, int]) -> LabelBlock:
    """Return a block in its place, its axes taken to be `axes`.

    Raises:
        ValueError: if it does not fit a lane of (Y, X) `lane_size`.
    """
    shape = block.values.shape
    if len(axes) != len(shape):
        raise ValueError(f"has shape {told_shape(shape)}, which the axes {axes} do not fit")
    limits = dict(zip(PLANE_AXES, lane_size, strict=True))
    for key, (start, stop) in zip(axes, block.intervals, strict=True):
        if key in "zt" and stop > 1:
            raise ValueError(f"lies at {key} = {start}, in a stack or a time series")
        if stop > limits.get(key, 1):
            limit = limits.get(key, 1)
            raise ValueError(f"reaches to {key} = {stop}, beyond the {limit} of its lane")
    (y, _), (x, _) = (block.intervals[axes.index(key)] for key in PLANE_AXES)
    height, width = (shape[axes.index(key)] for key in PLANE_AXES)
    plane = np.moveaxis(block.values, [axes.index(key) for key in PLANE_AXES], [-2, -1])
    labels = np.ascontiguousarray(plane.reshape(height, width))
    return LabelBlock(block.name, y, x, labels)


def write_block(group: h5py.Group, block: LabelBlock, axes: str, *, names_axes: bool) -> None:
    """Store a block with its axes in the order `axes`; the channel axis has length 1.

    Args:
        group: of the lane's blocks.
        block: what is stored.
        axes: the order that the version of the project asks for.
        names_axes: whether the block gets axis tags.
    """
    height, width = block.labels.shape
    places = {"y": (block.y, block.y + height), "x": (block.x, block.x + width)}
    intervals = tuple(places.get(key, (0, 1)) for key in axes)
    plane = block.labels if axes.index("y") < axes.index("x") else block.labels.T
    values = plane.reshape([stop - start for start, stop in intervals])
    dataset = group.create_dataset(block.name, data=values, dtype=np.uint8)
    dataset.attrs.create(BLOCK_SLICE, format_block_slice(intervals), dtype=_ASCII)
    if names_axes:
        dataset.attrs.create(AXIS_TAGS, block_axistags(axes), dtype=_UTF8)


def block_axistags(axes: str) -> str:
    """Return the axis tags of a label block in Ilastik's own spelling."""
    tags = [
        {"key": key, "typeFlags": TYPE_FLAGS[key], "resolution": 0, "description": ""}
        for key in axes
    ]
    return json.dumps({"axes": tags}, indent=2)


def paint(blocks: Iterable[LabelBlock], size: tuple[int, int]) -> Labels:
    """Return the (Y, X) labels of a whole lane; zeros of a block leave what is there."""
    labels = np.zeros(size, np.uint8)
    for block in blocks:
        height, width = block.labels.shape
        place = labels[block.y : block.y + height, block.x : block.x + width]
        np.copyto(place, block.labels, where=block.labels != 0)
    return labels


def parse_block_slice(text: str) -> tuple[tuple[int, int], ...]:
    """Return the (start, stop) of each axis of a `blockSlice`.

    Raises:
        ValueError: if it is none, or an interval is empty or negative.
    """
    if not (text.startswith("[") and text.endswith("]")):
        raise ValueError(f"{text[:60]!r} is no block slice such as [0:10,0:10,0:1]")
    intervals = []
    for part in text[1:-1].split(","):
        match = _INTERVAL.fullmatch(part)
        if match is None or int(match[1]) >= int(match[2]):
            raise ValueError(f"{part[:40]!r} is no interval of pixels")
        intervals.append((int(match[1]), int(match[2])))
    return tuple(intervals)


def format_block_slice(intervals: tuple[tuple[int, int], ...]) -> str:
    """Return the `blockSlice` text of (start, stop) pairs."""
    return f"[{','.join(f'{start}:{stop}' for start, stop in intervals)}]"


def _read_block(reader: ProjectReader, where: str) -> StoredBlock | None:
    n_known = len(reader.problems)
    slice_text = reader.attribute_text(where, BLOCK_SLICE)
    tags = reader.attribute_text(where, AXIS_TAGS)
    if len(reader.problems) > n_known:
        return None
    try:
        dataset = reader.file[where]
        intervals = _stored_place(dataset, slice_text)
    except DAMAGE as error:  # of a type that is damaged h5py knows nothing until it is asked
        reader.note_damage(where, str(error), error)
        return None
    values = reader.numbers(where, "iu", dataset.ndim)
    if values is None:
        return None
    if values.size and not 0 <= values.min() <= values.max() <= 255:
        reader.note(where, f"has label values from {values.min()} to {values.max()}")
        return None
    name = where.rpartition("/")[2]
    return StoredBlock(name, values.astype(np.uint8), intervals, _named_axes(tags))


def _stored_place(dataset: Any, slice_text: str | None) -> tuple[tuple[int, int], ...]:
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "iu":
        raise ValueError("is no array of label values")
    if slice_text is None:
        raise ValueError(f"has no attribute {BLOCK_SLICE}, so nobody knows where it belongs")
    intervals = parse_block_slice(slice_text)
    if dataset.shape != tuple(stop - start for start, stop in intervals):
        raise ValueError(
            f"has shape {told_shape(dataset.shape)}, which is not that of its {BLOCK_SLICE}"
        )
    return intervals


def _named_axes(tags: str | None) -> str:
    """The axes that a block names, where they make sense; no Ilastik reads them."""
    try:
        axes = parse_axistags(tags) if tags is not None else ""
    except ValueError:
        return ""
    return axes if set(PLANE_AXES) <= set(axes) <= set("tzyxc") else ""


def _count_fitting(blocks: Iterable[StoredBlock], axes: str, lane_size: tuple[int, int]) -> int:
    return sum(_fits(block, axes, lane_size) for block in blocks)


def _fits(block: StoredBlock, axes: str, lane_size: tuple[int, int]) -> bool:
    try:
        place_block(block, axes, lane_size)
    except ValueError:
        return False
    return True
