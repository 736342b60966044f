"""A container from create to remove, on a real engine."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from containers.errors import EngineRefusedError, RunCancelledError, SourceNotFoundError
from containers.run import TMP, BindMount, ContainerRun, Limits
from containers.runner import run_to_completion

pytestmark = pytest.mark.docker
NEVER = threading.Event()
Shell = Callable[..., ContainerRun]


def test_log_and_exit_code_come_back(
    client: docker.DockerClient, shell_run: Shell, tmp_path: Path
) -> None:
    finished = run_to_completion(
        client, shell_run("echo out; echo err >&2; exit 3"), tmp_path / "a.log", NEVER
    )
    assert finished.status == 3
    assert set(finished.log_tail.splitlines()) == {"out", "err"}
    assert (tmp_path / "a.log").read_text() == finished.log_tail


def test_deadline_stops_a_sleeping_container(
    client: docker.DockerClient, shell_run: Shell, tmp_path: Path
) -> None:
    limits = Limits(memory_bytes=64 * 2**20, cpus=0.5, pids=16, timeout_s=3)
    run = shell_run("echo asleep; sleep 600", limits=limits)
    finished = run_to_completion(client, run, tmp_path / "a.log", NEVER)
    assert finished.timed_out
    assert finished.status is None
    assert finished.log_tail == "asleep\n"
    assert client.containers.list(all=True, filters={"name": run.name}) == []


def test_stop_ends_a_running_container(
    client: docker.DockerClient, shell_run: Shell, tmp_path: Path
) -> None:
    stop = threading.Event()
    run = shell_run("sleep 600")
    timer = threading.Timer(1.0, stop.set)
    timer.start()
    with pytest.raises(RunCancelledError):
        run_to_completion(client, run, tmp_path / "a.log", stop)
    timer.join()
    assert client.containers.list(all=True, filters={"name": run.name}) == []


def test_memory_over_the_limit_is_told_apart(
    client: docker.DockerClient, shell_run: Shell, tmp_path: Path
) -> None:
    limits = Limits(memory_bytes=32 * 2**20, cpus=1, pids=16, timeout_s=60)
    run = shell_run("exec python3 -c 'bytearray(200 * 2**20)'", limits=limits)
    finished = run_to_completion(client, run, tmp_path / "a.log", NEVER)
    assert finished.out_of_memory
    assert finished.status == 137


def test_walls_hold_from_the_inside(
    client: docker.DockerClient, shell_run: Shell, tmp_path: Path
) -> None:
    """What the container can see of its limits, asked from inside it."""
    script = """
        id -u; id -g
        touch /root-is-writable 2>/dev/null && echo root writable
        touch /in/f/written 2>/dev/null && echo input writable
        touch /tmp/ok && echo tmp writable
        ls /sys/class/net
        grep -E '^(CapEff|NoNewPrivs)' /proc/self/status
        cat /proc/1/comm
    """
    mounts = (BindMount(tmp_path, "/in/f"),)
    tmp_path.chmod(0o777)
    finished = run_to_completion(
        client, shell_run(script, mounts=mounts), tmp_path / "a.log", NEVER
    )
    assert finished.log_tail.split() == [
        *(
            "65534",
            "65534",
            "tmp",
            "writable",
            "lo",
            "CapEff:",
            "0000000000000000",
            "NoNewPrivs:",
            "1",
        ),
        finished.log_tail.split()[-1],
    ]
    assert "init" in finished.log_tail.split()[-1]


def test_engine_is_told_every_limit(
    client: docker.DockerClient, shell_run: Shell, tmp_path: Path
) -> None:
    stop = threading.Event()
    run = shell_run("sleep 600", mounts=(BindMount(tmp_path, "/in/f"),))
    worker = threading.Thread(target=_run_until_stopped, args=(client, run, tmp_path, stop))
    worker.start()
    try:
        seen = _inspect_running(client, run.name)
    finally:
        stop.set()
        worker.join()
    host = seen["HostConfig"]
    assert {
        "Memory": 128 * 2**20,
        "NanoCpus": 500_000_000,
        "PidsLimit": 64,
        "NetworkMode": "none",
        "IpcMode": "private",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "Init": True,
        "Privileged": False,
        "AutoRemove": False,
        "Tmpfs": {TMP: "rw,noexec,nosuid,nodev,mode=1777"},
    }.items() <= host.items()
    assert host["MemorySwap"] in {128 * 2**20, -1}  # -1 where the kernel does not account for swap
    assert seen["Config"]["User"] == "65534:65534"
    assert {"HOME=/tmp", "LAZYFLOW_THREADS=1", "LAZYFLOW_TOTAL_RAM_MB=96"} <= set(
        seen["Config"]["Env"]
    )
    assert [(m["Destination"], m["RW"]) for m in seen["Mounts"]] == [("/in/f", False)]
    assert seen["Platform"] == "linux"


def test_source_unknown_to_the_engine_names_the_path_map(
    client: docker.DockerClient, shell_run: Shell, tmp_path: Path
) -> None:
    run = shell_run("true", mounts=(BindMount(tmp_path / "nowhere", "/in/f"),))
    with pytest.raises(SourceNotFoundError, match="path_map"):
        run_to_completion(client, run, tmp_path / "a.log", NEVER)
    assert not (tmp_path / "nowhere").exists()


def test_refused_request_leaves_no_container(
    client: docker.DockerClient, shell_run: Shell, tmp_path: Path
) -> None:
    run = replace(shell_run("true"), labels=(("ilpix.lease", "test"),), program="relative/../")
    try:
        finished = run_to_completion(client, run, tmp_path / "a.log", NEVER)
    except EngineRefusedError:
        pass
    else:
        assert finished.status in {126, 127}
    assert client.containers.list(all=True, filters={"name": run.name}) == []


def _run_until_stopped(
    client: docker.DockerClient, run: ContainerRun, folder: Path, stop: threading.Event
) -> None:
    with pytest.raises(RunCancelledError):
        run_to_completion(client, run, folder / "a.log", stop)


def _inspect_running(client: docker.DockerClient, name: str) -> dict[str, Any]:
    patience = threading.Event()
    for _ in range(200):
        try:
            seen = client.api.inspect_container(name)
        except docker.errors.NotFound:
            seen = None
        if seen and seen["State"]["Running"]:
            return seen
        patience.wait(0.05)
    raise AssertionError(f"{name} does not run")
