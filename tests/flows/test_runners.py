"""Threads, processes, Dask and Ray: same bytes, and a record, cache entry and failure per image."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import dask
import pytest
from distributed import LocalCluster

from flows.errors import ImagesFailedError
from flows.options import RunOptions
from flows.run import run
from flows.running import verb_run
from tests.flows.trained_folders import make_trained


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prepared images and a trained project."""
    folder = tmp_path_factory.mktemp("trained")
    make_trained(folder)
    return folder


@pytest.fixture(scope="module")
def expected(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The probabilities of all images by the default runner."""
    return predicted(trained, tmp_path_factory.mktemp("threads"))


@pytest.fixture
def runner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ILPIX_TASK_RUNNER", request.param)
    monkeypatch.setenv("ILPIX_PARALLEL", "2")
    return str(request.param)


@pytest.fixture
def in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Submit as runs of thousands of images do, two images a task."""
    monkeypatch.setattr(verb_run, "SINGLY", 1)
    monkeypatch.setenv("ILPIX_CHUNK_SIZE", "2")


def copy(trained: Path, folder: Path) -> Path:
    shutil.copytree(trained, folder, dirs_exist_ok=True)
    return folder


def predicted(trained: Path, folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run(copy(trained, folder), RunOptions())}


def states(folder: Path) -> dict[str, str]:
    images = json.loads((folder / "ilpix_run.json").read_text())["verbs"]["run"]["images"]
    return {outcome["image"]: outcome["state"] for outcome in images}


ray = pytest.param(
    "ray",
    marks=pytest.mark.skipif(
        find_spec("prefect_ray") is None, reason="prefect-ray, the extra 'ray', is not installed"
    ),
)
everywhere = pytest.mark.parametrize("runner", ["threads", "processes", "dask", ray], indirect=True)


@everywhere
def test_every_runner_gives_the_same_bytes_and_finds_them_again(
    runner: str, trained: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    assert predicted(trained, tmp_path) == expected
    assert set(states(tmp_path).values()) == {"done"}
    run(tmp_path, RunOptions())
    assert set(states(tmp_path).values()) == {"kept"}


@everywhere
@pytest.mark.usefixtures("in_chunks")
def test_an_image_in_a_chunk_has_its_own_record_cache_entry_and_failure(
    runner: str, trained: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    copy(trained, tmp_path)
    (tmp_path / "ilastik_img" / "region_2.h5").write_bytes(b"no HDF5")
    with pytest.raises(ImagesFailedError, match="region_2") as raised:
        run(tmp_path, RunOptions())
    assert list(raised.value.failures) == ["region_2"]
    good = {name: content for name, content in expected.items() if name != "region_2.tiff"}
    found = (tmp_path / "ilastik_probabilities").iterdir()
    assert {path.name: path.read_bytes() for path in found} == good
    assert states(tmp_path).pop("region_2") == "failed"

    shutil.copy(trained / "ilastik_img" / "region_2.h5", tmp_path / "ilastik_img")
    (tmp_path / "ilastik_probabilities" / "region_1.tiff").unlink()
    run(tmp_path, RunOptions())
    assert {image for image, state in states(tmp_path).items() if state == "done"} == {
        "region_1",
        "region_2",
    }


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


def kill_the_first_busy_worker(cluster: LocalCluster, killed: list[int]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and not killed:
        for worker in cluster.workers.values():
            state = cluster.scheduler.workers.get(worker.worker_address)
            if state and state.processing:
                killed.append(worker.process.pid)
                os.kill(worker.process.pid, signal.SIGKILL)
                return
        time.sleep(0.02)


def test_a_run_on_a_cluster_completes_although_a_worker_is_killed(
    cluster: LocalCluster,
    trained: Path,
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ILPIX_TASK_RUNNER", "dask")
    monkeypatch.setenv("ILPIX_DASK_ADDRESS", cluster.scheduler_address)
    killed: list[int] = []
    killer = Thread(target=kill_the_first_busy_worker, args=(cluster, killed))
    killer.start()
    assert predicted(trained, tmp_path) == expected
    killer.join()
    assert killed
    assert set(states(tmp_path).values()) == {"done"}


def test_an_image_whose_workers_are_all_lost_fails_alone_and_says_so(
    trained: Path, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was called "Running" in the table of failures."""
    copy(trained, tmp_path)
    killed: list[int] = []
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        monkeypatch.setenv("ILPIX_TASK_RUNNER", "dask")
        monkeypatch.setenv("ILPIX_DASK_ADDRESS", cluster.scheduler_address)
        killer = Thread(target=kill_the_first_busy_worker, args=(cluster, killed))
        killer.start()
        with pytest.raises(ImagesFailedError, match="every worker that was given it was lost"):
            run(tmp_path, RunOptions())
        killer.join()
    failed = {image for image, state in states(tmp_path).items() if state == "failed"}
    found = {path.stem for path in (tmp_path / "ilastik_probabilities").iterdir()}
    assert found >= {Path(name).stem for name in expected} - failed
    assert failed
    assert failed < {Path(name).stem for name in expected}
