"""Pulling from a registry that really runs, on loopback: Debian's docker-registry."""

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import docker
import pytest

from containers.errors import ImageMissingError
from containers.predict import prepare_engine
from containers.pulls import PullProgress
from containers.settings import ContainerSettings
from tests.containers.conftest import skip_or_fail

pytestmark = pytest.mark.docker

LAYER_BYTES = 2**25
START_S = 60
USER, PASSWORD = "lab", "secret"
HTPASSWD = "lab:$2y$05$7EacD8CNg27dC4DMfgNt3.nuD/R9nE2GZwKxp0GDWAqDkd3mVX5TG\n"


class Registry:
    """A registry on loopback, and how to put something into it."""

    def __init__(self, address: str, client: docker.DockerClient) -> None:
        self.address, self.client = address, client

    def push_image(self, name: str) -> str:
        """Push an image of one layer, forget it on the engine, and return its reference."""
        reference = f"{self.address}/{name}"
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            member = tarfile.TarInfo("layer")
            member.size = LAYER_BYTES
            tar.addfile(member, io.BytesIO(os.urandom(LAYER_BYTES)))
        self.client.api.import_image_from_data(archive.getvalue(), reference, "1")
        login = {"username": USER, "password": PASSWORD}
        events = list(self.client.api.push(reference, "1", True, login, decode=True))
        assert not [event for event in events if "error" in event], events
        self.client.images.remove(f"{reference}:1")
        return f"{reference}:1"


@pytest.fixture
def serve(client: docker.DockerClient, tmp_path: Path) -> Iterator[Callable[[bool], Registry]]:
    """Starts a registry, private or open."""
    if not shutil.which("docker-registry"):
        skip_or_fail("Debian's docker-registry is not installed")
    running: list[subprocess.Popen[bytes]] = []

    def start(is_private: bool) -> Registry:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        (tmp_path / "htpasswd").write_text(HTPASSWD)
        auth = {"htpasswd": {"realm": "test", "path": str(tmp_path / "htpasswd")}}
        config = {
            "version": 0.1,
            "log": {"level": "error"},
            "storage": {"filesystem": {"rootdirectory": str(tmp_path / "registry")}},
            "http": {"addr": address},
            **({"auth": auth} if is_private else {}),
        }
        (tmp_path / "config.yml").write_text(json.dumps(config))  # JSON is YAML as well
        command = ["docker-registry", "serve", str(tmp_path / "config.yml")]
        running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        wait_for(f"http://{address}/v2/")
        return Registry(address, client)

    yield start
    for process in running:
        process.terminate()
        process.wait(START_S)


def wait_for(url: str) -> None:
    end = time.monotonic() + START_S
    while True:
        try:
            urlopen(url, timeout=5).close()  # noqa: S310 - our own registry
        except HTTPError:  # it answers, if only to ask who we are
            return
        except URLError:
            assert time.monotonic() < end, "the registry did not start"
            time.sleep(0.05)
        else:
            return


def settings_for(reference: str) -> ContainerSettings:
    return ContainerSettings(image=reference, program="/run_ilastik.sh", pull="missing")


def test_missing_image_is_pulled_once_with_progress_and_known_by_its_digest(
    serve: Callable[[bool], Registry], client: docker.DockerClient, tmp_path: Path
) -> None:
    reference = serve(False).push_image("ilastik")
    seen: list[PullProgress] = []
    pulled = prepare_engine(settings_for(reference), tmp_path / ".ilpix", seen.append)
    try:
        assert pulled.digest.startswith(reference.removesuffix(":1") + "@sha256:")
        assert seen[-1].done_bytes == seen[-1].total_bytes > LAYER_BYTES
        n_seen = len(seen)
        again = prepare_engine(settings_for(reference), tmp_path / ".ilpix", seen.append)
        assert again == pulled
        assert len(seen) == n_seen
    finally:
        client.images.remove(pulled.image_id, force=True)


def test_credentials_come_from_the_docker_configuration(
    serve: Callable[[bool], Registry],
    client: docker.DockerClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = serve(True)
    reference = registry.push_image("private/ilastik")
    with pytest.raises(ImageMissingError, match=reference):
        prepare_engine(settings_for(reference), tmp_path / ".ilpix")
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    config = {"auths": {registry.address: {"auth": auth}}}
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    pulled = prepare_engine(settings_for(reference), tmp_path / ".ilpix")
    client.images.remove(pulled.image_id, force=True)


def test_tag_the_registry_does_not_have_is_a_missing_image(
    serve: Callable[[bool], Registry], tmp_path: Path
) -> None:
    reference = serve(False).push_image("ilastik").replace(":1", ":2")
    with pytest.raises(ImageMissingError, match=reference):
        prepare_engine(settings_for(reference), tmp_path / ".ilpix")
