"""Forests against their slow twin, and what is refused in a stored one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from ilpix._vectors import HALF_ROWS, WIDTH, which_below
from ilpix.errors import InvalidProjectError, Problem
from ilpix.forest.stored import LEAF, Forest, load_forest
from ilpix.forest.voting import not_below, predict_samples
from tests.unit.slow_twins import slow_predict

N_COLUMNS = 4
HALF = HALF_ROWS * WIDTH  # pixels of a mask
BLOCK = 2 * HALF
VALUES = (-1.0, 0.0, 0.1, 0.5, 1.0, 1e30)  # of thresholds, and of samples that lie on them

LEAF_KIND = 0x40000000
# Column and class counts; the root at 2; its children, both leaves, at 7 and 9.
TREE = [N_COLUMNS, 3, 0, 0, 7, 9, 1, LEAF_KIND, 2, LEAF_KIND, 6]
PARAMETERS = [1.0, 0.5, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.25, 0.75]


@st.composite
def forests(draw: st.DrawFn, *, pure: bool) -> Forest:
    n_classes = draw(st.integers(1, 4))
    nodes: list[tuple[int, float, int, int, list[float]]] = []

    def grow(depth: int) -> int:
        here = len(nodes)
        nodes.append((LEAF, 0.0, 0, 0, [0.0] * n_classes))
        if depth == 0 or draw(st.booleans()):
            votes = np.zeros(n_classes)
            votes[draw(st.integers(0, n_classes - 1))] = 1
            if not pure and draw(st.booleans()):
                votes[:] = 1 / n_classes
            nodes[here] = (LEAF, 0.0, 0, 0, votes.tolist())
        else:
            column, threshold = draw(st.integers(0, N_COLUMNS - 1)), draw(st.sampled_from(VALUES))
            left = grow(depth - 1)
            nodes[here] = (column, threshold, left, grow(depth - 1), [0.0] * n_classes)
        return here

    roots = [grow(draw(st.integers(0, 5))) for _ in range(draw(st.integers(1, 13)))]
    feature, threshold, left, right, votes = zip(*nodes, strict=True)
    return Forest(
        np.array(feature, np.int32),
        np.array(threshold),
        np.array(left, np.int32),
        np.array(right, np.int32),
        np.array(votes),
        np.array(roots, np.int32),
        N_COLUMNS,
        tuple(range(1, n_classes + 1)),
        (len(roots),),
    )


samples_on_thresholds = st.lists(
    st.lists(
        st.sampled_from([*map(np.float32, VALUES), np.float32(np.nan), np.float32(np.inf)]),
        min_size=N_COLUMNS,
        max_size=N_COLUMNS,
    ),
    max_size=70,
).map(lambda rows: np.array(rows, np.float32).reshape(-1, N_COLUMNS))


@settings(deadline=None, max_examples=40)
@given(forest=forests(pure=True), samples=samples_on_thresholds)
def test_predictions_are_those_of_the_slow_twin(
    forest: Forest, samples: npt.NDArray[np.float32]
) -> None:
    expected = [slow_predict(forest, sample) for sample in samples]
    actual = predict_samples(forest, samples)
    assert actual.shape == (len(samples), len(forest.labels))
    np.testing.assert_array_equal(actual, np.reshape(expected, actual.shape).astype(np.float32))


@settings(deadline=None, max_examples=20)
@given(forest=forests(pure=False), samples=samples_on_thresholds)
def test_leaves_of_several_classes_share_their_vote(
    forest: Forest, samples: npt.NDArray[np.float32]
) -> None:
    """Their votes are added after those of pure leaves, so the last digit may differ."""
    expected = [slow_predict(forest, sample) for sample in samples]
    actual = predict_samples(forest, samples)
    np.testing.assert_allclose(actual, np.reshape(expected, actual.shape), rtol=1e-6)


def chains(lengths: list[int], n_classes: int) -> Forest:
    """Trees as deep as they have nodes: each sends few values, far from 0, to a leaf."""
    rng = np.random.default_rng(7)
    is_inner = np.concatenate([np.array([True, False] * n + [False]) for n in lengths])
    n_nodes = len(is_inner)
    threshold = np.where(is_inner, rng.choice([-1, 1], n_nodes) * rng.uniform(2, 3, n_nodes), 0.0)
    leaf, other = is_inner * np.arange(1, n_nodes + 1), is_inner * np.arange(2, n_nodes + 2)
    return Forest(
        np.where(is_inner, rng.integers(0, N_COLUMNS, n_nodes), LEAF).astype(np.int32),
        threshold,
        np.where(threshold < 0, leaf, other).astype(np.int32),
        np.where(threshold < 0, other, leaf).astype(np.int32),
        np.eye(n_classes)[rng.integers(0, n_classes, n_nodes)] * ~is_inner[:, np.newaxis],
        np.cumsum([0, *(2 * n + 1 for n in lengths[:-1])]).astype(np.int32),
        N_COLUMNS,
        tuple(range(1, n_classes + 1)),
        (len(lengths),),
    )


@pytest.mark.parametrize("n_samples", [1, 63, 64, 65, 127, 128, 129, 300])
def test_deep_trees_of_many_classes_agree_with_their_slow_twin(n_samples: int) -> None:
    """More visits than are compared at once, more thresholds than a byte counts, several blocks."""
    forest = chains([150, 0, 1, 90, 0, 60], n_classes=9)
    rng = np.random.default_rng(8)
    samples = rng.normal(0, 1, (n_samples, N_COLUMNS)).astype(np.float32)
    samples[::3] = rng.choice(not_below(forest.threshold), samples[::3].shape)
    expected = [slow_predict(forest, sample) for sample in samples]
    np.testing.assert_array_equal(
        predict_samples(forest, samples), np.array(expected).astype(np.float32)
    )


@settings(deadline=None)
@given(
    st.lists(st.floats(width=32), min_size=BLOCK, max_size=BLOCK),
    st.one_of(st.integers(0, BLOCK - 1), st.floats(width=32, allow_nan=False)),
)
def test_a_comparison_of_a_block_has_a_bit_for_each_pixel(
    values: list[float], threshold: float
) -> None:
    """An integer takes the threshold from the values; other values lie around the block."""
    planes = np.zeros((2, 2 * HALF_ROWS + 1, WIDTH + 3), np.float32)
    block = planes[1, 1:, 2:-1]
    block[:] = np.reshape(np.array(values, np.float32), (-1, WIDTH))
    limit = block.flat[threshold] if isinstance(threshold, int) else np.float32(threshold)
    masks = _which_below(planes, 1, 1, 2, limit)
    bits = [int(masks[i // HALF]) >> i % HALF & 1 for i in range(BLOCK)]
    assert bits == (block.ravel() < limit).astype(int).tolist()
    assert max(masks) < 2**HALF


@njit
def _which_below(
    planes: npt.NDArray[np.float32], plane: int, y: int, x: int, threshold: np.float32
) -> Any:
    return which_below(planes, plane, y, x, threshold)  # type: ignore[no-untyped-call] # by numba


@given(st.floats(allow_nan=False), st.floats(allow_nan=False, width=32))
def test_a_float32_threshold_decides_as_the_float64_one(threshold: float, value: float) -> None:
    decided = np.float32(value) < not_below(np.array([threshold]))[0]
    assert bool(decided) == (value < threshold)


@pytest.fixture
def group(tmp_path: Path) -> h5py.Group:
    """Forests of two trees and one: column 1 below 0.5 is class 1, else a quarter class 2."""
    file = h5py.File(tmp_path / "forest.h5", "w")
    group = file.create_group("ClassifierForests")
    group["known_labels"] = np.array([1, 2, 4], np.uint32)
    for name in ("Forest0000/Tree_0", "Forest0000/Tree_1", "Forest0001/Tree_0"):
        group[f"{name}/topology"] = np.array(TREE, np.int32)
        group[f"{name}/parameters"] = np.array(PARAMETERS)
    return group


def problems_of(group: h5py.Group) -> tuple[Problem, ...]:
    """Return why a forest is refused."""
    with pytest.raises(InvalidProjectError) as caught:
        load_forest(group)
    return caught.value.problems


def test_a_stored_forest_is_read_as_one(group: h5py.Group) -> None:
    forest = load_forest(group)
    assert (forest.labels, forest.trees_per_forest, forest.n_columns) == ((1, 2, 4), (2, 1), 4)
    samples = np.zeros((2, N_COLUMNS), np.float32)
    samples[1, 1] = 0.5
    np.testing.assert_array_equal(predict_samples(forest, samples), [[1, 0, 0], [0, 0.25, 0.75]])


def replace(group: h5py.Group, name: str, values: npt.ArrayLike) -> None:
    del group[name]
    group[name] = values


def set_value(name: str, index: int, value: float) -> Callable[[h5py.Group], None]:
    def change(group: h5py.Group) -> None:
        group[f"Forest0000/Tree_1/{name}"][index] = value

    return change


def link_to_another_file(group: h5py.Group) -> None:
    del group["Forest0000/Tree_1/topology"]
    group["Forest0000/Tree_1/topology"] = h5py.ExternalLink("other.h5", "/topology")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (set_value("topology", 4, 2), "a cycle"),
        (set_value("topology", 5, 7), "a cycle"),
        (set_value("topology", 4, 11), "outside of its topology"),
        (set_value("topology", 4, -1), "outside of its topology"),
        (set_value("topology", 5, 2**31 - 1), "outside of its topology"),
        (set_value("topology", 2, 1), "neither a threshold nor class probabilities"),
        (set_value("topology", 9, 0), "neither a threshold nor class probabilities"),
        (set_value("topology", 8, 7), "outside of its parameters"),
        (set_value("topology", 3, -1), "outside of its parameters"),
        (set_value("topology", 6, N_COLUMNS), "a column that does not exist"),
        (set_value("topology", 6, -1), "a column that does not exist"),
        (set_value("topology", 0, 3), "counts columns and classes as"),
        (set_value("topology", 1, 2**30), "counts columns and classes as"),
        (set_value("parameters", 1, np.nan), "not finite"),
        (set_value("parameters", 3, np.inf), "not finite"),
        (set_value("parameters", 3, 0.5), "do not sum to 1"),
        (lambda g: g.__delitem__("known_labels"), "missing"),
        (lambda g: replace(g, "known_labels", np.array([1, 1, 2], np.uint32)), "increasing"),
        (lambda g: replace(g, "known_labels", np.array([0, 1, 2], np.uint32)), "increasing"),
        (lambda g: replace(g, "known_labels", np.array([1, 2, 300], np.uint32)), "increasing"),
        (lambda g: g["Forest0001/Tree_0"].__delitem__("parameters"), "missing"),
        (lambda g: replace(g, "Forest0001/Tree_0/topology", "text"), "not those of a forest"),
        (lambda g: replace(g, "Forest0001/Tree_0/topology", np.zeros(0, np.int32)), "counts"),
        (lambda g: replace(g, "Forest0001/Tree_0", 5), "not a group"),
        (lambda g: [g.__delitem__(name) for name in ("Forest0000", "Forest0001")], "no trees"),
        (link_to_another_file, "not an array of this file"),
    ],
)
def test_a_broken_forest_is_refused_with_its_place(
    group: h5py.Group, change: Callable[[h5py.Group], None], says: str
) -> None:
    with np.errstate(all="ignore"):
        change(group)
    problems = problems_of(group)
    assert any(says in problem.what for problem in problems)
    assert all(problem.where.startswith("/ClassifierForests") for problem in problems)


def test_a_forest_that_claims_to_be_huge_is_refused_without_reading_it(group: h5py.Group) -> None:
    del group["Forest0000/Tree_1/parameters"]
    group["Forest0000/Tree_1"].create_dataset(
        "parameters", shape=(2**40,), dtype=np.float64, chunks=(1024,)
    )
    assert "more than a forest can need" in problems_of(group)[0].what


def test_every_broken_tree_is_named(group: h5py.Group) -> None:
    for name in ("Forest0000/Tree_0", "Forest0001/Tree_0"):
        group[f"{name}/topology"][6] = 99
    assert [problem.where for problem in problems_of(group)] == [
        "/ClassifierForests/Forest0000/Tree_0",
        "/ClassifierForests/Forest0001/Tree_0",
    ]
