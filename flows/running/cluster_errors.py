"""What can go wrong between a run and the scheduler of a cluster."""

from pathlib import Path

from ilpix.errors import IlpixError


class ClusterExtraMissingError(IlpixError, ImportError):
    """The library that talks to schedulers is not installed."""

    kind: str

    def __str__(self) -> str:
        return f"the task runner '{self.kind}' needs dask-jobqueue: pip install 'ilpix[cluster]'"


class SchedulerMissingError(IlpixError, LookupError):
    """The scheduler's own command is not on this machine."""

    kind: str
    command: str

    def __str__(self) -> str:
        return (
            f"the task runner '{self.kind}' submits with {self.command}, which is not on this "
            "machine: start the run on a login node"
        )


class JobRefusedError(IlpixError, ValueError):
    """The scheduler would not run such a job."""

    reason: str

    def __str__(self) -> str:
        return (
            f"the scheduler refuses a job like the ones asked for: {self.reason}\n"
            "Compare ILPIX_CLUSTER__QUEUE, __ACCOUNT, __CORES, __MEMORY and __WALLTIME with what "
            "sinfo shows."
        )


class JobsNotStartingError(IlpixError, RuntimeError):
    """One job after the other ended before it could compute anything."""

    n_jobs: int
    log: Path | None
    log_tail: str

    def __str__(self) -> str:
        where = f"; the last one wrote ({self.log}):\n{self.log_tail}" if self.log else ""
        return (
            f"{self.n_jobs} jobs in a row ended before they had connected to this machine. The "
            "compute nodes need the same Python on a shared disk and a way to the port of this "
            f"machine (ILPIX_CLUSTER__HOST, __PORT, __PYTHON, __PROLOGUE){where}"
        )


class CannotListenError(IlpixError, OSError):
    """This machine cannot wait for its jobs where it was told to."""

    where: str
    reason: str

    def __str__(self) -> str:
        return (
            f"this machine cannot listen to its jobs at {self.where}: {self.reason}; "
            "ILPIX_CLUSTER__HOST, __PORT and __INTERFACE say where, and are all found out where "
            "none is given"
        )


class NodeOutOfReachError(IlpixError, ConnectionError):
    """A job has connected, but cannot be called back."""

    address: str

    def __str__(self) -> str:
        return (
            f"a job runs at {self.address}, but this machine cannot connect to it and would wait "
            "for its results for ever: connections between login and compute nodes have to pass "
            "both ways (a firewall, or another network: ILPIX_CLUSTER__INTERFACE)"
        )


class WorkersLostError(IlpixError, RuntimeError):
    """Every worker that was given an image was lost."""

    n_workers: int

    def __str__(self) -> str:
        return (
            f"every worker that was given it was lost, {self.n_workers} in all: give them more "
            "memory or more time (jobs: ILPIX_CLUSTER__MEMORY, __WALLTIME)"
        )
