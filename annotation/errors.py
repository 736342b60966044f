"""Why labelling in the browser cannot begin or go on."""

from pathlib import Path

from ilpix.errors import IlpixError


class AnnotatedElsewhereError(IlpixError):
    """Another `annotate` works on the same project."""

    project: Path

    def __str__(self) -> str:
        return (
            f"{self.project} is being labelled by another ilpix annotate; use its window, "
            "or end it (Ctrl-C) first"
        )


class NoCropsError(IlpixError):
    """A project has nothing to label."""

    project: Path

    def __str__(self) -> str:
        return f"{self.project} has no crops to label; make some (ilpix prepare), then come back"


class CropPixelsError(IlpixError):
    """The crop of a lane cannot be shown."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} cannot be shown: {self.reason}"


class ForeignLaneError(IlpixError):
    """A lane holds more than one plane, or its pixels lie in the project itself."""

    project: Path
    lanes: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.project} has training images that are no crops of one plane beside it "
            f"({', '.join(self.lanes)}); label it in Ilastik, or make a project with ilpix prepare"
        )


class ProjectChangedError(IlpixError):
    """The project on disk is not the one that the labels on the screen began from."""

    project: Path

    def __str__(self) -> str:
        return (
            f"{self.project.name} was changed by another program since it was opened here; "
            "take over what is in it (your strokes stay on top), look, and save again"
        )


class BadRequestError(IlpixError):
    """What a page asked for makes no sense here."""

    what: str

    def __str__(self) -> str:
        return f"{self.what}; reload the page"


class JournalDamagedError(IlpixError):
    """The file of strokes that are not saved yet cannot be read."""

    path: Path
    line: int

    def __str__(self) -> str:
        return (
            f"{self.path} holds strokes that were not saved, but line {self.line} of it cannot be "
            "read; move it away to begin from the project as it is"
        )


class JournalNotWrittenError(IlpixError):
    """A stroke could not be put on disk."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"strokes cannot be kept in {self.path}: {self.reason}; they wait on the page, and are "
            "kept as soon as something can be written there"
        )


class CropNotCutError(IlpixError):
    """A new crop does not lie in its image."""

    image: str
    y: int
    x: int
    size: int

    def __str__(self) -> str:
        return f"{self.image} has no crop of {self.size} px at y {self.y}, x {self.x}"


class NoSuspendedRunError(IlpixError):
    """No run waits for this data directory."""

    def __str__(self) -> str:
        return (
            "no suspended classify run waits for this data directory any more; the project is saved"
        )


class NotTrainableYetError(IlpixError):
    """A run would go on without a classifier."""

    def __str__(self) -> str:
        return "a run needs a classifier: label at least two classes, then save and continue"


class PortTakenError(IlpixError):
    """The server cannot listen where it was told to."""

    port: int

    def __str__(self) -> str:
        return f"port {self.port} is not free; choose another with --port, or none for any"
