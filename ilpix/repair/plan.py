"""Decide how a project and its training crops become ones that steinbock and ilpix can use.

Afterwards every lane names `CROPS/NAME.h5/crop`, relative to the project; the file holds C, Y, X
float32; the lane's axes and shape are in that order, and its
label blocks in the one that the version of the project asks for. `plan_fix` looks at everything
and changes nothing; `ilpix.repair.applying` carries the plan out.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ilpix.errors import InvalidProjectError, NotAFolderError, Problem
from ilpix.project.damage import DAMAGE
from ilpix.project.file import INFOS, ProjectReader, open_project
from ilpix.project.label_blocks import find_spare_labels
from ilpix.project.reading import LABEL_NAMES, read_classes
from ilpix.project.stored_classifier import read_features_and_forest
from ilpix.project.stored_lanes import Lane, read_lanes
from ilpix.project.work import tell_counts
from ilpix.project.writing import EXPORT
from ilpix.repair.crop_files import KNOWN_AXES, find_crop_files
from ilpix.repair.crop_matching import file_names, match_crops, stored_parts
from ilpix.repair.errors import FixRefusedError, NoCropFolderError
from ilpix.repair.label_plan import PixelCounts
from ilpix.repair.lane_plan import FixRow, LaneContext, LanePlan, plan_lane
from ilpix.repair.swap import journal_of
from ilpix.wording import counted


@dataclass(frozen=True, slots=True)
class FixPlan:
    """Everything that a fix would change, and what stands in its way."""

    project_path: Path
    crop_dir: Path
    crop_folder: str  # as the project names it: relative to its own folder
    output_folder: str  # of probability images, likewise
    ilastik_version: str  # that the project names; it stays
    lanes: tuple[LanePlan, ...]
    spare_files: tuple[Path, ...]  # crops that no lane uses; they stay as they are
    changes_export: bool
    spare_labels: tuple[str, ...]  # label layers of lanes that are not there; they are taken out
    class_names: tuple[str, ...]
    partial: bool  # whether lanes without a crop and crops without a lane are accepted

    @property
    def changes_crops(self) -> bool:
        """Whether any crop has to be written anew."""
        return any(lane.converts_crop for lane in self.lanes)

    @property
    def changes_project(self) -> bool:
        """Whether the project has to be written anew."""
        return bool(self.changes_export or self.spare_labels) or any(
            lane.changes or lane.label_changes for lane in self.lanes
        )

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return self.changes_crops or self.changes_project

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What does not match: lanes without a crop, and crops without a lane."""
        lanes = [Problem(plan.described, plan.mismatch) for plan in self.lanes if plan.mismatch]
        what = "no lane of the project uses this crop"
        spare = [Problem(path.name, what) for path in self.spare_files]
        return (*lanes, *spare)

    @property
    def rows(self) -> tuple[FixRow, ...]:
        """The plan as a table."""
        lanes = [plan.row for plan in self.lanes]
        spare = [FixRow("", path.name, "no lane uses this crop", True) for path in self.spare_files]
        lost = "taken out: labels of a lane that the project does not have"
        labels = [FixRow(where.rpartition("/")[2], "", lost, False) for where in self.spare_labels]
        export = [FixRow("", "", f"export uint16 TIFFs to {self.output_folder}", False)]
        return (*lanes, *spare, *labels, *(export if self.changes_export else ()))

    @property
    def summary(self) -> str:
        """How much changes, in a line; empty where nothing does."""
        counts = {
            "lane": sum(bool(plan.changes) for plan in self.lanes),
            "crop": len({plan.crop for plan in self.lanes if plan.converts_crop}),
            "label layer": sum(bool(plan.label_changes) for plan in self.lanes)
            + len(self.spare_labels),
        }
        told = [counted(n, what) for what, n in counts.items() if n]
        return ", ".join([*told, *(["export settings"] if self.changes_export else [])])

    @property
    def removed_labels(self) -> str:
        """Labelled pixels per class before and after, in words; empty where none are taken out."""
        planned = [plan.labels for plan in self.lanes if plan.labels is not None]
        if not self.spare_labels and not any(labels.removed for labels in planned):
            return ""
        before, after = (
            self._by_class([getattr(labels, when) for labels in planned])
            for when in ("before", "after")
        )
        return tell_counts(before, after)

    def _by_class(self, counts: Sequence[PixelCounts]) -> dict[str, int]:
        totals = {value: sum(own) for value, own in enumerate(zip(*counts, strict=True), 1)}
        names = dict(enumerate(self.class_names, 1))
        return {
            names.get(value, f"value {value}"): total
            for value, total in totals.items()
            if total or value in names
        }


