"""What can go wrong before another program predicts, each cause its own class.

`retryable` says whether the same call may succeed a little later; `concerns_all` whether the next
image would meet the same error.
"""

from pathlib import Path
from typing import ClassVar

from ilpix.errors import IlpixError


class ContainerError(IlpixError):
    """Base of all errors of the engines `docker` and `local`."""

    retryable: ClassVar[bool] = False
    concerns_all: ClassVar[bool] = True


class EngineUnreachableError(ContainerError, ConnectionError):
    """No container engine answers."""

    retryable = True

    address: str
    reason: str

    def __str__(self) -> str:
        return (
            f"no container engine answers at {self.address}: {self.reason}\n"
            "Start Docker or Podman, let DOCKER_HOST name its socket, or predict with the "
            "embedded engine."
        )


class NoIlastikError(ContainerError, LookupError):
    """There is nothing on this machine that opens a project in Ilastik's window."""

    address: str
    reason: str

    def __str__(self) -> str:
        return (
            "no Ilastik was found on this machine, and no container engine that would show one in "
            f"the browser answers at {self.address}: {self.reason}\n"
            "To train, label in the browser without Ilastik (ilpix annotate), install Ilastik "
            "(ilastik.org; where it is not in PATH, name it with --program), start Docker or "
            "Podman, or draw labels with any other program as images named like the crops "
            "(ilpix train --labels FOLDER)"
        )


class EngineRefusedError(ContainerError, RuntimeError):
    """The engine answers, but does not do what it is asked."""

    request: str
    reason: str

    def __str__(self) -> str:
        return f"the container engine did not {self.request}: {self.reason}"


class ImageMissingError(ContainerError, LookupError):
    """The container image is neither on the engine nor to be had."""

    image: str
    reason: str

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

    image: str
    reason: str

    def __str__(self) -> str:
        return f"pulling the container image {self.image} failed: {self.reason}"


class ProgramUnknownError(ContainerError, ValueError):
    """Nobody said where Ilastik lies in an image that has no preset."""

    image: str

    def __str__(self) -> str:
        return f"{self.image} is not a known image: give the path of run_ilastik.sh inside it"


class ProgramTooOldError(ContainerError, ValueError):
    """The project was written by a newer Ilastik than the one that is to read it."""

    project: Path
    project_version: str
    program: str
    program_version: str

    def __str__(self) -> str:
        return (
            f"{self.project} was written by Ilastik {self.project_version}, {self.program} "
            f"holds the older Ilastik {self.program_version}: choose an image of "
            f"{self.project_version} or later"
        )


class LocalProgramError(ContainerError, FileNotFoundError):
    """There is no Ilastik on this machine where one was said to be."""

    program: Path

    def __str__(self) -> str:
        return f"{self.program} is not a program that can be run: give the path of run_ilastik.sh"


class GuiEndedError(ContainerError, RuntimeError):
    """Ilastik's window closed with an error."""

    image: str
    status: int

    def __str__(self) -> str:
        return f"Ilastik's window in {self.image} ended with exit code {self.status}"


class SourceNotFoundError(ContainerError, FileNotFoundError):
    """A file that is here is not where the engine's machine looks for it."""

    reason: str

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

    folder: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.folder} cannot hold a file lock ({self.reason}): "
            "put the data directory on another file system"
        )


class FolderNotGivenError(ContainerError, PermissionError):
    """A folder for outputs cannot be given to who runs Ilastik in the container."""

    folder: Path
    user: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.folder} cannot be given to {self.user}, as whom Ilastik runs in the container "
            f"when root asks for it: {self.reason}; run as the owner of the data instead of root "
            "(in a pool of containers, set User to UID:GID of the owner)"
        )
