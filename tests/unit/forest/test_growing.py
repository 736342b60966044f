"""Trees grow as their definition says, whoever grows them in whatever order."""

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ilpix.forest.errors import OneClassError
from ilpix.forest.growing import columns_per_split, grow_forest, grow_in_parts, mean_votes
from ilpix.forest.stored import LEAF, Forest

FloatArray = NDArray[np.float32]


def slow_predict(forest: Forest, features: FloatArray) -> NDArray[np.float64]:
    """The definition of a stored forest, one pixel and one tree at a time; (P, K)."""

    def leaf_of(sample: FloatArray, node: int) -> int:
        while forest.feature[node] != LEAF:
            goes_left = np.float64(sample[forest.feature[node]]) < forest.threshold[node]
            node = int(forest.left[node] if goes_left else forest.right[node])
        return node

    votes = [
        np.mean([forest.votes[leaf_of(sample, int(root))] for root in forest.roots], axis=0)
        for sample in features
    ]
    return np.array(votes)


def forest_bytes(forest: Forest) -> dict[str, object]:
    values = {field.name: getattr(forest, field.name) for field in fields(forest)}
    return {k: v.tobytes() if isinstance(v, np.ndarray) else v for k, v in values.items()}


def random_samples(
    seed: int, pixels: int = 60, columns: int = 5
) -> tuple[FloatArray, NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(pixels, columns)).astype(np.float32)
    return features, rng.integers(1, 4, pixels).astype(np.uint8)


def slow_tree(
    features: FloatArray, labels: NDArray[np.uint8], seed: int, number: int
) -> list[tuple[int, float, int, int, list[float]]]:
    """The definition of a tree: feature, threshold, left, right and votes of each node."""
    drawn_bits = _mix((_mix(seed) + number) % 2**64)

    def below(n: int) -> int:
        nonlocal drawn_bits
        drawn_bits = (drawn_bits + 0x9E3779B97F4A7C15) % 2**64
        return ((_mix(drawn_bits) >> 32) * n) >> 32

    values = sorted(set(labels.tolist()))
    rows = [below(len(labels)) for _ in labels]
    columns = list(range(features.shape[1]))
    nodes: list[tuple[int, float, int, int, list[float]]] = []

    def purity(some: list[int]) -> float:  # rounded, which decides between borders as good
        counts = [sum(labels[row] == value for row in some) for value in values]
        return float(sum(count**2 for count in counts)) / max(len(some), 1)

    def best_split(some: list[int]) -> tuple[int, float] | None:
        best: tuple[float, int, float] | None = None
        for i in range(len(columns)):
            if i >= columns_per_split(len(columns)) and best is not None:
                break
            j = i + below(len(columns) - i)
            columns[i], columns[j] = columns[j], columns[i]
            met = sorted({float(features[row, columns[i]]) for row in some})
            for low, high in pairwise(met):
                parts = [[r for r in some if (features[r, columns[i]] <= low) == s] for s in (1, 0)]
                score = purity(parts[0]) + purity(parts[1])
                if best is None or score > best[0]:
                    best = score, columns[i], (low + high) / 2
        return None if best is None else best[1:]

    def grow(node: int, some: list[int]) -> None:
        pure = len({int(labels[row]) for row in some}) == 1
        split = None if pure else best_split(some)
        if split is None:
            nodes[node] = (LEAF, 0.0, 0, 0, [np.mean(labels[some] == value) for value in values])
            return
        feature, threshold = split
        left = len(nodes)
        nodes[node] = (feature, threshold, left, left + 1, [0.0] * len(values))
        nodes.extend([(LEAF, 0.0, 0, 0, [])] * 2)
        grow(left, [row for row in some if features[row, feature] < threshold])
        grow(left + 1, [row for row in some if not features[row, feature] < threshold])

    nodes.append((LEAF, 0.0, 0, 0, []))
    grow(0, rows)
    return nodes


