"""Write a forest as Ilastik stores it: per tree an array of nodes and an array of their parameters.

See `ilpix.forest.stored` for the layout. Beside the trees stands the set-up of their training,
which Ilastik's own reader asks for; it is that of Ilastik's default training.
"""

import math
from collections.abc import Sequence

import h5py
import numpy as np
import numpy.typing as npt

from ilpix.forest.stored import LEAF, Forest

_ROOT = 2
_INNER_KIND, _LEAF_KIND = 0, 0x40000000
_INNER_LENGTH, _LEAF_LENGTH = 5, 2
_WEIGHT = 1.0  # of a node among others; no part of a prediction

_PICKLED_TYPE = (
    b"clazyflow.classifiers.parallelVigraRfLazyflowClassifier\n"
    b"ParallelVigraRfLazyflowClassifier\np0\n."
)
_FORMAT_VERSION = 0.1

# Split until pure, floor(sqrt(columns) + 1/2) columns per split, a bootstrap sample per tree.
_OPTIONS = {
    "min_split_node_size_": 1.0,
    "mtry_": 0.0,
    "mtry_func_": 0.0,
    "mtry_switch_": 6.0,
    "predict_weighted_": 0.0,
    "prepare_online_learning_": 0.0,
    "sample_with_replacement_": 1.0,
    "stratification_method_": 3.0,
    "training_set_calc_switch_": 1.0,
    "training_set_func_": 0.0,
    "training_set_proportion_": 1.0,
    "training_set_size_": 0.0,
}


def write_forests(
    group: h5py.Group, forest: Forest, column_names: Sequence[str], n_samples: int
) -> None:
    """Write all trees into an empty `ClassifierForests` group.

    Args:
        group: the target.
        forest: split over stored forests as its `trees_per_forest` says.
        column_names: one per column of `forest`.
        n_samples: labelled pixels that it was trained on.

    Raises:
        ValueError: if there is not one name per column.
    """
    if len(column_names) != forest.n_columns:
        raise ValueError(f"{len(column_names)} names for {forest.n_columns} columns")
    ascii_text = h5py.string_dtype("ascii")
    names = [name.encode() for name in column_names]
    group.create_dataset("feature_names", data=names, dtype=ascii_text)
    group["known_labels"] = np.asarray(forest.labels, np.uint32)
    group.create_dataset("pickled_type", data=_PICKLED_TYPE, dtype=ascii_text)
    roots = np.split(forest.roots, np.cumsum(forest.trees_per_forest)[:-1])
    for index, own_roots in enumerate(roots):
        _write_forest(group.create_group(f"Forest{index:04d}"), forest, own_roots, n_samples)


def _write_forest(
    group: h5py.Group, forest: Forest, roots: npt.NDArray[np.int32], n_samples: int
) -> None:
    group.attrs["vigra_random_forest_version"] = np.array([_FORMAT_VERSION])
    _write_numbers(group.create_group("_options"), {**_OPTIONS, "tree_count_": len(roots)})
    parameters = group.create_group("_ext_param")
    _write_numbers(
        parameters,
        {
            "actual_msample_": n_samples,
            "actual_mtry_": math.floor(math.sqrt(forest.n_columns) + 0.5),
            "class_count_": len(forest.labels),
            "column_count_": forest.n_columns,
            "is_weighted_": 1.0,
            "precision_": 0.0,
            "problem_type_": 1.0,
            "response_size_": 1.0,
            "row_count_": n_samples,
            "used_": 1.0,
        },
    )
    parameters["class_weights_"] = np.ones(len(forest.labels))
    parameters["labels"] = np.asarray(forest.labels, np.uint32)
    n_digits = len(str(len(roots) - 1))
    for index, root in enumerate(roots):
        topology, values = _tree_arrays(forest, int(root))
        tree = group.create_group(f"Tree_{index:0{n_digits}d}")
        tree["topology"], tree["parameters"] = topology, values


def _write_numbers(group: h5py.Group, values: dict[str, float]) -> None:
    for name, value in values.items():
        group[name] = np.array([value], np.float64)


def _tree_arrays(
    forest: Forest, root: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Return topology and parameters of one tree, its nodes level by level."""
    nodes = _nodes_below(forest, root)
    n_classes = len(forest.labels)
    is_leaf = forest.feature[nodes] == LEAF
    lengths = np.where(is_leaf, _LEAF_LENGTH, _INNER_LENGTH)
    place = _ROOT + np.cumsum(lengths) - lengths
    lengths = np.where(is_leaf, 1 + n_classes, 2)
    first_value = np.cumsum(lengths) - lengths
    topology = np.empty(int(place[-1]) + _INNER_LENGTH, np.int32)
    topology[:_ROOT] = forest.n_columns, n_classes
    values = np.full(int(lengths.sum()), _WEIGHT)

    topology[place] = np.where(is_leaf, _LEAF_KIND, _INNER_KIND)
    topology[place + 1] = first_value
    place_of = dict(zip(nodes.tolist(), place.tolist(), strict=True))
    inner = nodes[~is_leaf]
    at = place[~is_leaf]
    topology[at + 2] = [place_of[node] for node in forest.left[inner].tolist()]
    topology[at + 3] = [place_of[node] for node in forest.right[inner].tolist()]
    topology[at + 4] = forest.feature[inner]
    values[first_value[~is_leaf] + 1] = forest.threshold[inner]
    values[first_value[is_leaf, np.newaxis] + 1 + np.arange(n_classes)] = forest.votes[
        nodes[is_leaf]
    ]
    end = place[-1] + (_LEAF_LENGTH if is_leaf[-1] else _INNER_LENGTH)
    return topology[:end], values


def _nodes_below(forest: Forest, root: int) -> npt.NDArray[np.int64]:
    levels = [np.array([root])]
    while len(levels[-1]):
        inner = levels[-1][forest.feature[levels[-1]] != LEAF]
        levels.append(np.stack([forest.left[inner], forest.right[inner]], axis=1).ravel())
    return np.concatenate(levels)
