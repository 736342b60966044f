"""Tell the failures of a run of Ilastik apart."""

from containers.run_errors import (
    ClassifierMissingError,
    EngineDiskFullError,
    IlastikFailedError,
    InstallationBrokenError,
    OptionsIgnoredError,
    OutOfMemoryError,
    ProgramCrashedError,
    ProgramMissingError,
    ProjectNotOpenedError,
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
    ("No space left on device", EngineDiskFullError),
    ("Disk quota exceeded", EngineDiskFullError),
    ("Unused command-line args", OptionsIgnoredError),
    ("Your project file has no classifier", ClassifierMissingError),
)
# what a log holds only from the first image on: a logger's name, or a file of a traceback
BEGUN = ("batchProcessing", "Exporting to")
# and what it may hold where Ilastik ends before that: how the project is read, how Python starts
OPENING = ("projectManager", "deserialize", "openProjectFile", "loadProject")
STARTING = ("ImportError", "ModuleNotFoundError", "error while loading shared libraries")


def error_of(finished: Finished, report: RunReport, log: str) -> RunError | None:
    """Return what went wrong in a run, None where nothing did; its output is not looked at.

    Args:
        finished: how the process ended.
        report: the facts for the error.
        log: everything that it said.
    """
    signs = (error for sign, error in SIGNS if sign in log)
    error = _stopped_by_others(finished) or next(signs, None) or _failed_by_itself(finished, log)
    return error(report) if error else None


def _stopped_by_others(finished: Finished) -> type[RunError] | None:
    if finished.timed_out:
        return RunTimeoutError
    if finished.out_of_memory or finished.status == KILLED:
        return OutOfMemoryError
    return RunVanishedError if finished.status is None else None


def _failed_by_itself(finished: Finished, log: str) -> type[RunError] | None:
    if finished.status in {ABORTED, CRASHED}:
        return ProgramCrashedError
    if finished.status in CANNOT_RUN and not any(sign in log for sign in STARTING):
        return ProgramMissingError
    return _failed_early(log) or IlastikFailedError if finished.status else None


def _failed_early(log: str) -> type[RunError] | None:
    """Tell what concerns every image: Ilastik ended before it began with the first."""
    _, _, told = log.rpartition("Traceback (most recent call last)")
    if any(sign in log for sign in BEGUN):
        return None
    if any(sign in log for sign in STARTING):
        return InstallationBrokenError
    return ProjectNotOpenedError if any(sign in told for sign in OPENING) else None
