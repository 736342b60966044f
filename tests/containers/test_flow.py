"""`run --engine docker`: the flow, its cache and its batches around real containers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import docker
import h5py
import pytest
from prefect.settings import PREFECT_API_URL

from containers.run import LEASE_LABEL, RUN_LABEL
from flows.errors import ImagesFailedError
from flows.options import RunOptions
from flows.run import run
from tests.containers.conftest import HEADLESS_IMAGE

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("prefect_server", "client")]
DOCKER = RunOptions(engine="docker", ilastik=HEADLESS_IMAGE, pull="never", mem=2048)


@pytest.fixture
def folder(tissue: Path, tmp_path: Path) -> Path:
    shutil.copytree(tissue, tmp_path / "data")
    return tmp_path / "data"


def record_of(folder: Path) -> dict[str, object]:
    return json.loads((folder / "ilpix_run.json").read_text())["verbs"]["run"]


def states(folder: Path) -> dict[str, str]:
    return {image["image"]: image["state"] for image in record_of(folder)["images"]}


@pytest.mark.parametrize("batch", [1, 3])
def test_the_container_gives_the_bytes_of_the_embedded_engine(folder: Path, batch: int) -> None:
    expected = {target.name: target.read_bytes() for target in run(folder)}
    targets = run(folder, DOCKER.model_copy(update={"batch": batch}))
    assert {target.name: target.read_bytes() for target in targets} == expected
    assert set(states(folder).values()) == {"done"}
    assert "sha256:" in record_of(folder)["notes"]["engine"]
    run(folder, DOCKER.model_copy(update={"batch": batch, "mem": 1500}))
    assert set(states(folder).values()) == {"kept"}


def test_a_broken_image_in_a_batch_costs_that_image(folder: Path) -> None:
    broken = min((folder / "ilastik_img").iterdir())
    with h5py.File(broken, "r+") as file:
        small = file["img"][:, :9, :9]
        del file["img"]
        file["img"] = small
    with pytest.raises(ImagesFailedError) as raised:
        run(folder, DOCKER.model_copy(update={"batch": 8}))
    assert list(raised.value.failures) == [broken.stem]


def test_every_result_names_the_log_of_its_container(folder: Path) -> None:
    run(folder, DOCKER)
    for image in record_of(folder)["images"]:
        assert (folder / ".ilpix" / "logs" / image["facts"]["log"]).is_file()


def test_after_a_kill_orphans_are_swept_and_finished_images_kept(
    folder: Path, client: docker.DockerClient
) -> None:
    program = Path(sys.executable).with_name("ilpix")
    words = ["run", "--engine", "docker", "--ilastik", HEADLESS_IMAGE, "--pull", "never"]
    process = subprocess.Popen(
        [program, *words, "--parallel", "1"],
        cwd=folder,
        env=os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr:
        assert any("predict-image 1/" in line for line in process.stderr)
        filters = {"label": RUN_LABEL}
        while not client.containers.list(filters=filters):
            assert process.poll() is None
        process.kill()
    (orphan,) = client.containers.list(all=True, filters={"label": LEASE_LABEL})
    run(folder, DOCKER)
    assert orphan.id not in {c.id for c in client.containers.list(all=True)}
    assert sorted(states(folder).values()).count("kept") >= 1
    assert set(states(folder).values()) == {"kept", "done"}
