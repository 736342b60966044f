"""Pixels whose probabilities equal those of real Ilastik.

    python -m benchmarks.agreement [FOLDER]

Of the golden images, or of a data directory whose probabilities are Ilastik's.
"""

import gzip
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile

from ilpix.data_directory import PREPARED, PROBABILITIES, PROJECT
from ilpix.images.hdf5 import open_prepared
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.probabilities import to_uint16
from ilpix.project.reading import read_project

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "data" / "engine"


def main(arguments: list[str]) -> None:
    if arguments:
        report_directory(Path(arguments[0]))
    else:
        with TemporaryDirectory() as folder:
            report_golden(Path(folder))


def report_golden(folder: Path) -> None:
    """Print the share of pixels whose probabilities are those of real Ilastik, all classes."""
    shares = []
    for packed in sorted(GOLDEN.glob("*/project.ilp.gz")):
        classifier = Classifier.of(read_project(unpack(packed, folder)))
        for image in sorted((GOLDEN / "images").glob("*.h5.gz")):
            name = image.name.removesuffix(".h5.gz")
            classifier.predict_file(unpack(image, folder), folder / "actual.tiff")
            actual = tifffile.imread(folder / "actual.tiff")
            expected = tifffile.imread(packed.parent / f"{name}.tiff")
            shares.append((actual == expected).all(axis=2).mean())
            print(f"{packed.parent.name:14} {name:16} {100 * shares[-1]:8.3f} %")
    print(f"{'average':31} {100 * np.mean(shares):8.3f} %")


def report_directory(folder: Path) -> None:
    """Print the same of the probabilities that Ilastik left in a data directory."""
    project = read_project(folder / PROJECT)
    classifier = Classifier.of(project)
    shares = []
    for expected in sorted((folder / PROBABILITIES).glob("*.tiff")):
        with open_prepared(folder / PREPARED / f"{expected.stem}.h5") as image:
            probabilities = classifier.predict(image.read())
        theirs = tifffile.imread(expected)
        ways = [to_uint16(probabilities, rounding=way) for way in ("down", "nearest")]
        shares.append(max((actual == theirs).all(axis=2).mean() for actual in ways))
    about = f"{len(shares)} images, {classifier.n_channels} channels"
    print(f"Ilastik {project.ilastik_version}: {about}")
    print(f"least {100 * min(shares):.3f} %, average {100 * np.mean(shares):.3f} %")


def unpack(packed: Path, folder: Path) -> Path:
    path = folder / packed.name.removesuffix(".gz")
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
