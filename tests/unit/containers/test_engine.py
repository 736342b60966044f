"""Reaching an engine, and its errors in our words."""

import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import docker.errors
import pytest
import requests

from containers.engine import connected, read_facts, require_socket, translated
from containers.errors import EngineRefusedError, EngineUnreachableError, SourceNotFoundError
from containers.settings import ContainerSettings


def test_engine_that_is_not_there_is_named_with_its_address(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/no.sock"
    with (
        pytest.raises(EngineUnreachableError, match=r"no\.sock: No such file") as caught,
        connected(ContainerSettings(engine=address)),
    ):
        pass
    assert caught.value.retryable


def test_docker_host_decides_where_the_settings_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/elsewhere.sock")
    with (
        pytest.raises(EngineUnreachableError, match=r"elsewhere\.sock"),
        connected(ContainerSettings()),
    ):
        pass


def test_something_else_on_the_socket_is_no_engine(tmp_path: Path) -> None:
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=_close_what_comes, args=(server, 2))
        thread.start()
        with (
            pytest.raises(EngineUnreachableError),
            connected(ContainerSettings(engine=f"unix://{path}")),
        ):
            pass
        thread.join()


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (docker.errors.APIError("no"), EngineRefusedError),
        (docker.errors.DockerException("no"), EngineRefusedError),
        (requests.exceptions.ReadTimeout("late"), EngineUnreachableError),
        (requests.exceptions.ConnectionError("gone"), EngineUnreachableError),
        (
            docker.errors.APIError("", explanation="bind source path does not exist: /data"),
            SourceNotFoundError,
        ),
    ],
)
def test_errors_of_the_sdk_become_ours(raised: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected), translated("do it"):
        raise raised


@pytest.mark.parametrize(
    ("parts", "options", "is_podman", "is_rootless"),
    [
        (["Engine", "containerd"], ["name=seccomp,profile=default"], False, False),
        (["Engine"], ["name=rootless"], False, True),
        (["Podman Engine", "Conmon"], ["name=seccomp", "name=rootless"], True, True),
    ],
)
def test_kinds_of_engine_are_recognised(
    parts: list[str], options: list[str], is_podman: bool, is_rootless: bool
) -> None:
    client = SimpleNamespace(
        info=lambda: {"NCPU": 4, "MemTotal": 2**33, "SecurityOptions": options},
        version=lambda: {"Components": [{"Name": part} for part in parts]},
    )
    facts = read_facts(client)  # type: ignore[arg-type] # played
    assert (facts.cpus, facts.memory_bytes) == (4, 2**33)
    assert (facts.is_podman, facts.is_rootless) == (is_podman, is_rootless)


def _close_what_comes(server: socket.socket, count: int) -> None:
    for _ in range(count):
        server.accept()[0].close()


def test_windows_where_the_engine_has_no_socket_is_not_told_that_its_file_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr("containers.engine.LOCAL_SOCKET", "unix:///nowhere/docker.sock")
    with pytest.raises(EngineUnreachableError):
        require_socket(ContainerSettings())
    monkeypatch.setattr("containers.engine.sys.platform", "win32")
    require_socket(ContainerSettings())
