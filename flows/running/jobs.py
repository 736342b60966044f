"""Jobs are replaced when they end, also those that ended before they could connect.

Dask sees a job only once it has connected. Those that it still waits for are looked for in SLURM's
list: one that is gone from it is replaced, and where several in a row are gone, or one waits for
what will never be, the run is given up. So it is where a job cannot be called back: Dask would ask
for its results for ever.
"""

import asyncio
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed.comm import get_address_host_port
from distributed.deploy.adaptive import Adaptive
from distributed.security import Security

from containers.person import user_id
from flows.running.cluster_errors import (
    JobRefusedError,
    JobsNotStartingError,
    NodeOutOfReachError,
)
from ilpix.errors import IlpixError

MOST_FAILURES = 3
LOOK_EVERY_S = 5.0
LOG_TAIL_CHARS = 2000
CONNECT_S = 20.0  # the kernel answers, however busy the job is
USUAL = frozenset({"None", "Priority", "Resources"})  # reasons to wait, as squeue gives them
HOPELESS = frozenset(
    {"PartitionTimeLimit", "PartitionNodeLimit", "BadConstraints", "InvalidAccount", "InvalidQOS"}
)

_log = logging.getLogger(__name__)


@contextmanager
def new_keys(folder: Path) -> Iterator[Security]:
    """Make the keys by which a run and its jobs know each other, in a folder that only we read."""
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    folder.mkdir(mode=0o700, parents=True)
    untyped: Any = Security
    texts = untyped.temporary().get_tls_config_for_role("worker")
    files = {name: folder / name for name in ("ca_file", "key", "cert")}
    try:
        for name, file in files.items():
            file.write_text(texts[name])
        own = {
            f"tls_{role}_{name}": str(files[name])
            for role in ("scheduler", "worker", "client")
            for name in ("key", "cert")
        }
        yield untyped(require_encryption=True, tls_ca_file=str(files["ca_file"]), **own)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class KeptJobs(Adaptive):
    """Keeps as many jobs as there is work for.

    Attributes:
        failure: why no job can work, once that is known.
    """

    cluster: Any  # of dask-jobqueue, which has no types

    def __init__(self, *args: Any, lists_jobs: bool, logs: Path, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lists_jobs, self.logs = lists_jobs, logs
        self.failure: IlpixError | None = None
        self._n_failures = 0
        self._looked = time.monotonic()
        self._told: set[str] = set()
        self._called: set[str] = set()

    async def adapt(self) -> None:
        """Look after the jobs; called every second."""
        if self.lists_jobs and time.monotonic() - self._looked > LOOK_EVERY_S:
            self._looked = time.monotonic()
            await self._look_for_missing()
        await self._call_new()
        if self.failure is None:
            await super().adapt()

    async def _call_new(self) -> None:
        """Connect once to each job that has connected to us."""
        workers = self.cluster.scheduler.workers
        for address in workers.keys() - self._called:
            self._called.add(address)
            if not await _can_connect(address) and address in workers:
                self._give_up(NodeOutOfReachError(address))

    async def _look_for_missing(self) -> None:
        missing = {name: self.cluster.workers[name] for name in self.requested - self.observed}
        if self.observed:
            self._n_failures = 0
        queued = await _queued_jobs() if missing else None
        if queued is None:
            return
        waiting = {queued[job.job_id] for job in missing.values() if job.job_id in queued}
        self._tell(waiting - USUAL)
        if hopeless := waiting & HOPELESS:
            self._give_up(JobRefusedError(f"it would wait for ever ({', '.join(hopeless)})"))
        lost = {name: job.job_id for name, job in missing.items() if job.job_id not in queued}
        if lost:
            await self._drop(lost)

    def _tell(self, reasons: set[str]) -> None:
        for reason in reasons - self._told:
            _log.warning("jobs wait in the queue: %s", reason)
        self._told |= reasons

    async def _drop(self, lost: dict[Any, str]) -> None:
        """Forget jobs that are gone, so that others take their place."""
        self._n_failures += len(lost)
        if self._n_failures >= MOST_FAILURES:
            log = next(self.logs.glob(f"*-{next(iter(lost.values()))}.err"), None)
            tail = log.read_text(errors="replace")[-LOG_TAIL_CHARS:] if log else ""
            self._give_up(JobsNotStartingError(self._n_failures, log, tail))
        await self.cluster.scale_down(lost)

    def _give_up(self, failure: IlpixError) -> None:
        """Cancel all work; whoever waits for it then looks at `failure`."""
        self.failure = failure
        scheduler = self.cluster.scheduler
        for client in list(scheduler.clients):
            keys = list(scheduler.tasks)
            scheduler.stimulus_cancel(keys, client, force=True, reason="given up", msg=str(failure))


async def _can_connect(address: str) -> bool:
    host, port = get_address_host_port(address)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_S)
    except OSError:  # refused, no way, or time is up
        return False
    writer.close()
    return True


async def _queued_jobs() -> dict[str, str] | None:
    """Return the user's jobs that wait or run, and why they wait; None if SLURM does not answer."""
    asked = await asyncio.create_subprocess_exec(
        *("squeue", "--noheader", "--format=%A %r", "--user", str(user_id())),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await asked.communicate()
    lines = (line.partition(" ") for line in out.decode().splitlines())
    return {job: reason for job, _, reason in lines} if asked.returncode == 0 else None
