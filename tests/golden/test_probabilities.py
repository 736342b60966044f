"""Probabilities agree with those of real Ilastik; see PROVENANCE.md beside the data."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from ilpix.images.hdf5 import open_prepared
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.probabilities import to_uint16, verify_probabilities
from ilpix.project.reading import read_project

DATA = Path(__file__).parent / "data" / "engine"
PROJECTS = sorted(path.parent.name for path in DATA.glob("*/project.ilp.gz"))
IMAGES = sorted(path.name.removesuffix(".h5.gz") for path in (DATA / "images").glob("*.h5.gz"))

ONE_VOTE = 65535 / 100  # of 100 trees whose leaves are pure
LEAST_IDENTICAL = 0.9995  # of the pixels of an image
LEAST_IDENTICAL_MEAN = 0.9999


def unpack(packed: Path, folder: Path) -> Path:
    path = folder / packed.name.removesuffix(".gz")
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path


def share_identical(actual: npt.NDArray[np.uint16], expected: npt.NDArray[np.uint16]) -> float:
    """The share of pixels with the same probabilities; the others may be 3 votes off."""
    assert actual.shape == expected.shape
    away = abs(actual.astype(np.int64) - expected).max(axis=2)
    assert away.max(initial=0) <= 3 * ONE_VOTE + 1
    return float((away == 0).mean())


def predicted(project: str, folder: Path) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    classifier = Classifier.of(read_project(unpack(DATA / project / "project.ilp.gz", folder)))
    for image in IMAGES:
        target = folder / f"{image}.tiff"
        classifier.predict_file(unpack(DATA / "images" / f"{image}.h5.gz", folder), target)
        expected = tifffile.imread(DATA / project / f"{image}.tiff")
        verify_probabilities(target, expected.shape[:2], expected.shape[2])
        yield tifffile.imread(target), expected


def test_there_are_golden_cases() -> None:
    assert len(PROJECTS) == 4
    assert len(IMAGES) == 5


@pytest.mark.parametrize("project", PROJECTS)
def test_predictions_are_those_of_ilastik(project: str, tmp_path: Path) -> None:
    """What is left is rounding at a threshold: near left and right edges Ilastik does not fuse."""
    shares = [share_identical(*pair) for pair in predicted(project, tmp_path)]
    assert min(shares) >= LEAST_IDENTICAL
    assert np.mean(shares) >= LEAST_IDENTICAL_MEAN


def test_predictions_of_real_tissue_are_those_of_ilastik(imc: Path) -> None:
    """Ilastik 1.3.3 truncated where newer ones round."""
    folder = imc / "steinbock"
    classifier = Classifier.of(read_project(folder / "pixel_classifier.ilp"))
    shares = []
    for expected in sorted((folder / "ilastik_probabilities").glob("*.tiff")):
        with open_prepared(folder / "ilastik_img" / f"{expected.stem}.h5") as image:
            probabilities = classifier.predict(image.read())
        actual = to_uint16(probabilities, rounding="down")
        shares.append(share_identical(actual, tifffile.imread(expected)))
    assert len(shares) == 15
    assert min(shares) >= 0.9998
