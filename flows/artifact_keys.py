"""Under which key the Prefect UI keeps the history of what it shows of a data folder."""

import re
from hashlib import sha256
from pathlib import Path

_LONGEST_NAME = 40


def artifact_key(kind: str, folder: Path) -> str:
    """Return the key of what is shown of one folder: with its name and a digest of its place."""
    place = folder.absolute()
    name = re.sub(r"[^a-z0-9]+", "-", place.name.lower()).strip("-")[:_LONGEST_NAME]
    return "-".join(filter(None, [kind, name, sha256(str(place).encode()).hexdigest()[:6]]))
