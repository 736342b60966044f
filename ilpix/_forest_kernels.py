"""Compiled loops of the forest: pixels walk down trees."""

import numpy as np
from numba import njit

NODE = np.dtype(
    [("feature", np.int32), ("threshold", np.float32), ("left", np.int32), ("right", np.int32)]
)
LEAF = -1

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def predict(features, width, nodes, roots, votes, out):
    """Average over trees the votes of the leaf each pixel reaches. Equal to a threshold goes right.

    features (F, rows, ≥ width) float32; nodes NODE, at a leaf `left` is its row of votes (L, K) float32;
    roots (T,) int32; out (rows, width, K) float32, overwritten.
    """
    n_trees = np.float32(len(roots))
    for y in range(len(out)):
        for x in range(width):
            total = out[y, x]
            total[:] = 0
            for root in roots:
                node = nodes[root]
                while node["feature"] != LEAF:
                    goes_left = features[node["feature"], y, x] < node["threshold"]
                    node = nodes[node["left"] if goes_left else node["right"]]
                for k in range(len(total)):
                    total[k] += votes[node["left"], k]
            for k in range(len(total)):
                total[k] /= n_trees
