"""*Cancel* in the UI ends a run and the programs that it started; what was finished is kept."""

from pathlib import Path

import numpy as np
import psutil
import pytest

from ilpix.images.hdf5 import write_image
from tests.deployments.conftest import Server, wait_until
from tests.deployments.trained import N_CHANNELS, write_trained

HANGING = """#!/bin/sh
echo $$ > {folder}/number.new
mv {folder}/number.new {folder}/number
exec sleep 600
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An image, and an Ilastik that never ends."""
    folder = write_trained(tmp_path / "study")
    image = np.zeros((N_CHANNELS, 50, 50), np.float32)
    write_image(folder / "ilastik_img" / "a.h5", image, None)
    program = folder / "run_ilastik.sh"
    program.write_text(HANGING.format(folder=folder))
    program.chmod(0o755)
    return folder


def test_a_cancelled_run_ends_with_what_it_started(server: Server, folder: Path) -> None:
    hanging = {"engine": "local", "ilastik": str(folder / "run_ilastik.sh")}
    run = server.start("run/run", {"data_dir": str(folder), "options": hanging})
    wait_until((folder / "number").exists, "the run does not begin")
    ilastik = psutil.Process(int((folder / "number").read_text()))
    answer = server.call("POST", f"/flow_runs/{run}/set_state", state={"type": "CANCELLING"})
    assert answer.json()["status"] == "ACCEPT"
    assert server.wait_for_end(run) == "CANCELLED"
    ilastik.wait(timeout=30)
    assert not list(folder.rglob("*.tiff"))
    embedded = {"data_dir": str(folder), "options": {"engine": "embedded"}}
    assert server.wait_for_end(server.start("run/run", embedded)) == "COMPLETED"
