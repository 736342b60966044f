"""Forests as they lie in a project, number by number."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.forest.stored import Forest
from ilpix.forest.writing import write_forests
from tests.unit.forests import one_leaf_forest, split_forest

LEAF_MARK = 0x40000000


def written(forest: Forest, path: Path) -> tuple[list[int], list[float]]:
    """Topology and parameters of the first tree."""
    with h5py.File(path, "w") as file:
        write_forests(file, forest, [f"column {i}" for i in range(forest.n_columns)], 10)
        tree = file["Forest0000/Tree_0"]
        assert (tree["topology"].dtype, tree["parameters"].dtype) == (np.int32, np.float64)
        return tree["topology"][()].tolist(), tree["parameters"][()].tolist()


def test_a_split_is_a_node_of_five_numbers_and_two_leaves_of_two(tmp_path: Path) -> None:
    topology, parameters = written(split_forest(4), tmp_path / "forest.h5")
    assert topology == [4, 3, 0, 0, 7, 9, 3, LEAF_MARK, 2, LEAF_MARK, 6]
    assert parameters == [1, 0.5, 1, 1, 0, 0, 1, 0, 1, 0]


def test_a_tree_of_one_leaf_has_nothing_behind_it(tmp_path: Path) -> None:
    topology, parameters = written(one_leaf_forest(4), tmp_path / "forest.h5")
    assert topology == [4, 3, LEAF_MARK, 0]
    assert parameters == [1, 1, 0, 0]


def test_every_column_has_a_name(tmp_path: Path) -> None:
    with (
        h5py.File(tmp_path / "forest.h5", "w") as file,
        pytest.raises(ValueError, match="3 names for 4 columns"),
    ):
        write_forests(file, one_leaf_forest(4), ["a", "b", "c"], 10)
