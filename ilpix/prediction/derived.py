"""Compute, from top to bottom, what is derived from a probability image."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ilpix.prediction.probabilities import LARGEST, Rows, cut_rows, read_rows, read_shape
from ilpix.prediction.products import Product, ProductKind

_BLOCK_BYTES = 2**22  # of probabilities that are worked on at a time

DoubleArray = npt.NDArray[np.float64]


def derived_shape(path: Path, product: Product, factor: int) -> tuple[int, int, int]:
    """Return the (Y, X, K) of a product; K is 1 but for probabilities.

    Args:
        path: the probability image.
        product: what is derived from it.
        factor: of how many pixels along an edge one becomes.

    Raises:
        InvalidProbabilitiesError: if the probability image cannot be opened.
    """
    height, width, n_classes = read_shape(path)
    n_values = n_classes if product.kind == "probabilities" else 1
    return height // factor, width // factor, n_values


def derived_dtype(product: Product) -> np.dtype[Any]:
    """Return the type of the numbers of a product."""
    return np.dtype(np.uint8 if product.kind == "classes" else product.dtype)


def derived_rows(path: Path, product: Product, factor: int) -> Iterator[Rows]:
    """Compute a product from a probability image.

    Args:
        path: the probability image, (Y, X, K).
        product: what is derived from it.
        factor: of how many pixels along an edge one becomes: the mean of their probabilities, of
            which everything else is computed. Pixels that are left over at the end are left out.

    Yields:
        (rows, X, K) in `derived_dtype`; K is 1 but for probabilities.

    Raises:
        InvalidProbabilitiesError: if the probability image cannot be read.
    """
    compute = _COMPUTE[product.kind]
    for means in _mean_rows(path, factor):
        values = compute(means)
        if product.kind != "classes" and product.dtype == "uint16":
            values = np.rint(values * LARGEST)
        yield values.astype(derived_dtype(product))


def _mean_rows(path: Path, factor: int) -> Iterator[DoubleArray]:
    """(rows, X, K) probabilities of 0 to 1, each the mean of factor × factor pixels."""
    height, width, n_classes = read_shape(path)
    n_rows = factor * max(1, _BLOCK_BYTES // (8 * width * n_classes * factor))
    for block in cut_rows((rows for _, rows in read_rows(path)), height, n_rows):
        rows, columns = len(block) // factor, width // factor
        if rows:
            whole = block[: rows * factor, : columns * factor].astype(np.float64)
            squares = whole.reshape(rows, factor, columns, factor, n_classes)
            yield squares.mean(axis=(1, 3)) / LARGEST


def _most_probable(probabilities: DoubleArray) -> Rows:
    """The number of the most probable class, from 1; of equal ones the lower."""
    return np.expand_dims(probabilities.argmax(axis=2) + 1, 2)


def _uncertainty(probabilities: DoubleArray) -> Rows:
    """1 less the difference of the two largest, as Ilastik's layer; 0 where there is one class."""
    if probabilities.shape[2] == 1:
        return np.zeros_like(probabilities)
    largest = np.sort(probabilities, axis=2)[..., -2:]
    return 1 - np.diff(largest, axis=2)


def _entropy(probabilities: DoubleArray) -> Rows:
    """Shannon's, in units of that of equal probabilities, so from 0 to 1."""
    n_classes = probabilities.shape[2]
    if n_classes == 1:
        return np.zeros_like(probabilities)
    safe = np.where(probabilities > 0, probabilities, 1)
    sums = -(safe * np.log(safe)).sum(axis=2, keepdims=True)
    entropy: DoubleArray = np.minimum(sums / np.log(n_classes), 1)
    return entropy


_COMPUTE: dict[ProductKind, Callable[[DoubleArray], Rows]] = {
    "probabilities": lambda probabilities: probabilities,
    "classes": _most_probable,
    "uncertainty": _uncertainty,
    "entropy": _entropy,
}
