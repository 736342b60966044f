"""A person's labels as a project stores them: rectangular blocks, in whatever axis order.

A block is an array with an attribute `blockSlice`, such as `[8:94,11:121,0:1]`, that gives its
place in the lane. Its axes are those of its attribute `axistags` (Ilastik 1.4 writes it), else
those of its lane, else rows and columns. Every axis but rows and columns has length 1.
"""

import re
from dataclasses import dataclass

import h5py
import numpy as np
import numpy.typing as npt

from ilpix.images.hdf5 import parse_axistags
from ilpix.project.file import LABEL_SETS, ProjectReader

Labels = npt.NDArray[np.uint8]

BLOCK_SLICE = "blockSlice"
AXIS_TAGS = "axistags"
PLANE_AXES = "yx"

_INTERVAL = re.compile(r"\s*(\d{1,9})\s*:\s*(\d{1,9})\s*")


@dataclass(frozen=True, slots=True, eq=False)
class LabelBlock:
    """Labels of a rectangle of one lane."""

    name: str  # of its dataset in the project
    y: int  # top row
    x: int  # left column
    labels: Labels  # (Y, X); 0 is unlabelled
    axes: str  # the stored order
    names_axes: bool  # whether the block itself names them


def labels_group(lane_index: int) -> str:
    """Return where the label blocks of a lane lie."""
    return f"{LABEL_SETS}/labels{lane_index:03d}"


def read_label_blocks(
    reader: ProjectReader, lane_index: int, lane_axes: str, lane_size: tuple[int, int]
) -> tuple[LabelBlock, ...]:
    """Read the label blocks of a lane; problems go to `reader`.

    Args:
        reader: an open project.
        lane_index: counted from 0.
        lane_axes: the stored axis order of the lane, such as `cyx`.
        lane_size: (Y, X) of the lane, in pixels.
    """
    where = labels_group(lane_index)
    if LABEL_SETS not in reader.file or where not in reader.file:
        return ()
    group = reader.group(where)
    blocks = (_read_block(reader, f"{where}/{name}", lane_axes, lane_size) for name in group or ())
    return tuple(block for block in blocks if block is not None)


def paint(blocks: tuple[LabelBlock, ...], size: tuple[int, int]) -> Labels:
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


def _read_block(
    reader: ProjectReader, where: str, lane_axes: str, lane_size: tuple[int, int]
) -> LabelBlock | None:
    n_known = len(reader.problems)
    dataset = reader.file[where]
    slice_text = reader.attribute_text(where, BLOCK_SLICE)
    tags = reader.attribute_text(where, AXIS_TAGS)
    if len(reader.problems) > n_known:
        return None
    try:
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "iu":
            raise ValueError("is no array of label values")
        if slice_text is None:
            raise ValueError(f"has no attribute {BLOCK_SLICE}")
        intervals = parse_block_slice(slice_text)
        axes = _block_axes(dataset.shape, lane_axes, tags)
        _require_fitting(dataset.shape, intervals, axes, lane_size)
    except ValueError as error:
        reader.note(where, str(error))
        return None
    values = reader.numbers(where, "iu", dataset.ndim)
    if values is None:
        return None
    if values.size and not 0 <= values.min() <= values.max() <= 255:
        reader.note(where, f"has label values from {values.min()} to {values.max()}")
        return None
    (y, _), (x, _) = (intervals[axes.index(key)] for key in PLANE_AXES)
    height, width = (dataset.shape[axes.index(key)] for key in PLANE_AXES)
    plane = np.moveaxis(values, [axes.index(key) for key in PLANE_AXES], [-2, -1])
    labels = np.ascontiguousarray(plane.reshape(height, width), dtype=np.uint8)
    name = where.rpartition("/")[2]
    return LabelBlock(name, y, x, labels, axes, names_axes=tags is not None)


def _block_axes(shape: tuple[int, ...], lane_axes: str, tags: str | None) -> str:
    if tags is not None:
        axes = parse_axistags(tags)
    else:
        axes = lane_axes if len(lane_axes) == len(shape) else PLANE_AXES
    if len(axes) != len(shape) or not set(PLANE_AXES) <= set(axes):
        raise ValueError(f"has shape {shape}, which the axes {axes!r} do not fit")
    return axes


def _require_fitting(
    shape: tuple[int, ...],
    intervals: tuple[tuple[int, int], ...],
    axes: str,
    lane_size: tuple[int, int],
) -> None:
    if shape != tuple(stop - start for start, stop in intervals):
        raise ValueError(f"has shape {shape}, which is not that of its {BLOCK_SLICE}")
    limits = dict(zip(PLANE_AXES, lane_size, strict=True))
    for key, (_, stop) in zip(axes, intervals, strict=True):
        if stop > limits.get(key, 1):
            raise ValueError(
                f"reaches to {key} = {stop}, beyond the {limits.get(key, 1)} of its lane"
            )
