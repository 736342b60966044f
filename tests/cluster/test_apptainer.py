"""Jobs of SLURM that run Apptainer: the longer form, as in tests/containers/test_apptainer.py."""

import os
import shutil
from pathlib import Path

import pytest

from flows.options import RunOptions
from flows.run import run

pytestmark = pytest.mark.slurm


@pytest.fixture
def sif() -> str:
    """The image that `.ci/apptainer build FOLDER ilpix-headless` makes, named by a variable."""
    image = os.environ.get("TEST_SIF")
    if image is None or shutil.which("apptainer") is None:
        pytest.skip("the longer tests of Apptainer: TEST_SIF names what .ci/apptainer build makes")
    return image


def test_jobs_with_apptainer_give_the_bytes_of_threads_without(
    sif: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILPIX_APPTAINER__IMAGE", sif)
    monkeypatch.setenv("ILPIX_CLUSTER__PROLOGUE", f"export PATH={os.environ['PATH']}")
    shutil.copytree(folder, tmp_path / "threads")
    in_jobs = run(folder, RunOptions(engine="apptainer"))
    monkeypatch.setenv("ILPIX_TASK_RUNNER", "threads")
    embedded = run(tmp_path / "threads", RunOptions(engine="embedded"))
    assert [path.read_bytes() for path in in_jobs] == [path.read_bytes() for path in embedded]
