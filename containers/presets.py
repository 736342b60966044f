"""Images that are known to hold Ilastik, and where in them it lies."""

import re
from dataclasses import dataclass

DEFAULT_IMAGE = "biocontainers/ilastik:1.4.2_cv1"
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:\.?(a|b|rc|post)(\d+))?")


@dataclass(frozen=True, slots=True)
class Preset:
    """A known repository of images."""

    repository: str  # without a registry that mirrors it and without a tag
    program: (
        str  # path of `run_ilastik.sh` in the image; {version} stands for the version in the tag
    )
    ilastik_version: str | None = None  # where every tag holds the same, or none at all (None)
    tag_is_version: bool = True
    note: str = ""


PRESETS = (
    Preset("biocontainers/ilastik", "/opt/ilastik-{version}-Linux/run_ilastik.sh"),
    Preset("ilastik/ilastik-from-binary", "/ilastik-release/run_ilastik.sh"),
    Preset(
        "galaxy/ilastik",
        "/opt/ilastik/ilastik-{version}-Linux/run_ilastik.sh",
        note="shows Ilastik's window in a browser",
    ),
    Preset(
        "bodenmillergroup/steinbock",
        "/opt/ilastik/run_ilastik.sh",
        ilastik_version="1.3.3post3",
        tag_is_version=False,
    ),
    Preset(
        "ilpix-headless",
        "/opt/ilpix/run_ilastik.sh",
        tag_is_version=False,
        note="ilpix's own engine behind Ilastik's command line",
    ),
)
GUI_IMAGE = "quay.io/galaxy/ilastik:1.4.0"


def find_preset(image: str) -> Preset | None:
    """Return the preset that an image reference belongs to, whatever registry it comes from."""
    repository = _repository(image)
    return next(
        (
            p
            for p in PRESETS
            if repository == p.repository or repository.endswith(f"/{p.repository}")
        ),
        None,
    )


def program_path(image: str) -> str | None:
    """Return where `run_ilastik.sh` lies in a known image, else None."""
    preset = find_preset(image)
    if preset is None:
        return None
    version = ilastik_version(image)
    if "{version}" in preset.program and version is None:
        return None
    return preset.program.format(version=version)


def ilastik_version(image: str) -> str | None:
    """Return the version of Ilastik in an image where its preset or its tag tells, else None."""
    preset = find_preset(image)
    if preset is not None and not preset.tag_is_version:
        return preset.ilastik_version
    if "ilastik" not in _repository(image):
        return None
    found = _VERSION.search(_tag(image))
    return found.group() if found else None


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(":")[0]


def _tag(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
