"""Carry out a fix: make a project and its crops fit, wholly or not at all.

New crops and a new project are made in hidden places beside the old ones. Only when they are
complete, read back and on disk are they swapped in, by a journal (`ilpix.repair.swap`). A fix that
was cut short before that leaves the old state and is simply repeated; one cut short after it is
finished.
"""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

import h5py
import numpy as np

from ilpix.disks import lost_by_disk
from ilpix.errors import Problem
from ilpix.files import copy_file
from ilpix.images.hdf5 import write_image
from ilpix.images.new_hdf5 import new_hdf5
from ilpix.project.backups import free_backup_names
from ilpix.project.block_order import names_block_axes
from ilpix.project.file import INFOS, open_project
from ilpix.project.label_blocks import labels_group, write_block
from ilpix.project.reading import read_project
from ilpix.project.rewriting import copy_dataset, copy_without, require_valid
from ilpix.project.stored_lanes import LOCAL_DATA
from ilpix.project.writing import EXPORT, UTF8, write_export_settings, write_lane, write_text_value
from ilpix.repair.crop_files import Pixels, StoredCrop, read_crop, to_planes
from ilpix.repair.errors import FixRefusedError
from ilpix.repair.label_plan import LabelPlan
from ilpix.repair.lane_plan import EmbeddedCrop, LanePlan
from ilpix.repair.plan import (
    EXPORT_NUMBERS,
    FixPlan,
    export_texts,
    require_no_interrupted_fix,
)
from ilpix.repair.swap import Swap, finish_swap, flush_tree, itself, journal_of, remove, swap_in

# Of a lane's entry; whatever else is there is kept. The last two say where pixels of another
# axis order were to be found.
_REPLACED = {
    "__class__",
    "axistags",
    "display_mode",
    "filePath",
    "location",
    "nickname",
    "shape",
    "inner_path",
    "subvolume_roi",
}


def apply_fix(plan: FixPlan, *, backup: bool = True) -> None:
    """Change a project and its crops as planned; a plan with nothing to do changes nothing.

    Args:
        plan: of `plan_fix`, made just before.
        backup: keep the old project as `X.ilp.bak` and the old crops as `CROPS.bak`, numbered.

    Raises:
        FixRefusedError: if something does not match (unless the plan is partial), or an interrupted
            fix has to be finished first. Nothing was changed then.
    """
    require_no_interrupted_fix(plan.project_path)
    if plan.problems and not plan.partial:
        raise FixRefusedError(plan.project_path, plan.problems)
    if not plan.is_needed:
        return
    project, crops = itself(plan.project_path), itself(plan.crop_dir)
    changed = [(project, plan.changes_project), (crops, plan.changes_crops)]
    paths = [path for path, changes in changed if changes]
    backups = free_backup_names(paths) if backup else [_hidden(path, "old") for path in paths]
    asides = dict(zip(paths, backups, strict=True))
    _require_free(plan.project_path, asides.values())
    new = [_hidden(path, "new") for path in (project, crops)]
    _remove_all(new)  # left by a fix that was cut short before its swap
    journal = journal_of(project)
    try:
        if plan.changes_crops:
            _make_crops(plan, _hidden(crops, "new"))
        if plan.changes_project:
            _make_project(plan, _hidden(project, "new"))
        for path in paths:
            flush_tree(_hidden(path, "new"))
        swap_in(journal, [_swap(project, path, asides[path], backup) for path in paths])
    finally:
        if not journal.exists():  # else the swap has begun and needs them
            _remove_all(new)


def finish_interrupted_fix(project_path: Path) -> bool:
    """Finish a fix of this project that was cut short while swapping; return whether there was one.

    Raises:
        FixRefusedError: if something else has taken the name of the old or the new files.
    """
    return finish_swap(journal_of(project_path))


def _remove_all(paths: Iterable[Path]) -> None:
    for path in paths:
        remove(path)


def _hidden(path: Path, which: str) -> Path:
    return path.with_name(f".{path.name}.fix-{which}")


def _swap(project: Path, path: Path, aside: Path, backup: bool) -> Swap:
    new, target, old = (
        Path(os.path.relpath(item, project.parent)).as_posix()
        for item in (_hidden(path, "new"), path, aside)
    )
    return Swap(new, target, old, keeps_old=backup)


def _require_free(project_path: Path, asides: Iterable[Path]) -> None:
    what = "is there already; move it away"
    if problems := [Problem(str(aside), what) for aside in asides if aside.exists()]:
        raise FixRefusedError(project_path, tuple(problems))


