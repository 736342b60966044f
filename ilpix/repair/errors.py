"""Why a project cannot be fixed."""

from pathlib import Path

from ilpix.errors import IlpixError, ProblemsError, name_some
from ilpix.wording import counted


class FixRefusedError(ProblemsError):
    """A project and its crops cannot be fixed as they are; nothing was changed."""

    heading = "{path} is not fixed"


class NoCropFolderError(IlpixError, LookupError):
    """The folder in which crops are looked for is not there."""

    folder: Path
    n_crops: int  # that the project names
    project: Path
    origins: tuple[str, ...]  # folders in which they lie, as the project has it

    def __str__(self) -> str:
        return (
            f"there is no folder {self.folder} with the {counted(self.n_crops, 'crop')} of "
            f"{self.project}, which names {name_some(self.origins)}; copy the crops there, or name "
            "the folder they are in with --crop"
        )
