"""The engines behind one contract: prepared images in, verified probability images out.

An engine is a frozen value that travels with its task, to another process too. Its `identity` names
everything about it that can change a probability, and is part of the cache key; limits and paths
are not. A new engine is one more class here and one more entry in `Engine`.
"""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, Field, PositiveInt

from containers.apptainer import predict_by_apptainer
from containers.apptainer_image import ApptainerImage
from containers.images import PinnedImage
from containers.local import predict_locally
from containers.outcome import PredictionOutcome
from containers.predict import predict_in_container
from containers.prediction import PredictionRequest
from containers.settings import ApptainerSettings, ContainerSettings, LocalSettings
from ilpix.features.computing import compute_features
from ilpix.features.selection import FeatureSelection
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import PixelProject, read_project


class EmbeddedEngine(BaseModel, frozen=True, extra="forbid"):
    """Ilastik's numbers computed in this process."""

    kind: Literal["embedded"] = "embedded"
    threads: PositiveInt = 1

    @property
    def identity(self) -> str:
        """The version of our own computation."""
        return "embedded 1"

    @property
    def batch(self) -> int:
        """Images per run of the engine."""
        return 1

    def predict(self, request: PredictionRequest, stop: Event) -> list[PredictionOutcome]:
        """Predict images one after the other; an error of one ends the call."""
        _, classifier = read_classifier(request.project)
        pairs = list(zip(request.images, request.targets, strict=True))
        for image, target in pairs:
            classifier.predict_file(image, target, threads=self.threads, stop=stop)
        return [PredictionOutcome(*pair, error=None) for pair in pairs]


class DockerEngine(BaseModel, frozen=True, extra="forbid"):
    """The official Ilastik container."""

    kind: Literal["docker"] = "docker"
    settings: ContainerSettings
    image: PinnedImage

    @property
    def identity(self) -> str:
        """The content of the container image."""
        return f"docker {self.image.digest}"

    @property
    def batch(self) -> int:
        """Images per container."""
        return self.settings.batch

    def predict(self, request: PredictionRequest, stop: Event) -> list[PredictionOutcome]:
        """See `containers.predict.predict_in_container`."""
        return predict_in_container(request, self.settings, self.image, stop)


class ApptainerEngine(BaseModel, frozen=True, extra="forbid"):
    """The official Ilastik container, where there is no Docker."""

    kind: Literal["apptainer"] = "apptainer"
    settings: ApptainerSettings
    image: ApptainerImage

    @property
    def identity(self) -> str:
        """The content of the image."""
        return f"apptainer {self.image.digest}"

    @property
    def batch(self) -> int:
        """Images per container."""
        return self.settings.batch

    def predict(self, request: PredictionRequest, stop: Event) -> list[PredictionOutcome]:
        """See `containers.apptainer.predict_by_apptainer`."""
        return predict_by_apptainer(request, self.settings, self.image, stop)


class LocalEngine(BaseModel, frozen=True, extra="forbid"):
    """An Ilastik that is installed on this machine."""

    kind: Literal["local"] = "local"
    settings: LocalSettings

    @property
    def identity(self) -> str:
        """The program, by the content of its start script and where it lies."""
        program = self.settings.program
        return f"local {program} {sha256(program.read_bytes()).hexdigest()}"

    @property
    def batch(self) -> int:
        """Images per process."""
        return self.settings.batch

    def predict(self, request: PredictionRequest, stop: Event) -> list[PredictionOutcome]:
        """See `containers.local.predict_locally`."""
        return predict_locally(request, self.settings, stop)


Engine = Annotated[
    EmbeddedEngine | DockerEngine | ApptainerEngine | LocalEngine, Field(discriminator="kind")
]


def facts_of(outcome: PredictionOutcome) -> dict[str, Any]:
    """Return what is worth telling about a prediction.

    Raises:
        IlpixError: the outcome's own error, if the image was not predicted.
    """
    if outcome.error:
        raise outcome.error
    if not outcome.attempts:
        return {}
    last = outcome.attempts[-1]
    return {
        "runs": len(outcome.attempts),
        "log": last.log.name,
        "memory_mb": last.memory_bytes and last.memory_bytes // 2**20,
    }


def read_classifier(project: Path) -> tuple[PixelProject, Classifier]:
    """Read a trained project; the same file is not read twice in a row.

    Raises:
        NoClassifierError: if it was not trained.
        IlpixError: from `read_project`.
    """
    changed_ns = project.stat().st_mtime_ns if project.exists() else 0
    return _read_classifier(project.absolute(), changed_ns)


def load_kernels() -> None:
    """Load the compiled kernels, which takes a second the first time in a process."""
    smoothing = FeatureSelection(("GaussianSmoothing",), (1.0,), ((True,),))
    compute_features(np.zeros((1, 16, 16), np.float32), smoothing)


@lru_cache(maxsize=1)
def _read_classifier(project: Path, changed_ns: int) -> tuple[PixelProject, Classifier]:  # noqa: ARG001 - a changed project is another
    opened = read_project(project)
    return opened, Classifier.of(opened)
