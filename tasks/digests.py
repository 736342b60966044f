"""Content digests that are not computed twice for a file that did not change."""

import os
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from ilpix.files import files_below, sha256_of, write_text

SETTLED_S = 2.0  # a file changed less than this ago may change again within one tick of its clock


class _Seen(BaseModel, frozen=True):
    """A file or folder as it was when its digest was computed."""

    size: int  # bytes
    mtime_ns: int
    ctime_ns: int  # nobody can set it back
    inode: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DigestMemo:
    """Digests of files, remembered by size, times of change and inode in one small file each.

    No lock and no database: processes and machines that share the folder write whole files over
    each other's equal ones. What a machine without power forgets is computed again.
    """

    folder: Path

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's content, or of the names and contents of a folder's files.

        Raises:
            OSError: if the file cannot be read.
        """
        status = _status_of(path)
        note = self.folder / sha256(os.fsencode(path.absolute())).hexdigest()
        seen = _read(note)
        if seen and (seen.size, seen.mtime_ns, seen.ctime_ns, seen.inode) == status:
            return seen.sha256
        digest = sha256_of(path)
        if time.time() - max(status.mtime_ns, status.ctime_ns) / 1e9 > SETTLED_S:
            fresh = _Seen(**status._asdict(), sha256=digest)
            write_text(note, fresh.model_dump_json(), lasting=False)
        return digest


class _Status(NamedTuple):
    """What changes when the content of a file, or of a file in a folder, does."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def _status_of(path: Path) -> _Status:
    if not path.is_dir():
        status = path.stat()
        return _Status(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    within = [(file, file.stat()) for file in files_below(path)]
    listing = [
        (
            str(file.relative_to(path)),
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
        )
        for file, status in within
    ]
    return _Status(
        sum(status.st_size for _, status in within),
        max((status.st_mtime_ns for _, status in within), default=0),
        max((status.st_ctime_ns for _, status in within), default=0),
        int(sha256(repr(listing).encode()).hexdigest()[:15], 16),
    )


def _read(note: Path) -> _Seen | None:
    try:
        return _Seen.model_validate_json(note.read_bytes())
    except (OSError, ValidationError):
        return None
