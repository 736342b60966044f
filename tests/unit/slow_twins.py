"""The obvious versions of what `ilpix` computes fast: no tiles, no float32, one pixel at a time."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import correlate1d

from ilpix.features.selection import FeatureColumn
from ilpix.forest.stored import LEAF, Forest

Plane = npt.NDArray[np.float64]


def slow_kernel(sigma: float, order: int, ratio: float) -> Plane:
    radius = math.floor(ratio * sigma + 0.5)
    x = np.arange(-radius, radius + 1)
    kernel = np.exp(-(x**2) / (2 * sigma**2))
    if order == 0:
        return kernel / kernel.sum()
    if order == 1:
        return x * kernel / (x**2 * kernel).sum()
    kernel = (1 - x**2 / sigma**2) * kernel
    kernel -= kernel.mean()
    return kernel / (kernel * x**2 / 2).sum()


def slow_filter(plane: Plane, sigma: float, order_y: int, order_x: int, ratio: float) -> Plane:
    along_x = correlate1d(plane, slow_kernel(sigma, order_x, ratio), axis=1, mode="mirror")
    return np.asarray(
        correlate1d(along_x, slow_kernel(sigma, order_y, ratio), axis=0, mode="mirror")
    )


def slow_eigenvalues(xx: Plane, xy: Plane, yy: Plane) -> Plane:
    matrices = np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-1)
    return np.moveaxis(np.linalg.eigvalsh(matrices)[..., ::-1], -1, 0)


def slow_feature(image: npt.NDArray[np.float32], column: FeatureColumn) -> Plane:
    """One column (Y, X) of an image (C, Y, X)."""
    scale, n = column.scale, min(column.scale, 1.0)
    sigma = math.sqrt(scale**2 - 1) if scale > 1 else scale
    plane = slow_filter(image[column.channel].astype(np.float64), sigma, 0, 0, 3.5)

    def response(order_y: int, order_x: int) -> Plane:
        return slow_filter(plane, n, order_y, order_x, 2.0)

    match column.feature_id:
        case "GaussianSmoothing":
            return response(0, 0)
        case "LaplacianOfGaussian":
            return response(0, 2) + response(2, 0)
        case "GaussianGradientMagnitude":
            return np.hypot(response(0, 1), response(1, 0))
        case "DifferenceOfGaussians":
            return response(0, 0) - slow_filter(plane, 0.66 * n, 0, 0, 2.0)
        case "HessianOfGaussianEigenvalues":
            eigenvalues = slow_eigenvalues(response(0, 2), response(1, 1), response(2, 0))
        case _:
            x, y = slow_filter(plane, n / 2, 0, 1, 2.0), slow_filter(plane, n / 2, 1, 0, 2.0)
            products = (slow_filter(product, n, 0, 0, 2.0) for product in (x * x, x * y, y * y))
            eigenvalues = slow_eigenvalues(*products)
    return np.asarray(eigenvalues[column.eigenvalue])


def slow_predict(forest: Forest, sample: Sequence[float]) -> npt.NDArray[np.float64]:
    """The class probabilities (K,) of one sample."""

    def votes_at_leaf(node: int) -> npt.NDArray[np.float64]:
        if forest.feature[node] == LEAF:
            return forest.votes[node]
        goes_left = float(sample[forest.feature[node]]) < forest.threshold[node]
        return votes_at_leaf(forest.left[node] if goes_left else forest.right[node])

    return np.mean([votes_at_leaf(root) for root in forest.roots], axis=0)
