"""`classify`: all of it, from images to probabilities, with a person where a person is needed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import UUID

from prefect import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment, flow_run
from pydantic import Field

from flows.classify_form import PredictingForm, TrainingForm
from flows.engines import remove_containers
from flows.errors import ImagesFailedError, TrainingNeededError
from flows.options import PrepareOptions, RunOptions, TrainOptions
from flows.prepare import prepare
from flows.run import run
from flows.running.verb_flow import verb_flow
from flows.showing.artifacts import show_markdown
from flows.train import train
from ilpix.errors import IlpixError
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import PixelProject, read_project

_log = logging.getLogger(__name__)
WAIT_FOR_A_PERSON_S = 30 * 24 * 3600
ANNOTATE_PORT = 8765  # in what a person is told; any would do


class TrainedByHand(RunInput):
    """What a person says after training."""

    next_step: Literal[
        "predict with the project of this run",
        "train from label images",
        "predict with another project",
    ] = Field(
        "predict with the project of this run",
        title="Go on how?",
        description="labels in the project of this run are enough: it is trained from them if it "
        "was saved without a classifier",
        json_schema_extra={"position": 0},
    )
    label_images: str = Field(
        "labels",
        title="Label images",
        description="folder of images named like the crops (0 = unlabelled, 1 = first class), in "
        "the data directory unless absolute; read only to train from label images",
        json_schema_extra={"position": 1},
    )
    other_project: str = Field(
        "",
        title="Other project",
        description="a trained .ilp, in the data directory unless absolute; read only to predict "
        "with another project",
        json_schema_extra={"position": 2},
    )


@verb_flow(
    form={"training": TrainingForm, "predicting": PredictingForm},
    name="classify",
    flow_run_name="classify-{data_dir.name}",
    on_cancellation=[remove_containers],
    on_crashed=[remove_containers],
)
def classify(
    data_dir: Path = Path(),
    preparing: PrepareOptions = PrepareOptions(),
    training: TrainOptions = TrainOptions(),
    predicting: RunOptions = RunOptions(),
    if_untrained: Literal["wait", "fail"] = "wait",
) -> list[Path]:
    """Prepare images, train or wait for a person to train, predict, report.

    Where the project has no classifier it is trained from its labels, or from label images. Where
    there are none either, a deployed run suspends itself until somebody has trained and resumes it;
    elsewhere, or if told not to wait, it ends and says what to do.

    Args:
        data_dir: the folder that holds images and panel, and gets all results, as the worker sees
            it.
        preparing: how images are prepared and crops chosen.
        training: how labels become a classifier; its project is always the prepared one.
        predicting: how images are predicted; its project and images are always the prepared ones.
        if_untrained: what a deployed run does where nobody has trained yet.

    Returns:
        The probability images.

    Raises:
        TrainingNeededError: if a person has to train, and the run cannot wait.
        ImagesFailedError: if images failed; the others are finished.
    """
    failed: list[ImagesFailedError] = []
    path = data_dir / preparing.ilp
    with failing_later(failed):
        prepare(data_dir, _with_seed(preparing))
    if failed and not path.exists():
        raise failed[0]
    project = read_project(path)
    training = training.model_copy(update={"ilp": preparing.ilp})
    chosen = predicting.model_copy(
        update={
            "ilp": preparing.ilp,
            "img": preparing.imgout,
            "only": predicting.only or preparing.only,
        }
    )
    if training.labels or (
        (project.has_labels or project.training_problems) and not project.has_classifier
    ):
        train(data_dir, training)
    elif not project.has_classifier:
        if deployment.get_id() is None or if_untrained == "fail":
            raise TrainingNeededError(path)
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


def _with_seed(preparing: PrepareOptions) -> PrepareOptions:
    """Draw a missing seed from the id of the run: the same one when the run is resumed.

    It does not count as chosen by a person.
    """
    if preparing.seed is not None:
        return preparing
    chosen = dict(preparing) | {"seed": UUID(flow_run.id).int % 2**32}
    return PrepareOptions.model_construct(preparing.model_fields_set, **chosen)


def _wait_for_training(
    data_dir: Path, project: PixelProject, training: TrainOptions, predicting: RunOptions
) -> RunOptions:
    """Let a person train, ask again while that is no good, and return how to predict.

    A suspended run starts from the top when it is resumed: what was done by then is not done again,
    and what was answered by then is not asked again.
    """
    told, visit = how_to_train(project), 1
    while True:
        show_markdown("classify-training", data_dir, told, "what this run waits for")
        _log.warning("this run is suspended until somebody has trained. %s", told)
        answer = suspend_flow_run(
            wait_for_input=TrainedByHand.with_initial_data(description=told),
            timeout=WAIT_FOR_A_PERSON_S,
            key=f"training-{visit}",
        )
        try:
            return _follow(answer, data_dir, training, predicting)
        except IlpixError as error:
            told = f"**That did not work:** {error}\n\n{how_to_train(project)}"
            visit += 1


def _follow(
    answer: TrainedByHand, data_dir: Path, training: TrainOptions, predicting: RunOptions
) -> RunOptions:
    """Do what a person chose; return how to predict.

    Raises:
        IlpixError: if there is no classifier to predict with then.
    """
    if answer.next_step == "train from label images":
        train(data_dir, training.model_copy(update={"labels": Path(answer.label_images)}))
    if answer.next_step == "predict with another project":
        predicting = predicting.model_copy(update={"ilp": Path(answer.other_project)})
    Classifier.of(read_project(data_dir / predicting.ilp))
    return predicting


def how_to_train(project: PixelProject) -> str:
    """Tell a person how to train a project by hand."""
    path, port = project.path.absolute(), ANNOTATE_PORT
    return (
        f"Label in the browser: run `ilpix annotate -C {path.parent}` on the machine of this run, "
        "paint lines of every class in several crops, and press *Save and continue the run*. From "
        f"another machine, start `ssh -L {port}:127.0.0.1:{port} MACHINE` first, put "
        f"`--port {port} --no-browser` behind the command there, and open the address that it "
        "prints.\n\n"
        f"Or open `{path}` in Ilastik (`ilpix gui` starts it), draw labels, switch *Live Update* "
        "on, save the project and close it. Then resume this run here."
    )
