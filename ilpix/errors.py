"""Everything that `ilpix` raises on purpose.

Each class is one cause. It keeps its facts as attributes, hands the same facts to `Exception`, so
that it survives pickling on its way out of another process, and says what, where and what to do in
`__str__`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


class IlpixError(Exception):
    """Base of all errors raised on purpose."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file."""

    where: str  # the place: a path inside an HDF5 file, a row of a panel
    what: str  # what is wrong there and, where it is known, what to do


class ProblemsError(IlpixError, ValueError):
    """Something is wrong in several places of a file; each kind of file has a class of its own."""

    heading: ClassVar[str] = "{path} cannot be used"

    def __init__(self, path: Path, problems: tuple[Problem, ...]) -> None:
        super().__init__(path, problems)
        self.path, self.problems = path, problems

    def __str__(self) -> str:
        lines = "".join(f"\n  {problem.where}: {problem.what}" for problem in self.problems)
        return f"{self.heading.format(path=self.path)}:{lines}"


class InvalidProjectError(ProblemsError):
    """A project file does not hold what it must."""

    heading = "{path} cannot be used as an Ilastik project"


class UnreadableImageError(IlpixError, OSError):
    """An image file is damaged, cut short or of another format."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path} cannot be read as an image: {self.reason}; copy or export it again"


class ImageAxesError(IlpixError, ValueError):
    """An image has other axes than channels, rows and columns."""

    def __init__(self, path: Path, axes: str, shape: tuple[int, ...]) -> None:
        super().__init__(path, axes, shape)
        self.path, self.axes, self.shape = path, axes, shape

    def __str__(self) -> str:
        return (
            f"{self.path} has the axes {self.axes} of lengths {self.shape}, but an image has "
            "channels, rows and columns (CYX) and nothing else; export one plane at one time point"
        )


class PixelTypeError(IlpixError, TypeError):
    """The pixels of an image are no numbers that can be averaged."""

    def __init__(self, path: Path, dtype: str) -> None:
        super().__init__(path, dtype)
        self.path, self.dtype = path, dtype

    def __str__(self) -> str:
        return (
            f"{self.path} has pixels of type {self.dtype}; "
            "export it as integers or floating-point numbers"
        )


class MissingDatasetError(IlpixError, KeyError):
    """An HDF5 file does not say which of its datasets is the image."""

    def __init__(self, path: Path, datasets: tuple[str, ...]) -> None:
        super().__init__(path, datasets)
        self.path, self.datasets = path, datasets

    def __str__(self) -> str:
        held = ", ".join(self.datasets) or "none"
        return (
            f"{self.path} has no dataset 'img' or 'crop', nor a single one of another name "
            f"(datasets: {held}); run prepare again"
        )


class NoLabelsError(IlpixError, ValueError):
    """There is nothing to train on."""

    def __init__(self, source: Path) -> None:
        super().__init__(source)
        self.source = source

    def __str__(self) -> str:
        return (
            f"{self.source} holds no labels; draw some in Ilastik, or give label images beside the "
            "crops (8-bit, 0 where nothing is labelled)"
        )


class OneClassError(IlpixError, ValueError):
    """Every label is of the same class, so there is nothing to tell apart."""

    def __init__(self, label: int) -> None:
        super().__init__(label)
        self.label = label

    def __str__(self) -> str:
        return (
            f"all labels are of class {self.label} (counted from 1); "
            "label at least one more class to train a classifier"
        )


class UnusableLabelsError(ProblemsError):
    """Labels do not fit the crops and classes of a project, or a labelled crop cannot be used."""

    heading = "the labels in {path} cannot be used"


class FeatureChoiceError(IlpixError, ValueError):
    """A choice of features is neither a preset nor a table of features and scales."""

    def __init__(self, choice: str, reason: str) -> None:
        super().__init__(choice, reason)
        self.choice, self.reason = choice, reason

    def __str__(self) -> str:
        return (
            f"features {self.choice!r}: {self.reason}; give 'all', '>=1px', 'fast', or a CSV table "
            "with one row per feature and one column per scale"
        )


class InvalidPanelError(ProblemsError):
    """A panel does not say which channels the images have."""

    heading = "{path} cannot be used as a panel"


class ChannelCountError(IlpixError, ValueError):
    """An image has another number of channels than the panel has rows."""

    def __init__(self, n_channels: int, panel: Path, n_kept: int, n_dropped: int) -> None:
        super().__init__(n_channels, panel, n_kept, n_dropped)
        self.n_channels, self.panel = n_channels, panel
        self.n_kept, self.n_dropped = n_kept, n_dropped

    def __str__(self) -> str:
        text = f"the image has {self.n_channels} channels, but {self.panel} describes {self.n_kept}"
        if self.n_channels == self.n_kept + self.n_dropped:
            return (
                f"{text} and leaves out {self.n_dropped} by a 0 in column 'keep'; "
                "the image holds those too: export it without them, or set their 'keep' to 1"
            )
        return f"{text}; each kept row of the panel stands for one channel, in order"


class NoImagesError(IlpixError, FileNotFoundError):
    """There is nothing to work on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return f"no image (*.tif, *.tiff) was found below {self.folder}; is this the right folder?"


class NoPreparedImagesError(NoImagesError):
    """There are no prepared images to predict."""

    def __str__(self) -> str:
        return f"no prepared image (*.h5) was found in {self.folder}; run ilpix prepare first"


