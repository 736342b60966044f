"""Failures of runs: told apart, readable, and able to travel between processes."""

import inspect
from pathlib import Path

import pytest

from containers import errors, run_errors
from containers.diagnosis import error_of
from containers.run_errors import RunReport
from containers.runner import Finished

REPORT = RunReport(
    program="biocontainers/ilastik:1.4.2_cv1",
    images=("roi_a.h5",),
    status=1,
    seconds=4.2,
    memory_bytes=4 * 2**30,
    log_path=Path(".ilpix/logs/roi_a.log"),
    log_tail="the end of the log",
)
FACTS = {
    "address": "unix:///run/docker.sock",
    "reason": "nobody is there",
    "request": "start a container",
    "image": "some/image:1",
    "project": Path("a.ilp"),
    "project_version": "1.4.2",
    "program": "some/image:1",
    "program_version": "1.4.0",
    "folder": Path("runs"),
    "report": REPORT,
    "what": "it is 1 x 2",
    "status": 1,
}
CLASSES = [
    error
    for module in (errors, run_errors)
    for _, error in inspect.getmembers(module, inspect.isclass)
    if issubclass(error, errors.ContainerError)
]
ERRORS = {error.__name__: error for error in CLASSES}


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_of_a_run_shows_the_end_of_its_log(
    error: type[errors.ContainerError],
) -> None:
    names = [name for name in inspect.signature(error.__init__).parameters if name in FACTS]
    one = error(*(FACTS[name] for name in names))
    assert issubclass(error, run_errors.RunError) == ("end of the log" in str(one)) or not names


@pytest.mark.parametrize(
    ("finished", "log", "expected"),
    [
        (Finished(0, 1, ""), "all is well", None),
        (Finished(None, 1, "", timed_out=True), "", run_errors.RunTimeoutError),
        (Finished(None, 1, ""), "", run_errors.RunVanishedError),
        (Finished(137, 1, ""), "", run_errors.OutOfMemoryError),
        (Finished(1, 1, "", out_of_memory=True), "", run_errors.OutOfMemoryError),
        (Finished(139, 1, ""), "", run_errors.ProgramCrashedError),
        (Finished(134, 1, ""), "", run_errors.ProgramCrashedError),
        (Finished(127, 1, ""), "", run_errors.ProgramMissingError),
        (Finished(1, 1, ""), "a trace", run_errors.IlastikFailedError),
        (
            Finished(0, 1, ""),
            "WARNING Unused command-line args: ['--x']",
            run_errors.OptionsIgnoredError,
        ),
        (
            Finished(0, 1, ""),
            "Your project file has no classifier.",
            run_errors.ClassifierMissingError,
        ),
        (Finished(1, 1, ""), "OSError: No space left on device", run_errors.DiskFullError),
    ],
)
def test_ends_of_runs_are_told_apart(
    finished: Finished, log: str, expected: type[run_errors.RunError] | None
) -> None:
    error = error_of(finished, REPORT, log)
    assert error is None if expected is None else type(error) is expected


def test_known_messages_of_ilastik_come_with_advice() -> None:
    report = RunReport(
        program="x",
        images=("a.h5",),
        status=1,
        seconds=1,
        memory_bytes=None,
        log_path=Path("a.log"),
        log_tail="All input images must have the same number of channels. Your new image has 3",
    )
    assert "prepare it with the same panel" in str(run_errors.IlastikFailedError(report))


@pytest.mark.parametrize("name", ["EngineUnreachableError", "ImagePullError", "RunTimeoutError"])
def test_what_may_pass_is_retryable(name: str) -> None:
    assert ERRORS[name].retryable


@pytest.mark.parametrize(
    "name", ["ImageMissingError", "IlastikFailedError", "ProgramTooOldError", "OutOfMemoryError"]
)
def test_what_cannot_pass_is_not_retryable(name: str) -> None:
    assert not ERRORS[name].retryable
