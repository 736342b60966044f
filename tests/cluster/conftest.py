"""A real SLURM, and what its tests share: a trained folder, small jobs, patience."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers.conftest import skip_or_fail
from tests.flows.trained_folders import make_trained

PATIENCE_S = 120


def require_slurm() -> None:
    """Skip where no SLURM answers."""
    if (
        shutil.which("sinfo") is None
        or subprocess.run(["sinfo"], capture_output=True, check=False).returncode
    ):
        skip_or_fail("no SLURM answers: export SLURM_CONF=$(.ci/slurm start FOLDER)")


@pytest.fixture(scope="session")
def slurm() -> None:
    """A SLURM that answers."""
    require_slurm()


@pytest.fixture(scope="session")
def trained(slurm: None, prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five prepared images and a trained project."""
    folder = tmp_path_factory.mktemp("trained")
    make_trained(folder)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def small_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two jobs of one core at the most, and none is left."""
    for name, value in {
        "TASK_RUNNER": "slurm",
        "CLUSTER__CORES": "1",
        "CLUSTER__MEMORY": "1GiB",
        "CLUSTER__WALLTIME": "00:30:00",
        "CLUSTER__MAX_JOBS": "2",
        "CLUSTER__HOST": "127.0.0.1",
    }.items():
        monkeypatch.setenv(f"ILPIX_{name}", value)
    yield
    wait_for(lambda: not jobs())


def wait_for(condition: Callable[[], object]) -> None:
    """Return when a condition has come true."""
    patience = threading.Event()
    for _ in range(PATIENCE_S * 10):
        if condition():
            return
        patience.wait(0.1)
    raise AssertionError(f"{condition} did not come true within {PATIENCE_S} s")


def slurm_says(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def jobs(state: str = "PENDING,RUNNING") -> list[str]:
    return slurm_says("squeue", "--noheader", "--format=%A", f"--states={state}").split()
