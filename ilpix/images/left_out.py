"""What lies among images and is not read: links that lead nowhere or to folders, hidden files.

A link to a file is read as that file. `Path.is_file` raises where nobody may look at what a link
leads to, `os.path.isfile` is false.
"""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from ilpix.files import is_temporary, printable
from ilpix.images.errors import DanglingLinkError, FolderNotReadableError

HIDDEN = "is hidden and left out; if it is an image, give it a name without the dot in front"
FOLDER_LINK = (
    "is a link to a folder and not followed; put a link to each of its images in its place"
)
_OF_MACOS = "._"  # begins the names of the notes that macOS keeps beside files


def list_folder(folder: Path) -> list[Path]:
    """Return what lies in a folder, sorted; nothing where there is no such folder.

    Raises:
        FolderNotReadableError: if nobody may look into it.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        if told := not_readable(error):
            raise told from error
        return []


def not_readable(error: OSError) -> FolderNotReadableError | None:
    """Return in words why a folder cannot be looked into; None where there is no such folder."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return None
    return FolderNotReadableError(Path(error.filename), error.strerror or str(error))


def is_visible_file(path: Path) -> bool:
    """Tell whether something is a file, or a link to one, and not hidden."""
    return not path.name.startswith(".") and os.path.isfile(path)  # noqa: PTH113 - see above


def is_dangling(path: Path) -> bool:
    """Tell whether something is a link to nothing, or to what cannot be reached."""
    return path.is_symlink() and not os.path.exists(path)  # noqa: PTH110 - see above


def require_reachable(path: Path) -> None:
    """Make sure that a link leads to something.

    Raises:
        DanglingLinkError: if it does not.
    """
    if is_dangling(path):
        raise dangling_link(path)


def dangling_link(path: Path) -> DanglingLinkError:
    """Return what is wrong with a link that leads to nothing."""
    return DanglingLinkError(path, str(path.readlink()))


def tell_hidden(files: Iterable[Path], suffixes: Collection[str]) -> dict[str, str]:
    """Return the hidden files that may be images, and why they are left out."""
    return {
        printable(path.name): HIDDEN
        for path in files
        if path.name.startswith(".")
        and path.suffix.lower() in suffixes
        and not (path.name.startswith(_OF_MACOS) or is_temporary(path))
    }
