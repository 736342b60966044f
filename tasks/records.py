"""What a task returns: which files it wrote, and what is worth telling about them."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ilpix.files import sha256_of

_plain_json = TypeAdapter(dict[str, Any])


class FilesWritten(BaseModel, frozen=True, extra="forbid"):
    """The files one task run wrote for one image, by name, with the digest of each.

    Names are without their folder, so that a data directory can be moved or copied with its cache.
    """

    files: dict[str, str]  # file name: SHA-256 of its content, in hexadecimal
    facts: dict[str, Any] = {}  # for tables and reports: shape, seconds, class areas, …


def files_written(*targets: Path, **facts: Any) -> FilesWritten:
    """Record the files as they are on disk now."""
    return FilesWritten(files={target.name: sha256_of(target) for target in targets}, facts=facts)


def read_record(path: Path) -> FilesWritten | None:
    """Read what a task run of before returned; None where it cannot be read. JSON alone is read."""
    try:
        content = _plain_json.validate_json(path.read_bytes())
        if content["metadata"]["serializer"]["type"] != "json":
            return None
        return FilesWritten.model_validate(json.loads(content["result"])["data"])
    except (OSError, ValidationError, ValueError, LookupError, TypeError):
        return None
