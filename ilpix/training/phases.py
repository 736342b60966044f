"""What a training is busy with, for those who wait for it."""

from collections.abc import Callable
from typing import NamedTuple


class Phase(NamedTuple):
    """A piece of work that begins now."""

    stage: str  # "features", "growing" or "judging"
    now: str  # such as "judging crop 3 of 15"
    done: float  # share of the stage that lies behind, from 0 to 1


Tell = Callable[[Phase], None]  # what it raises ends the training


def tell_nobody(phase: Phase) -> None:
    """Nobody waits."""