def _mix(bits: int) -> int:
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB % 2**64
    return bits ^ (bits >> 31)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    pixels=st.integers(2, 90),
    columns=st.integers(1, 9),
    rounding=st.sampled_from([0, 1, 3]),
)
@example(seed=0, pixels=90, columns=1, rounding=3)
@example(seed=2**32 - 1, pixels=2, columns=2, rounding=0)
@example(seed=2, pixels=79, columns=1, rounding=1)
def test_trees_are_those_of_the_slow_twin(
    seed: int, pixels: int, columns: int, rounding: int
) -> None:
    """Coarse rounding puts many pixels on one value, and leaves what cannot be split."""
    features, labels = random_samples(seed % 1000, pixels, columns)
    features = features.round(rounding)
    assume(len(set(labels)) > 1)
    forest = grow_forest(features, labels, seed, n_trees=2).forest
    ends = [*forest.roots[1:], len(forest.feature)]
    for number, (root, end) in enumerate(zip(forest.roots, ends, strict=True)):
        twin = slow_tree(features, labels, seed, number)
        assert end - root == len(twin)
        for node, (feature, threshold, left, right, votes) in enumerate(twin, int(root)):
            assert forest.feature[node] == feature
            assert forest.threshold[node] == threshold
            is_inner = feature != LEAF
            assert (forest.left[node], forest.right[node]) == (
                (left + root, right + root) if is_inner else (0, 0)
            )
            np.testing.assert_allclose(forest.votes[node], votes, rtol=1e-12)


def test_many_equal_and_many_different_values_are_sorted() -> None:
    """More pixels than are sorted by insertion, and more ranks than one digit holds."""
    rng = np.random.default_rng(0)
    features = np.stack([rng.permutation(3000), rng.integers(0, 3, 3000)], 1).astype(np.float32)
    labels = (1 + (features[:, 0] >= 1700)).astype(np.uint8)
    forest = grow_forest(features, labels, 0, n_trees=10).forest
    inner = forest.feature != LEAF
    on_the_border = forest.threshold[inner & (forest.feature == 0)]
    assert ((on_the_border > 1600) & (on_the_border < 1800)).all()
    votes = mean_votes(forest, features)
    assert np.mean(votes.argmax(axis=1) + 1 == labels) > 0.99


def test_the_first_trees_are_those_of_the_whole_forest() -> None:
    features, labels = random_samples(3, pixels=200)
    first, whole = grow_in_parts(features, labels, 5, parts=(3, 12))
    assert (first.is_whole, whole.is_whole) == (False, True)
    n = len(first.forest.feature)
    np.testing.assert_array_equal(whole.forest.feature[:n], first.forest.feature)
    np.testing.assert_array_equal(whole.forest.threshold[:n], first.forest.threshold)
    assert forest_bytes(whole.forest) == forest_bytes(
        grow_forest(features, labels, 5, n_trees=12).forest
    )


def test_growing_ends_soon_when_it_is_told_to() -> None:
    features, labels = random_samples(3, pixels=200)
    asked = 0

    def go_on() -> None:
        nonlocal asked
        asked += 1
        if asked > 4:
            raise KeyError

    with pytest.raises(KeyError):
        list(grow_in_parts(features, labels, 5, threads=1, go_on=go_on))
    assert asked < 100


def test_importance_goes_to_the_column_that_tells_the_classes_apart() -> None:
    features, _ = random_samples(4, pixels=400)
    labels = (1 + (features[:, 3] > 0)).astype(np.uint8)
    importances = grow_forest(features, labels, 0, n_trees=20).importances
    assert importances.sum() == pytest.approx(1)
    assert importances.argmax() == 3
    assert importances[3] > 0.5


@settings(max_examples=15, deadline=None)
@given(exponent=st.integers(-140, 100))
def test_forest_does_not_depend_on_the_unit_of_the_image(exponent: int) -> None:
    features, labels = random_samples(0)
    features = features.astype(np.float16).astype(np.float32)
    scaled = np.ldexp(features, exponent)
    assume(np.array_equal(np.ldexp(scaled.astype(np.float64), -exponent), features))
    forest = grow_forest(features, labels, 3, n_trees=5).forest
    of_scaled = grow_forest(scaled, labels, 3, n_trees=5).forest
    np.testing.assert_array_equal(of_scaled.feature, forest.feature)
    np.testing.assert_array_equal(of_scaled.votes, forest.votes)
    np.testing.assert_array_equal(slow_predict(of_scaled, scaled), slow_predict(forest, features))


