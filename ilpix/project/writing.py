"""Create Ilastik projects, and store classifiers in them as Ilastik itself lays them out.

Ilastik 1.3.3 to 1.4.2 open what is written here. A change is made in a copy beside the project,
which then takes its place. What Ilastik keeps pickled is a fixed text here, written as it is.
"""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import h5py
import numpy as np

from ilpix.data_directory import PROBABILITIES
from ilpix.errors import DiskLostError, IlpixError
from ilpix.features.selection import FeatureSelection
from ilpix.files import replacing
from ilpix.forest.stored import Forest
from ilpix.forest.writing import write_forests
from ilpix.images.axistags import axistags_json
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.new_hdf5 import new_hdf5
from ilpix.project.errors import LabelClassesError, ProjectInUseError
from ilpix.project.file import (
    FEATURES,
    FORESTS,
    INFOS,
    LANE_CLASS,
    WORKFLOW,
)
from ilpix.project.reading import (
    LABEL_COLORS,
    LABEL_NAMES,
    PMAP_COLORS,
    RECORD,
    Color,
    LabelClass,
    read_project,
    require_training_data,
)
from ilpix.project.rewriting import rewriting
from ilpix.project.stored_lanes import LOCAL_DATA

MIN_CLASSES, MAX_CLASSES = 2, 20
OLDEST_VERSION = "1.3.3post3"  # steinbock's; every later Ilastik opens it

EXPORT = "Prediction Export"
CROP_AXES = "cyx"

ASCII = h5py.string_dtype("ascii")
UTF8 = h5py.string_dtype("utf-8")

# Red, green and blue are steinbock's; the others differ well from them and from each other.
_COLORS: tuple[Color, ...] = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 255, 0),
    (255, 0, 255),
    (0, 255, 255),
    (255, 128, 0),
    (128, 0, 255),
    (0, 128, 0),
    (150, 90, 40),
    (255, 160, 190),
    (0, 100, 140),
    (160, 160, 160),
    (128, 0, 0),
    (190, 255, 130),
    (0, 0, 128),
    (130, 130, 0),
    (190, 140, 255),
    (80, 80, 80),
    (240, 220, 100),
)
_PMAP_GREEN: Color = (0, 225, 0)  # steinbock's probability map of its green class

_DATASET_IDS = uuid.UUID("6f1c8a34-52a7-5d0b-9a0e-3c1d5b7e2f90")
_TIME = "Thu Jan  1 00:00:00 1970"  # a project says when it was made; a repeatable one cannot
_NAME_BYTES = 17  # of a class name in steinbock's projects; longer names make the array wider
_CLASSIFIER_FACTORY = (
    b"ccopy_reg\n_reconstructor\np0\n(clazyflow.classifiers.parallelVigraRfLazyflowClassifier\n"
    b"ParallelVigraRfLazyflowClassifierFactory\np1\nc__builtin__\nobject\np2\nNtp3\nRp4\n(dp5\n"
    b"VVERSION\np6\nI2\nsV_num_trees\np7\nI100\nsV_label_proportion\np8\nN"
    b"sV_variable_importance_path\np9\nNsV_variable_importance_enabled\np10\nI00\n"
    b"sV_kwargs\np11\n(dp12\nsV_num_forests\np13\nI8\nsb."
)


def label_classes(names: Sequence[str]) -> tuple[LabelClass, ...]:
    """Give each class name its own colour; the first three are steinbock's red, green and blue.

    Raises:
        LabelClassesError: if there are not 2 to 20 names, or one is empty or given twice.
    """
    is_named = all(name.strip() for name in names)
    if not (
        is_named and len(set(names)) == len(names) and MIN_CLASSES <= len(names) <= MAX_CLASSES
    ):
        raise LabelClassesError(tuple(names))
    return tuple(
        LabelClass(name, color, _PMAP_GREEN if color == (0, 255, 0) else color)
        for name, color in zip(names, _COLORS, strict=False)
    )


def create_project(
    path: Path,
    crops: Mapping[str, tuple[int, int, int]],
    classes: Sequence[LabelClass],
    record: ImageRecord | None = None,
    ilastik_version: str = OLDEST_VERSION,
) -> None:
    """Write a project that is ready to be labelled, whole or not at all.

    Args:
        path: the target, which is replaced where it exists; see `require_replaceable`.
        crops: the (C, Y, X) shape of each crop file, by its path relative to the folder of `path`,
            such as `ilastik_crops/roi_x0_y0_w50_h50.h5`; one lane each, in this order.
        classes: as `label_classes` gives them.
        record: how the crops were made.
        ilastik_version: which Ilastik the project claims to come from; older ones refuse it.
    """
    with replacing(path) as temporary, new_hdf5(temporary) as file:
        for name, text in (
            ("workflowName", WORKFLOW),
            ("ilastikVersion", ilastik_version),
            ("time", _TIME),
        ):
            write_text_value(file, name, text)
        file["currentApplet"] = np.int64(1)  # feature selection: what a person does first
        if record is not None:
            file.attrs[RECORD] = record.model_dump_json()
        _write_lanes(file, crops)
        file.create_group(FEATURES)
        _write_classes(file, classes)
        write_export_settings(file.create_group(EXPORT), PurePosixPath(PROBABILITIES))


