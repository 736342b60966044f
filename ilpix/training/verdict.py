"""What a quality report comes to, in sentences for the person who labels.

What counts is the mean recall on crops that were left out: a class that covers little counts as
much as one that covers all, and a forest that has seen other pixels of the same crop flatters.
Where at least 95 % of the labelled pixels of every class and of every crop are recognised, one
sentence says so and nothing is advised.
"""

from collections.abc import Iterator

import numpy as np

from ilpix.training.judging import Confusion, CropResult
from ilpix.training.learning_curve import CurvePoint, standard_error
from ilpix.training.quality import QualityReport
from ilpix.wording import counted

MORE_PIXELS = 50  # what is asked for of a class that is hardly recognised
_GOOD = 0.95  # share of the pixels of a class or crop from which nothing is to be mended
_POOR = 0.5  # recall below which a class needs more labels
_SMALL = 0.05  # a change of mean recall that would not be noticed
_LEAST = 0.01  # a change of mean recall that is worth labelling for


def verdict(report: QualityReport) -> tuple[str, ...]:
    """Return what decides whether to use a classifier or to label on, most important first."""
    validation = report.cross_validation
    if validation is None:
        return ()
    shares = _percent(validation.balanced_accuracy), _percent(validation.accuracy)
    first = "mean recall of the classes on crops left out: {} ({} of all labelled pixels)"
    if _is_good(report, validation):
        good = f"every class and every crop is recognised well: {_percent(_GOOD)} or more"
        return first.format(*shares), f"{good} of their labelled pixels"
    return (
        first.format(*shares),
        *_worst_class(report, validation),
        *_worst_crop(report.crops),
        *_more_labels(report.learning_curve),
    )


def _is_good(report: QualityReport, validation: Confusion) -> bool:
    of_crops = min(result.confusion.accuracy for result in report.crops)
    return min(float(np.nanmin(validation.recall)), of_crops) >= _GOOD


def _worst_class(report: QualityReport, validation: Confusion) -> Iterator[str]:
    worst = int(np.nanargmin(validation.recall))
    name, recall = report.class_names[validation.labels[worst]], validation.recall[worst]
    n_pixels = int(validation.counts[worst].sum())
    if recall == 0:
        what = f"{name} is never recognised: {counted(n_pixels, 'labelled pixel')}"
    else:
        what = (
            f"worst class: {name}, {_percent(recall)} of its {counted(n_pixels, 'labelled pixel')}"
        )
    if recall < 1:
        errors = validation.counts[worst].copy()
        errors[worst] = 0
        other = report.class_names[validation.labels[int(errors.argmax())]]
        what += f", most others taken for {other}" if recall else f", most taken for {other}"
    advice = f"; label {MORE_PIXELS} more in two other crops" if recall < _POOR else ""
    yield what + advice


def _worst_crop(crops: tuple[CropResult, ...]) -> Iterator[str]:
    worst = min(crops, key=lambda result: result.confusion.accuracy)
    share, n_pixels = worst.confusion.accuracy, int(worst.confusion.counts.sum())
    of_all = f"{_percent(share)} of its {counted(n_pixels, 'labelled pixel')}"
    yield f"worst crop: {worst.crop}, {of_all}"


def _more_labels(curve: tuple[CurvePoint, ...]) -> Iterator[str]:
    """What the last doubling of the labels brought, against what chance would bring."""
    if len(curve) < 2:
        return
    half, whole = curve[-2:]
    gain = whole.mean_recall - half.mean_recall
    pairs = zip(whole.without_each_fold, half.without_each_fold, strict=True)
    error = standard_error([one - other for one, other in pairs])
    told = (
        f"{counted(whole.pixels, 'labelled pixel')} instead of {half.pixels} changed the mean "
        f"recall by {100 * gain:+.1f} ± {100 * error:.1f} points: "
    )
    if gain > max(2 * error, _LEAST):
        yield f"{told}more labels help"
    elif abs(gain) + 2 * error < _SMALL:
        yield f"{told}more of the same hardly help, labels where it is wrong may"
    else:
        yield f"{told}whether more help cannot be told, label further crops"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
