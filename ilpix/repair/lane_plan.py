"""Decide what becomes of one lane of a project: its crop, its entry and its labels."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import h5py

from ilpix.project.block_order import block_axes
from ilpix.project.file import LANE_CLASS, ProjectReader
from ilpix.project.stored_lanes import Lane
from ilpix.repair.crop_files import (
    CROP_AXES,
    CROP_DATASET,
    StoredCrop,
    inspect_crop,
    resolve_axes,
)
from ilpix.repair.crop_matching import stored_parts
from ilpix.repair.label_plan import LabelPlan, plan_labels
from ilpix.wording import NOTHING_TO_DO


@dataclass(frozen=True, slots=True)
class EmbeddedCrop:
    """Pixels of a crop that lie in the project itself."""

    inner_path: str
    axes: str
    shape: tuple[int, ...]

    @property
    def planes(self) -> tuple[int, int, int]:
        """(C, Y, X)."""
        sizes = dict(zip(self.axes, self.shape, strict=True))
        return sizes.get("c", 1), sizes["y"], sizes["x"]


@dataclass(frozen=True, slots=True)
class LanePlan:
    """What happens to one lane and its crop."""

    lane: Lane
    labels: LabelPlan | None  # None where its size is not known
    crop: StoredCrop | EmbeddedCrop | None  # None where none fits
    file_name: str  # of the crop afterwards, without its folder
    changes: tuple[str, ...]  # of the lane's entry, in words; empty where all is well
    mismatch: str  # in words, why there is no crop; empty where there is one

    @property
    def title(self) -> str:
        """What the lane is called where people read of it."""
        return f"{self.lane.index} {self.lane.nickname}".strip()

    @property
    def described(self) -> str:
        """The lane and its crop, in a sentence."""
        name = self.lane.nickname
        return f"lane {self.lane.index} ({name})" if name else f"lane {self.lane.index}"

    @property
    def converts_crop(self) -> bool:
        """Whether the crop has to be written anew."""
        return bool(self._crop_change)

    @property
    def label_changes(self) -> tuple[str, ...]:
        """What happens to its labels, in words; empty where all is well."""
        return self.labels.changes if self.labels is not None else ()

    @property
    def row(self) -> "FixRow":
        """The plan in one line."""
        changes = (self._crop_change, *self.changes, *self.label_changes)
        what = "; ".join(filter(None, (self.mismatch, *changes)))
        return FixRow(self.title, self.file_name, what or NOTHING_TO_DO, bool(self.mismatch))

    @property
    def _crop_change(self) -> str:
        if isinstance(self.crop, EmbeddedCrop):
            return f"crop out of the project ({self.crop.axes})"
        if self.crop is None:
            return ""
        is_named = self.crop.path.name == self.file_name
        if not self.crop.is_prepared:
            source = "" if is_named else f" of {self.crop.path.name}"
            return f"crop{source} from {self.crop.axes} {self.crop.dtype} to cyx float32"
        return "" if is_named else f"crop {self.crop.path.name} renamed"


@dataclass(frozen=True, slots=True)
class FixRow:
    """One line of a plan, for a person."""

    lane: str
    crop: str
    what: str
    is_problem: bool


@dataclass(frozen=True, slots=True)
class LaneContext:
    """What the plans of all lanes have in common."""

    reader: ProjectReader
    crop_dir: Path
    crop_folder: str
    version: str  # of Ilastik, as the project says
    n_classes: int
    n_channels: int | None
    axis_order: str | None


def plan_lane(context: LaneContext, lane: Lane, path: Path | None, file_name: str) -> LanePlan:
    """Decide what becomes of one lane.

    Args:
        context: what all lanes have in common.
        lane: as it is stored; one without a shape gets that of its crop.
        path: the file of its crop; None where there is none.
        file_name: of the crop afterwards.
    """
    try:
        if not lane.shape:
            lane = _measured(context, lane, path)
        lane_axes = resolve_axes(lane.axes, lane.shape, context.n_channels)
    except ValueError as error:
        return LanePlan(lane, None, None, file_name, (), f"the lane {error}")
    sizes = dict(zip(lane_axes, lane.shape, strict=True))
    try:
        crop = _find_crop(context, lane, lane_axes, path)
        _require_size(crop.planes, (sizes["y"], sizes["x"]))
    except ValueError as error:
        labels = _plan_labels(context, lane, lane_axes, lane.axes)
        return LanePlan(lane, labels, None, file_name, (), str(error))
    labels = _plan_labels(context, lane, lane_axes, CROP_AXES)
    entry = _entry_changes(context, lane, crop.planes, file_name)
    return LanePlan(lane, labels, crop, file_name, tuple(entry), "")


def _measured(context: LaneContext, lane: Lane, path: Path | None) -> Lane:
    """A lane that stores no shape, with the shape of its crop.

    Raises:
        ValueError: if there is no crop, or it is none of the project.
    """
    if path is None:
        raise ValueError(
            f"{lane.flaw}, and there is no crop of its name in {context.crop_dir.name}; "
            f"copy it there{_origin(context, lane)}"
        )
    crop = inspect_crop(path, context.n_channels, context.axis_order)
    return replace(lane, axes=crop.axes, shape=crop.shape)


def _plan_labels(context: LaneContext, lane: Lane, lane_axes: str, axes_after: str) -> LabelPlan:
    right_axes = block_axes(context.version, lane.axes)
    wanted = block_axes(context.version, axes_after)
    lane = replace(lane, axes=lane_axes)
    return plan_labels(context.reader.file, lane, right_axes, wanted, context.n_classes)


def _find_crop(
    context: LaneContext, lane: Lane, lane_axes: str, path: Path | None
) -> StoredCrop | EmbeddedCrop:
    if path is not None:
        return inspect_crop(path, context.n_channels, context.axis_order)
    if lane.inner_path is None:
        origin = _origin(context, lane)
        raise ValueError(
            f"no crop of this name in {context.crop_dir.name}; copy it there{origin}, under a name "
            "of its own if several lanes share one"
        )
    dataset = context.reader.file.get(lane.inner_path)
    if not isinstance(dataset, h5py.Dataset) or dataset.shape != lane.shape:
        raise ValueError(f"its pixels are not in the project at {lane.inner_path}, as it says")
    if dataset.dtype.kind not in "iuf":
        raise ValueError(f"its pixels have the type {dataset.dtype}")
    return EmbeddedCrop(lane.inner_path, lane_axes, dataset.shape)


def _origin(context: LaneContext, lane: Lane) -> str:
    """Where the project says that a crop lies, if that is another folder; its file if that too."""
    file = PurePosixPath(*stored_parts(lane))
    if file.stem != lane.nickname:
        return f" from {file}"
    return "" if str(file.parent) in {".", context.crop_folder} else f" from {file.parent}"


def _require_size(planes: tuple[int, int, int], size: tuple[int, int]) -> None:
    if planes[1:] != size:
        rows, columns = planes[1:]
        raise ValueError(
            f"the crop has {rows} × {columns} pixels, the lane {size[0]} × {size[1]} (rows × "
            "columns); it is another crop, or its axis order is another"
        )


def _entry_changes(
    context: LaneContext, lane: Lane, planes: tuple[int, int, int], file_name: str
) -> list[str]:
    path = f"{context.crop_folder}/{file_name}/{CROP_DATASET}"
    is_as_wanted = {
        "lane refers to a file": lane.dataset_class == LANE_CLASS and lane.inner_path is None,
        f"path into {context.crop_folder}": lane.file_path == path,
        "size of its crop": not lane.flaw,
        "axes become cyx": (lane.axes, lane.shape) == (CROP_AXES, planes),
        "nickname": lane.nickname == Path(file_name).stem,
    }
    return [change for change, is_so in is_as_wanted.items() if not is_so]
