"""scikit-learn's trees become stored trees without a single decision changing."""

import warnings
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from ilpix.forest.errors import OneClassError
from ilpix.forest.growing import convert_trees, grow_forest, stored_threshold
from ilpix.forest.stored import LEAF, Forest

FloatArray = NDArray[np.float32]

TINY = float(np.finfo(np.float32).smallest_subnormal)
LARGEST = float(np.finfo(np.float32).max)

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
values = st.floats(width=32, allow_nan=False)


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


@settings(deadline=None)
@given(lower=floats, upper=floats, value=values)
@example(lower=0.0, upper=0.0, value=-0.0)
@example(lower=-0.0, upper=-0.0, value=0.0)
@example(lower=-TINY, upper=TINY, value=0.0)
@example(lower=-TINY, upper=TINY, value=TINY)
@example(lower=0.0, upper=TINY, value=TINY)
@example(lower=TINY, upper=TINY, value=TINY)
@example(lower=LARGEST, upper=LARGEST, value=LARGEST)
@example(lower=LARGEST, upper=LARGEST, value=float("inf"))
@example(lower=-LARGEST, upper=-LARGEST, value=-float("inf"))
def test_stored_threshold_decides_every_float32_alike(
    lower: float, upper: float, value: float
) -> None:
    """scikit-learn's thresholds lie half-way between two float32 values, or on one."""
    threshold = np.float64(lower) / 2 + np.float64(upper) / 2
    stored = stored_threshold(np.array([threshold]))[0]
    around = np.float32(threshold)
    with np.errstate(over="ignore"):
        neighbours = [np.nextafter(around, np.float32(to)) for to in (-np.inf, np.inf)]
    for x in (np.float32(value), np.float32(lower), np.float32(upper), around, *neighbours):
        assert (np.float64(x) < stored) == (np.float64(x) <= threshold)


@settings(deadline=None)
@given(threshold=st.floats(-1e38, 1e38), value=values)
def test_stored_threshold_survives_a_table_of_float32(threshold: float, value: float) -> None:
    """Engines may compare with the smallest float32 not below the stored threshold."""
    stored = stored_threshold(np.array([threshold]))[0]
    table = np.float32(stored)
    if np.float64(table) < stored:
        table = np.nextafter(table, np.float32(np.inf))
    for x in (np.float32(value), np.float32(threshold)):
        assert (x < table) == (np.float64(x) <= threshold)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rounding=st.sampled_from([0, 1, 3]))
def test_converted_forest_predicts_as_the_trees_of_scikit_learn(seed: int, rounding: int) -> None:
    """Coarse rounding puts many samples on thresholds."""
    features, labels = random_samples(seed % 1000)
    features = features.round(rounding)
    trees = RandomForestClassifier(5, random_state=seed).fit(features, labels)
    forest = convert_trees(trees, np.zeros(features.shape[1], np.int32))
    thresholds = np.concatenate([e.tree_.threshold for e in trees.estimators_]).astype(np.float32)
    rng = np.random.default_rng(seed)
    probes = np.concatenate(
        [features, rng.choice(thresholds, (40, features.shape[1])), -np.zeros((1, 5), np.float32)]
    )
    np.testing.assert_allclose(
        slow_predict(forest, probes), trees.predict_proba(probes), rtol=1e-12
    )


@settings(max_examples=15, deadline=None)
@given(exponent=st.integers(-140, 100))
def test_forest_does_not_depend_on_the_unit_of_the_image(exponent: int) -> None:
    """scikit-learn alone takes values less than 1e-7 apart for equal."""
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


def test_warning_filters_of_the_process_stay_as_they_are() -> None:
    before = list(warnings.filters)
    for _ in range(5):
        grow_forest(*random_samples(2, pixels=300), 1, n_trees=100, threads=4)
    assert warnings.filters == before


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
def test_split_tries_as_many_columns_as_ilastik(
    n_columns: int, tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers are `actual_mtry_` of real Ilastik's forests."""
    asked: list[int] = []

    class Spy(RandomForestClassifier):
        def fit(self, *args: object) -> "Spy":
            asked.append(self.max_features)
            return super().fit(*args)

    monkeypatch.setattr("sklearn.ensemble.RandomForestClassifier", Spy)
    features, labels = random_samples(8, columns=n_columns)
    grow_forest(features, labels, 0, n_trees=1)
    assert asked == [tried]


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
