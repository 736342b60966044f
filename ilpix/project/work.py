"""A person's work in a project: labels, features, classifier; kept where it is replaced."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ilpix.project.backups import back_up
from ilpix.project.label_blocks import Labels
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.trained import classifier_digest


def keep_work(project_path: Path, draft: Path) -> Path | None:
    """Back a project up if a draft that is to take its place replaces any work in it.

    Labels that are only added, and features and a classifier where there were none, replace
    nothing.

    Returns:
        The backup; None where none was needed.
    """
    before, after = read_project(project_path), read_project(draft)
    if not (_replaces_classifier(before, after) or _replaces_labels(before, after)):
        return None
    return back_up(project_path)


def count_labels(project: PixelProject) -> dict[str, int]:
    """Return how many pixels are labelled, by the name of the class."""
    return {
        label.name: sum(counts[index] for counts in project.labelled_pixels)
        for index, label in enumerate(project.classes)
    }


def tell_counts(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """Say how many pixels of each class were labelled and are now, in a sentence for a person."""
    names = dict.fromkeys((*before, *after))
    counts = (f"{name} {before.get(name, 0)} → {after.get(name, 0)}" for name in names)
    return f"labelled pixels: {', '.join(counts)}"


def _replaces_classifier(before: PixelProject, after: PixelProject) -> bool:
    has_other_features = before.features is not None and before.features != after.features
    has_other_forest = before.has_classifier and classifier_digest(before) != classifier_digest(
        after
    )
    return has_other_features or has_other_forest


def _replaces_labels(before: PixelProject, after: PixelProject) -> bool:
    if not before.has_labels:
        return False
    if [label.name for label in before.classes] != [label.name for label in after.classes]:
        return True
    old, new = read_all_labels(before), read_all_labels(after)
    return any(_is_lost(labels, new.get(lane)) for lane, labels in old.items())


def _is_lost(old: Labels, new: Labels | None) -> bool:
    return new is None or old.shape != new.shape or bool(np.any((old != 0) & (old != new)))
