"""What Ilastik left: look for it, check it, and publish it as a probability TIFF."""

import errno
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from containers.command import DATASET, PreparedInput, input_name
from containers.errors import DiskFullError, OutputMissingError, OutputWrongError, RunError, RunReport
from ilpix.errors import IlpixError


def publish(
    folder: Path, inputs: Sequence[PreparedInput], targets: Sequence[Path], n_classes: int, report: RunReport
) -> list[RunError | None]:
    """Turn the outputs of a successful run into probability TIFFs, verified and written whole or not at all.

    Returns:
        For each input what is wrong with its output, None where its target is there.

    Raises:
        DiskFullError: if there is no room for a target.
    """
    return [
        _publish_one(folder, i, item, target, n_classes, report)
        for i, (item, target) in enumerate(zip(inputs, targets, strict=True))
    ]


def _publish_one(
    folder: Path, index: int, item: PreparedInput, target: Path, n_classes: int, report: RunReport
) -> RunError | None:
    # Ilastik's nickname is the file name, in most versions with the name of the dataset behind it
    stem = Path(input_name(index)).stem
    found = sorted(folder.glob(f"{stem}*.h5"))
    if not found:
        return OutputMissingError(report)
    try:
        with h5py.File(found[0], "r") as file:
            if problem := _problem(file, (item.height, item.width, n_classes)):
                return OutputWrongError(report, problem)
            write_stored(file[DATASET], target)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFullError(report) from error
        return OutputWrongError(report, f"it cannot be read: {error}")
    return None


def _problem(file: h5py.File, shape: tuple[int, int, int]) -> str | None:
    """Say what is wrong with an output of which (Y, X, classes) is expected; None where nothing is."""
    dataset = file.get(DATASET)
    if not isinstance(dataset, h5py.Dataset):
        return f"there is no dataset {DATASET}"
    if dataset.dtype != np.uint16:
        return f"its numbers are {dataset.dtype}, not uint16"
    if dataset.shape != shape:
        expected, got = (" x ".join(map(str, s)) for s in (shape, dataset.shape))
        return f"it has {got} pixels and classes (Y x X x classes), where {expected} are expected"
    return None
