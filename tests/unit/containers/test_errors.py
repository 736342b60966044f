"""Failures of runs: told apart, readable, and able to travel between processes."""

import inspect
from dataclasses import replace
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
    "user": "1000:1000",
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
def test_every_error_of_a_run_shows_what_was_said_last_and_where_the_log_is(
    error: type[errors.ContainerError],
) -> None:
    names = [name for name in inspect.signature(error.__init__).parameters if name in FACTS]
    one = error(*(FACTS[name] for name in names))
    is_shown = "end of the log" in str(one) and "log: .ilpix/logs/roi_a.log" in str(one)
    assert issubclass(error, run_errors.RunError) == is_shown or not names


NOT_OPENED = """INFO ilastik.shell.projectManager: Opening Project: /in/project.ilp
Traceback (most recent call last):
  File "ilastik/shell/projectManager.py", line 571, in _loadProject
    serializer.deserializeFromHdf5(self.currentProjectFile, projectFilePath, headless)
RuntimeError: Rois do not intersect!
"""
NOT_STARTED = """Traceback (most recent call last):
  File "ilastik_scripts/ilastik_startup.py", line 3, in <module>
ImportError: libGL.so.1: cannot open shared object file: No such file or directory
"""
BAD_IMAGE = """INFO ilastik.shell.projectManager: Opening Project: /in/project.ilp
Traceback (most recent call last):
  File "ilastik/applets/batchProcessing/opBatchProcessing.py", line 1, in run_export
lazyflow.slot.DatasetConstraintError: All input images must have the same number of channels.
"""


def test_a_message_holds_the_error_and_nothing_else_of_a_traceback() -> None:
    error = run_errors.ProjectNotOpenedError(replace(REPORT, log_tail=NOT_OPENED))
    first, *others = str(error).splitlines()
    assert first.startswith("roi_a.h5: Ilastik could not open the project, exit code 1 (")
    assert others == [
        "RuntimeError: Rois do not intersect!",
        "check lists what is wrong with the project, and fix mends what can be mended.",
        "log: .ilpix/logs/roi_a.log",
    ]


@pytest.mark.parametrize(
    ("finished", "log", "expected"),
    [
        (Finished(1, 1, ""), NOT_OPENED, run_errors.ProjectNotOpenedError),
        (Finished(1, 1, ""), NOT_STARTED, run_errors.InstallationBrokenError),
        (
            Finished(127, 1, ""),
            "error while loading shared libraries: libc.so.6",
            (run_errors.InstallationBrokenError),
        ),
        (Finished(1, 1, ""), BAD_IMAGE, run_errors.IlastikFailedError),
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
        (Finished(1, 1, ""), "OSError: No space left on device", run_errors.EngineDiskFullError),
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
