"""Read and store a person's labels of whole crops."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ilpix.errors import InvalidProjectError, Problem, told_shape
from ilpix.project.block_order import block_axes, names_block_axes
from ilpix.project.errors import LabelsError
from ilpix.project.file import ProjectReader, open_project
from ilpix.project.label_blocks import LabelBlock, Labels, labels_group, paint, write_block
from ilpix.project.reading import PixelProject, read_blocks, read_project, require_training_data
from ilpix.project.rewriting import rewriting
from ilpix.wording import counted


def read_all_labels(project: PixelProject) -> dict[int, Labels]:
    """Read the labels of every lane.

    Args:
        project: its file is opened and checked once for all lanes.

    Returns:
        (Y, X) label values by lane index; 0 is unlabelled, 1 the project's first class.

    Raises:
        InvalidProjectError: if lanes or label blocks are damaged, or blocks lie in another axis
            order than the version of the project asks for.
        UnreadableProjectError: if the project cannot be opened; see `open_project` for more.
    """
    require_training_data(project)
    with open_project(project.path) as file:
        reader = ProjectReader(file)
        blocks = {
            lane: read_blocks(reader, project.ilastik_version, lane) for lane in project.lanes
        }
    if reader.problems:
        raise InvalidProjectError(project.path, tuple(reader.problems))
    return {lane.index: paint(placed, lane.size) for lane, placed in blocks.items()}


def write_labels(project_path: Path, labels: Mapping[int, Labels]) -> None:
    """Replace the labels of some lanes, in the axis order that the project's version asks for.

    Other lanes stay as they are.

    Args:
        project_path: the project, which is replaced as a whole or stays as it is.
        labels: (Y, X) label values by lane index; 0 is unlabelled.

    Raises:
        LabelsError: with every lane that is missing, of another size, or has an unknown class.
        InvalidProjectError: if the project cannot be read, or what it says of lanes and labels.
        ProjectLockedError: if a running Ilastik has the project open.
    """
    project = read_project(project_path)
    require_training_data(project)
    if problems := [*_misfits(project, labels)]:
        raise LabelsError(project_path, tuple(problems))
    with rewriting(project_path, without={labels_group(index) for index in labels}) as file:
        for lane in project.lanes:
            group = file.require_group(labels_group(lane.index))
            if lane.index in labels and labels[lane.index].any():
                axes = block_axes(project.ilastik_version, lane.axes)
                names_axes = names_block_axes(project.ilastik_version)
                block = _smallest_block(labels[lane.index])
                write_block(group, block, axes, names_axes=names_axes)


def _misfits(project: PixelProject, labels: Mapping[int, Labels]) -> list[Problem]:
    problems = []
    lanes = {lane.index: lane for lane in project.lanes}
    for index, values in labels.items():
        where = f"lane {index}"
        if index not in lanes:
            problems.append(
                Problem(where, f"the project has {counted(len(lanes), 'lane')}, counted from 0")
            )
        elif values.shape != lanes[index].size:
            shape, size = told_shape(values.shape), told_shape(lanes[index].size)
            problems.append(Problem(where, f"has shape {shape}, its crop {size}"))
        elif values.max() > len(project.classes):
            known = counted(len(project.classes), "class")
            what = f"has the value {values.max()}, but the project has {known}"
            problems.append(Problem(where, what))
    return problems


def _smallest_block(labels: Labels) -> LabelBlock:
    """The smallest rectangle that holds all labels."""
    rows, columns = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(labels.any(axis=0))
    rectangle = labels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return LabelBlock("block0000", int(rows[0]), int(columns[0]), rectangle)
