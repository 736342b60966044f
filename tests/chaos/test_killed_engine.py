"""A container engine that is killed amid a run and started anew: the run goes on."""

import os
import random
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import docker
import pytest

from containers.run import LEASE_LABEL
from tests.chaos.study import RUN, Stage, Verb, copy_of, run_verb, visible
from tests.conftest import REPOSITORY
from tests.containers.conftest import HEADLESS_IMAGE, skip_or_fail

pytestmark = pytest.mark.docker
BATCH = 10
BY_DOCKER = Verb(
    (
        *(*RUN.words, "--engine", "docker", "--ilastik", HEADLESS_IMAGE),
        *("--pull", "never", "--mem", "1024", "--batch", str(BATCH)),
    )
)
LOOK_S = 0.2


@pytest.fixture
def engine() -> Path:
    """The folder of an engine that may be killed: one that `.ci/engine` started."""
    folder = Path(os.environ.get("DOCKER_HOST", "").removeprefix("unix://")).parent
    if not (folder / "dockerd.pid").exists():
        skip_or_fail("DOCKER_HOST names no engine of .ci/engine start FOLDER")
    return folder


def processes(engine: Path) -> list[int]:
    """The daemons of an engine."""
    files = engine / "dockerd.pid", engine / "exec" / "containerd" / "containerd.pid"
    return [int(file.read_text(encoding="ascii")) for file in files]


def start(engine: Path) -> None:
    """Start an engine anew, as an operating system does it."""
    (engine / "dockerd.pid").unlink(missing_ok=True)
    subprocess.run([".ci/engine", "start", engine], cwd=REPOSITORY, check=True)


def follow(
    run: "Future[subprocess.CompletedProcess[str]]", mark: Path, restart: Callable[[], None]
) -> None:
    """Restart what was killed, once that happened, while a run goes on."""
    while not (run.done() or mark.exists()):
        time.sleep(LOOK_S)
    if mark.exists():
        restart()


def test_a_run_goes_on_when_its_engine_is_there_again(
    stages: dict[Verb, Stage], engine: Path, tmp_path: Path, kills: int
) -> None:
    rng, stage, mark = random.Random("engine"), stages[RUN], tmp_path / "mark"  # noqa: S311 - repeatable
    for _ in range(kills):
        folder = copy_of(stage.start, tmp_path / "study")
        moment = rng.randrange(1, stage.n_operations)
        mark.unlink(missing_ok=True)  # of the kill before, else it may be seen for this one
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(run_verb, folder, BY_DOCKER, moment, mark, processes(engine))
            follow(run, mark, lambda: start(engine))
        assert mark.exists()
        assert run.result().returncode == 0, run.result().stderr
        assert visible(folder) == stage.after
        client = docker.from_env()
        assert client.containers.list(all=True, filters={"label": LEASE_LABEL}) == []
        client.close()
