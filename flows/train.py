"""`train`: labels become a classifier that is stored in the project, as Ilastik stores it."""

import logging
from pathlib import Path

from prefect import flow

from flows.artifacts import show_markdown
from flows.options import TrainOptions
from flows.report import REPORT
from flows.verb_run import VerbRun, running
from ilpix.feature_choice import choose_features
from ilpix.project import read_project
from ilpix.quality_report import JSON_NAME, TABLE_NAME
from tasks.training import crop_files, digest_labels, train_classifier

_log = logging.getLogger(__name__)


@flow(name="train", flow_run_name="train-{data_dir.name}")
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
        report = run.path(Path(REPORT)) / "training"
        written = run.for_each_image(
            train_classifier,
            {
                project.path.name: {
                    "target": project.path,
                    "source": source,
                    "crops": crop_files(project),
                    "labels": digest_labels(project, source),
                    "features": choose_features(_choice(run, options.features)),
                    "seed": options.seed,
                    "targets": (report / JSON_NAME,) if options.quality else (),
                }
            },
        )
        for trained in written.values():
            for sentence in trained.facts["advice"]:
                _log.warning("%s", sentence)
        if options.quality and written:
            show_markdown("train-quality", (report / TABLE_NAME).read_text(encoding="utf-8"))
    return project.path


def _choice(run: VerbRun, features: str) -> str:
    """A preset as it is, a table where it lies in the data directory."""
    table = run.path(Path(features))
    return str(table) if table.is_file() else features
