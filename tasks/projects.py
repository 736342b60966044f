"""The project file of `prepare`: kept where it carries work that still fits, else made anew."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from ilpix.errors import IlpixError
from ilpix.images.hdf5 import ImageRecord, open_prepared
from ilpix.project.errors import ProjectInUseError
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes, require_replaceable
from tasks.records import FilesWritten, files_written

_log = logging.getLogger(__name__)


def is_kept(project: Path, record: ImageRecord) -> bool:
    """Tell whether a project carries work that fits images prepared as `record` says.

    Raises:
        ProjectInUseError: if it carries such work, but for images prepared in another way.
    """
    try:
        require_replaceable(project)
    except ProjectInUseError as error:
        if not _fits(project, record):
            raise
        _log.warning("%s carries %s: it is kept, and its crops with it", project, error.carries)
        return True
    return False


def _fits(project: Path, record: ImageRecord) -> bool:
    try:
        found = read_project(project)
    except IlpixError:
        return False
    if found.record is not None:
        return found.record == record
    return found.n_channels == len(record.channel_names)


@task(name="create-project", task_run_name="create-{target.name}", cache_policy=NO_CACHE)
def create_untrained_project(
    target: Path, crops: tuple[Path, ...], labels: Sequence[str], record: ImageRecord
) -> FilesWritten:
    """Make a project with a lane for each crop; one with a person's work is backed up first."""
    try:
        require_replaceable(target)
    except ProjectInUseError:
        backup = free_backup_name(target)
        shutil.copy2(target, backup)
        _log.warning("%s is replaced; the old project is %s", target, backup.name)
    shapes = {_beside(target, crop): _shape_of(crop) for crop in crops}
    create_project(target, shapes, label_classes(labels), record)
    return files_written(target, lanes=len(crops), classes=list(labels))


def free_backup_name(path: Path) -> Path:
    """Return `X.bak`, or `X.bak1`, `X.bak2`, … where that is taken."""
    names = (path.with_name(f"{path.name}.bak{number or ''}") for number in range(10_000))
    return next(name for name in names if not name.exists())


def _beside(project: Path, crop: Path) -> str:
    """The crop as the project names it: relative to its own folder where it lies below it."""
    folder, absolute = project.absolute().parent, crop.absolute()
    return (
        absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute
    ).as_posix()


def _shape_of(crop: Path) -> tuple[int, int, int]:
    with open_prepared(crop) as image:
        return image.shape