def test_trees_grow_until_every_leaf_is_pure() -> None:
    features, labels = random_samples(1)
    forest = grow_forest(features, labels, 0, n_trees=10).forest
    leaves = forest.votes[forest.feature == LEAF]
    assert set(np.unique(leaves)) == {0.0, 1.0}
    assert np.all(leaves.sum(axis=1) == 1)
    assert not forest.votes[forest.feature != LEAF].any()


def test_leaf_votes_are_shares_where_pixels_cannot_be_told_apart() -> None:
    features = np.zeros((8, 2), np.float32)
    labels = np.array([1, 1, 1, 1, 2, 2, 2, 2], np.uint8)
    forest = grow_forest(features, labels, 0, n_trees=50).forest
    np.testing.assert_array_equal(forest.feature, LEAF)
    np.testing.assert_allclose(forest.votes.sum(axis=1), 1, rtol=1e-15)
    assert 0.3 < forest.votes[:, 0].mean() < 0.7


@pytest.mark.parametrize("threads", [1, 2, 3, None])
def test_same_seed_gives_same_bytes_for_any_number_of_threads(threads: int | None) -> None:
    features, labels = random_samples(2, pixels=300)
    one = grow_forest(features, labels, 7, n_trees=20, threads=1)
    other = grow_forest(features, labels, 7, n_trees=20, threads=threads)
    assert forest_bytes(one.forest) == forest_bytes(other.forest)
    assert one.importances.tobytes() == other.importances.tobytes()


def test_another_seed_gives_another_forest() -> None:
    features, labels = random_samples(2)
    forests = [grow_forest(features, labels, seed, n_trees=5).forest for seed in (0, 1)]
    assert forest_bytes(forests[0]) != forest_bytes(forests[1])


def test_features_are_not_modified() -> None:
    features, labels = random_samples(4)
    before = features.copy()
    grow_forest(features, labels, 0, n_trees=2)
    np.testing.assert_array_equal(features, before)


def test_class_without_labels_is_absent_from_the_forest() -> None:
    features, labels = random_samples(5)
    labels[labels == 2] = 5
    forest = grow_forest(features, labels, 0, n_trees=3).forest
    assert forest.labels == (1, 3, 5)
    assert forest.votes.shape[1] == 3


def test_single_class_is_refused() -> None:
    features, _ = random_samples(6)
    with pytest.raises(OneClassError, match="class 2"):
        grow_forest(features, np.full(len(features), 2, np.uint8), 0)


def test_forest_is_a_hundred_trees_in_four_parts() -> None:
    features, labels = random_samples(7)
    forest = grow_forest(features, labels, 0).forest
    assert len(forest.roots) == 100
    assert forest.trees_per_forest == (25, 25, 25, 25)


def test_fewer_trees_than_parts_leave_no_part_empty() -> None:
    features, labels = random_samples(7)
    assert grow_forest(features, labels, 0, n_trees=3).forest.trees_per_forest == (1, 1, 1)


@pytest.mark.parametrize(("n_columns", "tried"), [(32, 6), (168, 13), (196, 14)])
def test_split_tries_as_many_columns_as_ilastik(n_columns: int, tried: int) -> None:
    """The numbers are `actual_mtry_` of real Ilastik's forests."""
    assert columns_per_split(n_columns) == tried


def test_rows_drawn_are_those_the_tree_was_grown_from() -> None:
    """A pure tree recognises every pixel it drew."""
    features, labels = random_samples(9)
    grown = grow_forest(features, labels, 0, n_trees=4)
    for root, drawn in zip(grown.forest.roots, grown.drawn, strict=True):
        assert len(drawn) == len(labels)
        tree = Forest(**{**_fields(grown.forest), "roots": np.array([root], np.int32)})
        predicted = slow_predict(tree, features[drawn]).argmax(axis=1) + 1
        np.testing.assert_array_equal(predicted, labels[drawn])


def _fields(forest: Forest) -> dict[str, object]:
    return {field.name: getattr(forest, field.name) for field in fields(forest)}
