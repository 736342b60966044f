"""What all errors that are raised on purpose have in common; each wing has its own beside it.

Each class is one cause. Its annotations are its facts: they are the arguments of its constructor
and its attributes, and `Exception` gets the same, so that an error survives pickling on its way out
of another process. It says what, where and what to do in `__str__`.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, dataclass_transform

from ilpix.wording import in_words_of_the_place

MOST_NAMES = 3  # in one sentence


def name_some(names: Sequence[str]) -> str:
    """Name the first of some things, and say how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def told_shape(shape: Sequence[int]) -> str:
    """Write the lengths of axes as people do: 4×120×120."""
    return "×".join(map(str, shape)) or "1"


@dataclass_transform(eq_default=False)
@dataclass(eq=False, repr=False)
class IlpixError(Exception):
    """Base of all errors raised on purpose.

    Example:
        >>> try:
        ...     read_project(Path("other.ilp"))
        ... except IlpixError as error:
        ...     print(type(error).__name__)
        NoProjectError
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclass(eq=False, repr=False)(cls)
        if "__str__" in vars(cls):
            cls.__str__ = _in_words_of_the_place(cls.__str__)  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        super().__init__(*(getattr(self, fact.name) for fact in fields(self)))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the text says what, where and what to do."""
        return [f"{type(self).__name__}: {self}"]


def _in_words_of_the_place(text: Callable[[Any], str]) -> Callable[[Any], str]:
    @wraps(text)
    def told(error: IlpixError) -> str:
        return in_words_of_the_place(text(error))

    return told


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file."""

    where: str  # the place: a path inside an HDF5 file, a row of a panel
    what: str  # what is wrong there and, where it is known, what to do


class ProblemsError(IlpixError, ValueError):
    """Something is wrong in several places of a file; each kind of file has a class of its own."""

    heading: ClassVar[str] = "{path} cannot be used"

    path: Path
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        places: defaultdict[str, list[str]] = defaultdict(list)
        for problem in self.problems:
            places[problem.what].append(problem.where)
        lines = "".join(f"\n  {name_some(where)}: {what}" for what, where in places.items())
        return f"{self.heading.format(path=self.path)}:{lines}"


class InvalidProjectError(ProblemsError):
    """A project file does not hold what it must."""

    heading = "{path} cannot be used as an Ilastik project"


class NoFolderError(IlpixError, FileNotFoundError):
    """A folder that a person named is not there."""

    folder: Path

    def __str__(self) -> str:
        return f"there is no folder {self.folder}; check the path, or where you are"


class NotAFolderError(IlpixError, NotADirectoryError):
    """What a person named as a folder is a file."""

    concerns_all: ClassVar[bool] = True

    path: Path

    def __str__(self) -> str:
        return f"{self.path} is a file, not a folder; name the folder it is in, or another one"


class NotAFileError(IlpixError, IsADirectoryError):
    """What a person named as a file is a folder."""

    path: Path

    def __str__(self) -> str:
        return f"{self.path} is a folder, not a file; name a file in it, or another one"


class NoPanelError(IlpixError, FileNotFoundError):
    """The panel is not there."""

    path: Path

    def __str__(self) -> str:
        return (
            f"there is no panel {self.path}; write one, a row for each channel of the images "
            "(channel,name,ilastik), or name it with --panel"
        )


class DiskFullError(IlpixError, OSError):
    """A disk has no room left, or a person's share of it is used up."""

    concerns_all: ClassVar[bool] = True

    folder: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"the disk of {self.folder} is full: {self.reason}; what was finished is kept and "
            "nothing is half-written. Make room there and run the same again"
        )


class FolderNotWritableError(IlpixError, OSError):
    """Nothing can be written to a folder."""

    concerns_all: ClassVar[bool] = True

    folder: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.folder} cannot be written to: {self.reason}; results and records go there, so "
            "work in a folder of your own"
        )


class DiskLostError(IlpixError, OSError):
    """A disk or a network share gives no answer, or one that makes no sense."""

    retryable: ClassVar[bool] = True

    path: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.path}: its disk or network share does not answer ({self.reason}); nothing is "
            "half-written. When it is back, run the same again"
        )


class FileNotReplacedError(IlpixError, OSError):
    """A file was written, but cannot take its place."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.path} cannot be replaced: {self.reason}; it is as it was. Close the program "
            "that has it open, or move away what has its name"
        )


class NameTooLongError(IlpixError, OSError):
    """The name of a result is longer than the disk allows."""

    path: Path

    def __str__(self) -> str:
        return (
            f"{self.path.parent} takes no name as long as {self.path.name}; "
            "give the image a shorter name"
        )
