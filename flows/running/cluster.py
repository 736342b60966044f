"""A task runner on the jobs of a cluster (SLURM, PBS, LSF, SGE), by Dask.

The program that submits listens; its jobs connect to it, encrypted and with a key that only this
run has. There are as many jobs as there is work for, up to the most that is allowed. One that ends
early is replaced, and its images are computed again.
"""

import logging
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from prefect.futures import PrefectFuture
from prefect.states import Failed, State
from prefect.task_runners import TaskRunner

from flows.cluster_settings import ClusterSettings
from flows.running.cluster_errors import (
    CannotListenError,
    ClusterExtraMissingError,
    JobRefusedError,
    SchedulerMissingError,
    WorkersLostError,
)
from ilpix.data_directory import JOBS, LOGS

JOB_NAME = "ilpix"
DEATH_TIMEOUT_S = 60  # after which a job that cannot connect gives up
LOOPBACK = ("--dashboard-address", "127.0.0.1:0")  # a page of a job that nobody looks at
QUICK = "100ms"  # what an image is taken to last: as many jobs are started as there are images


class Scheduler(NamedTuple):
    """What differs among the schedulers."""

    cluster: str  # class of dask_jobqueue
    account: str  # its word for the account


SCHEDULERS = {
    "slurm": Scheduler("SLURMCluster", "account"),
    "pbs": Scheduler("PBSCluster", "account"),
    "lsf": Scheduler("LSFCluster", "project"),
    "sge": Scheduler("SGECluster", "project"),
}


@contextmanager
def cluster_runner(
    kind: str, settings: ClusterSettings, parallel: int, workspace: Path
) -> Iterator[TaskRunner[Any]]:
    """Yield a runner whose tasks run in jobs; the jobs end with the block.

    Args:
        kind: a key of `SCHEDULERS`.
        settings: what a job is and how many there may be.
        parallel: images at the same time in one job.
        workspace: the folder `.ilpix` of the data directory, which every job sees.

    Raises:
        ClusterExtraMissingError, SchedulerMissingError, CannotListenError, JobRefusedError: before
            any job.
        JobsNotStartingError: if jobs end before they compute, one after the other.
        NodeOutOfReachError: if this machine cannot fetch what a job has to say.
    """
    try:
        with _own_interrupt():
            import dask_jobqueue  # noqa: PLC0415 - an extra, not installed everywhere
        from prefect_dask import DaskTaskRunner  # noqa: PLC0415 - as above

        from flows.running.jobs import KeptJobs, new_keys  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ClusterExtraMissingError(kind) from error
    cluster_class = getattr(dask_jobqueue, SCHEDULERS[kind].cluster)
    _require_command(kind, cluster_class.job_cls.submit_command.split()[0])
    _require_listening(settings)
    logging.getLogger("distributed").setLevel(logging.ERROR)  # jobs that end are no news
    options = cluster_options(kind, settings, parallel, workspace / LOGS / JOBS)
    with new_keys(workspace / JOBS) as keys, cluster_class(**options, security=keys) as cluster:
        if kind == "slurm":
            _require_accepted(cluster.job_script())
        jobs = cluster.adapt(
            KeptJobs,
            minimum_jobs=settings.min_jobs,
            maximum_jobs=settings.max_jobs,
            target_duration=QUICK,
            lists_jobs=kind == "slurm",
            logs=workspace / LOGS / JOBS,
        )
        try:
            with DaskTaskRunner(cluster=cluster) as runner:
                yield runner
        except Exception as error:
            raise (jobs.failure or error) from None


def cluster_options(
    kind: str, settings: ClusterSettings, parallel: int, logs: Path
) -> dict[str, Any]:
    """Return the settings in the words of dask-jobqueue."""
    return {
        "queue": settings.queue,
        SCHEDULERS[kind].account: settings.account,
        "cores": settings.cores,
        "processes": 1,
        "memory": f"{settings.memory}B",
        "walltime": _walltime(kind, settings.walltime),
        "job_name": JOB_NAME,
        "job_script_prologue": [settings.prologue] if settings.prologue else [],
        "job_extra_directives": list(settings.directives),
        "python": settings.python and str(settings.python),
        "log_directory": str(logs),
        "protocol": "tls",  # not dask-jobqueue's "tls://", with which a job looks for its address
        # on the way to the internet instead of on the way to this machine
        "interface": settings.interface,
        "death_timeout": DEATH_TIMEOUT_S,
        "nanny": False,
        "worker_extra_args": ["--nthreads", str(parallel), "--no-dashboard", *LOOPBACK],
        "scheduler_options": _listening(settings),
    }


def _walltime(kind: str, walltime: str) -> str:
    hours_and_minutes, _, _ = walltime.rpartition(":")
    return hours_and_minutes if kind == "lsf" and ":" in hours_and_minutes else walltime


def _listening(settings: ClusterSettings) -> dict[str, Any]:
    where = {"host": settings.host} if settings.host else {}
    page = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    return {**where, **page, "port": settings.port}


def lost_state(future: PrefectFuture[Any]) -> State[Any] | None:
    """Return the state of a task that Dask gave up, None for any other.

    Raises:
        CancelledError: if the whole run was given up.
    """
    wrapped = getattr(future, "wrapped_future", None)
    status = getattr(wrapped, "status", None)
    if wrapped is None or status not in {"error", "cancelled", "lost"}:
        return None
    error = wrapped.exception()
    if status != "error":
        raise error
    lost = WorkersLostError(error.allowed_failures + 1) if _is_killed_worker(error) else error
    return Failed(data=lost, message=str(lost))


def _is_killed_worker(error: BaseException) -> bool:
    return type(error).__name__ == "KilledWorker"  # of distributed, which is an extra


@contextmanager
def _own_interrupt() -> Iterator[None]:
    """Keep what Ctrl-C does: dask-jobqueue 0.9 makes it a quiet exit when it is imported."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _require_command(kind: str, command: str) -> None:
    if shutil.which(command) is None:
        raise SchedulerMissingError(kind, command)


def _require_listening(settings: ClusterSettings) -> None:
    """Try the place where jobs are to find this machine."""
    names = [name for _, name in socket.if_nameindex()]
    if settings.interface and settings.interface not in names:
        reason = f"there is no such network interface, only {', '.join(names)}"
        raise CannotListenError(f"'{settings.interface}'", reason)
    host = settings.host or ""
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, settings.port))
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotListenError(f"{host or '*'}:{settings.port}", reason) from error


def _require_accepted(job_script: str) -> None:
    """Ask SLURM whether it would run a job, without submitting one."""
    asked = subprocess.run(
        ["sbatch", "--test-only"],  # noqa: S607 - where the site has it
        input=job_script,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        said = asked.stderr.strip() or f"exit code {asked.returncode}"
        reason = said.splitlines()[0].removeprefix("sbatch: error: ")
        raise JobRefusedError(reason.removeprefix("allocation failure: "))
