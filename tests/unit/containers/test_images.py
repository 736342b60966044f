"""Looking up and pulling images, with an engine that is played."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from containers.errors import (
    EngineUnreachableError,
    ImageMissingError,
    ImagePullError,
    ProgramUnknownError,
)
from containers.images import pin_image
from containers.pulls import PullProgress
from containers.settings import ContainerSettings

DIGEST = "biocontainers/ilastik@sha256:" + "ab" * 32


class PlayedEngine:
    """An engine with an image, or a registry that has it, or neither."""

    def __init__(
        self, *, on_engine: bool = False, events: list[dict[str, Any]] | None = None
    ) -> None:
        self.on_engine, self.events = on_engine, events or []
        self.pulled: list[tuple[str, str, str]] = []
        self.images = SimpleNamespace(get=self._get)
        self.api = SimpleNamespace(pull=self._pull)

    def _get(self, reference: str) -> Any:
        if not self.on_engine:
            raise docker.errors.ImageNotFound(reference)
        return SimpleNamespace(id="sha256:" + "0" * 64, attrs={"RepoDigests": [DIGEST]})

    def _pull(self, name: str, *, tag: str, platform: str, **_: Any) -> Iterator[dict[str, Any]]:
        self.pulled.append((name, tag, platform))
        yield from self.events
        self.on_engine = True


def layer(name: str, current: int, total: int) -> dict[str, Any]:
    return {
        "status": "Downloading",
        "id": name,
        "progressDetail": {"current": current, "total": total},
    }


def test_image_on_the_engine_is_not_pulled() -> None:
    engine = PlayedEngine(on_engine=True)
    image = pin_image(engine, ContainerSettings())  # type: ignore[arg-type] # played
    assert engine.pulled == []
    assert image.digest == DIGEST
    assert image.ilastik_version == "1.4.2"


def test_missing_image_is_pulled_for_the_platform_and_tells_its_progress() -> None:
    engine = PlayedEngine(
        events=[
            layer("a", 1, 10),
            {"status": "Waiting"},
            layer("b", 5, 20),
            {"status": "Download complete", "id": "a", "progressDetail": {}},
        ]
    )
    seen: list[PullProgress] = []
    pin_image(engine, ContainerSettings(), seen.append)  # type: ignore[arg-type] # played
    assert engine.pulled == [("biocontainers/ilastik", "1.4.2_cv1", "linux/amd64")]
    assert seen == [PullProgress(1, 10, 1), PullProgress(6, 30, 2), PullProgress(15, 30, 2)]


@pytest.mark.parametrize(
    ("reference", "name", "tag"),
    [
        ("localhost:5000/lab/ilastik:1.4.2", "localhost:5000/lab/ilastik", "1.4.2"),
        ("localhost:5000/lab/ilastik", "localhost:5000/lab/ilastik", "latest"),
        ("lab/ilastik:1.4.2@sha256:00", "lab/ilastik", "sha256:00"),
        ("localhost:5000/lab/ilastik@sha256:00", "localhost:5000/lab/ilastik", "sha256:00"),
    ],
)
def test_name_and_tag_are_told_apart(reference: str, name: str, tag: str) -> None:
    engine = PlayedEngine()
    pin_image(engine, ContainerSettings(image=reference, program="/x"))  # type: ignore[arg-type] # played
    assert engine.pulled[0][:2] == (name, tag)


def test_always_pulls_although_it_is_there() -> None:
    engine = PlayedEngine(on_engine=True)
    pin_image(engine, ContainerSettings(pull="always"))  # type: ignore[arg-type] # played
    assert len(engine.pulled) == 1


def test_never_does_not_pull() -> None:
    engine = PlayedEngine()
    with pytest.raises(ImageMissingError, match="switched off"):
        pin_image(engine, ContainerSettings(pull="never"))  # type: ignore[arg-type] # played
    assert engine.pulled == []


def test_pull_that_breaks_off_may_be_tried_again() -> None:
    engine = PlayedEngine(events=[layer("a", 1, 10), {"error": "unexpected EOF"}])
    with pytest.raises(ImagePullError, match="unexpected EOF") as caught:
        pin_image(engine, ContainerSettings())  # type: ignore[arg-type] # played
    assert caught.value.retryable


def test_refused_pull_is_a_missing_image() -> None:
    engine = PlayedEngine(events=[{"error": "pull access denied for biocontainers/ilastik"}])
    with pytest.raises(ImageMissingError, match="access denied"):
        pin_image(engine, ContainerSettings())  # type: ignore[arg-type] # played


def test_lost_connection_is_an_engine_that_cannot_be_reached() -> None:
    engine = PlayedEngine()
    engine.images.get = _lose_connection
    with pytest.raises(EngineUnreachableError):
        pin_image(engine, ContainerSettings())  # type: ignore[arg-type] # played


def test_unknown_image_needs_the_path_of_the_program() -> None:
    engine = PlayedEngine(on_engine=True)
    with pytest.raises(ProgramUnknownError, match=r"lab/tools"):
        pin_image(engine, ContainerSettings(image="lab/tools:1"))  # type: ignore[arg-type] # played
    settings = ContainerSettings(image="lab/tools:1", program="/opt/run_ilastik.sh")
    assert pin_image(engine, settings).program == "/opt/run_ilastik.sh"  # type: ignore[arg-type] # played


def _lose_connection(reference: str) -> None:
    raise docker.errors.requests.exceptions.ConnectionError(reference)
