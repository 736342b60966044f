"""The task runner of a run and its width, from settings and cores."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from prefect.settings import PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED, temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows.running.cluster import SCHEDULERS, cluster_runner
from flows.settings import Settings
from ilpix.cores import n_cores

AnyRunner = TaskRunner[Any]
RAY_STORE_BYTES = 2**27  # paths and digests travel, never pixels


class Width(NamedTuple):
    """How wide a run works on one machine."""

    parallel: int  # images at the same time
    threads: int  # threads for each image


def choose_width(settings: Settings, n_images: int) -> Width:
    """Share the cores among the images: several small runs use them better than one wide one."""
    cores = _cores(settings)
    parallel = settings.parallel or max(1, min(cores, n_images))
    return Width(parallel, settings.threads or max(1, cores // parallel))


@contextmanager
def task_runner(settings: Settings, width: Width, workspace: Path) -> Iterator[AnyRunner]:
    """Yield the runner that the settings name, started; it ends with the block.

    Tasks may run where Prefect's server cannot be reached: what they do is in files, and they do
    not ask it first.
    """
    with (
        temporary_settings({PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED: False}),
        _runner(settings, width, workspace) as runner,
    ):
        yield runner


def _cores(settings: Settings) -> int:
    if settings.task_runner in SCHEDULERS:
        return settings.cluster.cores
    return n_cores()


def _runner(settings: Settings, width: Width, workspace: Path) -> AbstractContextManager[AnyRunner]:
    match settings.task_runner:
        case "threads":
            return ThreadPoolTaskRunner(max_workers=width.parallel)
        case "processes":
            return ProcessPoolTaskRunner(max_workers=width.parallel)
        case "dask":
            return _dask_runner(settings, width)
        case "ray":
            return _ray_runner(settings, width)
        case kind:
            return cluster_runner(kind, settings.cluster, width.parallel, workspace)


def _dask_runner(settings: Settings, width: Width) -> AnyRunner:
    from prefect_dask import DaskTaskRunner  # noqa: PLC0415 - an extra, not installed everywhere

    if settings.dask_address:
        return DaskTaskRunner(address=settings.dask_address)
    return DaskTaskRunner(
        cluster_kwargs={
            "n_workers": width.parallel,
            "threads_per_worker": 1,
            "dashboard_address": None,
        }
    )


def _ray_runner(settings: Settings, width: Width) -> AnyRunner:
    from prefect_ray import RayTaskRunner  # noqa: PLC0415 - an extra, not installed everywhere

    local = {
        "num_cpus": width.parallel,
        "include_dashboard": False,
        "object_store_memory": RAY_STORE_BYTES,
        "logging_level": logging.ERROR,
        "log_to_driver": False,  # the terminal shows our own progress
    }
    runner: AnyRunner = RayTaskRunner(
        settings.ray_address, init_kwargs=None if settings.ray_address else local
    )
    return runner
