"""How a flow ends when not everything went well."""

from collections import defaultdict
from pathlib import Path

from containers.run_errors import LOG_MARK
from ilpix.checks.findings import Finding
from ilpix.errors import IlpixError, name_some
from ilpix.wording import counted


class ImagesFailedError(IlpixError):
    """Some images failed; all the others are finished."""

    verb: str
    failures: dict[str, str]
    n_images: int

    def __str__(self) -> str:
        lines = "".join(f"\n  {images}: {reason}" for images, reason in self.rows())
        others = ", the others are finished" if len(self.failures) < self.n_images else ""
        return (
            f"{self.verb}: {len(self.failures)} of {counted(self.n_images, 'image')} failed"
            f"{others}:{lines}"
        )

    def rows(self) -> list[tuple[str, str]]:
        """Return which images failed and why; those that failed in the same way are one row."""
        alike: dict[str, list[str]] = defaultdict(list)
        for image, reason in self.failures.items():
            alike[_without_image(image, reason)].append(image)
        return [(_told(images), self.failures[images[0]]) for images in alike.values()]


def _told(images: list[str]) -> str:
    count = f"{len(images)} images: " if len(images) > 1 else ""
    return count + name_some(images)


def _without_image(image: str, reason: str) -> str:
    """What two reasons have in common that differ only in their image and its log."""
    lines = reason.replace(image, "").splitlines()
    return "\n".join(line for line in lines if not line.startswith(LOG_MARK))


class EveryImageTooSmallError(IlpixError, ValueError):
    """No image is large enough for a crop, so there would be nothing to label."""

    cropsize: int
    scale: int
    shapes: dict[str, tuple[int, int]]  # enlarged by that

    def __str__(self) -> str:
        edges = {image: min(shape) for image, shape in self.shapes.items()}
        smallest, largest = min(edges.values()), max(edges.values())
        fitting = [image for image, edge in edges.items() if edge == largest]
        all_fit = "all of them" if len(edges) > 1 else name_some(fitting)
        one = f"; {largest} fits {name_some(fitting)}" if len(fitting) < len(edges) else ""
        images = f"all {len(edges)} images" if len(edges) > 1 else "the only image"
        enlarged = f", also when enlarged {self.scale} times" if self.scale > 1 else ""
        return (
            f"a crop of {self.cropsize} pixels (--cropsize) is larger than {images}{enlarged}, so "
            f"there would be nothing to label; {smallest} fits {all_fit}{one}"
        )


class IlastikNotUsedError(IlpixError, ValueError):
    """An Ilastik was named for the engine that needs none."""

    ilastik: str  # a path or a container image, as it was given
    is_there: bool

    def __str__(self) -> str:
        missing = "" if self.is_there else ", and there is no such file"
        return (
            f"the engine 'embedded' predicts without Ilastik, so {self.ilastik} would not be used"
            f"{missing}; leave it out, or choose the engine: 'local' for run_ilastik.sh on this "
            "machine, 'docker' or 'apptainer' for a container image"
        )


class NoLocalIlastikError(IlpixError, LookupError):
    """The engine `local` was chosen, but not which Ilastik."""

    def __str__(self) -> str:
        return (
            "the engine 'local' needs the path of run_ilastik.sh: give it with --ilastik, or set "
            "ILPIX_LOCAL__PROGRAM"
        )


class TrainingNeededError(IlpixError):
    """Everything is prepared, but nobody has trained the project yet."""

    project: Path

    def __str__(self) -> str:
        return (
            f"everything is prepared; now {self.project} has to be trained.\n"
            "In the browser: ilpix annotate, paint lines of every class, save.\n"
            "In Ilastik: ilpix gui, label every class, switch Live Update on, save.\n"
            "From label images named like the crops: ilpix train --labels FOLDER.\n"
            "Then run ilpix classify again; what is done is not done twice."
        )


class ImageMisfitError(IlpixError, ValueError):
    """A prepared image is not what the classifier was trained on."""

    image: Path
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        reasons = (f"{finding.what}; {finding.advice}" for finding in self.findings)
        return f"{self.image.name} {', and it '.join(reasons)}"


class NoImageChosenError(IlpixError, LookupError):
    """The pattern of a person chooses no image."""

    pattern: str
    names: tuple[str, ...]  # that are there

    def __str__(self) -> str:
        return (
            f"no image has a name like {self.pattern!r}; to choose from: {name_some(self.names)} "
            "(names without folder and ending)"
        )


class NamesAlikeError(IlpixError, ValueError):
    """The names of several results are one name on the disk that they go to."""

    folder: Path
    names: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"the disk of {self.folder} takes {' and '.join(self.names)} for one name; rename one "
            "of the images, or work on a disk that tells capitals apart"
        )


class FolderNotEmptyError(IlpixError, FileExistsError):
    """Something is in a folder that has to be new."""

    folder: Path

    def __str__(self) -> str:
        return f"{self.folder} is not empty; name a new folder"


class ServerUnreachableError(IlpixError, ConnectionError):
    """Nothing answers where Prefect's settings name a server."""

    address: str
    reason: str

    def __str__(self) -> str:
        return (
            f"no Prefect server answers at {self.address}: {self.reason}\n"
            "Start it there, or take PREFECT_API_URL out of the environment (unset it) "
            "or the profile (prefect config unset PREFECT_API_URL): then each run has a server of "
            "its own"
        )
