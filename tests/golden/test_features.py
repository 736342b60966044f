"""Features agree with those that Ilastik computes; see PROVENANCE.md beside the data."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ilpix.features.computing import compute_features
from ilpix.features.selection import FeatureSelection

GOLDEN = np.load(Path(__file__).parent / "data" / "engine" / "features.npz")


def golden_selection() -> FeatureSelection:
    return FeatureSelection(
        tuple(map(str, GOLDEN["feature_ids"])),
        tuple(map(float, GOLDEN["scales"])),
        tuple(tuple(map(bool, row)) for row in GOLDEN["selection"]),
    )


@pytest.mark.parametrize("name", ["a", "b"])
def test_columns_have_the_names_that_ilastik_gives_them(name: str) -> None:
    names = golden_selection().names(len(GOLDEN[f"{name}_image"]))
    assert list(names) == GOLDEN[f"{name}_names"].tolist()


@pytest.mark.parametrize("name", ["a", "b"])
def test_features_agree_with_ilastik(name: str) -> None:
    """Near the edges Ilastik rounds its sums in another order, which differences magnify."""
    expected: np.ndarray[Any, Any] = GOLDEN[f"{name}_features"]
    actual = compute_features(GOLDEN[f"{name}_image"], golden_selection())
    away = abs(actual - expected).max(axis=(0, 1)) / abs(expected).max(axis=(0, 1))
    assert away.max() <= 5e-4


def test_away_from_edges_every_bit_is_that_of_ilastik() -> None:
    """The middle columns of image a, of 71 px, at the scales whose halo ends before its edges."""
    image, expected = GOLDEN["a_image"], GOLDEN["a_features"]
    selection = golden_selection()
    columns = [column.scale <= 1.6 for column in selection.columns(len(image))]
    middle = np.s_[:, 24:48, columns]
    np.testing.assert_array_equal(compute_features(image, selection)[middle], expected[middle])
