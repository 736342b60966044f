"""Which engine a run uses, from its options and the machine's settings."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from prefect import Flow
from prefect.client.schemas.objects import FlowRun
from prefect.states import State

from containers.apptainer import prepare_apptainer
from containers.errors import ContainerError
from containers.predict import prepare_engine, remove_containers_of
from containers.settings import ApptainerSettings, ContainerSettings, LocalSettings
from flows.engine_choice import engine_kind, local_program, tell_choice
from flows.options import RunOptions
from flows.running.cluster import SCHEDULERS
from flows.running.progress import tell_pull
from flows.running.runners import Width
from flows.running.verb_run import VerbRun
from flows.settings import Settings
from tasks.engines import ApptainerEngine, DockerEngine, EmbeddedEngine, Engine, LocalEngine

MIB = 2**20
DELAYS_S = (2.0, 4.0, 8.0)  # an engine that is started anew, a registry that is busy

T = TypeVar("T")
_log = logging.getLogger(__name__)


def choose_engine(verb_run: VerbRun, options: RunOptions, n_images: int) -> Engine:
    """Get the engine of a run ready and note it for the manifest.

    Raises:
        IlastikNotUsedError: if an Ilastik is named for the engine that needs none.
        ContainerError: if a container engine, its image or a local program is not to be had.
    """
    kind = engine_kind(options, verb_run.settings)
    if told := tell_choice(options, kind):
        _log.warning("%s", told)
    width = verb_run.width(n_images)
    engine: Engine
    if kind == "docker":
        engine = _docker_engine(verb_run, options, width.parallel)
    elif kind == "apptainer":
        engine = _apptainer_engine(verb_run, options, width)
    elif kind == "local":
        engine = _local_engine(verb_run, options, width.parallel)
    else:
        engine = EmbeddedEngine(threads=options.threads or width.threads)
    verb_run.notes["engine"] = engine.identity
    return engine


def patiently(prepare: Callable[[], T], delays_s: Sequence[float] = DELAYS_S) -> T:
    """Get an engine ready, again some time later where what hinders it may pass.

    Raises:
        ContainerError: if it does not pass, or cannot.
    """
    for delay_s in delays_s:
        try:
            return prepare()
        except ContainerError as error:
            if not error.retryable:
                raise
            first, _, _ = str(error).partition("\n")
            _log.warning("%s; trying again in %g s", first, delay_s)
            time.sleep(delay_s)
    return prepare()


def remove_containers(
    flow: Flow[..., Any],  # noqa: ARG001 - part of Prefect's signature
    flow_run: FlowRun,
    state: State[Any],  # noqa: ARG001 - part of Prefect's signature
) -> None:
    """Remove the containers of a run that was cancelled or crashed before it could itself."""
    settings = Settings()
    chosen = [part.get("engine") for part in flow_run.parameters.values() if isinstance(part, dict)]
    if "docker" in (settings.engine, *chosen):
        remove_containers_of(settings.container, str(flow_run.id))


def _docker_engine(verb_run: VerbRun, options: RunOptions, n_parallel: int) -> DockerEngine:
    machine = verb_run.settings.container
    chosen = {"image": options.ilastik, "pull": options.pull, **_limits(options, n_parallel)}
    settings = ContainerSettings.model_validate({**machine.model_dump(), **_given(chosen)})
    image = patiently(
        lambda: prepare_engine(settings, verb_run.workspace, tell_pull(settings.image))
    )
    return DockerEngine(settings=settings, image=image)


def _apptainer_engine(verb_run: VerbRun, options: RunOptions, width: Width) -> ApptainerEngine:
    settings, machine = verb_run.settings, verb_run.settings.apptainer
    memory = options.mem * MIB if options.mem else machine.memory_bytes
    if settings.task_runner in SCHEDULERS:
        memory = min(memory, settings.cluster.memory // width.parallel)
    chosen = {
        **_limits(options, width.parallel),
        "image": options.ilastik,
        "pull": options.pull,
        "cpus": options.threads or machine.cpus or width.threads,
        "memory_bytes": memory,
    }
    chosen_settings = ApptainerSettings.model_validate({**machine.model_dump(), **_given(chosen)})
    image = patiently(lambda: prepare_apptainer(chosen_settings, verb_run.workspace))
    return ApptainerEngine(settings=chosen_settings, image=image)


def _local_engine(verb_run: VerbRun, options: RunOptions, n_parallel: int) -> LocalEngine:
    machine = verb_run.settings.local
    program = local_program(options, verb_run.settings)
    chosen = {"program": program, **_limits(options, n_parallel)}
    settings = {**(machine.model_dump() if machine else {}), **_given(chosen)}
    return LocalEngine(settings=LocalSettings.model_validate(settings))


def _limits(options: RunOptions, n_parallel: int) -> dict[str, Any]:
    return {
        "cpus": options.threads,
        "memory_bytes": options.mem and options.mem * MIB,
        "batch": options.batch,
        "parallel": n_parallel,
    }


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
