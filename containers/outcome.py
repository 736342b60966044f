"""What came of one image."""

from dataclasses import dataclass
from pathlib import Path

from ilpix.errors import IlpixError


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of Ilastik that an image took part in."""

    images: int  # how many images the run was given
    memory_bytes: int | None  # its limit; None where there was none
    seconds: float
    log: Path
    failure: str | None  # the name of the error's class; None where the run succeeded


@dataclass(frozen=True, slots=True)
class PredictionOutcome:
    """One image: predicted and verified in `target`, or not, and why."""

    image: Path
    target: Path
    error: IlpixError | None  # None where `target` is there and verified
    attempts: tuple[Attempt, ...] = ()
