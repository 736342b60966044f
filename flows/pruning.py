"""What a data directory can do without: found, and on request removed or moved away.

Nothing that is labelled or trained is among it, nor what the manifest lists as a result.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.errors import FolderNotEmptyError
from flows.running.manifest import Manifest, read_manifest
from flows.running.sources import find_gone, made_of, noted_sources
from ilpix.data_directory import CROPS, LOGS, PREPARED, RECORDS, WORKSPACE
from ilpix.errors import FolderNotWritableError, IlpixError, NotAFolderError
from ilpix.files import files_below
from ilpix.project.unnamed_crops import find_unnamed_crops
from ilpix.wording import counted
from tasks.describing import DIGESTS
from tasks.digests import DigestMemo
from tasks.records import FilesWritten, read_record


@dataclass(frozen=True, slots=True)
class Leftover:
    """Files of one kind that nobody needs."""

    what: str
    paths: tuple[Path, ...]
    is_private: bool  # of ilpix alone: there is no use in keeping it elsewhere

    @property
    def n_bytes(self) -> int:
        """How much room they take."""
        return sum(
            file.stat().st_size
            for path in self.paths
            for file in (files_below(path) if path.is_dir() else [path])
        )


@dataclass(frozen=True, slots=True)
class Pruning:
    """What can go, and what a person should know about what cannot."""

    leftovers: tuple[Leftover, ...]
    notes: tuple[str, ...]


def plan_pruning(data_dir: Path) -> Pruning:
    """Find what can go; nothing is changed."""
    manifest, notes = read_manifest(data_dir), list[str]()
    made = _unlisted(_made_of_gone(data_dir, manifest), manifest, notes)
    crops = _unlisted(_unnamed_crops(data_dir, manifest, notes), manifest, notes)
    records = _dead_records(data_dir, going={*made, *crops})
    logs = _old_logs(data_dir, manifest)
    found = (
        Leftover("made of images that are gone", made, is_private=False),
        Leftover("crops that no project names", crops, is_private=False),
        Leftover("records of files that are gone", records, is_private=True),
        Leftover("logs", logs, is_private=True),
    )
    return Pruning(tuple(one for one in found if one.paths), tuple(notes))


def take_away(leftovers: Sequence[Leftover], data_dir: Path, to: Path | None = None) -> None:
    """Remove what was found, or move what is of use to anybody to another folder.

    Args:
        leftovers: as `plan_pruning` found them.
        data_dir: the data directory.
        to: a new folder, in which the files lie as they did in the data directory.

    Raises:
        NotAFolderError: if it is a file.
        FolderNotEmptyError: if something is in that folder; nothing is changed then.
        FolderNotWritableError: if a file cannot be removed or moved.
    """
    if to and to.exists() and not to.is_dir():
        raise NotAFolderError(to)
    if to and to.exists() and any(to.iterdir()):
        raise FolderNotEmptyError(to)
    for leftover in leftovers:
        for path in leftover.paths:
            try:
                if to and not leftover.is_private:
                    _move(path, to / os.path.relpath(path, data_dir))
                else:
                    _remove(path)
            except OSError as error:
                raise FolderNotWritableError(path.parent, error.strerror or str(error)) from error


def _made_of_gone(data_dir: Path, manifest: Manifest) -> list[Path]:
    noted = noted_sources(data_dir)
    folders = {Path(made).parent for made in noted} | {_chosen(manifest, "imgout", PREPARED)}
    return [
        path
        for folder in sorted(folders)
        for name in find_gone(noted, data_dir, folder)
        for path in made_of(data_dir, folder, name)
    ]


def _unnamed_crops(data_dir: Path, manifest: Manifest, notes: list[str]) -> list[Path]:
    try:
        projects = [
            data_dir / record.parameters["ilp"]
            for record in manifest.verbs.values()
            if "ilp" in record.parameters
        ]
        crops = data_dir / _chosen(manifest, "cropout", CROPS)
        return find_unnamed_crops(data_dir, crops, projects)
    except IlpixError as error:
        notes.append(f"no crop is looked at, since a project may name it: {error}")
        return []


def _chosen(manifest: Manifest, option: str, default: Path) -> Path:
    """What the last `prepare` was told."""
    record = manifest.verbs.get("prepare")
    return Path(record.parameters.get(option, default)) if record else default


def _unlisted(paths: Collection[Path], manifest: Manifest, notes: list[str]) -> tuple[Path, ...]:
    """Leave out what the last run of a verb lists as its result."""
    listed = {
        name: verb
        for verb, record in manifest.verbs.items()
        for outcome in record.images
        for name in outcome.files
    }
    kept = defaultdict(list)
    for path in paths:
        if verb := listed.get(path.name):
            kept[verb].append(path.name)
    for verb, names in kept.items():
        notes.append(
            f"kept: {counted(len(names), 'file')}, such as {names[0]}, which the last ilpix {verb} "
            "lists; run it again first"
        )
    return tuple(path for path in paths if path.name not in listed)


def _dead_records(data_dir: Path, going: Collection[Path]) -> tuple[Path, ...]:
    """Records of task runs whose files are not there as they were, or are about to go."""
    workspace = data_dir.absolute() / WORKSPACE
    records = sorted((workspace / RECORDS).glob("[!.]*"))
    if not records:
        return ()
    places = _places(data_dir, going)
    memo = DigestMemo(workspace / DIGESTS)
    return tuple(path for path in records if not _is_alive(read_record(path), places, memo))


def _is_alive(record: FilesWritten | None, places: dict[str, list[Path]], memo: DigestMemo) -> bool:
    return record is not None and all(
        any(memo.digest(path) == digest for path in places.get(name, ()))
        for name, digest in record.files.items()
    )


def _places(data_dir: Path, going: Collection[Path]) -> dict[str, list[Path]]:
    """Where results lie, by name: in the data directory and in the folders that verbs were told."""
    told = {
        folder
        for record in read_manifest(data_dir).verbs.values()
        for value in record.parameters.values()
        if isinstance(value, str) and (folder := Path(value)).is_absolute()
    }
    places = defaultdict(list)
    for folder in (data_dir, *(path if path.is_dir() else path.parent for path in told)):
        for path in set(_results_below(folder)) - set(going):
            places[path.name].append(path)
    return places


def _results_below(folder: Path) -> Iterator[Path]:
    """Files, and folders that are one image."""
    for root, folders, files in os.walk(folder):
        whole = [name for name in folders if Path(name).suffix == ".zarr"]
        folders[:] = [name for name in folders if name not in {*whole, WORKSPACE.name}]
        yield from (Path(root) / name for name in (*files, *whole))


def _old_logs(data_dir: Path, manifest: Manifest) -> tuple[Path, ...]:
    """Logs to which no failure of the last run of a verb refers."""
    errors = [
        outcome.error or "" for record in manifest.verbs.values() for outcome in record.images
    ]
    errors += [record.error or "" for record in manifest.verbs.values()]
    logs = files_below(data_dir / WORKSPACE / LOGS)
    return tuple(path for path in logs if not any(path.name in error for error in errors))


def _move(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
