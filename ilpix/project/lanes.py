"""Add a crop to a project that is labelled already."""

from pathlib import Path, PurePosixPath

from ilpix.project.reading import read_project
from ilpix.project.rewriting import rewriting
from ilpix.project.writing import create_lane


def add_lane(project_path: Path, crop: PurePosixPath, shape: tuple[int, int, int]) -> int:
    """Append a lane, as a new project would have it.

    Args:
        project_path: the project, which is replaced as a whole or stays as it is.
        crop: its file, relative to the folder of the project.
        shape: (C, Y, X) of the crop.

    Returns:
        The index of the lane.

    Raises:
        InvalidProjectError: if the project cannot be read.
        ProjectLockedError: if a running Ilastik has the project open.
    """
    index = len(read_project(project_path).lanes)
    with rewriting(project_path, without=()) as file:
        create_lane(file, index, crop, shape)
    return index