def plan_fix(
    project_path: Path,
    crop_dir: Path,
    probabilities_dir: Path,
    axis_order: str | None = None,
    *,
    partial: bool = False,
) -> FixPlan:
    """Find out what has to change in a project and its crops; nothing is written.

    Args:
        project_path: an `.ilp` file of any program.
        crop_dir: holds the crops, as HDF5, TIFF or PNG; subfolders tell crops of one name apart.
        probabilities_dir: where Ilastik will export to.
        axis_order: the axes of all crops, such as `zyxc`, in place of those that the files name.
        partial: go on where a lane has no crop or a crop no lane.

    Raises:
        InvalidProjectError: if the project cannot be read; see `open_project` for more.
        NoCropFolderError: if there is no folder of crops, and the project needs one.
        FixRefusedError: if an interrupted fix has to be finished first, `axis_order` is none, the
            project lies in the folder of the crops, or has no lanes, or labels without classes.
    """
    require_no_interrupted_fix(project_path)
    require_plannable(project_path, crop_dir, axis_order)
    require_crops(project_path, crop_dir, partial=partial)
    with open_project(project_path) as file:
        reader = ProjectReader(file)
        lanes = read_lanes(reader)
        if not lanes and not reader.problems:
            raise FixRefusedError(project_path, (Problem(INFOS, "names no images to fix"),))
        class_names = tuple(known.name for known in read_classes(reader))
        n_classes = len(class_names)
        n_channels = _count_channels(reader, lanes, n_classes)
        version = reader.text("ilastikVersion")
        files = find_crop_files(crop_dir) if crop_dir.is_dir() else []
        crops = match_crops(lanes, files)
        spare = tuple(path for path in files if path not in set(crops.values()))
        names = file_names(lanes, crops, spare)
        crop_folder = _relative(crop_dir, project_path)
        context = LaneContext(
            reader, crop_dir, crop_folder, version, n_classes, n_channels, axis_order
        )
        plans = tuple(
            plan_lane(context, lane, crops.get(lane.index), names[lane.index]) for lane in lanes
        )
        output_folder = _relative(probabilities_dir, project_path)
        changes_export = not _has_export_settings(file, output_folder)
        spare_labels = find_spare_labels(file, len(lanes))
    if reader.problems:
        raise InvalidProjectError(project_path, tuple(reader.problems))
    if not class_names and any(plan.labels and any(plan.labels.before) for plan in plans):
        what = "names no classes, although crops are labelled; a rescue gives them new names"
        raise FixRefusedError(project_path, (Problem(LABEL_NAMES, what),))
    return FixPlan(
        project_path=project_path,
        crop_dir=crop_dir,
        crop_folder=crop_folder,
        output_folder=output_folder,
        ilastik_version=version,
        lanes=plans,
        spare_files=spare,
        changes_export=changes_export,
        spare_labels=spare_labels,
        class_names=class_names,
        partial=partial,
    )


def require_no_interrupted_fix(project_path: Path) -> None:
    """Make sure that no earlier fix of a project stopped half-way.

    Raises:
        FixRefusedError: if one did.
    """
    journal = journal_of(project_path)
    if journal.exists():
        what = "an earlier fix was interrupted; run fix again (no dry run), which finishes it"
        raise FixRefusedError(project_path, (Problem(journal.name, what),))


def export_texts(output_folder: str) -> dict[str, str]:
    """Return the texts of `Prediction Export` that steinbock sets."""
    return {
        "ExportDtype": "uint16",
        "OutputAxisOrder": "yxc",
        "OutputFilenameFormat": f"{output_folder}/{{nickname}}.tiff",
        "OutputFormat": "tiff",
    }


EXPORT_NUMBERS = {"ExportMin": 0, "ExportMax": 65535, "InputMin": 0, "InputMax": 1}


def require_plannable(project_path: Path, crop_dir: Path, axis_order: str | None) -> None:
    """Make sure that a plan can be made of what a person chose.

    Raises:
        FixRefusedError: if the axis order is none, or the project lies in the folder of the crops.
    """
    problems = []
    if crop_dir.resolve() in project_path.resolve().parents:
        what = "holds the project itself; move the crops into a folder of their own"
        problems.append(Problem(str(crop_dir), what))
    if axis_order is not None and not (
        {"y", "x"} <= set(axis_order) <= set(KNOWN_AXES) and len(set(axis_order)) == len(axis_order)
    ):
        what = f"needs y and x, at most c, z and t, each once, got {axis_order!r}"
        problems.append(Problem("axis order", what))
    if problems:
        raise FixRefusedError(project_path, tuple(problems))


def require_crops(project_path: Path, crop_dir: Path, *, partial: bool = False) -> None:
    """Make sure that there is a folder of crops where a project has crops outside of itself.

    Args:
        project_path: names the crops.
        crop_dir: the folder.
        partial: accept it where there is none.

    Raises:
        NotAFolderError: if it is a file.
        NoCropFolderError: if there is none.
        IlpixError: if it is not there and the project cannot be read; see `open_project`.
    """
    if crop_dir.is_dir():
        return
    if crop_dir.exists():
        raise NotAFolderError(crop_dir)
    with open_project(project_path) as file:
        outside = [lane for lane in read_lanes(ProjectReader(file)) if lane.inner_path is None]
    if outside and not partial:
        origins = sorted({Path(*stored_parts(lane)).parent.as_posix() for lane in outside})
        raise NoCropFolderError(crop_dir, len(outside), project_path, tuple(origins))


def _relative(folder: Path, project_path: Path) -> str:
    return Path(os.path.relpath(folder.absolute(), project_path.absolute().parent)).as_posix()


def _count_channels(reader: ProjectReader, lanes: Iterable[Lane], n_classes: int) -> int | None:
    """Channels that the classifier was trained with; without one, those that all lanes have."""
    features, forest = read_features_and_forest(reader, n_classes)
    if features is not None and forest is not None:
        return forest.n_columns // len(features.columns(1))
    counts = {lane.n_channels for lane in lanes if lane.shape}
    return counts.pop() if len(counts) == 1 else None


def _has_export_settings(file: h5py.File, output_folder: str) -> bool:
    texts = {name: text.encode() for name, text in export_texts(output_folder).items()}
    wanted: dict[str, object] = {**texts, **EXPORT_NUMBERS}
    return all(_single_value(file, f"{EXPORT}/{name}") == value for name, value in wanted.items())


def _single_value(file: h5py.File, where: str) -> object:
    """Return the one value of a dataset, be it an array of length 1; None where there is none."""
    dataset = file.get(where)
    if not isinstance(dataset, h5py.Dataset) or dataset.size != 1:
        return None
    try:
        value: object = np.ravel(dataset[()])[0]
    except DAMAGE:
        return None
    return None if isinstance(value, np.void) else value  # which nothing can be compared with
