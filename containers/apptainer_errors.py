"""What keeps Apptainer from running an image, each with what to ask of whom."""

import re

from containers.errors import ContainerError

_COLOUR = re.compile(r"\x1b\[\d*m")  # also where it writes to no terminal


class ApptainerMissingError(ContainerError, FileNotFoundError):
    """There is no Apptainer on a machine that is to run the image."""

    machine: str

    def __str__(self) -> str:
        return (
            f"there is no program 'apptainer' on {self.machine}: load its module (for the jobs of "
            "a cluster: ILPIX_CLUSTER__PROLOGUE), ask the administrator for it, or predict with "
            "the embedded engine"
        )


class ApptainerImageMissingError(ContainerError, LookupError):
    """The image is neither on disk nor to be had."""

    image: str
    reason: str

    def __str__(self) -> str:
        return (
            f"the image {self.image} is missing: {self.reason}\n"
            "Give the path of a .sif file, or build one where there is a network: "
            "apptainer build ilastik.sif docker://biocontainers/ilastik:1.4.2_cv1"
        )


class ApptainerRefusedError(ContainerError, RuntimeError):
    """Apptainer does not run the image, for a reason of its own."""

    says = "Apptainer does not run the image"
    advice = ""

    image: str
    reason: str

    def __str__(self) -> str:
        lines = (f"{self.image}: {self.says}: {self.reason}", self.advice)
        return "\n".join(line for line in lines if line)


class NoUserNamespacesError(ApptainerRefusedError):
    """Users may not make namespaces here."""

    says = "this machine does not let users make namespaces"
    advice = (
        "Ask the administrator for user.max_user_namespaces above 0 (on Debian and Ubuntu also "
        "kernel.unprivileged_userns_clone=1), or for the package apptainer-suid."
    )


class NoSubordinateIdsError(ApptainerRefusedError):
    """The user has no range of ids of their own."""

    says = "you have no subordinate user ids on this machine"
    advice = (
        "Ask the administrator for a line with your name in /etc/subuid and /etc/subgid, or build "
        "the .sif file on another machine."
    )


class SquashfsToolsMissingError(ApptainerRefusedError):
    """A .sif file can neither be mounted nor made."""

    says = "the tools for squashfs file systems are missing"
    advice = (
        "Ask the administrator for squashfuse and squashfs-tools, or use a sandbox: "
        "apptainer build --sandbox FOLDER IMAGE"
    )


class ApptainerDiskFullError(ApptainerRefusedError):
    """There is no room for what Apptainer writes."""

    says = "no space left, or the quota is used up"
    advice = (
        "Let ILPIX_APPTAINER__CACHE, APPTAINER_CACHEDIR and APPTAINER_TMPDIR name folders on a "
        "disk with room."
    )


class WrongProcessorError(ApptainerRefusedError):
    """The image is made for another kind of processor."""

    says = "the image is made for another kind of processor"
    advice = "Ilastik's images are for x86-64: choose nodes with such processors."


class DamagedImageError(ApptainerRefusedError):
    """The file is no image, or not a whole one."""

    says = "the file is not an image that can be read"
    advice = "Build or copy it again, and compare its size with the one it was copied from."


class NoSuchProgramError(ApptainerRefusedError):
    """There is no Ilastik at the path in the image."""

    says = "no program that can be run at the given path"
    advice = "Give the path of run_ilastik.sh in the image: ILPIX_APPTAINER__PROGRAM."


# what Apptainer, its helpers or the kernel say, in small letters
SIGNS: tuple[tuple[str, type[ApptainerRefusedError]], ...] = (
    ("image format not recognized", DamagedImageError),
    ("trying to read the squashfs image", DamagedImageError),
    ("exec format error", WrongProcessorError),
    ("image's architecture", WrongProcessorError),
    ("disk quota exceeded", ApptainerDiskFullError),
    ("no space left on device", ApptainerDiskFullError),
    ("subuid", NoSubordinateIdsError),
    ("subgid", NoSubordinateIdsError),
    ("mksquashfs", SquashfsToolsMissingError),
    ("squashfuse", SquashfsToolsMissingError),
    ("user namespace", NoUserNamespacesError),
    ("max_user_namespaces", NoUserNamespacesError),
    ("unprivileged_userns_clone", NoUserNamespacesError),
)


def refusal(image: str, said: str) -> ApptainerRefusedError:
    """Return the error that fits what Apptainer said."""
    lines = [line.strip() for line in _COLOUR.sub("", said).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("FATAL", "ERROR"))]
    reason = (errors or lines or ["it gave no reason"])[-1]
    small = said.lower()
    kind = next((error for sign, error in SIGNS if sign in small), ApptainerRefusedError)
    return kind(image, reason)