def _make_crops(plan: FixPlan, folder: Path) -> None:
    """Write all crops into a new folder; files that are no crops of this project are copied."""
    folder.mkdir(parents=True)
    converted = {lane.crop: lane for lane in plan.lanes if lane.converts_crop}
    superseded = {crop.path for crop in converted if isinstance(crop, StoredCrop)}
    for source in sorted(plan.crop_dir.rglob("*")) if plan.crop_dir.is_dir() else []:
        is_folder = source.is_dir() and not source.is_symlink()
        if not is_folder and source not in superseded:
            target = folder / source.relative_to(plan.crop_dir)
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file(source, target, follow_symlinks=False)
    with open_project(plan.project_path) as file:
        for crop, lane in converted.items():
            target = folder / lane.file_name
            if isinstance(crop, StoredCrop) and crop.is_prepared:
                target.unlink(missing_ok=True)
                copy_file(crop.path, target)
            elif crop is not None:
                write_image(target, _read_pixels(plan, crop, file), None, "crop")


def _read_pixels(plan: FixPlan, crop: StoredCrop | EmbeddedCrop, file: h5py.File) -> Pixels:
    try:
        if isinstance(crop, StoredCrop):
            return read_crop(crop)
        return to_planes(file[crop.inner_path][()], crop.axes)
    except (ValueError, OSError) as error:
        refused = FixRefusedError(plan.project_path, (Problem("crops", str(error)),))
        raise lost_by_disk(error, plan.project_path) or refused from error


def _make_project(plan: FixPlan, target_path: Path) -> None:
    lanes = [(lane, lane.crop.planes) for lane in plan.lanes if lane.changes and lane.crop]
    labels = {
        labels_group(lane.lane.index): lane.labels
        for lane in plan.lanes
        if lane.labels and (lane.changes or lane.label_changes)
    }
    without = {_lane_group(lane) for lane, _ in lanes} | set(labels)
    without |= set(plan.spare_labels)
    if plan.changes_export:
        without.add(EXPORT)
    with (
        open_project(plan.project_path) as source,
        new_hdf5(target_path) as target,
    ):
        keeps_embedded = any(lane.mismatch for lane in plan.lanes)
        if not (keeps_embedded and isinstance(source.get(LOCAL_DATA), h5py.Group)):
            without.add(LOCAL_DATA)
        copy_without(source, target, without)
        target.require_group(LOCAL_DATA)
        for lane, planes in lanes:
            crop = PurePosixPath(plan.crop_folder, lane.file_name)
            _write_lane(source[_lane_group(lane)], target, crop, planes)
        for where, planned in labels.items():
            if where in source:
                _write_labels(target.create_group(where), planned, plan.ilastik_version)
        if plan.changes_export:
            _write_export(plan, source, target.create_group(EXPORT))
    with suppress(PermissionError):  # on a share on which all files are somebody else's
        shutil.copymode(plan.project_path, target_path)
    known = read_project(plan.project_path).training_problems if plan.partial else ()
    require_valid(target_path, plan.project_path, known)


def _lane_group(plan: LanePlan) -> str:
    return f"{INFOS}/lane{plan.lane.index:04d}/Raw Data"


def _write_lane(
    entry: h5py.Group, target: h5py.File, crop: PurePosixPath, planes: tuple[int, int, int]
) -> None:
    group = target.create_group(entry.name)
    write_lane(group, crop, planes)
    for name, item in entry.items():
        if name not in _REPLACED and isinstance(item, h5py.Dataset):
            if name in group:
                del group[name]
            copy_dataset(item, group, name)


def _write_labels(group: h5py.Group, labels: LabelPlan, version: str) -> None:
    for block in labels.blocks:
        write_block(group, block, labels.axes, names_axes=names_block_axes(version))


def _write_export(plan: FixPlan, source: h5py.File, group: h5py.Group) -> None:
    """Set what steinbock sets, in its types, and keep the rest."""
    if not isinstance(source.get(EXPORT), h5py.Group):
        write_export_settings(group, PurePosixPath(plan.output_folder))
        return
    texts = export_texts(plan.output_folder)
    copy_without(source[EXPORT], group, {f"{EXPORT}/{name}" for name in (*texts, *EXPORT_NUMBERS)})
    for name, text in texts.items():
        write_text_value(group, name, text, *([UTF8] if name == "ExportDtype" else []))
    for name, number in EXPORT_NUMBERS.items():
        is_of_result = name.startswith("Export")
        group[name] = np.array([number], np.uint16) if is_of_result else np.float32(number)
