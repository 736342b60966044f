"""Files that are kept beside their successors as `X.bak`, `X.bak1` and so on."""

import re
from collections.abc import Sequence
from pathlib import Path

from ilpix.files import copy_file, replacing

_NUMBERED = re.compile(r"\.bak(\d*)")


def free_backup_names(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return `X.bak` of each path, or `X.bak1`, `X.bak2`, … where one of them is taken."""
    for number in range(10_000):
        names = tuple(path.with_name(f"{path.name}.bak{number or ''}") for path in paths)
        if not any(name.exists() for name in names):
            return names
    raise FileExistsError(f"{paths[0]} has 10 000 backups; remove some of them")


def back_up(path: Path) -> Path:
    """Copy a file to a free backup name beside it, whole or not at all; return the copy."""
    (backup,) = free_backup_names([path])
    with replacing(backup) as temporary:
        copy_file(path, temporary)
    return backup


def find_backups(path: Path) -> tuple[Path, ...]:
    """Return the backups that lie beside a file, newest first."""
    if not path.parent.is_dir():
        return ()
    found = {
        other: int(match[1] or 0)
        for other in path.parent.iterdir()
        if other.name.startswith(path.name)
        and (match := _NUMBERED.fullmatch(other.name.removeprefix(path.name)))
    }
    return tuple(sorted(found, key=lambda other: (other.stat().st_mtime, found[other]))[::-1])


def advise_restoring(path: Path) -> str:
    """Say what can be done about a damaged project: its backups, newest first, or a rescue."""
    names = ", ".join(backup.name for backup in find_backups(path))
    backup = f"its backup (newest first: {names})" if names else "a backup"
    return f"restore it from {backup}, or let fix rescue what can still be read"
