"""The sentences after a training: what decides whether to use a classifier or to label on."""

import numpy as np

from ilpix.training.judging import Confusion, CropResult
from ilpix.training.learning_curve import CurvePoint, standard_error
from ilpix.training.quality import Importance, QualityReport
from ilpix.training.verdict import verdict

NAMES = {1: "Nucleus", 2: "Cytoplasm", 3: "Background"}
NOTHING = Importance({}, {}, {}, {})


def confusion(*rows: tuple[int, int, int]) -> Confusion:
    return Confusion((1, 2, 3), np.array(rows))


def report(*crops: Confusion, curve: tuple[CurvePoint, ...] = ()) -> QualityReport:
    results = tuple(CropResult(f"crop_{k}", crop) for k, crop in enumerate(crops))
    whole = confusion((1, 0, 0), (0, 1, 0), (0, 0, 1))
    return QualityReport(NAMES, 0, whole, results, curve, NOTHING, ())


def test_a_class_that_is_never_recognised_is_named_though_the_accuracy_is_high() -> None:
    never = confusion((40, 0, 0), (0, 0, 11), (0, 0, 40))
    mean, worst, crop = verdict(report(never, confusion((40, 0, 0), (0, 0, 0), (0, 0, 40))))
    assert (
        mean == "mean recall of the classes on crops left out: 67 % (94 % of all labelled pixels)"
    )
    assert worst == (
        "Cytoplasm is never recognised: 11 labelled pixels, most taken for Background; "
        "label 50 more in two other crops"
    )
    assert crop == "worst crop: crop_0, 88 % of its 91 labelled pixels"


def test_a_class_that_is_recognised_well_enough_asks_for_nothing() -> None:
    _, worst, _ = verdict(report(confusion((38, 1, 1), (3, 36, 1), (0, 0, 40))))
    assert worst == (
        "worst class: Cytoplasm, 90 % of its 40 labelled pixels, most others taken for Nucleus"
    )


def test_a_good_classifier_is_called_good_and_nothing_is_advised() -> None:
    """A worst class of 98 % was told as if it had to be mended."""
    good = confusion((98, 1, 1), (0, 100, 0), (0, 0, 100))
    curve = (CurvePoint(100, (good, good)), CurvePoint(200, (good, good)))
    assert verdict(report(good, curve=curve))[1:] == (
        "every class and every crop is recognised well: 95 % or more of their labelled pixels",
    )


def test_one_class_or_one_crop_that_is_not_good_is_enough_to_name_the_worst() -> None:
    large = confusion((1000, 0, 0), (0, 300, 0), (0, 0, 9))
    _, _, crop = verdict(report(large, confusion((10, 10, 0), (0, 20, 0), (0, 0, 9))))
    assert crop == "worst crop: crop_1, 80 % of its 49 labelled pixels"
    _, worst, _ = verdict(report(confusion((1000, 0, 0), (0, 300, 0), (0, 1, 9))))
    assert worst.startswith("worst class: Background, 90 % of its 10 labelled pixels")


def test_labels_in_one_crop_give_no_verdict() -> None:
    assert verdict(report()) == ()


def test_the_standard_error_is_that_of_a_mean_for_a_mean() -> None:
    values = np.array([0.5, 0.7, 0.8, 0.4])
    without = [float(np.delete(values, k).mean()) for k in range(len(values))]
    assert np.isclose(standard_error(without), values.std(ddof=1) / 2)
    assert np.isnan(standard_error([0.5]))


def folds(*right: int) -> tuple[Confusion, ...]:
    """Folds of which so many of 100 pixels of each class are recognised."""
    return tuple(confusion((n, 100 - n, 0), (100 - n, n, 0), (100 - n, 0, n)) for n in right)


def conclusion(half: tuple[int, ...], whole: tuple[int, ...]) -> str:
    curve = (CurvePoint(100, folds(*half)), CurvePoint(200, folds(*whole)))
    return verdict(report(*folds(*whole), curve=curve))[-1]


def test_the_learning_curve_comes_to_a_conclusion() -> None:
    rising = conclusion((60, 61, 62), (80, 80, 81))
    assert rising.startswith("200 labelled pixels instead of 100 changed the mean recall by +19.3")
    assert rising.endswith("points: more labels help")
    assert conclusion((80, 80, 81), (80, 81, 81)).endswith("labels where it is wrong may")
    assert conclusion((50, 90, 70), (90, 60, 80)).endswith("label further crops")
