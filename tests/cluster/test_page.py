"""The job script of the page on clusters, submitted as it stands there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.documents.blocks import blocks_of

pytestmark = pytest.mark.slurm
PATIENCE_S = 300


def test_the_job_script_of_the_page_runs_and_submits_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (b for b in blocks_of(REPOSITORY / "docs" / "hpc.md") if "#SBATCH" in b.code)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ILPIX_CLUSTER__MAX_JOBS", "1")  # the node has two cores
    done = subprocess.run(["bash", "-ec", block.code], cwd=folder, timeout=PATIENCE_S, check=False)
    wrote = [path.read_text() for path in folder.glob("slurm-*.out")]
    assert done.returncode == 0, wrote
    images = json.loads((folder / "ilpix_run.json").read_text())["verbs"]["run"]["images"]
    assert {outcome["state"] for outcome in images} == {"done"}
    assert list((folder / ".ilpix" / "logs" / "jobs").glob("*.err"))
