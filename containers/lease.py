"""Who owns what: a living run holds a file lock, and what a dead run left is swept.

The lock is the kernel's: it goes when its process ends in whatever way, it cannot be confused with
another process of the same number, and it is seen from another container that mounts the same
folder. A container of a run whose lock file is not in this folder belongs to other data or
another machine, and is left alone.
"""

import logging
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
from filelock import FileLock

from containers.engine import translated
from containers.errors import ContainerError, LeaseError
from containers.run import LEASE_LABEL, RUN_LABEL
from ilpix.wording import counted

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to have containers and a private folder."""

    name: str
    folder: Path  # private, empty at first, removed at the end


@contextmanager
def held_lease(runs: Path, client: docker.DockerClient | None = None) -> Iterator[Lease]:
    """Yield a lease below the folder `runs`; what it covers goes at the end.

    That is its containers, its private folder and its lock. Where the engine does not answer, the
    lock file stays, free, for the next sweep.

    Raises:
        LeaseError: if the file system there knows no locks.
    """
    name = secrets.token_hex(8)
    lease = Lease(name, runs / name)
    held = _locked(runs / f"{name}.lock")  # first: a sweep in between finds nothing to remove
    lease.folder.mkdir()
    try:
        yield lease
    finally:
        try:
            _clear(client, lease)
        except ContainerError as error:
            held.release()
            logger.warning("containers of lease %s are left for the next sweep: %s", name, error)
        else:
            _remove(held)


def sweep_orphans(client: docker.DockerClient, runs: Path) -> list[str]:
    """Remove the containers and private folders of runs that ended without doing so.

    Returns:
        The names of the containers.
    """
    removed = []
    for lock in sorted(runs.glob("*.lock")):
        if (held := _lock_if_free(lock)) is None:
            continue
        try:
            removed += _clear(client, Lease(lock.stem, runs / lock.stem))
        except ContainerError:
            held.release()
            raise
        _remove(held)
    if removed:
        logger.warning(
            "removed what a killed run left, %s: %s",
            counted(len(removed), "container"),
            ", ".join(removed),
        )
    return removed


def sweep_folders(runs: Path) -> list[str]:
    """Remove the private folders of runs that ended without doing so; return the runs' names."""
    ended = []
    for lock in sorted(runs.glob("*.lock")):
        if (held := _lock_if_free(lock)) is not None:
            _clear(None, Lease(lock.stem, runs / lock.stem))
            _remove(held)
            ended.append(lock.stem)
    return ended


def remove_run(client: docker.DockerClient, run: str) -> list[str]:
    """Remove every container labelled with a run's id, running or not; return their names."""
    return remove_containers(client, RUN_LABEL, run)


def remove_containers(client: docker.DockerClient, label: str, value: str) -> list[str]:
    """Remove every container with this label, running or not; return their names."""
    with translated("list its containers"):
        found = client.containers.list(
            all=True, filters={"label": f"{label}={value}"}, ignore_removed=True
        )
    return [
        str(container.name) for container in found if remove_container(client, str(container.id))
    ]


def remove_container(client: docker.DockerClient, name: str) -> bool:
    """Kill and remove a container; return whether it was there."""
    with translated(f"remove the container {name}"):
        try:
            client.api.remove_container(name, force=True, v=True)
        except docker.errors.NotFound:
            return False
        except docker.errors.APIError as error:
            if error.status_code == 409:  # somebody else is removing it at this moment
                return True
            raise
    return True


def remove_container_quietly(client: docker.DockerClient, name: str) -> None:
    """Remove a container, or where the engine does not answer, leave it to the next sweep."""
    try:
        remove_container(client, name)
    except ContainerError as error:
        logger.warning("container %s is left for the next sweep: %s", name, error)


def _clear(client: docker.DockerClient | None, lease: Lease) -> list[str]:
    removed = remove_containers(client, LEASE_LABEL, lease.name) if client else []
    shutil.rmtree(lease.folder, ignore_errors=True)
    return removed


def _remove(held: FileLock) -> None:
    """Remove a lock file: while it is locked, but on Windows, where nobody can."""
    if sys.platform != "win32":
        Path(held.lock_file).unlink(missing_ok=True)
    held.release(force=True)


def _locked(path: Path) -> FileLock:
    """Return the lock on a new file."""
    held = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held.acquire()
        while not path.exists():  # a sweep met it before it was locked
            held.release()
            held.acquire()
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LeaseError(path.parent, reason) from error
    return held


def _lock_if_free(path: Path) -> FileLock | None:
    held = FileLock(path)
    try:
        held.acquire(blocking=False)
    except (OSError, NotImplementedError):  # Timeout is one; or it is another person's
        return None
    return held
