"""Features by name, by table, and by what cross-validation does not miss."""

from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from ilpix.features.selection import FEATURE_IDS, SCALES, FeatureSelection, default_selection
from ilpix.forest.growing import grow_forest
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from ilpix.training.errors import FeatureChoiceError, OneCropError
from ilpix.training.feature_choice import measure_speed, suggest_features
from ilpix.training.feature_table import choose_features, write_feature_table
from ilpix.training.samples import Samples, collect_samples
from tests.unit.labelled_projects import SMALL_SELECTION, make_labelled_project

grow = partial(grow_forest, seed=0, n_trees=12)


def collect(project: Path) -> Samples:
    read = read_project(project)
    return collect_samples(read, read_all_labels(read), SMALL_SELECTION)


@pytest.mark.parametrize(
    ("preset", "n_columns"),
    [("all", 49), (">=1px+smoothings", 42), (">=1px", 40), ("≥1px", 40), ("fast", 9)],
)
def test_preset_has_its_number_of_columns(preset: str, n_columns: int) -> None:
    assert len(choose_features(preset).columns(1)) == n_columns


def test_presets_contain_each_other() -> None:
    fast, usual, every = (set(choose_features(name).chosen) for name in ("fast", ">=1px", "all"))
    assert fast < usual < every


def test_default_preset_is_the_default_choice() -> None:
    assert choose_features(">=1px") == default_selection()


@pytest.mark.parametrize("selection", [default_selection(), SMALL_SELECTION], ids=["all", "small"])
def test_written_table_is_read_back(selection: FeatureSelection, tmp_path: Path) -> None:
    write_feature_table(selection, tmp_path / "features.csv")
    assert choose_features(str(tmp_path / "features.csv")) == selection


def test_table_written_by_hand_is_understood(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(
        "\ufefffeature, 1.0 ,2.5\nGaussianSmoothing,x,\n\nLaplacianOfGaussian,No,TRUE\n",
        encoding="utf-8",
    )
    chosen = choose_features(str(tmp_path / "f.csv")).chosen
    assert chosen == (("GaussianSmoothing", 1.0), ("LaplacianOfGaussian", 2.5))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("feature,1.0\nGaussianSmoothing,0\n", "chooses nothing"),
        ("feature,1.0\nSobel,1\n", "Sobel"),
        ("feature,one\nGaussianSmoothing,1\n", "the scale 'one' in its first line is no number"),
        ("feature,1.0\nGaussianSmoothing,maybe\n", "maybe"),
        ("feature,1.0,2.0\nGaussianSmoothing,1\n", "2 scales"),
        ("feature,0.3\nStructureTensorEigenvalues,1\n", "0.5 px"),
    ],
)
def test_table_that_cannot_be_understood_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(FeatureChoiceError) as error:
        choose_features(str(tmp_path / "f.csv"))
    assert reason in str(error.value)


@pytest.mark.parametrize("choice", ["fastest", "", ".", "1px"])
def test_unknown_preset_is_refused_with_those_there_are(choice: str) -> None:
    with pytest.raises(FeatureChoiceError, match="'fast'"):
        choose_features(choice)


def test_suggestion_is_not_missed_by_cross_validation(tmp_path: Path) -> None:
    samples = collect(make_labelled_project(tmp_path, labelled_share=0.3))
    suggestion = suggest_features(
        samples, SMALL_SELECTION, grow, np.random.default_rng(0), tolerance=0.03
    )
    kept = set(suggestion.selection.chosen)
    assert kept
    assert kept < set(SMALL_SELECTION.chosen)
    assert suggestion.accuracy_after >= suggestion.accuracy_before - 0.03
    assert suggestion.columns_before == 18
    assert suggestion.columns_after == len(suggestion.selection.columns(3))
    assert [len(step.pairs) for step in suggestion.steps] == sorted(
        {len(step.pairs) for step in suggestion.steps}, reverse=True
    )


def test_without_tolerance_no_accuracy_is_lost(tmp_path: Path) -> None:
    samples = collect(make_labelled_project(tmp_path))
    suggestion = suggest_features(
        samples, SMALL_SELECTION, grow, np.random.default_rng(0), tolerance=0
    )
    assert suggestion.accuracy_after == max(step.accuracy for step in suggestion.steps)


def test_suggestion_is_the_same_every_time(tmp_path: Path) -> None:
    samples = collect(make_labelled_project(tmp_path))
    first, second = (
        suggest_features(samples, SMALL_SELECTION, grow, np.random.default_rng(0)) for _ in range(2)
    )
    assert first == second


def test_suggestion_needs_two_crops(tmp_path: Path) -> None:
    samples = collect(make_labelled_project(tmp_path, n_crops=1))
    with pytest.raises(OneCropError, match="roi_0"):
        suggest_features(samples, SMALL_SELECTION, grow, np.random.default_rng(0))


def test_speed_is_given_per_megapixel(tmp_path: Path) -> None:
    """The clock ticks once when it is read, so that each prediction takes one second."""
    project = make_labelled_project(tmp_path)
    samples = collect(project)
    suggestion = suggest_features(samples, SMALL_SELECTION, grow, np.random.default_rng(0))
    ticks = count()
    speed = measure_speed(
        read_project(project), samples, suggestion, grow, lambda: float(next(ticks))
    )
    megapixels = (42 * 24) ** 2 / 1e6
    assert speed.before_s == speed.after_s == pytest.approx(1 / megapixels)


def test_scales_of_presets_are_those_of_ilastik() -> None:
    for preset in ("all", ">=1px", "fast"):
        selection = choose_features(preset)
        assert (selection.ids, selection.scales) == (FEATURE_IDS, SCALES)
