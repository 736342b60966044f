"""`classify`: all of it, from images to probabilities, with a person where a person is needed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from prefect import flow, suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment
from pydantic import Field

from flows.errors import ImagesFailedError, TrainingNeededError
from flows.options import PrepareOptions, RunOptions, TrainOptions
from flows.prepare import prepare
from flows.run import run
from flows.train import train
from ilpix.project import PixelProject, read_project

WAIT_FOR_A_PERSON_S = 30 * 24 * 3600.0

_log = logging.getLogger(__name__)


class TrainedByHand(RunInput):
    """What a person says after training."""

    next_step: Literal[
        "the project is trained", "train from the labels in the project", "use another project"
    ] = Field("the project is trained", title="What now?", json_schema_extra={"position": 0})
    other_project: str = Field(
        "",
        title="Other project",
        description="path of a trained .ilp, in the data directory unless absolute",
        json_schema_extra={"position": 1},
    )


@flow(name="classify", flow_run_name="classify-{data_dir.name}")
def classify(
    data_dir: Path = Path(),
    preparing: PrepareOptions = PrepareOptions(),
    training: TrainOptions = TrainOptions(),
    predicting: RunOptions = RunOptions(),
) -> list[Path]:
    """Prepare images, train or wait for a person to train, predict, report.

    Where the project has no classifier it is trained from its labels, or from label images. Where there are none either, a
    deployed run suspends itself until somebody has trained and resumes it; elsewhere it ends and says what to do.

    Args:
        data_dir: the folder that holds images and panel, and gets all results.
        preparing: how images are prepared and crops chosen.
        training: how labels become a classifier.
        predicting: how images are predicted.

    Returns:
        The probability images.

    Raises:
        TrainingNeededError: if a person has to train, and the run cannot wait.
        ImagesFailedError: if images failed; the others are finished.
    """
    failed: list[ImagesFailedError] = []
    path = data_dir / preparing.ilp
    with failing_later(failed):
        prepare(data_dir, preparing)
    if failed and not path.exists():
        raise failed[0]
    project = read_project(path)
    chosen = predicting.model_copy(update={"ilp": preparing.ilp})
    if training.labels or (project.has_labels and not project.has_classifier):
        train(data_dir, training.model_copy(update={"ilp": preparing.ilp}))
    elif not project.has_classifier:
        chosen = _wait_for_training(data_dir, project, training, chosen)
    probabilities: list[Path] = []
    with failing_later(failed):
        probabilities = run(data_dir, chosen)
    if failed:
        raise ImagesFailedError(
            "classify",
            {image: reason for error in failed for image, reason in error.failures.items()},
            max(error.n_images for error in failed),
        )
    return probabilities


@contextmanager
def failing_later(failed: list[ImagesFailedError]) -> Iterator[None]:
    """Note that some images failed, and go on with the others."""
    try:
        yield
    except ImagesFailedError as error:
        failed.append(error)


def _wait_for_training(
    data_dir: Path, project: PixelProject, training: TrainOptions, predicting: RunOptions
) -> RunOptions:
    """Let a person train; return with which project to go on.

    A suspended run starts from the top when it is resumed: what was done by then is not done again.
    """
    if deployment.get_id() is None:
        raise TrainingNeededError(project.path)
    answer = suspend_flow_run(
        wait_for_input=TrainedByHand.with_initial_data(description=how_to_train(project)),
        timeout=WAIT_FOR_A_PERSON_S,
        key="training",
    )
    if answer.next_step == "train from the labels in the project":
        train(data_dir, training.model_copy(update={"ilp": predicting.ilp}))
    if answer.next_step == "use another project":
        return predicting.model_copy(update={"ilp": Path(answer.other_project)})
    return predicting


def how_to_train(project: PixelProject) -> str:
    """Tell a person how to train a project by hand."""
    return (
        f"Open `{project.path.absolute()}` in Ilastik (`ilpix gui` starts it), draw labels of every class "
        "in several crops, switch *Live Update* on, save the project, then resume this run."
    )
