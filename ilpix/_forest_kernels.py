"""Compiled loops of the forest: pixels walk down trees."""

import numpy as np
from numba import njit

NODE = np.dtype([("feature", np.int32), ("threshold", np.float32), ("child", np.int32)])
LEAF = -1

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def add_votes(features, n_rows, n_columns, nodes, roots, votes, out):
    """Add the votes of every tree.

    features (F, ≥ n_rows, ≥ n_columns) float32; nodes NODE: left where the value is below the threshold, the
    left child at `child`, the right one behind it, at a leaf `child` is the row of votes (L, K) float32;
    roots (T,) int32; out (n_rows, n_columns, K) float32.
    """
    for y in range(n_rows):
        for x in range(n_columns):
            for root in roots:
                node = nodes[root]
                while node["feature"] != LEAF:
                    goes_right = not features[node["feature"], y, x] < node["threshold"]
                    node = nodes[node["child"] + goes_right]
                out[y, x] += votes[node["child"]]
