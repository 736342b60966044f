"""How a run of Ilastik can end without a result, each cause its own class."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from containers.errors import ContainerError
from ilpix.errors import name_some

LOG_TAIL_CHARS = 3000
LOG_MARK = "log: "  # begins the line of a message that says where the log is
MOST_CHARS = 300
_ERROR = re.compile(
    r"(?:^|\s)((?:\w+\.)*\w*(?:Error|Exception|Violation)\b: .+)"
    r"|(.*(?:No space left on device|Disk quota exceeded|Unused command-line args).*)"
)


@dataclass(frozen=True, slots=True)
class RunReport:
    """How one run of Ilastik ended."""

    program: str  # the image or the path of `run_ilastik.sh`
    images: tuple[str, ...]  # names of the images it was given
    status: int | None  # exit code; None where it was stopped or vanished
    seconds: float
    memory_bytes: int | None  # the limit; None where there is none
    log_path: Path
    log_tail: str


class RunError(ContainerError):
    """A run of Ilastik did not give what it was started for."""

    concerns_all = False
    says: ClassVar[str] = "Ilastik failed"
    advice: ClassVar[str] = ""

    report: RunReport

    def what_happened(self) -> str:
        """Say what happened, in half a sentence."""
        return self.says

    def what_to_do(self) -> str:
        """Say what to do about it; empty where nobody knows."""
        return self.advice

    def __str__(self) -> str:
        report = self.report
        status = "" if report.status is None else f", exit code {report.status}"
        lines = [
            f"{name_some(report.images)}: {self.what_happened()}{status} ({report.program})",
            last_sentence(report.log_tail),
            self.what_to_do(),
            f"{LOG_MARK}{report.log_path}",
        ]
        return "\n".join(line for line in lines if line)


def last_sentence(log: str) -> str:
    """Return the last error that a log tells of, else its last line; none of a traceback."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [found[1] or found[2] for line in lines if (found := _ERROR.search(line))]
    return (errors or lines or [""])[-1][:MOST_CHARS]


class OutOfMemoryError(RunError):
    """The kernel ended the run because it took more memory than its limit."""

    advice = "Raise the memory ceiling, or lower the number of parallel runs."

    def what_happened(self) -> str:
        """Say what happened, with the limit it ran under."""
        limit = self.report.memory_bytes
        return "killed for memory" + (f" at a limit of {limit / 2**20:.0f} MiB" if limit else "")


class ProgramCrashedError(RunError):
    """Ilastik ended with a segmentation fault or an abort."""

    says = "Ilastik crashed"
    advice = (
        "Memory running out is the commonest reason: raise the memory, or give it fewer threads."
    )


class RunTimeoutError(RunError, TimeoutError):
    """The run took longer than allowed and was stopped."""

    retryable = True
    most_retries: ClassVar[int] = 1  # each costs all of its time
    says = "stopped after its time was up"
    advice = "Allow more time per image, or more CPUs."


class RunVanishedError(RunError):
    """Somebody else removed or killed the container."""

    retryable = True
    says = "the container was removed or killed from outside"


class IlastikFailedError(RunError):
    """Ilastik ended with an error of its own."""

    says = "Ilastik ended with an error"

    def what_to_do(self) -> str:
        """Say what to do, where the log holds a message that is known."""
        return next(
            (advice for sign, advice in KNOWN_MESSAGES.items() if sign in self.report.log_tail), ""
        )


class ProgramMissingError(RunError, FileNotFoundError):
    """There is no program at the path that was given."""

    concerns_all = True
    says = "no program that can be run at the given path"
    advice = "Give the path of run_ilastik.sh as it is inside the image."


class ProjectNotOpenedError(RunError):
    """Ilastik ended while it opened the project, before it began with an image."""

    concerns_all = True
    says = "Ilastik could not open the project"
    advice = "check lists what is wrong with the project, and fix mends what can be mended."


class InstallationBrokenError(RunError):
    """Ilastik ended before it opened the project."""

    concerns_all = True
    says = "Ilastik did not start"
    advice = "Install it again, or choose another image or program."


class OptionsIgnoredError(RunError):
    """Ilastik did not understand a part of its command line, and went on without it."""

    concerns_all = True
    says = "Ilastik ignored a part of its command line"
    advice = "This version of Ilastik does not know an option that is needed: choose another image."


class ClassifierMissingError(RunError):
    """Ilastik began to train anew, since the project holds no classifier."""

    concerns_all = True
    says = "the project holds no classifier"
    advice = "Open the project in Ilastik, train with live update on, and save; or let ilpix train."


class OutputMissingError(RunError):
    """Ilastik reported success and left no output."""

    says = "Ilastik reported success, but left no output"


class OutputWrongError(RunError, ValueError):
    """The output is not a probability image of this image and this project."""

    what: str

    def what_happened(self) -> str:
        """Say what is wrong with the output."""
        return f"the output is wrong: {self.what}"


class EngineDiskFullError(RunError, OSError):
    """There is no room for the output."""

    concerns_all = True
    says = "no space left on the device"
    advice = "Make room where the data directory lies, or where the engine keeps its containers."


KNOWN_MESSAGES = {
    "must have the same number of channels": (
        "The image was prepared with other channels than the project was trained on: prepare it "
        "with the same panel."
    ),
    "FeatureSelectionConstraintError": (
        "The image is too small for the largest feature scale of the project: leave it out, or "
        "train without that scale."
    ),
    "Permission denied": (
        "The user in the container may not read a file: let others read the data directory, or run "
        "as its owner instead of root."
    ),
    "FileNotFoundError": "A file that the project or the command line names is not there.",
}
