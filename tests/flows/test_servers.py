"""Prefect's server is a convenience: what becomes of runs whose server dies or never was."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

import flows
from command.server import TemporaryServer
from flows.errors import ServerUnreachableError
from flows.options import PrepareOptions
from ilpix.example import write_example
from ilpix.images.hdf5 import write_image
from tests.flows.trained_folders import make_trained

DEADLINE_S = 300
MOST_LINES = 45  # that a person is told: one for each image and step
NOBODY = "http://127.0.0.1:9/api"
PROGRAM = [sys.executable, "-m", "command"]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    telling = ("PREFECT", "ILPIX")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(telling)}
    return kept | {
        "PREFECT_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(REPOSITORY),
        "ILPIX_PARALLEL": "1",
    }


@pytest.fixture
def named_server(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[TemporaryServer]:
    """A server of the lab, which the environment names."""
    monkeypatch.setenv("PREFECT_HOME", environment["PREFECT_HOME"])
    server = TemporaryServer()
    environment["PREFECT_API_URL"] = server.wait()
    yield server
    server.stop()
    server._said.close()


def kill_own_server(command: "subprocess.Popen[str]") -> None:
    """Kill the server that a command started for itself."""
    children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
    (server,) = [
        int(child)
        for child in children
        if "server_process" in Path(f"/proc/{child}/cmdline").read_text()
    ]
    os.kill(server, signal.SIGKILL)


def after_first_image(
    words: list[str], folder: Path, environment: dict[str, str]
) -> "subprocess.Popen[str]":
    """Start a verb; return it when it has done its first image."""
    command = subprocess.Popen(
        [*PROGRAM, *words], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    assert command.stderr is not None
    assert any(" 1/" in line for line in command.stderr)
    return command


def ended_well(command: "subprocess.Popen[str]") -> None:
    """The command ends by itself, successful, and has said once that the server is gone."""
    _, said = command.communicate(timeout=DEADLINE_S)
    assert command.returncode == 0, said
    assert said.count("went away: its record of this run is not complete") == 1
    assert "failed to process" not in said
    assert len(said.splitlines()) < MOST_LINES, said


def outcomes(folder: Path, verb: str) -> list[str]:
    record = json.loads((folder / "ilpix_run.json").read_text())["verbs"][verb]
    assert record["error"] is None
    return [image["state"] for image in record["images"]]


def test_a_server_that_dies_during_a_run_costs_its_record_alone(
    named_server: TemporaryServer, environment: dict[str, str], tmp_path: Path
) -> None:
    """All images were there, but the command failed after minutes, with no report and no record."""
    folder = tmp_path / "study"
    make_trained(folder)
    image = np.random.default_rng(1).random((4, 300, 300)).astype(np.float32)
    for number in range(20):
        write_image(folder / "ilastik_img" / f"more_{number}.h5", image, None)
    command = after_first_image(["run"], folder, environment)
    named_server._process.kill()
    ended_well(command)
    assert outcomes(folder, "run") == ["done"] * 25
    assert len(list((folder / "ilastik_probabilities").glob("*.tiff"))) == 25
    assert "more_19" in (folder / "ilpix_report" / "index.html").read_text()


def test_the_steps_after_the_death_of_the_own_server_are_done_too(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The command ran on for minutes; the steps that had not begun could not begin."""
    folder = tmp_path / "study"
    make_trained(folder)
    (folder / "ilastik_img" / "region_1.h5").unlink()
    words = ["classify", "--prepare.cropsize", "100", "--prepare.seed", "1"]
    command = after_first_image(words, folder, environment)
    kill_own_server(command)
    ended_well(command)
    assert outcomes(folder, "run") == ["done"] * 5
    assert (folder / "ilpix_report" / "index.html").exists()


def test_no_server_at_the_given_address_is_said_before_anything_is_done(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    write_example(folder)
    ended = subprocess.run(
        [*PROGRAM, "prepare", "--cropsize", "100"],
        cwd=folder,
        env=environment | {"PREFECT_API_URL": NOBODY},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    _, error, what_to_do = ended.stderr.splitlines()
    assert error.startswith(f"error: no Prefect server answers at {NOBODY}: ")
    assert what_to_do.startswith("Start it there, or take PREFECT_API_URL out")
    assert ended.returncode == 1
    assert not (folder / "ilastik_img").exists()


def test_no_server_at_the_given_address_is_said_in_python(tmp_path: Path) -> None:
    with (
        temporary_settings({PREFECT_API_URL: NOBODY}),
        pytest.raises(ServerUnreachableError, match="no Prefect server answers"),
    ):
        flows.prepare(tmp_path, PrepareOptions())
