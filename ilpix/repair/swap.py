"""Put new files and folders in the place of old ones, so that no moment is without either.

The new ones are made first, beside the old ones. A journal then says what is to be swapped, and
from that moment a swap that was cut short is finished by reading the journal again: whatever has
already happened can be seen from which names exist.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ilpix.errors import Problem
from ilpix.files import flush_to_disk
from ilpix.repair.errors import FixRefusedError


@dataclass(frozen=True, slots=True)
class Swap:
    """One file or folder; the paths are relative to the folder of the journal."""

    new: str
    target: str
    aside: str  # where the old one goes
    keeps_old: bool  # whether it stays there as a backup


def journal_of(project_path: Path) -> Path:
    """Return where the journal of a project's fix lies."""
    return itself(project_path).with_name(f".{project_path.name}.fix.json")


def itself(path: Path) -> Path:
    """Return where a file or folder is; of a link where the link is, not what it leads to."""
    return path.parent.resolve() / path.name


def swap_in(journal: Path, swaps: Sequence[Swap]) -> None:
    """Put every new file or folder in its place, or none of them.

    Raises:
        FixRefusedError: if something else has taken a name in the meantime.
        OSError: if a file cannot be moved; what was moved before is moved back.
    """
    draft = journal.with_name(f"{journal.name}.new")  # not of a random name: nothing is left behind
    draft.unlink(missing_ok=True)  # nothing is written to what a link leads to
    draft.write_text(json.dumps([asdict(swap) for swap in swaps], indent=1), encoding="utf-8")
    flush_tree(draft)
    draft.rename(journal)
    flush_to_disk(journal.parent)
    try:
        finish_swap(journal)
    except OSError:
        _undo(journal, swaps)
        raise


def finish_swap(journal: Path) -> bool:
    """Carry out what a journal says, from wherever it stopped.

    Returns:
        Whether there was a journal.

    Raises:
        FixRefusedError: if something else has taken a name meanwhile, or the journal is damaged.
        OSError: if a file cannot be moved.
    """
    if not journal.exists():
        return False
    swaps = _read_journal(journal)
    for swap in swaps:
        _swap_one(journal, swap)
    for swap in swaps:
        if not swap.keeps_old:
            remove(journal.parent / swap.aside)
    journal.unlink()
    return True


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def flush_tree(path: Path) -> None:
    """Wait until a file, or a folder and all in it, is on disk."""
    inside = sorted(path.rglob("*")) if path.is_dir() else []
    for item in (*inside, path, path.parent):
        flush_to_disk(item)


def _read_journal(journal: Path) -> list[Swap]:
    try:
        return [Swap(**entry) for entry in json.loads(journal.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        what = f"is damaged ({error}); the old files are kept beside the project, see *.bak and .*"
        raise FixRefusedError(journal, (Problem(journal.name, what),)) from error


def _swap_one(journal: Path, swap: Swap) -> None:
    folder = journal.parent
    new, target, aside = (folder / name for name in (swap.new, swap.target, swap.aside))
    if not new.exists():
        return  # done before an interruption
    if target.exists():
        if aside.exists():
            what = f"was made while {swap.target} was being replaced; move one of them away"
            raise FixRefusedError(target, (Problem(f"{swap.target}, {swap.aside}", what),))
        target.rename(aside)
        flush_to_disk(target.parent)
    new.rename(target)
    flush_to_disk(target.parent)


def _undo(journal: Path, swaps: Sequence[Swap]) -> None:
    for swap in reversed(swaps):
        new, target, aside = (journal.parent / name for name in (swap.new, swap.target, swap.aside))
        if not new.exists():  # it is in its place
            target.rename(new)
        if aside.exists():
            aside.rename(target)
    journal.unlink()
