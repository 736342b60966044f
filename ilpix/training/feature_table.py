"""Choose features by name or by a table."""

import csv
from collections.abc import Callable
from pathlib import Path

from ilpix.features.selection import FEATURE_IDS, SCALES, FeatureSelection, default_selection
from ilpix.files import replacing
from ilpix.training.errors import FeatureChoiceError

_FAST = frozenset({"GaussianSmoothing", "GaussianGradientMagnitude", "LaplacianOfGaussian"})
_FAST_SCALES = (1.0, 1.6, 3.5)
_YES, _NO = frozenset({"1", "x", "true", "yes"}), frozenset({"0", "", "false", "no"})


def choose_features(choice: str) -> FeatureSelection:
    """Return the features of a preset or of a CSV table.

    The presets are `all`, `>=1px` (all features from 1 px on), `>=1px+smoothings` (and smoothing at
    every scale) and `fast`.

    A table has the header `feature,0.3,0.7,…` with scales in px, and a row per feature with 1 (or
    x) where it is chosen and 0 (or nothing) where it is not.

    Raises:
        FeatureChoiceError: if it is neither, or the table cannot be understood.

    Example:
        >>> choose_features("fast").chosen[:2]
        (('GaussianSmoothing', 1.0), ('GaussianSmoothing', 1.6))
    """
    match choice:
        case "all":
            return _select(lambda name, scale: scale >= 0.7 or name == "GaussianSmoothing")
        case ">=1px" | "≥1px":
            return default_selection()
        case ">=1px+smoothings" | "≥1px+smoothings":
            return _select(lambda name, scale: scale >= 1 or name == "GaussianSmoothing")
        case "fast":
            return _select(lambda name, scale: name in _FAST and scale in _FAST_SCALES)
    if not Path(choice).is_file():
        raise FeatureChoiceError(choice, "is no preset, and there is no such file")
    return _read_table(Path(choice))


def write_feature_table(selection: FeatureSelection, target: Path) -> None:
    """Write a choice of features as a CSV table that `choose_features` reads."""
    with replacing(target) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["feature", *selection.scales])
        for name, row in zip(selection.ids, selection.matrix, strict=True):
            table.writerow([name, *map(int, row)])


def _select(is_chosen: Callable[[str, float], bool]) -> FeatureSelection:
    matrix = tuple(tuple(is_chosen(name, scale) for scale in SCALES) for name in FEATURE_IDS)
    return FeatureSelection(FEATURE_IDS, SCALES, matrix)


def _read_table(path: Path) -> FeatureSelection:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
        if not rows:
            raise ValueError("is empty")
        header, *rows = rows
        selection = FeatureSelection(
            ids=tuple(row[0].strip() for row in rows),
            scales=tuple(map(_scale, header[1:])),
            matrix=tuple(tuple(_is_yes(cell) for cell in row[1:]) for row in rows),
        )
    except (OSError, ValueError, csv.Error) as error:
        raise FeatureChoiceError(str(path), str(error)) from error
    if not selection.chosen:
        raise FeatureChoiceError(str(path), "chooses nothing")
    return selection


def _scale(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"the scale {cell!r} in its first line is no number") from None


def _is_yes(cell: str) -> bool:
    text = cell.strip().lower()
    if text not in _YES | _NO:
        raise ValueError(f"a cell is 1 or 0, got {cell!r}")
    return text in _YES
