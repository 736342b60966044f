"""Content digests that are not computed twice for a file that did not change."""

import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ilpix.files import sha256_of, write_text

SETTLED_S = 2.0  # a file changed less than this ago may change again within one tick of its clock


class _Seen(BaseModel, frozen=True):
    """A file as it was when its digest was computed."""

    size: int  # bytes
    mtime_ns: int
    inode: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DigestMemo:
    """Digests of files, remembered by size, time of change and inode in one small file each.

    No lock and no database: processes and machines that share the folder write whole files over
    each other's equal ones.
    """

    folder: Path

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's content.

        Raises:
            OSError: if the file cannot be read.
        """
        status = path.stat()
        note = self.folder / sha256(str(path.absolute()).encode()).hexdigest()
        seen = _read(note)
        if seen and (seen.size, seen.mtime_ns, seen.inode) == (
            status.st_size,
            status.st_mtime_ns,
            status.st_ino,
        ):
            return seen.sha256
        digest = sha256_of(path)
        if time.time() - status.st_mtime > SETTLED_S:
            fresh = _Seen(
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                inode=status.st_ino,
                sha256=digest,
            )
            write_text(note, fresh.model_dump_json())
        return digest


def _read(note: Path) -> _Seen | None:
    try:
        return _Seen.model_validate_json(note.read_bytes())
    except (OSError, ValidationError):
        return None
