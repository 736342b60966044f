"""What Ilastik left: look for it, check it, and publish it as a probability TIFF."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from containers.command import DATASET, PreparedInput, input_name
from containers.run_errors import (
    EngineDiskFullError,
    OutputMissingError,
    OutputWrongError,
    RunError,
    RunReport,
)
from ilpix.disks import refused_by_disk
from ilpix.errors import FolderNotWritableError
from ilpix.files import replacing
from ilpix.prediction.errors import InvalidProbabilitiesError
from ilpix.prediction.probabilities import verify_probabilities, write_probabilities

BLOCK_ROWS = 256  # read at a time


def publish(
    folder: Path,
    inputs: Sequence[PreparedInput],
    targets: Sequence[Path],
    n_classes: int,
    report: RunReport,
) -> list[RunError | None]:
    """Turn the outputs of a successful run into verified probability TIFFs, whole or not at all.

    Returns:
        For each input what is wrong with its output, None where its target is there.

    Raises:
        EngineDiskFullError: if there is no room for a target.
    """
    problems: list[RunError | None] = []
    for i, (item, target) in enumerate(zip(inputs, targets, strict=True)):
        # Ilastik's nickname is the file name, in most versions with the dataset's name behind it
        found = sorted(folder.glob(f"{Path(input_name(i)).stem}*.h5"))
        if not found:
            problems.append(OutputMissingError(report))
            continue
        problem = _convert(found[0], (item.height, item.width, n_classes), target, report)
        problems.append(OutputWrongError(report, problem) if problem else None)
    return problems


def _convert(
    source: Path, shape: tuple[int, int, int], target: Path, report: RunReport
) -> str | None:
    """Convert one output that is to be (Y, X, classes); say what is wrong with it, if anything."""
    try:
        with h5py.File(source, "r") as file, replacing(target) as temporary:
            if problem := _problem(file, shape):
                raise InvalidProbabilitiesError(source, problem)
            stored = file[DATASET]
            rows = (stored[y : y + BLOCK_ROWS] for y in range(0, shape[0], BLOCK_ROWS))
            write_probabilities(temporary, shape, rows)
            verify_probabilities(temporary, shape[:2], shape[2])
    except InvalidProbabilitiesError as error:
        return error.what
    except OSError as error:
        refused = refused_by_disk(error, target.parent)
        if isinstance(refused, FolderNotWritableError):
            raise refused from error
        if refused:
            raise EngineDiskFullError(report) from error
        return f"it cannot be read: {error}"
    return None


def _problem(file: h5py.File, shape: tuple[int, int, int]) -> str | None:
    dataset = file.get(DATASET)
    if not isinstance(dataset, h5py.Dataset):
        return f"there is no dataset {DATASET}"
    if dataset.dtype != np.uint16:
        return f"its numbers are {dataset.dtype}, not uint16"
    if dataset.shape != shape:
        expected, got = (" x ".join(map(str, s)) for s in (shape, dataset.shape))
        return f"it is {got} (Y x X x classes), where {expected} is expected"
    return None
