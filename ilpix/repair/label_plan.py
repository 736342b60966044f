"""What a fix does to the labels of a lane: their axis order mended, what has no place taken out."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import h5py
import numpy as np

from ilpix.project.file import LABEL_SETS, ProjectReader
from ilpix.project.label_blocks import (
    LabelBlock,
    find_order,
    labels_group,
    place_block,
    read_stored_blocks,
)
from ilpix.project.stored_lanes import Lane
from ilpix.wording import counted

PixelCounts = tuple[int, ...]  # by label value, from 1 to 255


@dataclass(frozen=True, slots=True, eq=False)
class LabelPlan:
    """The labels of one lane, before and after."""

    blocks: tuple[LabelBlock, ...]  # that stay
    axes: str  # the order of the blocks afterwards
    reordered: str  # in words; empty where the order stays
    removed: tuple[str, ...]  # what is taken out, and why
    before: PixelCounts  # of everything that can be read
    after: PixelCounts

    @property
    def changes(self) -> tuple[str, ...]:
        """What happens to the labels, in words; empty where all is well."""
        return (*([self.reordered] if self.reordered else []), *self.removed)


def plan_labels(
    file: h5py.File, lane: Lane, right_axes: str, axes_after: str, n_classes: int
) -> LabelPlan:
    """Decide what becomes of the labels of a lane.

    Args:
        file: an open project.
        lane: with the axes that its file really has.
        right_axes: the order that its label blocks should have.
        axes_after: the order that they shall have after the fix.
        n_classes: of the project; pixels of other classes are taken out.
    """
    reader = ProjectReader(file)
    stored = read_stored_blocks(reader, lane.index)
    removed = [f"{problem.where} {problem.what}" for problem in reader.problems]
    found = find_order(stored, right_axes, lane.axes, lane.size)
    blocks = []
    for block in stored:
        try:
            blocks.append(place_block(block, found, lane.size))
        except ValueError as error:
            removed.append(f"{block.name} {error}")
    kept = tuple(_without_unknown(block, n_classes, removed) for block in blocks)
    before = _add_up(block.values for block in stored)
    return LabelPlan(
        blocks=kept,
        axes=axes_after,
        reordered=f"labels from {found} to {axes_after}" if stored and found != axes_after else "",
        removed=tuple(f"taken out: {what}" for what in removed),
        before=_count_readable(file, lane.index) if removed else before,
        after=_add_up(block.labels for block in kept),
    )


def _without_unknown(block: LabelBlock, n_classes: int, removed: list[str]) -> LabelBlock:
    is_unknown = block.labels > n_classes
    if not is_unknown.any():
        return block
    count, largest = int(np.count_nonzero(is_unknown)), block.labels.max()
    removed.append(
        f"{block.name} {counted(count, 'pixel')} of value {largest}, which none of "
        f"{counted(n_classes, 'class')} has"
    )
    return replace(block, labels=np.where(is_unknown, np.uint8(0), block.labels))


def _count_readable(file: h5py.File, lane_index: int) -> PixelCounts:
    """Count the pixels of all blocks of a lane, those without a place included."""
    reader = ProjectReader(file)
    group = reader.group(labels_group(lane_index)) if LABEL_SETS in file else None
    blocks = group.values() if group is not None else ()
    arrays = (
        reader.numbers(block.name, "iu", block.ndim)
        for block in blocks
        if isinstance(block, h5py.Dataset)
    )
    return _add_up(array for array in arrays if array is not None)


def _add_up(arrays: Iterable[np.ndarray]) -> PixelCounts:
    counts = np.zeros(256, np.int64)
    for array in arrays:
        values = np.clip(np.asarray(array, np.int64).ravel(), 0, 255)
        counts += np.bincount(values, minlength=256)
    return tuple(int(count) for count in counts[1:])
