"""Choose features by what cross-validation does not miss, and say what speed that buys."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ilpix.features.selection import FeatureSelection
from ilpix.images.hdf5 import open_prepared
from ilpix.prediction.classifier import Classifier
from ilpix.project.crop_names import crop_path, lane_stem
from ilpix.project.reading import PixelProject
from ilpix.training.errors import OneCropError
from ilpix.training.judging import Grow, add_up, crop_folds, judge
from ilpix.training.quality import summarise_importance
from ilpix.training.samples import Samples

TOLERANCE = 0.0025  # of accuracy: a quarter of a percent of the pixels

Pair = tuple[str, float]  # feature and scale in px

_FOLDS = 5
_DROPPED_AT_ONCE = 4  # a fourth of what is left, the least important pairs
_MOST_PIXELS = 5000  # enough to tell features apart, and a minute's work
_MEASURED_EDGE_PX, _WARM_UP_ROWS = 1000, 64


@dataclass(frozen=True, slots=True)
class Step:
    """One choice that was tried."""

    pairs: tuple[Pair, ...]
    accuracy: float  # of all pixels, each judged by a forest of other crops


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The smallest choice of features that cross-validation finds as good as all."""

    selection: FeatureSelection
    steps: tuple[Step, ...]  # all that was tried, from all pairs to one
    accuracy_before: float
    accuracy_after: float
    columns_before: int
    columns_after: int


@dataclass(frozen=True, slots=True)
class Speed:
    """How long prediction takes with all features and with those that are suggested."""

    before_s: float  # per megapixel
    after_s: float  # per megapixel


def suggest_features(
    samples: Samples,
    selection: FeatureSelection,
    grow: Grow,
    rng: np.random.Generator,
    tolerance: float = TOLERANCE,
) -> Suggestion:
    """Drop feature and scale pairs as long as cross-validation over crops does not miss them.

    Again and again the least important fourth is dropped, a new forest saying which, until one pair
    is left. Suggested is the smallest choice met whose accuracy is within `tolerance` of the best.

    Args:
        samples: with the columns of `selection`. Of more than 5000 pixels as many are drawn.
        selection: where to start.
        grow: grows a forest, such as `functools.partial(grow_forest, seed=0)`.
        rng: draws the pixels.
        tolerance: how much accuracy, from 0 to 1, may be lost.

    Raises:
        OneCropError: if the labels do not allow cross-validation.
    """
    steps = tuple(_eliminate(_draw(samples, rng), selection.chosen, grow))
    enough = max(step.accuracy for step in steps) - tolerance
    best = next(step for step in reversed(steps) if step.accuracy >= enough)
    kept = _keep(selection, best.pairs)
    n_channels = len(samples.channel_names)
    return Suggestion(
        selection=kept,
        steps=steps,
        accuracy_before=steps[0].accuracy,
        accuracy_after=best.accuracy,
        columns_before=len(selection.columns(n_channels)),
        columns_after=len(kept.columns(n_channels)),
    )


def measure_speed(
    project: PixelProject,
    samples: Samples,
    suggestion: Suggestion,
    grow: Grow,
    clock: Callable[[], float],
) -> Speed:
    """Measure what a suggestion buys: predict the same pixels with all features and without those.

    Args:
        project: its labelled crops give the pixels.
        samples: those that `suggestion` was made from.
        suggestion: what to compare.
        grow: grows the two forests.
        clock: counts seconds, such as `time.perf_counter`.

    Raises:
        UnreadableImageError: if the first labelled crop cannot be read; see `open_prepared`.
    """
    image = _large_image(project, samples.crop_names[0])
    megapixels = image[0].size / 1e6
    every = _keep(suggestion.selection, suggestion.steps[0].pairs)
    seconds = []
    for selection in (every, suggestion.selection):
        kept = _keep_columns(samples, selection.chosen)
        forest = grow(kept.features, kept.labels).forest
        classifier = Classifier.of(replace(project, features=selection, forest=forest))
        classifier.predict(image[:, :_WARM_UP_ROWS])
        start = clock()
        classifier.predict(image)
        seconds.append(clock() - start)
    return Speed(seconds[0] / megapixels, seconds[1] / megapixels)


def _large_image(project: PixelProject, crop: str) -> NDArray[np.float32]:
    """A crop, repeated until a prediction takes long enough to be measured."""
    lane = next(lane for lane in project.lanes if lane_stem(lane) == crop)
    with open_prepared(crop_path(project, lane)) as opened:
        image = opened.read()
    repeats = [-(-_MEASURED_EDGE_PX // size) for size in image.shape[1:]]
    return np.tile(image, (1, *repeats))


def _keep_columns(samples: Samples, pairs: Collection[Pair]) -> Samples:
    is_kept = [(column.feature_id, column.scale) in pairs for column in samples.columns]
    return samples.with_columns(np.array(is_kept))


def _eliminate(samples: Samples, pairs: tuple[Pair, ...], grow: Grow) -> Iterator[Step]:
    yield Step(pairs, _cross_validate(samples, grow))
    while len(pairs) > 1:
        ranked = list(summarise_importance(samples, grow(samples.features, samples.labels)).pairs)
        kept = set(ranked[: len(ranked) - max(len(ranked) // _DROPPED_AT_ONCE, 1)])
        pairs = tuple(pair for pair in pairs if pair in kept)
        samples = _keep_columns(samples, kept)
        yield Step(pairs, _cross_validate(samples, grow))


def _cross_validate(samples: Samples, grow: Grow) -> float:
    folds = crop_folds(samples, _FOLDS)
    if not folds:
        raise OneCropError(samples.crop_names)
    return add_up(judge(samples, fold, ~fold, grow) for fold in folds).accuracy


def _draw(samples: Samples, rng: np.random.Generator) -> Samples:
    if len(samples.labels) <= _MOST_PIXELS:
        return samples
    return samples.where(np.sort(rng.permutation(len(samples.labels))[:_MOST_PIXELS]))


def _keep(selection: FeatureSelection, pairs: Collection[Pair]) -> FeatureSelection:
    matrix = tuple(
        tuple((name, scale) in pairs for scale in selection.scales) for name in selection.ids
    )
    return FeatureSelection(selection.ids, selection.scales, matrix)
