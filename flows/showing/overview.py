"""All images side by side: areas, what is unlike the others, what failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flows.exporting import is_export
from flows.looking import Look
from flows.running.outcomes import Outcome
from flows.running.verb_run import VerbRun
from ilpix.checks.outliers import find_outliers
from ilpix.prediction.pictures import Drawn

LEAST_AREA, LEAST_UNCERTAINTY, LEAST_DISTANCE = 0.05, 0.05, 0.3  # never unusual


@dataclass(frozen=True, slots=True)
class ImageRow:
    """What the page shows of one image."""

    name: str
    state: str  # done, kept from earlier, failed
    size: str
    areas: list[float]
    uncertainty: float | None
    has_pictures: bool
    unlike: list[str] = field(default_factory=list)  # how it is unlike the others
    warnings: list[str] = field(default_factory=list)  # how it is unlike the training crops
    error: str = ""
    advice: str = ""

    @property
    def is_unusual(self) -> bool:
        """Whether somebody should look at it first."""
        return bool(self.unlike or self.warnings)


def rows_of_images(
    run: VerbRun, classes: Sequence[str], look: Look, drawn: Mapping[str, Drawn]
) -> list[ImageRow]:
    """Return a row for each image of this run, and of runs before that it leaves as they are."""
    outcomes = [*run.outcomes, *map(_kept, run.others)]
    good = [outcome for outcome in outcomes if "areas" in outcome.facts]
    unlike = _unlike(good, classes, look, drawn)
    failed = {
        outcome.image: outcome for outcome in outcomes if outcome.error and is_export(outcome)
    }
    rows = [
        _row(outcome, failed.get(outcome.image), look, drawn, unlike.get(outcome.image, []))
        for outcome in outcomes
        if not is_export(outcome)
    ]
    return sorted(rows, key=lambda row: row.name)


def mean_areas(rows: Sequence[ImageRow], n_classes: int) -> list[float]:
    """Return the mean share of each class over all images that have one."""
    areas = [row.areas for row in rows if len(row.areas) == n_classes]
    return np.mean(areas, axis=0).tolist() if areas else []


def _kept(outcome: Outcome) -> Outcome:
    """Return what a run before did, as this one sees it."""
    return outcome.model_copy(update={"state": "kept"}) if outcome.state == "done" else outcome


def _row(
    outcome: Outcome,
    export: Outcome | None,  # that failed
    look: Look,
    drawn: Mapping[str, Drawn],
    unlike: list[str],
) -> ImageRow:
    facts: dict[str, Any] = outcome.facts
    known = drawn.get(outcome.image)
    ended = export or outcome
    error, _, advice = (ended.error or "").partition("; ")
    return ImageRow(
        name=outcome.image,
        state=ended.state,
        size=" × ".join(str(size) for size in facts.get("shape", ())),
        areas=facts.get("areas", []),
        uncertainty=known.uncertainty if known else None,
        has_pictures=known is not None,
        unlike=unlike,
        warnings=[finding.what for finding in look.comparison.of_image(outcome.image)],
        error=error,
        advice=advice,
    )


def _unlike(
    outcomes: Sequence[Outcome], classes: Sequence[str], look: Look, drawn: Mapping[str, Drawn]
) -> dict[str, list[str]]:
    """Say of each image how it is unlike the others."""
    numbers: list[tuple[str, dict[str, float], float]] = [
        (name, {o.image: o.facts["areas"][index] for o in outcomes}, LEAST_AREA)
        for index, name in enumerate(classes)
        if all(len(outcome.facts["areas"]) == len(classes) for outcome in outcomes)
    ]
    uncertain = {image: known.uncertainty for image, known in drawn.items()}
    numbers.append(("uncertainty", uncertain, LEAST_UNCERTAINTY))
    found: dict[str, list[str]] = {}
    for name, values, least in numbers:
        signs = find_outliers(list(values.values()), least)
        middle = float(np.median(list(values.values()))) if values else 0.0
        for (image, value), sign in zip(values.items(), signs.tolist(), strict=True):
            if sign:
                amount = "more" if sign > 0 else "less"
                text = f"{amount} {name} than the others: {value:.0%}, usually {middle:.0%}"
                found.setdefault(image, []).append(text)
    distances = look.comparison.distances
    signs = find_outliers(list(distances.values()), LEAST_DISTANCE)
    for image, sign in zip(distances, signs.tolist(), strict=True):
        if sign > 0:
            found.setdefault(image, []).append("intensities unlike all training crops")
    return found
