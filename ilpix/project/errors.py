"""Why a project cannot be opened, made, or labelled."""

from pathlib import Path

from ilpix.errors import IlpixError, ProblemsError


class UnusableLabelsError(ProblemsError):
    """Labels do not fit the crops and classes of a project, or a labelled crop cannot be used."""

    heading = "the labels in {path} cannot be used"


class NoProjectError(IlpixError, FileNotFoundError):
    """There is no project file of that name."""

    path: Path

    def __str__(self) -> str:
        if not self.path.parent.is_dir():
            return f"there is no folder {self.path.parent}, so no project in it; check the path"
        return f"there is no project {self.path}; make one (ilpix prepare), or check the path"


class NoLabelSourceError(IlpixError, FileNotFoundError):
    """There are no label images and no table of points where they were said to be."""

    source: Path

    def __str__(self) -> str:
        kind = "table" if self.source.suffix else "folder"
        return (
            f"there is no {kind} {self.source} to read labels from; check the path, or see how "
            "labels are saved: ilpix labels export"
        )


class UnreadableProjectError(IlpixError, OSError):
    """A project file is damaged, or no HDF5 file."""

    path: Path
    reason: str
    advice: str = "check the path, or restore the file from a backup"

    def __str__(self) -> str:
        return f"{self.path} cannot be opened as an Ilastik project: {self.reason}; {self.advice}"


class ProjectLockedError(IlpixError, OSError):
    """Another program has the project open."""

    path: Path

    def __str__(self) -> str:
        return (
            f"{self.path} is open in another program; save and close it in Ilastik, then try again"
        )


class WrongWorkflowError(IlpixError, ValueError):
    """A project belongs to another Ilastik workflow."""

    path: Path
    workflow: str

    def __str__(self) -> str:
        return (
            f"{self.path} is a project of the workflow {self.workflow!r}; "
            "choose or create a project of the workflow 'Pixel Classification'"
        )


class NotPlanarError(IlpixError, ValueError):
    """A project classifies volumes or time series."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.path} is a 3-D project or one of a time series ({self.reason}), and only "
            "planes are classified here; run it in Ilastik, or train a project of planes"
        )


class LabelClassesError(IlpixError, ValueError):
    """The names of the label classes cannot be used."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"a project needs 2 to 20 classes with names that differ and are not empty, "
            f"got {', '.join(map(repr, self.names)) or 'none'}"
        )


class LabelsError(ProblemsError):
    """Labels cannot be stored in a project."""

    heading = "the labels do not fit {path}"


class CropsNotExportedError(ProblemsError):
    """Some crops of a project cannot be read; the others were written."""

    heading = "crops of {path} could not be exported, the others are written"


class ProjectInUseError(IlpixError, FileExistsError):
    """A project that carries a person's work would be replaced."""

    path: Path
    carries: str

    def __str__(self) -> str:
        return (
            f"{self.path} carries {self.carries} and is not replaced; choose another name, "
            "or ask for it to be overwritten (it is backed up first)"
        )
