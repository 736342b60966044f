"""Tell the failures of a run of Ilastik apart."""

from containers.errors import (
    ClassifierMissingError,
    DiskFullError,
    IlastikFailedError,
    OptionsIgnoredError,
    OutOfMemoryError,
    ProgramCrashedError,
    ProgramMissingError,
    RunError,
    RunReport,
    RunTimeoutError,
    RunVanishedError,
)
from containers.runner import Finished

KILLED, ABORTED, CRASHED = 137, 134, 139
CANNOT_RUN = frozenset({126, 127})
# what Ilastik or the C library says, and what it means whatever the exit code is
SIGNS: tuple[tuple[str, type[RunError]], ...] = (
    ("No space left on device", DiskFullError),
    ("Disk quota exceeded", DiskFullError),
    ("Unused command-line args", OptionsIgnoredError),
    ("Your project file has no classifier", ClassifierMissingError),
)


def error_of(finished: Finished, report: RunReport, log: str) -> RunError | None:
    """Return what went wrong in a run, None where it says that all is well; the output is not looked at.

    Args:
        finished: how the process ended.
        report: the facts for the error.
        log: everything that it said.
    """
    if finished.timed_out:
        return RunTimeoutError(report)
    if finished.out_of_memory or finished.status == KILLED:
        return OutOfMemoryError(report)
    if finished.status is None:
        return RunVanishedError(report)
    if finished.status in {ABORTED, CRASHED}:
        return ProgramCrashedError(report)
    for sign, error in SIGNS:
        if sign in log:
            return error(report)
    if finished.status in CANNOT_RUN:
        return ProgramMissingError(report)
    return IlastikFailedError(report) if finished.status else None
