"""The labels of all crops while a person works on them, with everything that can be undone."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from annotation.edits import (
    AnnotatedClass,
    ClassesEdit,
    CropKey,
    Edit,
    FeaturesEdit,
    LabelEdit,
    Labels,
    Step,
)
from ilpix.features.selection import FeatureSelection

UNDO_STEPS = 500


@dataclass(eq=False)
class Board:
    """What is on the screen. Every change raises the revision; each crop knows its last."""

    labels: dict[int, Labels]  # by lane
    classes: tuple[AnnotatedClass, ...]
    features: FeatureSelection
    revision: int = 0
    changed: dict[int, int] = field(default_factory=dict)  # lane: revision of its last change
    undoable: deque[Step] = field(default_factory=lambda: deque(maxlen=UNDO_STEPS))
    redoable: list[Step] = field(default_factory=list)
    _counts: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict)

    def counts(self, lane: int) -> npt.NDArray[np.int64]:
        """Return how many pixels of a crop have each label value, (256,)."""
        if lane not in self._counts:
            self._counts[lane] = np.bincount(self.labels[lane].ravel(), minlength=256)
        return self._counts[lane]

    def totals(self) -> npt.NDArray[np.int64]:
        """Return how many pixels of all crops have each label value, (256,)."""
        sums = np.zeros(256, np.int64)
        for lane in self.labels:
            sums += self.counts(lane)
        return sums

    def apply(self, edits: Iterable[Edit], lane_of: Callable[[CropKey], int | None]) -> set[int]:
        """Make changes, and return the lanes whose labels changed.

        Args:
            edits: in order.
            lane_of: finds a crop; what concerns one that is gone is left out.
        """
        self.revision += 1
        lanes = set()
        for edit in edits:
            match edit:
                case ClassesEdit():
                    self.classes = _changed(self.classes, edit)
                case FeaturesEdit():
                    self.features = edit.after
                case LabelEdit():
                    if (lane := lane_of(edit.crop)) is not None and _fits(edit, self.labels[lane]):
                        edit.apply_to(self.labels[lane])
                        lanes.add(lane)
        for lane in lanes:
            self.changed[lane] = self.revision
            self._counts.pop(lane, None)
        return lanes

    def remember(self, step: Step) -> None:
        """Move a step that was taken, taken back or taken again to where it can be reached."""
        match step.how:
            case "do":
                self.undoable.append(step)
                self.redoable.clear()
            case "undo" if self.undoable:
                self.redoable.append(self.undoable.pop())
            case "redo" if self.redoable:
                self.undoable.append(self.redoable.pop())

    def plan_paint(
        self, lane: int, crop: CropKey, value: int, runs: npt.NDArray[np.int64], *, keep: bool
    ) -> LabelEdit | None:
        """Return what a stroke would change; None where that is nothing.

        Args:
            lane: the crop.
            crop: its key.
            value: identity of a class, or 0 to erase.
            runs: (N, 3) rows of y, x and a number of pixels; what lies outside is left out.
            keep: whether labels of other classes stay.
        """
        labels = self.labels[lane]
        mask = _mask_of(runs, labels.shape)
        mask &= (labels == 0) if keep and value else (labels != value)
        if not mask.any():
            return None
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        before = labels[place]
        after = np.where(mask[place], np.uint8(value), before)
        return LabelEdit.between(crop, int(rows[0]), int(columns[0]), before, after)

    def plan_removal(self, lane: int, crop: CropKey, removed: int) -> LabelEdit:
        """Return what is left of a crop's labels when those of a class go."""
        labels = self.labels[lane]
        emptied = np.where(labels == removed, np.uint8(0), labels)
        return LabelEdit.between(crop, 0, 0, labels, emptied)


def _mask_of(runs: npt.NDArray[np.int64], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The pixels of runs: each run adds 1 where it begins and takes it back behind its end."""
    height, width = shape
    y, first = runs[:, 0], np.clip(runs[:, 1], 0, width)
    end = np.clip(runs[:, 1] + runs[:, 2], 0, width)
    inside = (y >= 0) & (y < height) & (end > first)
    steps = np.zeros((height, width + 1), np.int32)
    np.add.at(steps, (y[inside], first[inside]), 1)
    np.add.at(steps, (y[inside], end[inside]), -1)
    mask: npt.NDArray[np.bool_] = np.cumsum(steps, axis=1)[:, :width] > 0
    return mask


def _changed(classes: tuple[AnnotatedClass, ...], edit: ClassesEdit) -> tuple[AnnotatedClass, ...]:
    """The classes after an edit; those that it did not know of stay."""
    known = {former.id for former in (*edit.before, *edit.after)}
    return (*edit.after, *(other for other in classes if other.id not in known))


def _fits(edit: LabelEdit, labels: Labels) -> bool:
    height, width = labels.shape
    return bool(edit.y + edit.height <= height and edit.x + edit.width <= width)
