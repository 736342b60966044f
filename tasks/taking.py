"""A project as it was when a run began: what happens to the file later changes no result."""

import shutil
from dataclasses import replace
from pathlib import Path

from ilpix.data_directory import TAKEN
from ilpix.errors import IlpixError
from ilpix.files import replacing, sha256_of
from ilpix.prediction.errors import NoClassifierError
from ilpix.project.holding import hold_project
from ilpix.project.reading import PixelProject, read_project
from tasks.engines import read_classifier
from tasks.unchanged import InputChangedError


def take_classifier(project: Path, workspace: Path) -> tuple[Path, PixelProject]:
    """Copy a trained project to where nobody writes, and read the copy.

    Args:
        project: an `.ilp` file.
        workspace: the folder `.ilpix` of the data directory; it holds one such copy at a time.

    Returns:
        The copy, and what is in it; its `path` is that of the original.

    Raises:
        NoClassifierError: if it was not trained.
        InputChangedError: if somebody wrote to it just then.
        IlpixError: from `read_project`.
    """
    with hold_project(project):
        copy = _copy(project, workspace / TAKEN)
    try:
        taken, _ = read_classifier(copy)
    except NoClassifierError as error:
        raise replace(error, path=project) from None
    except IlpixError:
        read_project(project)  # says the same of the original, and what lies beside it
        raise
    return copy, replace(taken, path=project)


def _copy(project: Path, folder: Path) -> Path:
    digest = sha256_of(project)
    target = folder / digest / project.name
    for earlier in folder.iterdir() if folder.exists() else ():
        if earlier.name != digest:
            shutil.rmtree(earlier, ignore_errors=True)
    if not target.exists() or sha256_of(target) != digest:
        with replacing(target) as temporary:
            shutil.copyfile(project, temporary)
            if sha256_of(temporary) != digest:
                raise InputChangedError((project.name,))
    return target
