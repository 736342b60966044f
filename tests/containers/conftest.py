"""A real engine and the images that `.ci/engine build` makes on it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import docker
import pytest

from containers.engine import connected
from containers.errors import EngineUnreachableError
from containers.images import PinnedImage, pin_image
from containers.run import LEASE_LABEL, Account, ContainerRun, Limits
from containers.settings import ContainerSettings

TEST_IMAGE = "ilpix-test-programs:latest"
HEADLESS_IMAGE = "ilpix-headless:latest"
GOLDEN = Path(__file__).parents[1] / "golden" / "data" / "ilastik" / "all"


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
                ("HOME", "/tmp"),
                ("LAZYFLOW_THREADS", "1"),
                ("LAZYFLOW_TOTAL_RAM_MB", "96"),
            ),
            labels=((LEASE_LABEL, "test"),),
            account=Account("65534:65534"),
            limits=Limits(memory_bytes=128 * 2**20, cpus=0.5, pids=64, timeout_s=60),
        )
        return replace(run, **changes)

    return make
