"""An MCD file of imaging mass cytometry among the inputs that are mutated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import readimc

from ilpix.sources.raw_imc import list_acquisitions, read_acquisition
from tests.unit.raw_files import Measured, counts, write_mcd


def write_raw(path: Path) -> object:
    """Write two acquisitions."""
    return write_mcd(path, [Measured(1, counts(1)), Measured(2, counts(2, (5, 6)))])


def read_raw(path: Path) -> Mapping[str, Any]:
    """As `import` does: all counts of each acquisition."""
    found = list_acquisitions(path)
    return {str(one.id): read_acquisition(one, one.channels) for one in found}


def contradict_raw(path: Path, reading: Mapping[str, Any]) -> str:
    """What readimc reads, where it does."""
    try:
        with readimc.MCDFile(path) as file:
            found = [one for slide in file.slides for one in slide.acquisitions]
            theirs = {str(one.id): file.read_acquisition(one) for one in reversed(found)}
    except Exception:  # it refuses more
        return ""
    same = all(np.array_equal(reading[name], theirs[name], equal_nan=True) for name in theirs)
    return "" if same else "readimc reads other counts"
