"""The engines behind one contract: a prepared image in, a verified probability image out.

An engine is a frozen value that travels with the task, to another process too. `identity` names everything about it that can
change a probability, and is part of the cache key; limits and paths are not. A new engine is one more class here.
"""

from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, Field, PositiveInt

from ilpix.classifier import Classifier
from ilpix.project import read_project


class PredictionEngine(Protocol):
    """What every engine can do."""

    @property
    def identity(self) -> str:
        """What decides the numbers: program and version."""

    def predict(self, project: Path, image: Path, target: Path, stop: Event) -> None:
        """Predict one prepared image into a probability image, whole or not at all."""


class EmbeddedEngine(BaseModel, frozen=True, extra="forbid"):
    """Ilastik's numbers computed in this process."""

    kind: Literal["embedded"] = "embedded"
    threads: PositiveInt = 1

    @property
    def identity(self) -> str:
        """The version of our own computation."""
        return "embedded 1"

    def predict(self, project: Path, image: Path, target: Path, stop: Event) -> None:
        """See `ilpix.classifier.Classifier.predict_file`."""
        classifier = _classifier(project, project.stat().st_mtime_ns)
        classifier.predict_file(image, target, threads=self.threads, stop=stop)


@lru_cache(maxsize=1)
def _classifier(project: Path, changed_ns: int) -> Classifier:  # noqa: ARG001 - a changed project is another
    return Classifier.of(read_project(project))


Engine = Annotated[EmbeddedEngine, Field(discriminator="kind")]
