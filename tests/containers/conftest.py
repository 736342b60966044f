"""A real engine and the images that `.ci/engine build` makes on it."""

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import docker
import numpy as np
import pytest

from containers.engine import connected
from containers.errors import EngineUnreachableError
from containers.images import PinnedImage, pin_image
from containers.prediction import PredictionRequest
from containers.run import LEASE_LABEL, TMP, Account, ContainerRun, Limits
from containers.settings import ContainerSettings
from ilpix.images.hdf5 import write_image

TEST_IMAGE = "ilpix-test-programs:latest"
HEADLESS_IMAGE = "ilpix-headless:latest"
GOLDEN = Path(__file__).parents[1] / "golden" / "data" / "training"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip where a developer has no engine; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine that DOCKER_HOST or the local socket names."""
    try:
        with connected(ContainerSettings()) as client:
            for image in (TEST_IMAGE, HEADLESS_IMAGE):
                if not client.images.list(image):
                    skip_or_fail(f"the engine has no image {image}: .ci/engine build FOLDER")
            yield client
    except EngineUnreachableError as error:
        skip_or_fail(str(error))


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test does, no container of ours stays on the engine."""
    yield
    if "client" in request.fixturenames:
        client = request.getfixturevalue("client")
        left = client.containers.list(all=True, filters={"label": LEASE_LABEL})
        for container in left:
            container.remove(force=True)
        assert not left


@pytest.fixture
def settings() -> ContainerSettings:
    """Small limits; never pull."""
    return ContainerSettings(
        image=TEST_IMAGE,
        program="/programs/run_ilastik.sh",
        pull="never",
        cpus=1,
        memory_bytes=1024 * 2**20,
        memory_ceiling_bytes=1024 * 2**20,
        timeout_s=120,
    )


@pytest.fixture
def image(client: docker.DockerClient, settings: ContainerSettings) -> PinnedImage:
    """The image of the misbehaving programs."""
    return pin_image(client, settings)


@pytest.fixture(scope="session")
def tissue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory: a project that Ilastik trained, and five prepared images."""
    folder = tmp_path_factory.mktemp("tissue")
    project = gzip.decompress((GOLDEN / "all.ilp.gz").read_bytes())
    (folder / "pixel_classifier.ilp").write_bytes(project)
    with np.load(GOLDEN / "images.npz") as images:
        for name in images:
            kind, _, stem = name.partition("/")
            if kind == "image":
                write_image(folder / "ilastik_img" / f"{stem}.h5", images[name], None)
    return folder


@pytest.fixture
def request_of(tissue: Path, tmp_path: Path) -> Callable[..., PredictionRequest]:
    """Makes a request for some images of the tissue, by their stems, in a workspace of its own."""

    def make(*stems: str, **changes: Any) -> PredictionRequest:
        request = PredictionRequest(
            project=tissue / "pixel_classifier.ilp",
            images=tuple(tissue / "ilastik_img" / f"{stem}.h5" for stem in stems),
            targets=tuple(tmp_path / "ilastik_probabilities" / f"{stem}.tiff" for stem in stems),
            workspace=tmp_path / ".ilpix",
            run="test-run",
        )
        return replace(request, **changes)

    return make


@pytest.fixture
def shell_run(image: PinnedImage) -> Callable[..., ContainerRun]:
    """Makes a run of a shell script."""

    def make(script: str, **changes: Any) -> ContainerRun:
        run = ContainerRun(
            name=f"ilpix-test-{os.getpid()}",
            image=image.image_id,
            program="/bin/sh",
            arguments=("-c", script),
            mounts=(),
            environment=(
                ("HOME", TMP),
                ("LAZYFLOW_THREADS", "1"),
                ("LAZYFLOW_TOTAL_RAM_MB", "96"),
            ),
            labels=((LEASE_LABEL, "test"),),
            account=Account("65534:65534"),
            limits=Limits(memory_bytes=128 * 2**20, cpus=0.5, pids=64, timeout_s=60),
        )
        return replace(run, **changes)

    return make
