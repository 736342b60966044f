"""Read and store a person's labels of whole crops."""

import json
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from ilpix.errors import InvalidProjectError, Problem
from ilpix.project.errors import LabelsError
from ilpix.project.file import ProjectReader, open_project
from ilpix.project.label_blocks import (
    AXIS_TAGS,
    BLOCK_SLICE,
    Labels,
    format_block_slice,
    labels_group,
    paint,
    read_label_blocks,
)
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.writing import ASCII, UTF8, rewriting

_STORED_AXES = {"y": 2, "x": 2, "c": 1}  # with Ilastik's number for each kind of axis


def read_all_labels(project: PixelProject) -> dict[int, Labels]:
    """Read the labels of every lane, whatever the axis order of its blocks.

    Args:
        project: its file is opened and checked once for all lanes.

    Returns:
        (Y, X) label values by lane index; 0 is unlabelled, 1 the project's first class.

    Raises:
        InvalidProjectError: if label blocks are damaged.
        UnreadableProjectError: if the project cannot be opened; see `open_project` for more.
    """
    with open_project(project.path) as file:
        reader = ProjectReader(file)
        blocks = {
            lane: read_label_blocks(reader, lane.index, lane.axes, lane.size)
            for lane in project.lanes
        }
    if reader.problems:
        raise InvalidProjectError(project.path, tuple(reader.problems))
    return {lane.index: paint(placed, lane.size) for lane, placed in blocks.items()}


def write_labels(project_path: Path, labels: Mapping[int, Labels]) -> None:
    """Replace the labels of some lanes, as Ilastik 1.4.2 stores them; other lanes stay as they are.

    Args:
        project_path: the project, which is replaced as a whole or stays as it is.
        labels: (Y, X) label values by lane index; 0 is unlabelled.

    Raises:
        LabelsError: with every lane that is missing, of another size, or has an unknown class.
        InvalidProjectError: if the project cannot be read.
        ProjectLockedError: if a running Ilastik has the project open.
    """
    project = read_project(project_path)
    if problems := [*_misfits(project, labels)]:
        raise LabelsError(project_path, tuple(problems))
    with rewriting(project_path, without={labels_group(index) for index in labels}) as file:
        for lane in project.lanes:
            group = file.require_group(labels_group(lane.index))
            if lane.index in labels and labels[lane.index].any():
                _write_block(group, labels[lane.index])


def _misfits(project: PixelProject, labels: Mapping[int, Labels]) -> list[Problem]:
    problems = []
    lanes = {lane.index: lane for lane in project.lanes}
    for index, values in labels.items():
        where = f"lane {index}"
        if index not in lanes:
            problems.append(Problem(where, f"the project has {len(lanes)} lanes, counted from 0"))
        elif values.shape != lanes[index].size:
            problems.append(
                Problem(where, f"has shape {values.shape}, its crop {lanes[index].size}")
            )
        elif values.max() > len(project.classes):
            what = f"has class {values.max()}, but there are {len(project.classes)} classes"
            problems.append(Problem(where, what))
    return problems


def _write_block(group: h5py.Group, labels: Labels) -> None:
    """Store the smallest rectangle that holds all labels, with axes (Y, X, C)."""
    rows, columns = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(labels.any(axis=0))
    intervals = ((int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1))
    rectangle = labels[slice(*intervals[0]), slice(*intervals[1]), np.newaxis]
    block = group.create_dataset("block0000", data=rectangle, dtype=np.uint8)
    block.attrs.create(BLOCK_SLICE, format_block_slice((*intervals, (0, 1))), dtype=ASCII)
    block.attrs.create(AXIS_TAGS, block_axistags(), dtype=UTF8)


def block_axistags() -> str:
    """Return the axis tags of a label block in Ilastik's own spelling."""
    axes = [
        {"key": key, "typeFlags": flags, "resolution": 0, "description": ""}
        for key, flags in _STORED_AXES.items()
    ]
    return json.dumps({"axes": axes}, indent=2)
