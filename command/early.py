"""What is found out before Prefect is imported: the commonest mistakes are answered at once.

The flows find the same, and more; here is only what costs less than their start.
"""

from pathlib import Path

from flows.engine_choice import engine_kind
from flows.options import (
    CheckOptions,
    FixOptions,
    ImportOptions,
    PrepareOptions,
    RunOptions,
    TrainOptions,
)
from flows.settings import Settings
from ilpix.errors import NoFolderError, NoPanelError
from ilpix.prediction.errors import NoClassifierError
from ilpix.project.errors import NoProjectError


def refuse_early(data_dir: Path, options: object) -> None:
    """Raise what the flow of a verb would raise for lack of its input.

    Raises:
        IlpixError: naming what is missing or does not fit, as it was given.
    """
    settings = Settings()
    require_folder(data_dir)
    if isinstance(options, RunOptions | CheckOptions):
        engine_kind(options, settings)
    from ilpix.project.file import FEATURES, FORESTS  # noqa: PLC0415 - HDF5
    from ilpix.project.holding import holds  # noqa: PLC0415 - HDF5
    from ilpix.project.reading import read_project  # noqa: PLC0415 - HDF5

    match options:
        case PrepareOptions():
            require_folder(data_dir / options.img)
            if not (data_dir / options.panel).exists():
                raise NoPanelError(data_dir / options.panel)
        case ImportOptions():
            require_folder(data_dir / options.raw)
        case TrainOptions():
            read = read_project(data_dir / options.ilp)
            if options.labels:
                from ilpix.project.label_sources import read_label_source  # noqa: PLC0415 - HDF5

                read_label_source(read, data_dir / options.labels, clear=options.clear)
        case RunOptions():
            project = data_dir / options.ilp
            # the run reads all of it, which takes a second where there are a thousand crops
            if not holds(project, FORESTS, FEATURES) and not read_project(project).has_classifier:
                raise NoClassifierError(project, "classifier")
            require_folder(data_dir / options.img)
        case FixOptions():
            if not (data_dir / options.ilp).exists():
                raise NoProjectError(data_dir / options.ilp)
        case _:
            pass


def require_folder(folder: Path) -> None:
    """Make sure that a folder is there.

    Raises:
        NoFolderError: if it is not.
    """
    if not folder.is_dir():
        raise NoFolderError(folder)
