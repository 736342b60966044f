"""Whether a project is one of planes: 3-D projects and time series look alike, but are not."""

from collections.abc import Iterable
from pathlib import Path

import h5py

from ilpix.project.errors import NotPlanarError
from ilpix.project.file import FEATURES, ProjectReader


def require_planar(file: h5py.File, stacks: Iterable[str]) -> None:
    """Make sure that the features of a project are those of planes.

    Ilastik says so for each scale since it can compute either; where it does not say, and where no
    features are chosen yet, the images decide.

    Args:
        file: an open project.
        stacks: in words, the images that are longer than 1 along z or time.

    Raises:
        NotPlanarError: if they are not.
    """
    computes_in_2d = _computes_in_2d(ProjectReader(file))
    stacks = tuple(stacks)
    if computes_in_2d is False:
        raise NotPlanarError(Path(file.filename), "its features are computed in 3-D")
    if computes_in_2d is None and stacks:
        raise NotPlanarError(Path(file.filename), stacks[0])


def _computes_in_2d(reader: ProjectReader) -> bool | None:
    """Whether all scales that are used are computed in 2-D; None where nobody says."""
    if f"{FEATURES}/ComputeIn2d" not in reader.file:
        return None
    flags = reader.numbers(f"{FEATURES}/ComputeIn2d", "biu", 1)
    matrix = reader.numbers(f"{FEATURES}/SelectionMatrix", "biu", 2)
    if flags is None or matrix is None or matrix.shape[1] != len(flags) or not matrix.any():
        return None
    return bool(flags[matrix.any(axis=0)].all())
