"""What of the input of each verb is looked at before Prefect is imported."""

from pathlib import Path

from command.given import AllSteps, require_folder
from containers.apptainer_file import FROM_DOCKER, require_apptainer, require_image_file
from flows.engine_choice import engine_kind, local_program
from flows.options import FixOptions, ImportOptions, PrepareOptions, RunOptions, TrainOptions
from flows.running.choosing import choose
from flows.settings import Settings
from ilpix.errors import NoPanelError
from ilpix.images.hdf5 import find_prepared
from ilpix.images.panel import read_panel
from ilpix.prediction.errors import NoClassifierError
from ilpix.project.errors import NoLabelSourceError, NoProjectError
from ilpix.project.file import FEATURES, FORESTS
from ilpix.project.holding import holds
from ilpix.project.label_sources import read_label_source
from ilpix.project.reading import read_project
from ilpix.repair.plan import require_plannable
from ilpix.repair.rescue import require_unused
from ilpix.sources.finding import find_sources
from ilpix.sources.raw_imc import require_raw_files
from ilpix.training.errors import NoLabelsError
from ilpix.training.feature_table import choose_features


def refuse(data_dir: Path, options: object, settings: Settings) -> None:
    """Raise what the flow of a verb would raise, of what can be seen at once.

    Raises:
        IlpixError: naming what is missing or does not fit.
    """
    match options:
        case PrepareOptions():
            _refuse_preparing(data_dir, options)
        case ImportOptions():
            require_folder(data_dir / options.raw)
            require_raw_files(data_dir / options.raw)
        case TrainOptions():
            _refuse_training(data_dir, options)
        case RunOptions():
            _refuse_predicting(data_dir, options, settings)
        case FixOptions():
            _refuse_fixing(data_dir, options)
        case AllSteps():
            _refuse_preparing(data_dir, options.preparing)
            _require_engine(options.predicting, settings)
            _require_features(data_dir, options.training)
            source = options.training.labels
            if source and not (data_dir / source).exists():
                raise NoLabelSourceError(data_dir / source)
        case _:
            pass


def _refuse_preparing(data_dir: Path, options: PrepareOptions) -> None:
    require_folder(data_dir / options.img)
    if not (data_dir / options.panel).exists():
        raise NoPanelError(data_dir / options.panel)
    panel = read_panel(data_dir / options.panel, zero_unused=options.zero_unused)
    if options.only:
        choose(find_sources(data_dir / options.img, panel, options.reading).names, options.only)


def _refuse_predicting(data_dir: Path, options: RunOptions, settings: Settings) -> None:
    _require_engine(options, settings)
    project = data_dir / options.ilp
    # the run reads all of it, which takes a second where there are a thousand crops
    if not holds(project, FORESTS, FEATURES) and not read_project(project).has_classifier:
        raise NoClassifierError(project, "classifier")
    choose([image.stem for image in find_prepared(data_dir / options.img)], options.only)


def _refuse_training(data_dir: Path, options: TrainOptions) -> None:
    project = read_project(data_dir / options.ilp)
    _require_features(data_dir, options)
    if options.labels:
        read_label_source(project, data_dir / options.labels, clear=options.clear)
    elif not (project.has_labels or project.training_problems):
        raise NoLabelsError(project.path)


def _require_features(data_dir: Path, options: TrainOptions) -> None:
    if options.features is not None:
        table = data_dir / options.features
        choose_features(str(table) if table.is_file() else options.features)


def _require_engine(options: RunOptions, settings: Settings) -> None:
    kind = engine_kind(options, settings)
    if kind == "local":
        local_program(options, settings)
    if kind == "docker":
        from containers.engine import require_socket  # noqa: PLC0415 - the engine's own library

        require_socket(settings.container)
    image = options.ilastik or settings.apptainer.image
    if kind == "apptainer":
        if not image.startswith(FROM_DOCKER):
            require_image_file(image)
        require_apptainer()


def _refuse_fixing(data_dir: Path, options: FixOptions) -> None:
    project = data_dir / options.ilp
    if not project.exists():
        raise NoProjectError(project)
    if options.rescue:
        require_unused(project, data_dir / options.rescue)
    else:
        require_plannable(project, data_dir / options.crop, options.axisorder)
