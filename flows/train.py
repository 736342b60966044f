"""`train`: labels become a classifier that is stored in the project, as Ilastik stores it."""

import logging
from pathlib import Path

from flows.options import TrainOptions
from flows.running.verb_flow import verb_flow
from flows.running.verb_run import VerbRun, running
from flows.showing.artifacts import show_markdown
from ilpix.data_directory import TRAINING_REPORT
from ilpix.features.selection import FeatureSelection, default_selection
from ilpix.project.reading import PixelProject, read_project
from ilpix.training.feature_table import choose_features
from ilpix.training.quality_report import JSON_NAME, TABLE_NAME
from ilpix.wording import in_words_of_the_place
from tasks.training import crop_files, digest_labels, suggest_selection, train_classifier

_log = logging.getLogger(__name__)


@verb_flow(name="train", flow_run_name="train-{data_dir.name}")
def train(data_dir: Path = Path(), options: TrainOptions = TrainOptions()) -> Path:
    """Train the classifier of a project from labels, without a window.

    Args:
        data_dir: the folder that holds the project and its crops.
        options: where the labels are, which features, and the seed.

    Returns:
        The trained project.

    Raises:
        ImagesFailedError: if the classifier could not be trained; nothing is changed then.
        IlpixError: if the project cannot be read.
    """
    with running("train", data_dir, options) as run:
        project = read_project(run.path(options.ilp))
        source = run.path(options.labels) if options.labels else None
        features = _choose(run, project, options.features)
        if options.suggest:
            _suggest(run, project, source, features, options.seed)
        else:
            _train(run, project, source, features, options)
    return project.path


def _train(
    run: VerbRun,
    project: PixelProject,
    source: Path | None,
    features: FeatureSelection,
    options: TrainOptions,
) -> None:
    report = run.path(TRAINING_REPORT)
    call = {
        "target": project.path,
        "source": source,
        "crops": crop_files(project),
        "labels": digest_labels(project, source),
        "features": features,
        "seed": options.seed,
        "clear": options.clear,
        "targets": (report / JSON_NAME,) if options.quality else (),
    }
    written = run.for_each_image(train_classifier, {project.path.name: call})
    for trained in written.values():
        run.notes["verdict"] = [*trained.facts["advice"], *trained.facts.get("verdict", ())]
        for sentence in run.notes["verdict"]:
            _log.info("%s", sentence)
    if options.quality and written:
        show_markdown("train-quality", run.data_dir, (report / TABLE_NAME).read_text("utf-8"))


def _suggest(
    run: VerbRun, project: PixelProject, source: Path | None, features: FeatureSelection, seed: int
) -> None:
    table = run.path(TRAINING_REPORT) / "features.csv"
    written = suggest_selection(table, project.path, source, features, seed)
    (columns, fewer), (accuracy, kept) = written.facts["columns"], written.facts["accuracy"]
    before, after = written.facts["seconds_per_megapixel"]
    _log.info(
        in_words_of_the_place(
            "%d of %d columns recognise %.1f %% of the labelled pixels of other crops (all: %.1f "
            "%%) and take %.2f s a megapixel (all: %.2f s); train with --features %s"
        ),
        *(fewer, columns, 100 * kept, 100 * accuracy, after, before, table),
    )
    run.notes["suggestion"] = {"table": str(table), **written.facts}


def _choose(run: VerbRun, project: PixelProject, choice: str | None) -> FeatureSelection:
    """A preset, a table in the data directory, else what the project has, else the usual."""
    if choice is None:
        return project.features or default_selection()
    table = run.path(Path(choice))
    return choose_features(str(table) if table.is_file() else choice)
