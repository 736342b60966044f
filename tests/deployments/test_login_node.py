"""The work pool of a login node: its worker starts a flow, and the flow submits jobs to SLURM."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import require_slurm
from tests.deployments.conftest import DEPLOYMENTS, PROGRAMS, Server, running

pytestmark = pytest.mark.slurm
SMALL = 'job_variables: {cores: "1", memory: 1GiB, max_jobs: "2"}'


@pytest.fixture
def login_node(server: Server, tmp_path: Path) -> Iterator[None]:
    """A deployment in a pool of its own, and the worker of that pool."""
    require_slurm()
    server.command(DEPLOYMENTS / "create_pools.sh", "slurm")
    prefect_yaml = tmp_path / "prefect.yaml"
    text = (DEPLOYMENTS / "prefect.yaml").read_text()
    text = text.replace("name: ilpix-process", f"name: ilpix-slurm\n    {SMALL}")
    prefect_yaml.write_text(text.replace("- name: classify\n", "- name: on-slurm\n"))
    server.command(
        *("prefect", "--no-prompt", "deploy", "--name", "on-slurm", "--prefect-file", prefect_yaml)
    )
    work = [PROGRAMS / "prefect", "worker", "start", "--pool", "ilpix-slurm"]
    environment = {**server.environment, "ILPIX_CLUSTER__HOST": "127.0.0.1"}
    with running(work, environment, tmp_path / "worker.log"):
        yield
    deployment = server.deployment("classify/on-slurm")["id"]
    for path in (f"/deployments/{deployment}", "/work_pools/ilpix-slurm"):
        assert server.call("DELETE", path).is_success


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("login_node")
def test_a_deployment_on_the_login_node_computes_in_jobs(
    server: Server, classified: tuple[Path, str], tmp_path: Path
) -> None:
    folder = tmp_path / "tissue"
    shutil.copytree(classified[0], folder)
    expected = {
        path.name: path.read_bytes() for path in (folder / "ilastik_probabilities").iterdir()
    }
    for name in ("ilastik_probabilities", ".ilpix"):
        shutil.rmtree(folder / name)
    run = server.start(
        "classify/on-slurm", {"data_dir": str(folder), "predicting": {"engine": "embedded"}}
    )
    assert server.wait_for_end(run) == "COMPLETED"
    assert contents(folder / "ilastik_probabilities") == expected
    assert list((folder / ".ilpix" / "logs" / "jobs").glob("*.err"))  # what jobs wrote
