"""What the quality report claims, checked on pixels whose classes are known."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ilpix.features.selection import FeatureColumn
from ilpix.files import sha256_of
from ilpix.forest.growing import grow_forest, mean_votes
from ilpix.training.judging import (
    Confusion,
    crop_folds,
    judge_out_of_bag,
    leave_one_crop_out,
)
from ilpix.training.learning_curve import draw_learning_curve
from ilpix.training.quality import QualityReport, assess_quality, summarise_importance
from ilpix.training.quality_report import as_json, as_markdown, write_quality_report
from ilpix.training.samples import Samples

NAMES = {1: "Nucleus", 2: "Cyto|plasm", 3: "Background $\\frac$"}
COLUMNS = (
    FeatureColumn("GaussianSmoothing", 1.0, 0, 0),
    FeatureColumn("GaussianSmoothing", 1.0, 1, 0),
    FeatureColumn("StructureTensorEigenvalues", 1.6, 0, 0),
    FeatureColumn("StructureTensorEigenvalues", 1.6, 0, 1),
)

grow = partial(grow_forest, seed=0, n_trees=12)


def make_samples(n_crops: int = 3, pixels_per_crop: int = 40, spread: float = 0.3) -> Samples:
    """The first column tells the classes apart, the others are noise."""
    rng = np.random.default_rng(0)
    n_pixels = n_crops * pixels_per_crop
    labels = rng.integers(1, 4, n_pixels).astype(np.uint8)
    features = rng.normal(size=(n_pixels, len(COLUMNS))).astype(np.float32)
    features[:, 0] = labels + rng.normal(scale=spread, size=n_pixels)
    crops = np.repeat(np.arange(n_crops, dtype=np.int32), pixels_per_crop)
    names = tuple(f"crop_{index}" for index in range(n_crops))
    return Samples(features, labels, crops, names, COLUMNS, ("DNA", "CD45"))


def assess(samples: Samples, seed: int = 0, threads: int | None = None) -> QualityReport:
    grown = grow_forest(samples.features, samples.labels, seed, n_trees=12)
    return assess_quality(samples, grown, seed, class_names=NAMES, threads=threads)


@pytest.fixture(scope="module")
def report() -> QualityReport:
    return assess(make_samples())


def test_confusion_counts_accuracy_recall_and_precision() -> None:
    confusion = Confusion((1, 3), np.array([[6, 2], [1, 1]]))
    assert confusion.accuracy == 0.7
    assert confusion.recall.tolist() == [0.75, 0.5]
    assert confusion.precision.tolist() == [6 / 7, 1 / 3]
    assert confusion.balanced_accuracy == 0.625


def test_class_that_does_not_occur_has_no_recall_and_no_precision() -> None:
    confusion = Confusion((1, 2), np.array([[5, 0], [0, 0]]))
    assert np.isnan(confusion.recall[1])
    assert np.isnan(confusion.precision[1])
    assert confusion.balanced_accuracy == 1


def test_out_of_bag_judges_by_trees_that_did_not_see_the_pixel() -> None:
    samples = make_samples(pixels_per_crop=15)
    grown = grow(samples.features, samples.labels)
    right = judged = 0
    for pixel, features in enumerate(samples.features):
        roots = [
            root
            for root, drawn in zip(grown.forest.roots, grown.drawn, strict=True)
            if pixel not in drawn
        ]
        if roots:
            unseen = replace(grown.forest, roots=np.array(roots))
            votes = mean_votes(unseen, features[np.newaxis])
            judged += 1
            right += grown.forest.labels[votes.argmax()] == samples.labels[pixel]
    confusion = judge_out_of_bag(samples, grown)
    assert confusion.counts.sum() == judged
    assert np.trace(confusion.counts) == right


def test_labels_without_sense_are_found_out() -> None:
    """Pixels that were trained on are recognised whatever their label; others are not."""
    samples = make_samples(pixels_per_crop=100)
    shuffled = replace(samples, labels=np.random.default_rng(1).permutation(samples.labels))
    report = assess(shuffled)
    assert report.cross_validation is not None
    assert report.out_of_bag.accuracy < 0.5
    assert report.cross_validation.accuracy < 0.5
    assert max(point.accuracy for point in report.learning_curve) < 0.5


def test_every_crop_is_judged_by_a_forest_of_the_others() -> None:
    samples = make_samples()
    trained_on: list[set[float]] = []

    def spy(features: np.ndarray, labels: np.ndarray) -> object:
        trained_on.append(set(features[:, 0].tolist()))
        return grow(features, labels)

    results = leave_one_crop_out(samples, spy)
    assert [result.crop for result in results] == list(samples.crop_names)
    for index, seen in enumerate(trained_on):
        assert seen == set(samples.where(samples.crops != index).features[:, 0].tolist())
        assert results[index].confusion.counts.sum() == 40


def test_crop_is_left_out_only_where_two_classes_remain() -> None:
    samples = make_samples(n_crops=2)
    one_class_in_first = replace(
        samples, labels=np.where(samples.crops == 0, 1, samples.labels).astype(np.uint8)
    )
    assert [result.crop for result in leave_one_crop_out(one_class_in_first, grow)] == ["crop_0"]


def test_class_that_only_the_judged_crop_has_counts_as_missed() -> None:
    samples = make_samples()
    labels = samples.labels.copy()
    labels[(labels == 3) & (samples.crops != 0)] = 2
    result = leave_one_crop_out(replace(samples, labels=labels), grow)[0]
    assert result.confusion.recall[2] == 0


def test_one_crop_alone_gives_no_cross_validation() -> None:
    report = assess(make_samples(n_crops=1, pixels_per_crop=60))
    assert report.cross_validation is None
    assert report.learning_curve == ()
    assert any("one crop" in sentence for sentence in report.advice)
    assert as_json(report)["leave_one_crop_out"] is None


def test_folds_are_at_most_as_many_as_asked_and_hold_whole_crops() -> None:
    samples = make_samples(n_crops=7, pixels_per_crop=10)
    folds = crop_folds(samples, 3)
    assert len(folds) == 3
    judged = np.sum([~fold for fold in folds], axis=0)
    assert judged.tolist() == [1] * 70
    for fold in folds:
        assert not set(samples.crops[fold]) & set(samples.crops[~fold])


def test_learning_curve_doubles_up_to_all_labels_and_rises() -> None:
    samples = make_samples(pixels_per_crop=100, spread=0.2)
    curve = draw_learning_curve(samples, grow, np.random.default_rng(0))
    assert [point.pixels for point in curve] == [25, 50, 100, 200]
    assert curve[-1].accuracy > curve[0].accuracy


def test_importance_is_summed_by_feature_scale_and_channel() -> None:
    samples = make_samples(spread=0.1)
    importance = summarise_importance(samples, grow(samples.features, samples.labels))
    for shares in (importance.features, importance.scales, importance.channels, importance.pairs):
        assert sum(shares.values()) == pytest.approx(1)
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert next(iter(importance.pairs)) == ("GaussianSmoothing", 1.0)
    assert set(importance.channels) == {"DNA", "CD45"}
    assert importance.scales[1.6] == pytest.approx(
        importance.features["StructureTensorEigenvalues"]
    )


def test_report_is_the_same_for_any_number_of_threads() -> None:
    samples = make_samples()
    assert as_json(assess(samples, threads=1)) == as_json(assess(samples, threads=3))


def test_written_report_is_complete_and_the_same_every_time(
    report: QualityReport, tmp_path: Path
) -> None:
    first, second = (
        {path.name: sha256_of(path) for path in write_quality_report(report, tmp_path / name)}
        for name in ("first", "second")
    )
    assert first == second
    assert set(first) == {
        "quality.json",
        "quality.md",
        "confusion.png",
        "crops.png",
        "importance.png",
        "learning_curve.png",
    }
    for path in tmp_path.glob("first/*.png"):
        with Image.open(path) as image:
            assert min(image.size) > 300
            assert "Software" not in image.info


def test_json_holds_the_measures(report: QualityReport, tmp_path: Path) -> None:
    write_quality_report(report, tmp_path)
    document = json.loads((tmp_path / "quality.json").read_text())
    assert document["labelled_pixels"] == 120
    assert document["out_of_bag"]["accuracy"] == report.out_of_bag.accuracy
    assert document["leave_one_crop_out"]["classes"] == list(NAMES.values())
    assert [crop["crop"] for crop in document["crops"]] == ["crop_0", "crop_1", "crop_2"]
    assert document["importance"]["scales_px"].keys() == {"1", "1.6"}


def test_table_names_classes_crops_and_accuracy(report: QualityReport) -> None:
    text = as_markdown(report)
    assert report.cross_validation is not None
    assert f"{100 * report.cross_validation.accuracy:.1f} %" in text
    assert "crop_2" in text
    assert "Cyto\\|plasm" in text


def test_report_of_one_crop_has_no_plots_of_crops(tmp_path: Path) -> None:
    report = assess(make_samples(n_crops=1))
    names = {path.name for path in write_quality_report(report, tmp_path)}
    assert names == {"quality.json", "quality.md", "confusion.png", "importance.png"}
