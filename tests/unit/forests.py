"""Small forests for tests that need any classifier."""

import numpy as np

from ilpix.forest.stored import LEAF, Forest


def one_leaf_forest(n_columns: int) -> Forest:
    """A tree that takes every pixel for the first of three classes."""
    return Forest(
        feature=np.array([LEAF], np.int32),
        threshold=np.zeros(1),
        left=np.zeros(1, np.int32),
        right=np.zeros(1, np.int32),
        votes=np.array([[1.0, 0.0, 0.0]]),
        roots=np.array([0], np.int32),
        n_columns=n_columns,
        labels=(1, 2, 3),
        trees_per_forest=(1,),
    )


def split_forest(n_columns: int) -> Forest:
    """A tree that looks at the last column."""
    return Forest(
        feature=np.array([n_columns - 1, LEAF, LEAF], np.int32),
        threshold=np.array([0.5, 0.0, 0.0]),
        left=np.array([1, 0, 0], np.int32),
        right=np.array([2, 0, 0], np.int32),
        votes=np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
        roots=np.array([0], np.int32),
        n_columns=n_columns,
        labels=(1, 2, 3),
        trees_per_forest=(1,),
    )
