"""What can go wrong when another program predicts, each cause its own class.

`retryable` says whether the same call may succeed a little later; `concerns_all` whether the next
image would meet the same error.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ilpix.errors import IlpixError

LOG_TAIL_CHARS = 3000


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


class ContainerError(IlpixError):
    """Base of all errors of the engines `docker` and `local`."""

    retryable: ClassVar[bool] = False
    concerns_all: ClassVar[bool] = True


class EngineUnreachableError(ContainerError, ConnectionError):
    """No container engine answers."""

    retryable = True

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address, self.reason = address, reason

    def __str__(self) -> str:
        return (
            f"no container engine answers at {self.address}: {self.reason}\n"
            "Start Docker or Podman, let DOCKER_HOST name its socket, or predict with the "
            "embedded engine."
        )


class EngineRefusedError(ContainerError, RuntimeError):
    """The engine answers, but does not do what it is asked."""

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(request, reason)
        self.request, self.reason = request, reason

    def __str__(self) -> str:
        return f"the container engine did not {self.request}: {self.reason}"


class ImageMissingError(ContainerError, LookupError):
    """The container image is neither on the engine nor to be had."""

    def __init__(self, image: str, reason: str) -> None:
        super().__init__(image, reason)
        self.image, self.reason = image, reason

    def __str__(self) -> str:
        return (
            f"the container image {self.image} is missing: {self.reason}\n"
            "Look at its name, allow pulling, log in to a private registry (docker login), or pull "
            "it by hand: "
            f"docker pull --platform linux/amd64 {self.image}"
        )


class ImagePullError(ContainerError, ConnectionError):
    """Pulling an image broke off."""

    retryable = True

    def __init__(self, image: str, reason: str) -> None:
        super().__init__(image, reason)
        self.image, self.reason = image, reason

    def __str__(self) -> str:
        return f"pulling the container image {self.image} failed: {self.reason}"


class ProgramUnknownError(ContainerError, ValueError):
    """Nobody said where Ilastik lies in an image that has no preset."""

    def __init__(self, image: str) -> None:
        super().__init__(image)
        self.image = image

    def __str__(self) -> str:
        return f"{self.image} is not a known image: give the path of run_ilastik.sh inside it"


class ProgramTooOldError(ContainerError, ValueError):
    """The project was written by a newer Ilastik than the one that is to read it."""

    def __init__(
        self, project: Path, project_version: str, program: str, program_version: str
    ) -> None:
        super().__init__(project, project_version, program, program_version)
        self.project, self.project_version = project, project_version
        self.program, self.program_version = program, program_version

    def __str__(self) -> str:
        return (
            f"{self.project} was written by Ilastik {self.project_version}, {self.program} "
            f"holds the older Ilastik {self.program_version}: choose an image of "
            f"{self.project_version} or later"
        )


class LocalProgramError(ContainerError, FileNotFoundError):
    """There is no Ilastik on this machine where one was said to be."""

    def __init__(self, program: Path) -> None:
        super().__init__(program)
        self.program = program

    def __str__(self) -> str:
        return f"{self.program} is not a program that can be run: give the path of run_ilastik.sh"


class GuiEndedError(ContainerError, RuntimeError):
    """Ilastik's window closed with an error."""

    def __init__(self, image: str, status: int) -> None:
        super().__init__(image, status)
        self.image, self.status = image, status

    def __str__(self) -> str:
        return f"Ilastik's window in {self.image} ended with exit code {self.status}"


class SourceNotFoundError(ContainerError, FileNotFoundError):
    """A file that is here is not where the engine's machine looks for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.reason}\nThe engine resolves paths on its own machine. Inside a worker "
            "container, or with a remote engine, map the data directory: path_map = INSIDE:OUTSIDE."
        )


class RunCancelledError(ContainerError):
    """The run was told to stop."""

    def __str__(self) -> str:
        return "stopped before the end: the run was cancelled"


class LeaseError(ContainerError, OSError):
    """The working folder cannot hold the lock that shows that a run lives."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(folder, reason)
        self.folder, self.reason = folder, reason

    def __str__(self) -> str:
        return (
            f"{self.folder} cannot hold a file lock ({self.reason}): "
            "put the data directory on another file system"
        )


class RunError(ContainerError):
    """A run of Ilastik did not give what it was started for."""

    concerns_all = False
    says: ClassVar[str] = "Ilastik failed"
    advice: ClassVar[str] = ""

    def __init__(self, report: RunReport) -> None:
        super().__init__(report)
        self.report = report

    def what_happened(self) -> str:
        """Say what happened, in half a sentence."""
        return self.says

    def what_to_do(self) -> str:
        """Say what to do about it; empty where nobody knows."""
        return self.advice

    def __str__(self) -> str:
        report = self.report
        status = "" if report.status is None else f", exit code {report.status}"
        program_and_time = f"{report.program}, {report.seconds:.1f} s"
        lines = [
            f"{', '.join(report.images)}: {self.what_happened()}{status} ({program_and_time})",
            self.what_to_do(),
            f"whole log: {report.log_path}",
            report.log_tail,
        ]
        return "\n".join(line for line in lines if line)


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

    def __init__(self, report: RunReport, what: str) -> None:
        Exception.__init__(self, report, what)
        self.report, self.what = report, what

    def what_happened(self) -> str:
        """Say what is wrong with the output."""
        return f"the output is wrong: {self.what}"


class DiskFullError(RunError, OSError):
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
