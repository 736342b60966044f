"""Run one container from create to remove, whatever happens on the way."""

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors

from containers.engine import translated
from containers.errors import ContainerError, RunCancelledError
from containers.lease import remove_container_quietly
from containers.run import ContainerRun
from containers.run_errors import LOG_TAIL_CHARS

POLL_S = 0.2
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a process ended."""

    status: int | None  # exit code; None where it ran out of time or vanished
    seconds: float
    log_tail: str
    out_of_memory: bool = False
    timed_out: bool = False


def run_to_completion(
    client: docker.DockerClient, run: ContainerRun, log_path: Path, stop: threading.Event
) -> Finished:
    """Run one container to its end, keep its log in `log_path`, and leave nothing else of it.

    Raises:
        RunCancelledError: if `stop` was set before the end.
        EngineUnreachableError, EngineRefusedError, SourceNotFoundError: if the engine does not play
        its part.
    """
    if stop.is_set():
        raise RunCancelledError
    begin = time.monotonic()
    log_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with translated(f"create a container of {run.image}"):
            client.containers.create(run.image, **run.create_options())
        with translated(f"start {run.program} in {run.image}"):
            client.api.start(run.name)
        state = _wait_for_exit(client, run, begin + run.limits.timeout_s, stop)
    finally:
        log_tail = _keep_log(client, run.name, log_path)
        remove_container_quietly(client, run.name)
    return Finished(
        status=None if state is None or state.get("Vanished") else int(state["ExitCode"]),
        seconds=time.monotonic() - begin,
        log_tail=log_tail,
        out_of_memory=bool(state and state.get("OOMKilled")),
        timed_out=state is None,
    )


def _wait_for_exit(
    client: docker.DockerClient, run: ContainerRun, deadline: float, stop: threading.Event
) -> dict[str, Any] | None:
    """Return the container's last state; None where the deadline came first."""
    while time.monotonic() < deadline:
        with translated(f"tell how {run.name} is"):
            try:
                state: dict[str, Any] = client.api.inspect_container(run.name)["State"]
            except docker.errors.NotFound:
                return {"Vanished": True}
        if state["Status"] in {"exited", "dead", "stopped"}:
            return state
        if stop.wait(POLL_S):
            raise RunCancelledError
    return None


def _keep_log(client: docker.DockerClient, name: str, log_path: Path) -> str:
    """Write what the container said to `log_path` and return the end of it."""
    try:
        with translated(f"hand over the log of {name}"):
            log = client.api.logs(name, stdout=True, stderr=True)
    except ContainerError as error:
        logger.debug("no log of %s: %s", name, error)
        return ""
    log_path.unlink(missing_ok=True)  # nothing is written to what a link leads to
    log_path.write_bytes(log)
    return log[-LOG_TAIL_CHARS:].decode(errors="replace")
