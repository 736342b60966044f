"""What becomes of a run whose worker and process are killed: an operator hears of it."""

import json
import random
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from ilpix.images.hdf5 import write_image
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import read_project
from tests.chaos.study import AT_A_TIME, ITSELF, N_IMAGES, chaos, states
from tests.deployments.conftest import DEPLOYMENTS, PROGRAMS, REPOSITORY, Server, wait_until
from tests.deployments.trained import write_trained

POOL = "ilpix-killed"
FLOW_RUN = r"prefect.*(engine|execute)"  # in the command line of the process of a run
MOST_OPERATIONS = 600  # on files, of a run of so many images
SHORTEN = f"""
import sys
from datetime import timedelta
sys.path.insert(0, {str(DEPLOYMENTS)!r})
from create_automations import crash_silent_runs, put
put(crash_silent_runs(timedelta(seconds=float(sys.argv[1]))))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    folder = write_trained(tmp_path / "study")
    for number in range(N_IMAGES):
        image = rng.random((2, 50, 50), np.float32)
        write_image(folder / "ilastik_img" / f"i{number:02d}.h5", image, None)
    return folder


@pytest.fixture
def deployment(server: Server, kills: int) -> Iterator[str]:
    """The deployment of `run` with no room beside those killed, in a pool of its own."""
    found = server.deployment("run/run")
    path, limit = f"/deployments/{found['id']}", found["global_concurrency_limit"]["limit"]
    template = json.loads((DEPLOYMENTS / "pools" / "process.json").read_text())
    pool = {"work_pool_name": POOL, "work_queue_name": "default"}
    server.call("POST", "/work_pools/", name=POOL, type="process", base_job_template=template)
    server.call("PATCH", path, **pool, concurrency_limit=1 + kills)
    server.command("python", "-c", SHORTEN, "45")  # heartbeats come every 30 s at most
    yield "run/run"
    server.command("python", "-c", SHORTEN, "90")
    home = {"work_pool_name": found["work_pool_name"], "work_queue_name": "default"}
    server.call("PATCH", path, **home, concurrency_limit=limit)
    server.call("DELETE", f"/work_pools/{POOL}")


@contextmanager
def worker(server: Server, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [PROGRAMS / "prefect", "worker", "start", "--pool", POOL],
        cwd=REPOSITORY,
        env=server.environment | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def probabilities(folder: Path) -> Mapping[str, bytes]:
    paths = (folder / "ilastik_probabilities").glob("[!.]*.tiff")  # hidden ones are in work
    return {path.stem: path.read_bytes() for path in paths}


def expected(folder: Path, target: Path) -> Mapping[str, bytes]:
    """The bytes of all images, computed without a flow."""
    classifier = Classifier.of(read_project(folder / "pixel_classifier.ilp"))
    for image in (folder / "ilastik_img").iterdir():
        classifier.predict_file(image, target / "ilastik_probabilities" / f"{image.stem}.tiff")
    return probabilities(target)


def test_a_killed_run_is_crashed_told_and_makes_room_for_the_next(
    server: Server, deployment: str, folder: Path, tmp_path: Path, kills: int
) -> None:
    """It was "Running" for ever."""
    rng, mark, killed = random.Random("worker"), tmp_path / "mark", []  # noqa: S311 - repeatable
    wanted = {"data_dir": str(folder), "options": {"engine": "embedded"}}
    whole = expected(folder, tmp_path / "expected")
    moments = [rng.randrange(1, MOST_OPERATIONS) for _ in range(kills)]
    for moment in (1, *moments):  # at the first no heartbeat was sent yet
        killed.append(server.start(deployment, wanted))
        environment = chaos(folder, moment, mark, FLOW_RUN)
        with worker(server, **environment) as first:
            victims = f"{first.pid} {ITSELF}"  # a machine goes down
            Path(environment["CHAOS_VICTIMS"]).write_text(victims, encoding="ascii")
            wait_until(mark.exists, "nobody was killed")
        assert probabilities(folder).items() <= whole.items()
    n_made = len(probabilities(folder))
    following = server.start(deployment, wanted)
    with worker(server):
        assert {server.wait_for_end(run) for run in killed} == {"CRASHED"}
        assert server.wait_for_end(following) == "COMPLETED"
    assert probabilities(folder) == whole
    assert len(states(folder, "run")["done"]) <= N_IMAGES - n_made + len(killed) * AT_A_TIME
    told = wait_until(
        lambda: [text for text in server.told if "nothing was heard of this run" in text],
        "nobody was told of the crash",
    )
    assert "ilpix: run-" in told[0]
