"""What becomes of a run whose worker and process are killed: an operator hears of it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from ilpix.features.selection import default_selection
from ilpix.images.hdf5 import write_image
from ilpix.project.writing import create_project, label_classes, store_classifier
from tests.deployments.conftest import DEPLOYMENTS, PROGRAMS, REPOSITORY, Server, wait_until
from tests.unit.forests import split_forest

POOL = "ilpix-killed"
HANGING = "#!/bin/sh\ntouch {folder}/hangs\nexec sleep 600\n"
SHORTEN = f"""
import sys
from datetime import timedelta
sys.path.insert(0, {str(DEPLOYMENTS)!r})
from create_automations import crash_silent_runs, put
put(crash_silent_runs(timedelta(seconds=float(sys.argv[1]))))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "pixel_classifier.ilp"
    create_project(project, {"a.h5": (2, 9, 9)}, label_classes(["A", "B", "C"]))
    selection = default_selection()
    forest = split_forest(n_columns=len(selection.columns(2)))
    store_classifier(project, selection, forest, selection.names(2), n_samples=2)
    write_image(tmp_path / "ilastik_img" / "a.h5", np.zeros((2, 50, 50), np.float32), None)
    program = tmp_path / "run_ilastik.sh"
    program.write_text(HANGING.format(folder=tmp_path))
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def deployment(server: Server) -> Iterator[str]:
    """The deployment of `run`, for one run at a time, in a pool whose worker may be killed."""
    found = server.deployment("run/run")
    path, limit = f"/deployments/{found['id']}", found["global_concurrency_limit"]["limit"]
    template = json.loads((DEPLOYMENTS / "pools" / "process.json").read_text())
    server.call("POST", "/work_pools/", name=POOL, type="process", base_job_template=template)
    server.call("PATCH", path, work_pool_name=POOL, work_queue_name="default", concurrency_limit=1)
    server.command("python", "-c", SHORTEN, "45")  # heartbeats come every 30 s at most
    yield "run/run"
    server.command("python", "-c", SHORTEN, "90")
    home = found["work_pool_name"]
    server.call(
        "PATCH", path, work_pool_name=home, work_queue_name="default", concurrency_limit=limit
    )
    server.call("DELETE", f"/work_pools/{POOL}")


@contextmanager
def worker(server: Server) -> Iterator[psutil.Process]:
    process = subprocess.Popen(
        [PROGRAMS / "prefect", "worker", "start", "--pool", POOL],
        cwd=REPOSITORY,
        env=server.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def kill_all(first: psutil.Process) -> None:
    """Kill a process and all that it started, as a machine that goes down does."""
    for process in [first, *first.children(recursive=True)]:
        process.kill()


def test_a_killed_run_is_crashed_told_and_makes_room_for_the_next(
    server: Server, deployment: str, folder: Path
) -> None:
    """It was "Running" for ever."""
    hanging = {"engine": "local", "ilastik": str(folder / "run_ilastik.sh")}
    killed = server.start(deployment, {"data_dir": str(folder), "options": hanging})
    with worker(server) as first:
        wait_until((folder / "hangs").exists, "the run does not begin")
        kill_all(first)
    waiting = {"data_dir": str(folder), "options": {"engine": "embedded"}}
    following = server.start(deployment, waiting)
    with worker(server):
        assert server.wait_for_end(killed) == "CRASHED"
        assert server.wait_for_end(following) == "COMPLETED"
    told = wait_until(
        lambda: [text for text in server.told if "nothing was heard of this run" in text],
        "nobody was told of the crash",
    )
    assert "ilpix: run-" in told[0]
