"""Files of `run`: prepared image to probability image."""

import time
from pathlib import Path
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun
from prefect.states import State
from prefect.tasks import exponential_backoff

from containers.outcome import PredictionOutcome
from containers.prediction import PredictionRequest
from ilpix.prediction.probabilities import class_areas
from tasks.caching import ContentPolicy, is_known, key_of
from tasks.engines import Engine, facts_of
from tasks.records import FilesWritten, files_written
from tasks.stopping import stop_event, stop_if_asked
from tasks.unchanged import require_unchanged_inputs

MOST_RETRIES = 3


def may_pass(
    task: Task[..., Any],  # noqa: ARG001 - part of Prefect's signature
    task_run: TaskRun,
    state: State[Any],
) -> bool:
    """Tell whether a failure may be gone at the next try; errors say so themselves."""
    error = state.result(raise_on_failure=False)
    most = getattr(error, "most_retries", MOST_RETRIES)
    return bool(getattr(error, "retryable", False)) and task_run.run_count <= most


RETRIES: dict[str, Any] = {
    "retries": MOST_RETRIES,
    "retry_delay_seconds": exponential_backoff(2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": may_pass,
}


@task(
    name="predict-image",
    task_run_name="predict-{image.stem}",
    cache_policy=ContentPolicy(
        algorithm=1, without=("project", "engine", "workspace", "run", "outcome", "known_as")
    ),
    result_serializer="json",
    cache_result_in_memory=False,
    **RETRIES,
)
def predict_image(  # noqa: PLR0913 - what decides the result, and what computes it
    image: Path,
    target: Path,
    project: Path,
    engine: Engine,
    classifier: str,  # noqa: ARG001 - part of the key
    computed_by: str,  # noqa: ARG001 - part of the key
    workspace: Path,
    run: str = "",
    outcome: PredictionOutcome | None = None,
    known_as: str | None = None,
) -> FilesWritten:
    """Predict one prepared image.

    Args:
        image: prepared image, (C, Y, X).
        target: probability image, (Y, X, K) uint16.
        project: trained project.
        engine: what predicts.
        classifier: digest of the trained classifier; with `computed_by` it decides what had been
            done before.
        computed_by: the engine's identity.
        workspace: the folder `.ilpix` of the data directory, for logs and private files.
        run: an id that containers carry.
        outcome: where the image was part of a batch, what came of it there.
        known_as: and the key that it had before.
    """
    stop_if_asked()
    started = time.perf_counter()
    if outcome is None:
        request = PredictionRequest(project, (image,), (target,), workspace, run)
        (outcome,) = engine.predict(request, stop_event())
    facts = facts_of(outcome)
    require_unchanged_inputs(discard=[target], known_as=known_as)
    seconds = round(time.perf_counter() - started, 3)
    return files_written(
        target, engine=engine.kind, seconds=seconds, **class_areas(target), **facts
    )


@task(name="predict-batch", cache_policy=NO_CACHE, persist_result=False, **RETRIES)
def predict_batch(
    work: Task[..., FilesWritten], calls: list[dict[str, Any]]
) -> list[State[FilesWritten]]:
    """Predict several images in one run of the engine, each with a task run and record of its own.

    Args:
        work: `predict_image`, with its options.
        calls: parameters of `work`, one per image, with the same project and engine.

    Returns:
        How each ended, in the same order.
    """
    stop_if_asked()
    fresh = [call for call in calls if not is_known(work, call)]
    known_as = {call["image"]: key_of(work, call) for call in fresh}
    outcomes: dict[Path, PredictionOutcome] = {}
    if fresh:
        first = fresh[0]
        request = PredictionRequest(
            first["project"],
            tuple(call["image"] for call in fresh),
            tuple(call["target"] for call in fresh),
            first["workspace"],
            first["run"],
        )
        predicted = first["engine"].predict(request, stop_event())
        outcomes = {outcome.image: outcome for outcome in predicted}
    return [
        work(
            **call,
            outcome=outcomes.get(call["image"]),
            known_as=known_as.get(call["image"]),
            return_state=True,
        )
        for call in calls
    ]
