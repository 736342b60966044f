"""What of the input of each verb is looked at before Prefect is imported."""

from pathlib import Path

from command.given import AllSteps, require_folder, require_output
from containers.apptainer_file import FROM_DOCKER, require_apptainer, require_image_file
from flows.crop_sizes import require_crop_fits
from flows.engine_choice import engine_kind, local_program
from flows.errors import EveryImageTooSmallError
from flows.options import (
    CheckOptions,
    FixOptions,
    ImportOptions,
    PrepareOptions,
    RunOptions,
    TrainOptions,
)
from flows.running.choosing import choose
from flows.settings import Settings
from ilpix.images.chosen_crops import read_chosen
from ilpix.images.hdf5 import find_prepared
from ilpix.images.panel import read_panel
from ilpix.prediction.errors import NoClassifierError
from ilpix.project.errors import NoLabelSourceError, NoProjectError, ProjectInUseError
from ilpix.project.file import FEATURES, FORESTS
from ilpix.project.holding import holds
from ilpix.project.label_sources import read_label_source
from ilpix.project.reading import read_project
from ilpix.project.writing import require_replaceable
from ilpix.repair.plan import require_crops, require_plannable
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
            _refuse_importing(data_dir, options)
        case TrainOptions():
            _refuse_training(data_dir, options)
        case RunOptions():
            _refuse_predicting(data_dir, options, settings)
        case FixOptions():
            _refuse_fixing(data_dir, options)
        case CheckOptions():
            require_output(data_dir / options.probabilities)
        case AllSteps():
            _refuse_steps(data_dir, options, settings)


def _refuse_steps(data_dir: Path, steps: AllSteps, settings: Settings) -> None:
    _refuse_preparing(data_dir, steps.preparing)
    _require_engine(steps.predicting, settings)
    _require_features(data_dir, steps.training)
    require_output(data_dir / steps.predicting.probabilities)
    source = steps.training.labels
    if source and not (data_dir / source).exists():
        raise NoLabelSourceError(data_dir / source)


def _refuse_preparing(data_dir: Path, options: PrepareOptions) -> None:
    require_folder(data_dir / options.img)
    panel = read_panel(data_dir / options.panel, zero_unused=options.zero_unused)
    folders = (data_dir / options.imgout, data_dir / options.cropout)
    require_output(*folders, file=data_dir / options.ilp)
    found = find_sources(data_dir / options.img, panel, options.reading)
    chosen = choose(found.names, options.only)
    sources = [source for source in found.sources if source.name in chosen]
    try:
        require_crop_fits(sources, panel, options)
    except EveryImageTooSmallError:
        if _cuts_crops(data_dir, options):
            raise


def _cuts_crops(data_dir: Path, options: PrepareOptions) -> bool:
    """Tell whether the crop size decides which crops there will be."""
    if read_chosen(data_dir / options.cropout):
        return False
    try:
        require_replaceable(data_dir / options.ilp)
    except ProjectInUseError:
        return options.overwrite
    return True


def _refuse_importing(data_dir: Path, options: ImportOptions) -> None:
    raw, panel = data_dir / options.raw, data_dir / options.panel
    require_folder(raw)
    require_output(data_dir / options.imgout, file=data_dir / options.infoout)
    require_raw_files(raw)
    if panel.exists():
        read_panel(panel)
    if options.only is not None:
        from flows.acquisitions import require_chosen  # noqa: PLC0415 - only here

        require_chosen(raw, options.only)


def _refuse_predicting(data_dir: Path, options: RunOptions, settings: Settings) -> None:
    _require_engine(options, settings)
    project = data_dir / options.ilp
    # the run reads all of it, which takes a second where there are a thousand crops
    if not holds(project, FORESTS, FEATURES) and not read_project(project).has_classifier:
        raise NoClassifierError(project, "classifier")
    require_output(data_dir / options.probabilities)
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
        holds(project)
        require_plannable(project, data_dir / options.crop, options.axisorder)
        require_crops(project, data_dir / options.crop, partial=options.partial)