def require_replaceable(path: Path) -> None:
    """Make sure that no person's work is lost where a project is written anew.

    Raises:
        ProjectInUseError: if there is one with labels or a classifier, or that cannot be read.
        DiskLostError: if its disk or network share does not answer.
    """
    if not path.exists():
        return
    try:
        project = read_project(path)
        require_training_data(project)
    except DiskLostError:
        raise
    except IlpixError as error:
        raise ProjectInUseError(path, "what cannot be read") from error
    carried = {"labels": project.has_labels, "a classifier": project.has_classifier}
    if any(carried.values()):
        raise ProjectInUseError(
            path, " and ".join(what for what, is_there in carried.items() if is_there)
        )


def store_classifier(
    project_path: Path,
    selection: FeatureSelection,
    forest: Forest,
    column_names: Sequence[str],
    n_samples: int,
) -> None:
    """Store a trained classifier and its choice of features, in place of those that are there.

    Args:
        project_path: the project, which is replaced as a whole or stays as it is.
        selection: the features that `forest` was trained on.
        forest: its `labels` are label values of the project.
        column_names: one per column of `forest`, as `selection.names` gives them.
        n_samples: labelled pixels that `forest` was trained on.

    Raises:
        InvalidProjectError: if the project cannot be read, or the classifier does not fit it.
        ProjectLockedError: if a running Ilastik has the project open.
    """
    with rewriting(project_path, without={FEATURES, FORESTS}) as file:
        _write_features(file.create_group(FEATURES), selection)
        write_forests(file.create_group(FORESTS), forest, column_names, n_samples)


def write_export_settings(group: h5py.Group, folder: PurePosixPath) -> None:
    """Fill an empty `Prediction Export` group as steinbock does: uint16 TIFFs in `folder`."""
    write_text_value(group, "StorageVersion", "0.1", UTF8)
    write_text_value(group, "ExportDtype", "uint16", UTF8)
    group["ExportMin"], group["ExportMax"] = np.float32(0), np.uint16(65535)
    group["InputMin"], group["InputMax"] = np.float32(0), np.float32(1)
    write_text_value(group, "OutputAxisOrder", "yxc")
    write_text_value(group, "OutputFilenameFormat", f"{folder}/{{nickname}}.tiff")
    write_text_value(group, "OutputFormat", "tiff")
    write_text_value(group, "OutputInternalPath", "exported_data")


def write_lane(group: h5py.Group, crop: PurePosixPath, shape: tuple[int, int, int]) -> None:
    """Write into an empty `Raw Data` group where the crop of a lane lies and how large it is."""
    texts = {
        "__class__": LANE_CLASS,
        "axistags": axistags_json(CROP_AXES),
        "datasetId": str(uuid.uuid5(_DATASET_IDS, crop.name)),
        "display_mode": "grayscale",
        "filePath": f"{crop}/crop",
        "location": "FileSystem",
        "nickname": crop.stem,
    }
    for name, text in texts.items():
        write_text_value(group, name, text)
    group["allowLabels"], group["normalizeDisplay"] = True, False
    group["shape"] = np.asarray(shape, np.int64)


def write_text_value(
    group: h5py.Group, name: str, text: str, dtype: np.dtype[np.object_] = ASCII
) -> None:
    """Write a text as Ilastik does: UTF-8 bytes, mostly marked as ASCII."""
    group.create_dataset(name, data=text.encode(), dtype=dtype)


def _write_lanes(file: h5py.File, crops: Mapping[str, tuple[int, int, int]]) -> None:
    inputs = file.create_group("Input Data")
    inputs["Role Names"] = np.array([b"Raw Data", b"Prediction Mask"], "S15")
    write_text_value(inputs, "StorageVersion", "0.2", UTF8)
    file.create_group(INFOS)
    file.create_group(LOCAL_DATA)
    for index, (crop, shape) in enumerate(crops.items()):
        create_lane(file, index, PurePosixPath(crop), shape)


def create_lane(
    file: h5py.File, index: int, crop: PurePosixPath, shape: tuple[int, int, int]
) -> None:
    """Add a lane, counted from 0, to an open project."""
    lane = file.create_group(f"{INFOS}/lane{index:04d}")
    lane.create_group("Prediction Mask")
    write_lane(lane.create_group("Raw Data"), crop, shape)


def _write_classes(file: h5py.File, classes: Sequence[LabelClass]) -> None:
    group = file.create_group("PixelClassification")
    write_text_value(group, "StorageVersion", "0.1", UTF8)
    group.create_dataset("ClassifierFactory", data=_CLASSIFIER_FACTORY, dtype=ASCII)
    write_class_values(file, classes)


def write_class_values(file: h5py.File, classes: Sequence[LabelClass]) -> None:
    """Write names and colours of classes, which must not be there."""
    names = [label.name.encode() for label in classes]
    width = max(_NAME_BYTES, *map(len, names))
    file[LABEL_NAMES] = np.array(names, f"S{width}")
    file[LABEL_COLORS] = np.array([label.color for label in classes], np.int64)
    file[PMAP_COLORS] = np.array([label.pmap_color for label in classes], np.int64)
    for where in (LABEL_NAMES, LABEL_COLORS, PMAP_COLORS):
        file[where].attrs["isEmpty"] = False


def _write_features(group: h5py.Group, selection: FeatureSelection) -> None:
    write_text_value(group, "StorageVersion", "0.1", UTF8)
    ids = [feature_id.encode() for feature_id in selection.ids]
    group.create_dataset("FeatureIds", data=ids, dtype=ASCII)
    group["Scales"] = np.asarray(selection.scales, np.float64)
    group["SelectionMatrix"] = np.asarray(selection.matrix, np.bool_)
    group["ComputeIn2d"] = np.ones(len(selection.scales), np.bool_)
