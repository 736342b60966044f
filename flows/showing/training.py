"""How good the classifier is, from the files that training left, as values for the page."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ilpix.data_directory import TRAINING_REPORT
from ilpix.training.quality_report import JSON_NAME

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """Pixels labelled as one class."""

    name: str
    counts: list[int]
    shares: list[float]  # of the row
    recall: float | None
    precision: float | None


@dataclass(frozen=True, slots=True)
class TrainingQuality:
    """What `quality.json` says, in the order of the page."""

    pixels: int
    accuracy: float
    judged_by_others: bool  # leaving one crop out; else out of bag
    out_of_bag: float
    confusion: list[ConfusionRow]
    crops: list[tuple[str, float]]  # accuracy of each, lowest first
    curve: list[tuple[int, float]]  # labelled pixels and accuracy
    importance: list[tuple[str, list[tuple[str, float]]]]
    advice: list[str]

    @property
    def curve_points(self) -> str:
        """The learning curve as points of an SVG that is 100 wide and 40 high."""
        last = max(1, len(self.curve) - 1)
        return " ".join(
            f"{100 * index / last:.1f},{40 - 40 * accuracy:.1f}"
            for index, (_, accuracy) in enumerate(self.curve)
        )


def read_quality(data_dir: Path) -> TrainingQuality | None:
    """Read what training measured; None where it did not, or left something else."""
    try:
        found = json.loads((data_dir / TRAINING_REPORT / JSON_NAME).read_bytes())
        return _parse(found)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _parse(found: dict[str, Any]) -> TrainingQuality:
    judged = found["leave_one_crop_out"] or found["out_of_bag"]
    names = judged["classes"]
    crops = sorted(
        ((crop["crop"], crop["accuracy"]) for crop in found["crops"]), key=lambda c: c[1]
    )
    titles = {"channels": "channel", "features": "feature", "scales_px": "scale (px)"}
    return TrainingQuality(
        pixels=int(found["labelled_pixels"]),
        accuracy=float(judged["accuracy"]),
        judged_by_others=bool(found["leave_one_crop_out"]),
        out_of_bag=float(found["out_of_bag"]["accuracy"]),
        confusion=[
            ConfusionRow(
                name,
                counts,
                [count / (sum(counts) or 1) for count in counts],
                judged["recall"][name],
                judged["precision"][name],
            )
            for name, counts in zip(names, judged["confusion"], strict=True)
        ],
        crops=sorted(crops, key=lambda crop: crop[1])[:_MOST_SHOWN],
        curve=[(point["pixels"], point["accuracy"]) for point in found["learning_curve"]],
        importance=[
            (title, list(found["importance"][key].items())[:_MOST_SHOWN])
            for key, title in titles.items()
        ],
        advice=[str(sentence) for sentence in found["advice"]],
    )
