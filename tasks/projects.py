"""The project file of `prepare`: kept where it carries work that still fits, else made anew."""

import logging
from collections.abc import Sequence
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from ilpix.errors import IlpixError
from ilpix.files import copy_file
from ilpix.images.hdf5 import ImageRecord, open_prepared
from ilpix.project.backups import back_up, find_backups, free_backup_names
from ilpix.project.errors import ProjectInUseError
from ilpix.project.lanes import add_lanes
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


def tell_backup(project: Path) -> None:
    """Say it where a project is not there, but a backup is, as after a replacement cut short."""
    if not project.exists() and (backups := find_backups(project)):
        _log.warning(
            "%s is not there, and its backup %s is: a new project is made; to go on with the old "
            "one, give it its name again, and its crops likewise",
            project,
            backups[0].name,
        )


def _fits(project: Path, record: ImageRecord) -> bool:
    try:
        found = read_project(project)
    except IlpixError:
        return False
    if found.record is not None:
        return found.record == record
    return found.n_channels == len(record.channel_names)


def set_aside(project: Path, crops: Path, kept: Sequence[Path] = ()) -> None:
    """Move a project with a person's work and the folder of its crops to backups of one number.

    The crops go first, so that there is never a project with the crops of another one.

    Args:
        project: stays where it is if it carries no work.
        crops: the folder.
        kept: files in it that stay there as well.
    """
    try:
        require_replaceable(project)
        return
    except ProjectInUseError:
        present = [path for path in (crops, project) if path.exists()]
    backups = free_backup_names(present)
    for path, backup in zip(present, backups, strict=True):
        path.rename(backup)
        _log.warning("%s is replaced; the old one is %s", path, backup.name)
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        copy_file(backups[0] / path.relative_to(crops), path)


@task(name="create-project", task_run_name="create-{target.name}", cache_policy=NO_CACHE)
def create_untrained_project(
    target: Path, crops: tuple[Path, ...], labels: Sequence[str], record: ImageRecord
) -> FilesWritten:
    """Make a project with a lane for each crop.

    Raises:
        ProjectInUseError: if there is one with a person's work; see `set_aside`.
    """
    require_replaceable(target)
    shapes = {_beside(target, crop): _shape_of(crop) for crop in crops}
    create_project(target, shapes, label_classes(labels), record)
    return files_written(target, lanes=len(crops), classes=list(labels))


@task(name="add-crops", task_run_name="add-crops-to-{target.name}", cache_policy=NO_CACHE)
def add_crops(target: Path, crops: tuple[Path, ...]) -> FilesWritten:
    """Back a project up and give it a lane for each of some new crops; all else stays as it is.

    Raises:
        IlpixError: if the project cannot be read, or is open in Ilastik.
    """
    read_project(target)
    backup = back_up(target)
    add_lanes(target, {_beside(target, crop): _shape_of(crop) for crop in crops})
    return files_written(target, lanes=len(crops), backup=backup.name)


def _beside(project: Path, crop: Path) -> str:
    """The crop as the project names it: relative to its own folder where it lies below it."""
    folder, absolute = project.absolute().parent, crop.absolute()
    return (
        absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute
    ).as_posix()


def _shape_of(crop: Path) -> tuple[int, int, int]:
    with open_prepared(crop) as image:
        return image.shape
