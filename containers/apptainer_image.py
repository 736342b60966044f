"""The image that Apptainer runs: found or built once, named by its content, tried before use."""

import json
import logging
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

from containers.apptainer_errors import (
    ApptainerImageMissingError,
    NoSuchProgramError,
    refusal,
)
from containers.apptainer_file import FROM_DOCKER, require_apptainer, require_image_file
from containers.confinement import OPTIONAL, base_flags
from containers.errors import ProgramUnknownError
from containers.presets import ilastik_version, program_path
from containers.settings import ApptainerSettings
from ilpix.files import sha256_of

SOURCE_LABELS = (
    "org.label-schema.usage.apptainer.deffile.from",
    "org.label-schema.usage.singularity.deffile.from",
)

NOT_THERE = 1  # what `test` says; what Apptainer itself refuses ends with another code

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ApptainerImage:
    """An image on disk, and what is to be run in it."""

    reference: str  # as it was asked for
    path: Path  # a .sif file or a sandbox
    digest: str  # "sha256:…" of the file; of a sandbox, of the names, sizes and times in it
    program: str  # path of `run_ilastik.sh` in it
    ilastik_version: str | None  # None where neither a preset nor the tag tells


def prepare_image(settings: ApptainerSettings) -> ApptainerImage:
    """Find or build the image, and try once whether it can be run.

    Raises:
        ContainerError: if Apptainer, the image or the program in it is not to be had.
    """
    path = _find_or_build(settings)
    names = [settings.image.removeprefix(FROM_DOCKER), *_sources(path), path.stem]
    program = settings.program or next(filter(None, map(program_path, names)), None)
    if program is None:
        raise ProgramUnknownError(settings.image)
    version = next(filter(None, map(ilastik_version, names)), None)
    image = ApptainerImage(settings.image, path, _digest(path), program, version)
    find_walls(image)
    return image


@lru_cache
def find_walls(image: ApptainerImage) -> tuple[str, ...]:
    """Run nothing in the image, once for each wall; return the walls that can be had here.

    Each process tries for itself: a compute node may allow what the login node does not.

    Raises:
        ContainerError: if Apptainer or the program is missing, or Apptainer does not run the image.
    """
    probe = [str(image.path), "test", "-x", image.program]
    plain = _apptainer("exec", *base_flags(), *probe)
    if plain.returncode:
        if plain.returncode == NOT_THERE and not plain.stderr:
            raise NoSuchProgramError(image.reference, image.program)
        raise refusal(image.reference, plain.stderr)
    walls = []
    for name, wall in OPTIONAL.items():
        tried = _apptainer("exec", *base_flags(), *wall.example, *probe)
        if tried.returncode == 0:
            walls.append(name)
        else:
            _log.warning("Apptainer cannot %s on this machine: %s", name, wall.instead)
    return tuple(walls)


def _find_or_build(settings: ApptainerSettings) -> Path:
    if not settings.image.startswith(FROM_DOCKER):
        return require_image_file(settings.image)
    cache = settings.cache.expanduser().resolve()
    name = settings.image.removeprefix(FROM_DOCKER).replace("/", "_").replace(":", "_")
    target = cache / f"{name}.sif"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{name}.lock"):
        if settings.pull == "always" or not target.exists():
            _build(settings, target)
    return target


def _build(settings: ApptainerSettings, target: Path) -> None:
    """Build an image beside its place; it is moved there when it is whole."""
    if settings.pull == "never":
        raise ApptainerImageMissingError(settings.image, f"not in {target.parent}, and not built")
    _log.info("building %s from %s, once", target, settings.image)
    unfinished = target.with_name(f".{target.name}.unfinished")
    try:
        built = _apptainer("build", "--force", str(unfinished), settings.image)
        if built.returncode:
            raise _build_failure(settings.image, built.stderr)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _build_failure(image: str, said: str) -> Exception:
    words = ("manifest unknown", "unauthorized", "denied", "no such host", "not found", "dial tcp")
    if any(word in said.lower() for word in words):
        return ApptainerImageMissingError(image, said.strip().splitlines()[-1])
    return refusal(image, said)


def _sources(path: Path) -> Iterator[str]:
    """Yield what the labels of an image say that it was built from."""
    inspected = _apptainer("inspect", "--json", "--labels", str(path))
    try:
        labels = json.loads(inspected.stdout)["data"]["attributes"]["labels"]
    except (ValueError, LookupError, TypeError):
        return
    yield from (str(labels[name]) for name in SOURCE_LABELS if name in labels)


def _digest(path: Path) -> str:
    if path.is_file():
        return f"sha256:{sha256_of(path)}"
    digest = sha256()
    for item in sorted(path.rglob("*")):
        status = item.lstat()
        name = item.relative_to(path).as_posix()
        digest.update(f"{name} {status.st_mode} {status.st_size} {status.st_mtime_ns}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _apptainer(*words: str) -> subprocess.CompletedProcess[str]:
    require_apptainer()
    command = ["apptainer", "--quiet", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
