"""The program with a server of its own: it keeps the record of a run and is gone afterwards."""

import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.settings import PREFECT_API_URL

from command import server
from command.server import ServerNotStartedError, TemporaryServer
from ilpix.example import write_example

REPOSITORY = Path(__file__).parents[2]
DEADLINE_S = 120  # for what takes a second on an idle machine
SERVE = """
import time
from command.server import TemporaryServer
server = TemporaryServer()
print(server.wait(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who never used Prefect on a machine of their own."""
    telling = ("PREFECT", "DO_NOT_TRACK", "CI", "ILPIX")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(telling)}
    return kept | {"PREFECT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(REPOSITORY)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_example(tmp_path / "study")
    return tmp_path / "study"


def prepare(folder: Path, environment: dict[str, str]) -> None:
    words = [sys.executable, "-m", "command", "prepare", "--cropsize", "60", "--seed", "1"]
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def records(environment: dict[str, str]) -> tuple[int, int, int]:
    """Completed flow runs, completed task runs and artifacts in the database of a home."""
    database = sqlite3.connect(Path(environment["PREFECT_HOME"]) / "prefect.db")
    try:
        counts = [
            database.execute(f"select count(*) from {what}").fetchone()[0]  # noqa: S608 - our words
            for what in (
                "flow_run where state_type = 'COMPLETED'",
                "task_run where state_type = 'COMPLETED'",
                "artifact",
            )
        ]
    finally:
        database.close()
    return counts[0], counts[1], counts[2]


def test_the_server_of_one_command_keeps_the_record_of_its_run(
    folder: Path, home: dict[str, str]
) -> None:
    prepare(folder, home)
    flow_runs, task_runs, artifacts = records(home)
    assert flow_runs == 1
    assert task_runs == 5 + 5 + 1  # images, crops, project
    assert artifacts >= 4


def test_a_server_named_in_a_profile_gets_the_run(folder: Path, home: dict[str, str]) -> None:
    profiles = Path(home["PREFECT_HOME"]) / "profiles.toml"
    profiles.parent.mkdir()
    address = PREFECT_API_URL.value()
    profiles.write_text(f'active = "lab"\n[profiles.lab]\nPREFECT_API_URL = "{address}"\n')
    wanted = FlowRunFilter.model_validate({"name": {"any_": ["prepare-"]}})
    with get_client(sync_client=True) as client:
        before = len(client.read_flow_runs(flow_run_filter=wanted))
        prepare(folder, home)
        assert len(client.read_flow_runs(flow_run_filter=wanted)) == before + 1


@pytest.fixture
def serving(home: dict[str, str]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process with a temporary server, and the server's address."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], env=home, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/health", timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_server_ends_with_its_command_however_that_ends(
    serving: tuple["subprocess.Popen[str]", str], how: signal.Signals
) -> None:
    process, address = serving
    assert answers(address)
    process.send_signal(how)
    process.wait(timeout=DEADLINE_S)
    end = time.monotonic() + DEADLINE_S
    while answers(address) and time.monotonic() < end:
        time.sleep(0.1)
    assert not answers(address)


def test_a_server_that_cannot_start_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no room >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(server.sys, "executable", str(broken))
    started = TemporaryServer()
    with pytest.raises(ServerNotStartedError, match="did not start: no room\nStart one"):
        started.wait()
    started.stop()


def test_several_commands_may_be_the_first_in_a_new_home(home: dict[str, str]) -> None:
    """The jobs of an array begin at once; all but one failed to make the same database."""
    words = [sys.executable, "-c", SERVE.replace("time.sleep(600)", "server.stop()")]
    commands = [
        subprocess.Popen(words, env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [command.communicate(timeout=DEADLINE_S) for command in commands]
    assert [command.returncode for command in commands] == [0, 0, 0], said
    assert all(address.startswith("http://127.0.0.1") for address, _ in said)


def test_a_proxy_and_a_home_that_cannot_be_written_to_hinder_nothing(
    folder: Path, home: dict[str, str]
) -> None:
    """The client asked the proxy for this machine; Prefect could not make its folder."""
    nowhere = {"http_proxy": "http://127.0.0.1:9", "HOME": "/proc/nobody"}
    elsewhere = {name: value for name, value in home.items() if name != "PREFECT_HOME"}
    prepare(folder, elsewhere | nowhere)
    assert (folder / "pixel_classifier.ilp").exists()


def test_nothing_is_reported_to_the_makers_of_prefect(home: dict[str, str]) -> None:
    """On a terminal Prefect used to say that it collects usage data, and to send that."""
    ours, terminal = pty.openpty()
    words = [sys.executable, "-c", "import flows; print('imported')"]
    try:
        subprocess.run(words, env=home, stdout=terminal, stderr=terminal, check=True)
        assert os.read(ours, 10_000).decode().strip() == "imported"
    finally:
        os.close(terminal)
        os.close(ours)
