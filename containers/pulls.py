"""How far a pull of a container image is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a pull is, over all layers known so far."""

    done_bytes: int
    total_bytes: int
    layers: int
