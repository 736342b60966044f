"""A project of crops with labels, and the features of Ilastik as vigra computes them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ilpix.data_directory import PROJECT
from ilpix.images.hdf5 import ImageRecord, open_prepared, write_image
from ilpix.images.preparation_options import PreparationOptions
from ilpix.project.crop_names import crop_path
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes

CLASSES, PIXELS, LABELLED_CROPS, SEED = 3, 1000, 5, 0

VIGRA_BANK = """
scales = (1.0, 1.6, 3.5, 5.0, 10.0)
filters = vigra.filters
def bank(block):
    columns = []
    for channel in block:
        plane = vigra.taggedView(channel, "yx")
        for scale in (0.3, 0.7, *scales):
            columns.append(filters.gaussianSmoothing(plane, scale))
        for scale in scales:
            columns += [
                filters.laplacianOfGaussian(plane, scale),
                filters.gaussianGradientMagnitude(plane, scale),
                filters.gaussianSmoothing(plane, scale)
                - filters.gaussianSmoothing(plane, 0.66 * scale),
            ]
            tensor = filters.structureTensorEigenvalues(plane, scale, 0.5 * scale)
            hessian = filters.hessianOfGaussianEigenvalues(plane, scale)
            columns += [tensor[..., 0], tensor[..., 1], hessian[..., 0], hessian[..., 1]]
    return numpy.stack([numpy.asarray(c) for c in columns], -1).reshape(-1, len(columns))
"""


@contextmanager
def labelled_crops(edge: int, n_crops: int) -> Iterator[Path]:
    """A project of crops with blobs of three kinds, 1 000 labelled pixels in the first five."""
    rng = np.random.default_rng(SEED)
    record = ImageRecord(channel_names=tuple("ABCD"), preparation=PreparationOptions())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "data")
        shapes, labels = {}, {}
        tissue_of_all = blobs(edge, rng)
        for lane in range(n_crops):
            truth = np.roll(tissue_of_all, rng.integers(edge, size=2), (0, 1))
            image = counts_of(truth, rng)
            crop = f"ilastik_crops/roi{lane}_x0_y0_w{edge}_h{edge}.h5"
            write_image(folder / crop, image, record, "crop")
            shapes[crop] = image.shape
            if lane < LABELLED_CROPS:
                chosen = np.zeros(edge * edge, bool)
                chosen[rng.permutation(edge * edge)[: PIXELS // LABELLED_CROPS]] = True
                labels[lane] = (truth * chosen.reshape(edge, edge)).astype(np.uint8)
        project = folder / PROJECT
        create_project(project, shapes, label_classes(("a", "b", "c")), record)
        write_labels(project, labels)
        yield folder


def blobs(edge: int, rng: np.random.Generator) -> np.ndarray:
    """(Y, X) classes 1 to 3: cells with a nucleus."""
    y, x = np.mgrid[:edge, :edge]
    nearest = np.full((edge, edge), np.inf)
    for centre in rng.random((edge * edge // 500, 2)) * edge:
        nearest = np.minimum(nearest, np.hypot(y - centre[0], x - centre[1]))
    return (1 + (nearest > 5).astype(np.uint8) + (nearest > 9)).astype(np.uint8)


def counts_of(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(C, Y, X) counts of four channels."""
    means = np.array([[0, 9, 3, 1], [0, 3, 8, 2], [0, 2, 2, 6], [0, 4, 4, 4]], float)
    return rng.poisson(means[:, truth]).astype(np.float32)


def write_arrays(project: Path, folder: Path) -> None:
    """Write the labelled crops (N, C, Y, X) and their labels (N, Y, X) where vigra finds them."""
    read = read_project(project)
    labels = read_all_labels(read)
    images = []
    for lane in read.lanes[:LABELLED_CROPS]:
        with open_prepared(crop_path(read, lane)) as crop:
            images.append(crop.read())
    np.save(folder / "images.npy", np.stack(images))
    np.save(folder / "labels.npy", np.stack([labels[i] for i in range(LABELLED_CROPS)]))
