"""Files of `run`: prepared image to probability image."""

import time
from pathlib import Path

from prefect import Task, task
from prefect.client.schemas.objects import TaskRun
from prefect.states import State
from prefect.tasks import exponential_backoff

from ilpix.probabilities import class_areas
from tasks.caching import ContentPolicy
from tasks.engines import Engine
from tasks.records import FilesWritten, files_written
from tasks.stopping import stop_event, stop_if_asked


def may_pass(
    task: Task[..., object],  # noqa: ARG001 - part of Prefect's signature
    task_run: TaskRun,  # noqa: ARG001 - part of Prefect's signature
    state: State[object],
) -> bool:
    """Tell whether a failure may be gone at the next try; errors say so themselves."""
    error = state.result(raise_on_failure=False)
    return bool(getattr(error, "retryable", False))


@task(
    name="predict-image",
    task_run_name="predict-{image.stem}",
    cache_policy=ContentPolicy(algorithm=1, without=("project", "engine")),
    result_serializer="json",
    cache_result_in_memory=False,
    retries=3,
    retry_delay_seconds=exponential_backoff(2),
    retry_jitter_factor=0.5,
    retry_condition_fn=may_pass,
)
def predict_image(
    image: Path, target: Path, project: Path, engine: Engine, classifier: str, computed_by: str
) -> FilesWritten:
    """Predict one prepared image.

    Args:
        image: prepared image, (C, Y, X).
        target: probability image, (Y, X, K) uint16.
        project: trained project.
        engine: what predicts.
        classifier: digest of the trained classifier; decides, with `computed_by`, whether work had been done before.
        computed_by: the engine's identity.
    """
    stop_if_asked()
    started = time.perf_counter()
    engine.predict(project, image, target, stop_event())
    seconds = round(time.perf_counter() - started, 3)
    return files_written(target, seconds=seconds, areas=class_areas(target), engine=engine.kind)
