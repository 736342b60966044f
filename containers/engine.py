"""The container engine: reach it, ask what it has, and translate its errors in one place."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
import requests

from containers.errors import (
    ContainerError,
    EngineRefusedError,
    EngineUnreachableError,
    SourceNotFoundError,
)
from containers.run import Account, Limits
from containers.settings import ContainerSettings

LOCAL_SOCKET = "unix:///var/run/docker.sock"
REQUEST_TIMEOUT_S = 60
NOBODY = 65534
MEMORY_SHARE = 0.9  # of the engine's memory, for all runs together


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What an engine is and has."""

    cpus: int
    memory_bytes: int
    is_podman: bool
    is_rootless: bool


@contextmanager
def connected(settings: ContainerSettings) -> Iterator[docker.DockerClient]:
    """Yield a client of the engine that the settings, DOCKER_HOST or the local socket name.

    Raises:
        EngineUnreachableError: if nothing answers there, or it speaks another language.
    """
    address = _address(settings)
    _require_listener(address)
    try:
        client = (
            docker.DockerClient(base_url=settings.engine, timeout=REQUEST_TIMEOUT_S)
            if settings.engine
            else docker.from_env(timeout=REQUEST_TIMEOUT_S)
        )
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise EngineUnreachableError(address, str(error)) from error
    try:
        yield client
    finally:
        client.close()


def require_socket(settings: ContainerSettings) -> None:
    """Raise where there is no engine that could be waited for: no file at the address of a socket.

    Raises:
        EngineUnreachableError: then.
    """
    address = _address(settings)
    path = _socket_of(address)
    if path and not path.exists():
        raise EngineUnreachableError(address, "there is no such file")


def read_facts(client: docker.DockerClient) -> EngineFacts:
    """Ask an engine for its cores, its memory and its kind."""
    with translated("describe itself"):
        info = client.info()
        parts = client.version().get("Components") or []
    return EngineFacts(
        cpus=int(info["NCPU"]),
        memory_bytes=int(info["MemTotal"]),
        is_podman=any("podman" in str(part.get("Name", "")).lower() for part in parts),
        is_rootless=any("rootless" in str(option) for option in info.get("SecurityOptions") or []),
    )


def plan_limits(settings: ContainerSettings, facts: EngineFacts) -> tuple[Limits, int]:
    """Share an engine among parallel runs.

    Returns:
        The limits of a first attempt, and the ceiling of its memory in bytes.
    """
    share = int(facts.memory_bytes * MEMORY_SHARE) // settings.parallel
    ceiling = min(settings.memory_ceiling_bytes or share, facts.memory_bytes)
    cpus = settings.cpus or max(1.0, facts.cpus / settings.parallel)
    limits = Limits(
        memory_bytes=min(settings.memory_bytes, ceiling),
        cpus=min(cpus, facts.cpus),
        pids=settings.pids,
        timeout_s=settings.timeout_s,
    )
    return limits, ceiling


def plan_account(facts: EngineFacts, uid: int, gid: int) -> Account:
    """Choose who runs in the container: the caller; for root, somebody without rights.

    A rootless engine maps ids: for Docker its root is the caller, Podman can keep the caller's id.
    """
    if facts.is_rootless:
        return Account(f"{uid}:{gid}", "keep-id") if facts.is_podman else Account("0:0")
    if uid == 0:
        return Account(f"{NOBODY}:{NOBODY}")
    return Account(f"{uid}:{gid}")


@contextmanager
def translated(request: str) -> Iterator[None]:
    """Turn the SDK's and its HTTP library's errors into ours; `request` completes "did not ..."."""
    try:
        yield
    except docker.errors.APIError as error:
        raise _refusal(request, str(error.explanation or error)) from error
    except docker.errors.DockerException as error:
        raise EngineRefusedError(request, str(error)) from error
    except requests.RequestException as error:
        raise EngineUnreachableError("its socket", str(error)) from error


def _address(settings: ContainerSettings) -> str:
    return settings.engine or os.environ.get("DOCKER_HOST") or LOCAL_SOCKET


def _socket_of(address: str) -> Path | None:
    """The file of a Unix socket; None for other addresses, and on Windows, which has pipes."""
    kind, _, path = address.partition("://")
    is_file = sys.platform != "win32" and kind in {"unix", "http+unix"}
    return Path(path) if is_file else None


def _require_listener(address: str) -> None:
    """Raise `EngineUnreachableError` if nothing listens on a Unix socket; other addresses pass.

    The SDK (docker 7.2) says less about it, and leaves the socket open.
    """
    path = _socket_of(address)
    if sys.platform == "win32" or path is None:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError as error:
            raise EngineUnreachableError(address, error.strerror or str(error)) from error


def _refusal(request: str, reason: str) -> ContainerError:
    if "bind source path does not exist" in reason or (
        "statfs" in reason and "no such file" in reason
    ):
        return SourceNotFoundError(reason)
    return EngineRefusedError(request, reason)
