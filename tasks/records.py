"""What a task returns: which files it wrote, and what is worth telling about them."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ilpix.files import sha256_of


class FilesWritten(BaseModel, frozen=True, extra="forbid"):
    """The files one task run wrote for one image, by name, with the digest of each.

    Names are without their folder, so that a data directory can be moved or copied with its cache.
    """

    files: dict[str, str]  # file name: SHA-256 of its content, in hexadecimal
    facts: dict[str, Any] = {}  # for tables and reports: shape, seconds, class areas, …


def files_written(*targets: Path, **facts: Any) -> FilesWritten:
    """Record the files as they are on disk now."""
    return FilesWritten(files={target.name: sha256_of(target) for target in targets}, facts=facts)
