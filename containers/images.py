"""The container image: look it up, pull it where that is allowed, and name what really runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import docker
import docker.errors
import requests
from docker.models.images import Image

from containers.engine import translated
from containers.errors import ImageMissingError, ImagePullError, ProgramUnknownError
from containers.presets import ilastik_version, program_path
from containers.pulls import PullProgress
from containers.run import PLATFORM
from containers.settings import ContainerSettings


@dataclass(frozen=True, slots=True)
class PinnedImage:
    """An image on the engine, by what it holds and not by a name that may move."""

    reference: str  # as it was asked for
    image_id: str  # "sha256:...", what containers are created from
    digest: str  # "name@sha256:..." where a registry gave one, else the image id
    program: str  # path of `run_ilastik.sh` in it
    ilastik_version: str | None  # None where neither a preset nor the tag tells


def pin_image(
    client: docker.DockerClient,
    settings: ContainerSettings,
    progress: Callable[[PullProgress], None] | None = None,
) -> PinnedImage:
    """Make sure that the image is on the engine, pulling it as far as the settings allow.

    Credentials of a private registry come from the Docker configuration of the user.

    Raises:
        ImageMissingError: if it is not there and may not or cannot be pulled.
        ImagePullError: if pulling it broke off.
        ProgramUnknownError: if the image has no preset and the settings name no program.
    """
    reference = settings.image
    program = settings.program or program_path(reference)
    if program is None:
        raise ProgramUnknownError(reference)
    image = None if settings.pull == "always" else _find(client, reference)
    if image is None:
        if settings.pull == "never":
            raise ImageMissingError(
                reference, "it is not on the engine, and pulling is switched off"
            )
        _pull(client, reference, progress)
        image = _find(client, reference)
    if image is None:
        raise ImageMissingError(reference, "it was pulled, but the engine does not list it")
    return PinnedImage(
        reference, str(image.id), _digest(image), program, ilastik_version(reference)
    )


def _find(client: docker.DockerClient, reference: str) -> Image | None:
    with translated(f"look up the image {reference}"):
        try:
            return client.images.get(reference)
        except docker.errors.ImageNotFound:
            return None


def _digest(image: Image) -> str:
    return str(min(image.attrs.get("RepoDigests") or [image.id]))


def _pull(
    client: docker.DockerClient, reference: str, progress: Callable[[PullProgress], None] | None
) -> None:
    layers: dict[str, tuple[int, int]] = {}
    name, tag = _name_and_tag(reference)
    try:
        for event in client.api.pull(name, tag=tag, platform=PLATFORM, stream=True, decode=True):
            if "error" in event:
                raise _pull_failure(reference, str(event["error"]))
            if _note(event, layers) and progress:
                done, total = map(sum, zip(*layers.values(), strict=True))
                progress(PullProgress(done, total, len(layers)))
    except docker.errors.NotFound as error:
        raise ImageMissingError(reference, str(error.explanation)) from error
    except docker.errors.APIError as error:
        raise _pull_failure(reference, str(error.explanation or error)) from error
    except requests.RequestException as error:
        raise ImagePullError(reference, str(error)) from error


def _note(event: dict[str, Any], layers: dict[str, tuple[int, int]]) -> bool:
    """Note how many bytes of how many a layer has; return whether the event told so."""
    layer, detail = event.get("id", ""), event.get("progressDetail") or {}
    if event.get("status") == "Downloading" and detail.get("total"):
        layers[layer] = (detail["current"], detail["total"])
    elif event.get("status") == "Download complete" and layer in layers:
        layers[layer] = (layers[layer][1], layers[layer][1])
    else:
        return False
    return True


def _pull_failure(reference: str, reason: str) -> ImageMissingError | ImagePullError:
    refused = (
        "denied",
        "unauthorized",
        "no basic auth credentials",
        "not found",
        "manifest unknown",
        "does not exist",
    )
    if any(word in reason.lower() for word in refused):
        return ImageMissingError(reference, reason)
    return ImagePullError(reference, reason)


def _name_and_tag(reference: str) -> tuple[str, str]:
    if "@" in reference:
        name, _, digest = reference.partition("@")
        return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name, digest
    head, slash, last = reference.rpartition("/")
    name, _, tag = last.partition(":")
    return head + slash + name, tag or "latest"
