"""Which acquisitions raw files hold: all of them, and whether a pattern can choose one."""

import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath

from flows.errors import NoImageChosenError
from flows.running.choosing import is_chosen
from ilpix.images.left_out import is_visible_file
from ilpix.sources.errors import RawFileError
from ilpix.sources.raw_imc import SUFFIXES, Acquisition, is_raw, list_acquisitions, match_recovery
from ilpix.sources.tiff import require_names_differ

_MOST_IN_ONE = 1000  # acquisitions of a file, as their names have three digits

Refuse = Callable[[str, RawFileError], None]


def find_acquisitions(files: Iterable[Path], refuse: Refuse) -> list[Acquisition]:
    """Return the acquisitions of all MCD files, and of the TXT files that belong to none of them.

    Args:
        files: raw files.
        refuse: called with the name of a file that cannot be read, and why.

    Raises:
        DuplicateImagesError: if two would have the same name.
    """
    texts = [path for path in files if path.suffix.lower() == ".txt"]
    acquisitions: list[Acquisition] = []
    # backwards, so that a file whose name begins with another's name gets its own TXT files
    for path in sorted(set(files) - set(texts), key=lambda path: path.stem, reverse=True):
        for found in _listed(path, refuse):
            recovery = match_recovery(found, texts)
            texts = [text for text in texts if text != recovery]
            acquisitions.append(replace(found, recovery=recovery))
    for path in texts:
        acquisitions += _listed(path, refuse)
    require_names_differ((found.name, found.file) for found in acquisitions)
    return sorted(acquisitions, key=lambda found: found.name)


def raw_items(archive: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, str]]:
    """Yield the raw files in an archive, and their own names, without folders."""
    for item in archive.infolist():
        name = PurePosixPath(item.filename).name
        if PurePosixPath(name).suffix.lower() in SUFFIXES and not name.startswith("."):
            yield item, name


def require_chosen(folder: Path, only: str) -> None:
    """Make sure that a pattern may choose an acquisition below a folder; nothing is unpacked.

    Raises:
        NoImageChosenError: if it chooses none, whatever the files in archives hold.
    """
    files = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
    visible = sorted(filter(is_visible_file, files))
    names: list[str] = []
    raw = [path for path in visible if path.suffix.lower() in SUFFIXES and is_raw(path)]
    names += [found.name for found in find_acquisitions(raw, lambda name, _: names.append(name))]
    packed = [path for file in visible if file.suffix.lower() == ".zip" for path in _packed(file)]
    names += [path.stem for path in packed if path.suffix.lower() == ".txt"]
    of_mcd = [path.stem for path in packed if path.suffix.lower() != ".txt"]
    possible = (f"{stem}_{number:03d}" for stem in of_mcd for number in range(_MOST_IN_ONE))
    if not any(is_chosen(name, only) for name in (*names, *possible)):
        raise NoImageChosenError(only, (*names, *(f"{stem}_*" for stem in of_mcd)))


def _packed(archive: Path) -> list[Path]:
    """The raw files in an archive; none in one that cannot be read, which is told of later."""
    with suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(archive) as content:
        return [Path(name) for _, name in raw_items(content)]
    return []


def _listed(path: Path, refuse: Refuse) -> Sequence[Acquisition]:
    try:
        return list_acquisitions(path)
    except RawFileError as error:
        refuse(path.stem, error)
        return []
