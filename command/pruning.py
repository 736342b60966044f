"""`ilpix prune`: say what can go, and let it go when told."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from command import console
from command.carrying_out import plain_errors
from command.given import DataDir, require_folder
from command.old_runs import OldRuns, find_old_runs, forget
from flows.running.alone import alone_in
from ilpix.data_directory import LOCK, WORKSPACE
from ilpix.files import printable
from ilpix.wording import counted

if TYPE_CHECKING:
    from flows.pruning import Pruning

MB = 10**6


def prune(
    *,
    yes: Annotated[bool, Parameter(negative="")] = False,
    to: Path | None = None,
    data_dir: DataDir = Path(),
) -> int:
    """List what nobody needs any more; --yes removes it.

    That is: what was made of images that are gone, crops that no project names, records of files
    that are gone, logs, and what the temporary server remembers of runs that ended more than a day
    ago. What is labelled or trained stays, and what the last run of a verb lists.

    Parameters
    ----------
    yes
        remove it
    to
        with --yes, move prepared images, results and crops to this new folder instead
    data_dir
        the folder that is looked at
    """
    with plain_errors() as ended:
        require_folder(data_dir)
        if yes:
            with alone_in(data_dir, data_dir / WORKSPACE / LOCK):
                found = _tell(data_dir)
                freed = sum(leftover.n_bytes for leftover in found.leftovers)
                from flows.pruning import take_away  # noqa: PLC0415 - HDF5

                take_away(found.leftovers, data_dir, to)
            if runs := _tell_runs():
                freed += forget(runs)
            console.print_lines([("freed", _size(freed))])
        else:
            is_something = bool(_tell(data_dir).leftovers)
            if _tell_runs() or is_something:
                console.print_notice("nothing was changed; the same with --yes removes it")
            else:
                console.print_notice("nothing to prune")
    return ended.code


def _tell(data_dir: Path) -> "Pruning":
    """List what is in the data directory."""
    from flows.pruning import plan_pruning  # noqa: PLC0415 - HDF5

    found = plan_pruning(data_dir)
    for leftover in found.leftovers:
        names = ", ".join(printable(path.name) for path in leftover.paths[:3])
        more = " …" if len(leftover.paths) > 3 else ""
        shown = "" if leftover.is_private else f": {names}{more}"
        told = f"{counted(len(leftover.paths), 'file')}, {_size(leftover.n_bytes)}{shown}"
        console.print_lines([(leftover.what, told)])
    for note in found.notes:
        console.print_notice(note)
    return found


def _tell_runs() -> OldRuns | None:
    runs = find_old_runs()
    if runs:
        told = f"{runs.count} of more than a day ago, in a database of {_size(runs.n_bytes)}"
        console.print_lines([("runs in the temporary server", f"{told}: {runs.database}")])
    return runs


def _size(n_bytes: int) -> str:
    return f"{n_bytes / MB:.1f} MB"
