"""A pool of containers: each run starts in one, and asks the same engine for further ones."""

import json
import os
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import docker
import numpy as np
import pytest

from ilpix.images.hdf5 import write_image
from tests.containers.conftest import HEADLESS_IMAGE, skip_or_fail
from tests.deployments.conftest import DEPLOYMENTS, PROGRAMS, REPOSITORY, Server, running
from tests.deployments.trained import N_CHANNELS, write_trained

pytestmark = pytest.mark.docker
BASE_IMAGE = "ilpix-test-base:latest"  # the system of this machine, without ilpix
IMAGE = "ilpix-test-worker:latest"
WORKER_IMAGE = f"""
FROM {BASE_IMAGE}
RUN chmod a+x /root
WORKDIR /opt/ilpix
"""  # Python may be installed below /root; Prefect copies the working folder for each run
OWNER = 1000
SOCKET = "/var/run/docker.sock"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_trained(tmp_path / "study")
    image = np.random.default_rng(2).random((N_CHANNELS, 50, 50), np.float32)
    write_image(folder / "ilastik_img" / "a.h5", image, None)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, OWNER, OWNER)
    return folder


def job_variables(folder: Path) -> dict[str, object]:
    """What an operator sets in the pool; in place of the worker's image this installation."""
    socket = Path(os.environ.get("DOCKER_HOST", f"unix://{SOCKET}").removeprefix("unix://"))
    installation = {str(REPOSITORY), sys.prefix, sys.base_prefix, str(folder)}
    return {
        "image": IMAGE,
        "image_pull_policy": "Never",
        "volumes": [f"{socket}:{SOCKET}", *(f"{path}:{path}" for path in sorted(installation))],
        "user": f"{OWNER}:{OWNER}",
        "engine_group": str(socket.stat().st_gid),
        "network_mode": "host",
        "env": {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "HOME": "/tmp"},  # noqa: S108 - in a container
    }


@pytest.fixture
def deployment(server: Server, folder: Path, tmp_path: Path) -> Iterator[str]:
    """The deployment of `run` in the pool of containers, whose worker is there."""
    client = docker.from_env()
    if not client.images.list(BASE_IMAGE):
        skip_or_fail(f"the engine has no image {BASE_IMAGE}: .ci/engine build FOLDER")
    client.images.build(fileobj=BytesIO(WORKER_IMAGE.encode()), tag=IMAGE, network_mode="none")
    client.close()
    text = (DEPLOYMENTS / "prefect.yaml").read_text()
    pool = f"name: ilpix-docker\n    job_variables: {json.dumps(job_variables(folder))}"
    text = text.replace("name: ilpix-process", pool).replace("- name: run\n", "- name: in-docker\n")
    file = tmp_path / "prefect.yaml"
    file.write_text(text)
    server.command(
        "prefect", "--no-prompt", "deploy", "--name", "in-docker", "--prefect-file", file
    )
    work = [PROGRAMS / "prefect", "worker", "start", "--pool", "ilpix-docker"]
    with running(work, server.environment, tmp_path / "worker.log"):
        yield "run/in-docker"
    server.call("DELETE", f"/deployments/{server.deployment('run/in-docker')['id']}")


def test_a_run_in_a_container_predicts_in_containers(
    server: Server, deployment: str, folder: Path
) -> None:
    by_docker = {"engine": "docker", "ilastik": HEADLESS_IMAGE, "pull": "never", "mem": 1024}
    run = server.start(deployment, {"data_dir": str(folder), "options": by_docker})
    assert server.wait_for_end(run) == "COMPLETED"
    record = json.loads((folder / "ilpix_run.json").read_text())["verbs"]["run"]
    assert record["notes"]["engine"].startswith("docker sha256:")
    assert (folder / "ilastik_probabilities" / "a.tiff").stat().st_uid == OWNER
    machine, _, container = (
        server.call("GET", f"/flow_runs/{run}").json()["infrastructure_pid"].partition(":")
    )
    assert (machine, len(container)) != ("", 0)
