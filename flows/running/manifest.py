"""`ilpix_run.json`: how what lies in a data directory was made. The only output with a clock in it.

It holds the last run of each verb: program versions, parameters, seed, engine and what became of
each image.
"""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ValidationError

from flows.running.outcomes import Outcome
from ilpix.data_directory import MANIFEST
from ilpix.files import write_text

ALSO_WRITTEN = "also_written"  # a note of `run`: what lies beside the probability images, and where
_PROGRAMS = (
    "ilpix",
    "prefect",
    "numpy",
    "numba",
    "h5py",
    "tifffile",
    "scikit-image",
)


class VerbRecord(BaseModel, frozen=True):
    """The last run of one verb."""

    verb: str
    started: datetime  # in UTC
    seconds: float = 0.0
    parameters: dict[str, Any]  # as they were given, defaults included
    notes: dict[str, Any] = {}  # the seed that was used, engine and image digest, classes, …
    images: tuple[Outcome, ...] = ()  # one for each image and step
    error: str | None = None  # what ended the run as a whole

    @classmethod
    def begun(cls, verb: str, parameters: BaseModel) -> Self:
        """Return the record of a run that begins now."""
        return cls(
            verb=verb, started=datetime.now(UTC), parameters=parameters.model_dump(mode="json")
        )

    def ended(
        self, images: list[Outcome], notes: dict[str, Any], error: BaseException | None
    ) -> Self:
        """Return the record of the same run, which ends now."""
        update = {
            "seconds": (datetime.now(UTC) - self.started).total_seconds(),
            "images": tuple(images),
            "notes": notes,
            "error": str(error) or type(error).__name__ if error else None,
        }
        return self.model_copy(update=update)


class Manifest(BaseModel, frozen=True):
    """What is known about a data directory: the last run of each verb."""

    versions: dict[str, str] = {}  # of Python and of the packages that compute
    verbs: dict[str, VerbRecord] = {}  # by name of the verb


def read_manifest(data_dir: Path) -> Manifest:
    """Read the manifest of a data directory; an empty one where there is none or it is damaged."""
    try:
        return Manifest.model_validate_json((data_dir / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return Manifest()


def write_manifest(data_dir: Path, record: VerbRecord) -> None:
    """Replace the record of a verb in the manifest of a data directory."""
    verbs = {**read_manifest(data_dir).verbs, record.verb: record}
    manifest = Manifest(versions=program_versions(), verbs=verbs)
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_text(data_dir / MANIFEST, text + "\n")


def program_versions() -> dict[str, str]:
    """Return the versions of Python and of what decides results, by name."""
    programs = {program: version(program) for program in _PROGRAMS}
    return {"python": platform.python_version(), **programs}
