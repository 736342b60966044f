"""Add crops to a project that is labelled already."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ilpix.project.reading import read_project
from ilpix.project.rewriting import rewriting
from ilpix.project.writing import create_lane


def add_lanes(project_path: Path, crops: Mapping[str, tuple[int, int, int]]) -> list[int]:
    """Append lanes, as a new project would have them; labels and classifier stay as they are.

    Args:
        project_path: the project, which is replaced as a whole or stays as it is.
        crops: the (C, Y, X) shape of each crop file, by its path relative to the folder of the
            project.

    Returns:
        The indices of the lanes.

    Raises:
        InvalidProjectError: if the project cannot be read.
        ProjectLockedError: if a running Ilastik has the project open.
    """
    first = len(read_project(project_path).lanes)
    with rewriting(project_path, without=()) as file:
        for index, (crop, shape) in enumerate(crops.items(), first):
            create_lane(file, index, PurePosixPath(crop), shape)
    return list(range(first, first + len(crops)))