class DuplicateImagesError(IlpixError, ValueError):
    """Several images have one name, so their results would overwrite each other."""

    def __init__(self, duplicates: tuple[tuple[Path, ...], ...]) -> None:
        super().__init__(duplicates)
        self.duplicates = duplicates

    def __str__(self) -> str:
        lines = "".join(f"\n  {' and '.join(map(str, paths))}" for paths in self.duplicates)
        return f"images whose results would have the same name; rename all but one:{lines}"


class NonFinitePixelsError(IlpixError, ValueError):
    """An image holds pixels that are not a number, or infinite."""

    def __init__(self, path: Path, count: int, first: tuple[int, int, int]) -> None:
        super().__init__(path, count, first)
        self.path, self.count, self.first = path, count, first

    def __str__(self) -> str:
        channel, y, x = self.first
        return (
            f"{self.path} has {self.count} pixels that are NaN or infinite, the first in channel "
            f"{channel} (counted from 0) at y {y}, x {x}; export it again or set them to 0"
        )


class NoProjectError(IlpixError, FileNotFoundError):
    """There is no project file of that name."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"there is no project {self.path}; make one (ilpix prepare), or check the path"


class UnreadableProjectError(IlpixError, OSError):
    """A project file is damaged, or no HDF5 file."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path} cannot be opened as an Ilastik project: {self.reason}; "
            "check the path, or restore the file from a backup"
        )


class ProjectLockedError(IlpixError, OSError):
    """Another program has the project open."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return (
            f"{self.path} is open in another program; save and close it in Ilastik, then try again"
        )


class WrongWorkflowError(IlpixError, ValueError):
    """A project belongs to another Ilastik workflow."""

    def __init__(self, path: Path, workflow: str) -> None:
        super().__init__(path, workflow)
        self.path, self.workflow = path, workflow

    def __str__(self) -> str:
        return (
            f"{self.path} is a project of the workflow {self.workflow!r}; "
            "choose or create a project of the workflow 'Pixel Classification'"
        )


class LabelClassesError(IlpixError, ValueError):
    """The names of the label classes cannot be used."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(names)
        self.names = names

    def __str__(self) -> str:
        return (
            f"a project needs 2 to 20 classes with names that differ and are not empty, "
            f"got {', '.join(map(repr, self.names)) or 'none'}"
        )


class LabelsError(ProblemsError):
    """Labels cannot be stored in a project."""

    heading = "the labels do not fit {path}"


class ProjectInUseError(IlpixError, FileExistsError):
    """A project that carries a person's work would be replaced."""

    def __init__(self, path: Path, carries: str) -> None:
        super().__init__(path, carries)
        self.path, self.carries = path, carries

    def __str__(self) -> str:
        return (
            f"{self.path} carries {self.carries} and is not replaced; choose another name, "
            "or ask for it to be overwritten (it is backed up first)"
        )


class ImageTooSmallError(IlpixError, ValueError):
    """An image has fewer pixels along an axis than a selected feature scale needs."""

    def __init__(self, height: int, width: int, scale: float, needed: int) -> None:
        super().__init__(height, width, scale, needed)
        self.height, self.width, self.scale, self.needed = height, width, scale, needed

    def __str__(self) -> str:
        return (
            f"the image has {self.height} rows and {self.width} columns, but features at scale "
            f"{self.scale} px need {self.needed} pixels along both; leave the image out, or choose "
            "smaller scales and train again"
        )


class NotFiniteError(IlpixError, ValueError):
    """Features cannot be computed, as a pixel is NaN or infinite."""

    def __init__(self, channel: int, y: int, x: int) -> None:
        super().__init__(channel, y, x)
        self.channel, self.y, self.x = channel, y, x

    def __str__(self) -> str:
        return (
            f"the image has a pixel that is NaN or infinite, the first in channel {self.channel} "
            f"(counted from 0) at y {self.y}, x {self.x}; it would spread over all features around "
            "it: export the image again or set such pixels to 0"
        )


class NoClassifierError(IlpixError, ValueError):
    """A project cannot predict, as it was not trained."""

    def __init__(self, path: Path, missing: str) -> None:
        super().__init__(path, missing)
        self.path, self.missing = path, missing

    def __str__(self) -> str:
        return (
            f"{self.path} has no {self.missing}; train it (ilpix train), or in Ilastik choose "
            "features, label, switch on Live Update and save the project"
        )


class WrongChannelsError(IlpixError, ValueError):
    """An image has another number of channels than the classifier was trained with."""

    def __init__(self, n_channels: int, n_trained: int) -> None:
        super().__init__(n_channels, n_trained)
        self.n_channels, self.n_trained = n_channels, n_trained

    def __str__(self) -> str:
        return (
            f"the image has {self.n_channels} channels, but the classifier was trained with "
            f"{self.n_trained}; prepare it with the panel and options of the training images"
        )


class InvalidProbabilitiesError(IlpixError, ValueError):
    """A file is not the probability image that it should be."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(path, what)
        self.path, self.what = path, what

    def __str__(self) -> str:
        return f"{self.path} is not a valid probability image: {self.what}; predict it again"


class OneCropError(IlpixError, ValueError):
    """The labels of one crop alone cannot be judged on another crop."""

    def __init__(self, crops: tuple[str, ...]) -> None:
        super().__init__(crops)
        self.crops = crops

    def __str__(self) -> str:
        return (
            f"the labels in {', '.join(self.crops)} do not allow cross-validation over crops; "
            "label two or more classes in each of at least two crops"
        )


class StoppedError(IlpixError):
    """A prediction ended early because it was asked to; nothing was written."""

    def __str__(self) -> str:
        return "the prediction was stopped before its end"


class FixRefusedError(ProblemsError):
    """A project and its crops cannot be fixed as they are; nothing was changed."""

    heading = "{path} is not fixed"
