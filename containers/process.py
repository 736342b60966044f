"""Run one program on this machine to its end, its whole process group with it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from containers.errors import RunCancelledError
from containers.run_errors import LOG_TAIL_CHARS
from containers.runner import POLL_S, Finished

GRACE_S = 5.0  # between the request to end and the kill


def run_process(
    command: Sequence[str],
    environment: Mapping[str, str],
    log_path: Path,
    timeout_s: float,
    stop: threading.Event,
) -> Finished:
    """Run a program; what it says goes to a file, so that no pipe can fill up.

    Raises:
        RunCancelledError: if `stop` was set before the end.
    """
    if stop.is_set():
        raise RunCancelledError
    begin = time.monotonic()
    log_path.parent.mkdir(parents=True, exist_ok=True)
    log_path.unlink(missing_ok=True)  # nothing is written to what a link leads to
    with log_path.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 the operator names the program
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    try:
        status = _wait_for_exit(process, begin + timeout_s, stop)
    finally:
        _end_group(process)
    return Finished(
        status=None if status is None else _as_container_status(status),
        seconds=time.monotonic() - begin,
        log_tail=log_path.read_bytes()[-LOG_TAIL_CHARS:].decode(errors="replace"),
        timed_out=status is None,
    )


def end_writers(log_name: str) -> list[int]:
    """Kill every process whose output goes to a file with this text in its name; return their ids.

    It reaches what a killed run left: children keep the output that they were started with.
    """
    if sys.platform == "win32":  # which tells nobody
        return []
    found = [
        int(output.parts[2])
        for output in Path("/proc").glob("[0-9]*/fd/1")
        if log_name in _target_name(output)
    ]
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return found


def _target_name(link: Path) -> str:
    try:
        return link.readlink().name
    except OSError:  # another user's, or it has ended
        return ""


def _wait_for_exit(
    process: subprocess.Popen[bytes], deadline: float, stop: threading.Event
) -> int | None:
    while time.monotonic() < deadline:
        if (status := process.poll()) is not None:
            return status
        if stop.wait(POLL_S):
            raise RunCancelledError
    return None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the process group: first ask, then kill."""
    if sys.platform == "win32":
        process.kill()
        process.wait()
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(GRACE_S)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _as_container_status(status: int) -> int:
    """Return the exit code that a container engine gives for a process ended by a signal."""
    return 128 - status if status < 0 else status
