"""Open an Ilastik project, a stranger's file, and read values from it with every one checked.

What reaches outside of the file is refused before the first value is looked at (see
`self_contained`). Pickled values are never decoded. `ProjectReader` notes what is wrong and returns
an empty value, so that one reading lists all problems.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from ilpix.disks import lost_by_disk, lost_while_read
from ilpix.errors import InvalidProjectError, Problem, told_shape
from ilpix.images.datasets import exaggerates
from ilpix.images.stored_texts import StoredTexts
from ilpix.project.damage import DAMAGE
from ilpix.project.errors import WrongWorkflowError
from ilpix.project.holding import hold_project
from ilpix.project.self_contained import MAX_TEXT_LENGTH, check_object, require_self_contained

WORKFLOW = "Pixel Classification"
INFOS = "Input Data/infos"
LABEL_SETS = "PixelClassification/LabelSets"
FORESTS = "PixelClassification/ClassifierForests"
FEATURES = "FeatureSelections"
LANE_CLASS = "RelativeFilesystemDatasetInfo"  # of a lane that names a file

MAX_VALUES = 2**27  # of all datasets that are read together, trees aside
NO_DATASET = "is a group, but a dataset belongs here"


@contextmanager
def open_project(path: Path) -> Iterator[h5py.File]:
    """Open a pixel classification project for reading.

    Raises:
        NoProjectError: if there is no such file.
        UnreadableProjectError: if it is no HDF5 file or cut short.
        ProjectLockedError: if a running Ilastik has it open.
        WrongWorkflowError: if it belongs to another Ilastik workflow.
        InvalidProjectError: if it reaches outside of itself, or is of unbelievable size.
    """
    with hold_project(path) as file:
        _require_no_other_workflow(file, path)
        require_self_contained(file, path)
        reader = ProjectReader(file)
        workflow = reader.text("workflowName")
        if workflow != WORKFLOW:
            reader.note("workflowName", "names no workflow")
        if reader.problems:
            raise InvalidProjectError(path, tuple(reader.problems))
        yield file


def _require_no_other_workflow(file: h5py.File, path: Path) -> None:
    """Name another workflow before anything else of its project is looked at.

    Raises:
        WrongWorkflowError: if there is another one; what cannot be read is said by who reads it.
    """
    try:
        if not isinstance(file.get("workflowName", getlink=True), h5py.HardLink):
            return
        item = h5py.h5o.open(file.id, b"workflowName")
        with StoredTexts(path, file.userblock_size) as texts:
            if check_object(item, h5py.h5o.get_info(item).addr, texts):
                return
    except DAMAGE:
        return
    workflow = ProjectReader(file).text("workflowName")
    if workflow not in {"", WORKFLOW}:
        raise WrongWorkflowError(path, workflow)


class ProjectReader:
    """Reads values of an open project; notes every problem and returns an empty value instead."""

    def __init__(self, file: h5py.File) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._room = MAX_VALUES
        self._disk_answered = False

    def note(self, where: str, what: str) -> None:
        """Add a problem."""
        self.problems.append(Problem(where, what))

    def note_damage(self, where: str, what: str, error: Exception) -> None:
        """Add a problem that the HDF5 library met, unless it is one of the disk.

        Raises:
            DiskLostError: if the disk or network share of the file does not answer.
        """
        path = Path(self.file.filename)
        if lost := (lost_by_disk if self._disk_answered else lost_while_read)(error, path):
            raise lost from error
        self._disk_answered = True
        self.note(where, what)

    def group(self, where: str) -> h5py.Group | None:
        """Return a group; None where it is missing (a problem) or no group (a problem)."""
        item = self._item(where)
        if item is not None and not isinstance(item, h5py.Group):
            self.note(where, "is a dataset, but a group belongs here")
            return None
        return item

    def text(self, where: str) -> str:
        """Return a text."""
        item = self._open(where)
        if item is None:
            return ""
        if not isinstance(item, h5py.h5d.DatasetID):
            self.note(where, NO_DATASET)
            return ""
        try:
            if item.shape is None:
                self.note(where, "is empty")
                return ""
            if item.shape != () or not isinstance(item.get_type(), h5py.h5t.TypeStringID):
                self.note(where, "is no text")
                return ""
            value = np.empty((), item.dtype)
            item.read(h5py.h5s.ALL, h5py.h5s.ALL, value)
        except DAMAGE as error:
            self.note_damage(where, f"cannot be read: {error}", error)
            return ""
        return self.decode(where, value[()])

    def texts(self, where: str) -> tuple[str, ...]:
        """Return a list of texts."""
        dataset = self._dataset(where)
        if dataset is None:
            return ()
        if h5py.check_string_dtype(dataset.dtype) is None or dataset.ndim != 1:
            self.note(where, "is no list of texts")
            return ()
        values = self._read(where, dataset)
        return () if values is None else tuple(self.decode(where, value) for value in values)

    def numbers(self, where: str, kinds: str, n_axes: int) -> npt.NDArray[Any] | None:
        """Return an array; `kinds` are the NumPy type letters that may be there, such as `iu`."""
        dataset = self._dataset(where)
        if dataset is None:
            return None
        if dataset.dtype.kind not in kinds or dataset.ndim != n_axes:
            self.note(where, f"has shape {told_shape(dataset.shape)} and type {dataset.dtype}")
            return None
        values = self._read(where, dataset)
        return None if values is None else np.asarray(values)

    def attribute_text(self, where: str, name: str) -> str | None:
        """Return an attribute that is a text; None where there is none."""
        item = self._item(where)
        if item is None:
            return None
        try:
            value = item.attrs.get(name)
        except DAMAGE as error:
            self.note_damage(f"{where} attribute {name}", f"cannot be read: {error}", error)
            return None
        if value is not None and not isinstance(value, str | bytes):
            self.note(f"{where} attribute {name}", "is no text")
            return None
        return None if value is None else self.decode(f"{where} attribute {name}", value)

    def decode(self, where: str, value: object) -> str:
        """Return stored text as text."""
        if value is None:
            return ""
        try:
            text = value.decode("utf-8") if isinstance(value, bytes) else str(value)
            text.encode("utf-8")
        except UnicodeError:
            self.note(where, "is no UTF-8 text")
            return ""
        if len(text) > MAX_TEXT_LENGTH:
            self.note(where, f"is a text of {len(text)} characters")
            return ""
        return text

    def _open(self, where: str) -> h5py.h5g.GroupID | h5py.h5d.DatasetID | None:
        """By h5py's low-level calls: a project has thousands of texts."""
        try:
            item = h5py.h5o.open(self.file.id, where.encode())
        except DAMAGE as error:
            self.note_damage(where, "missing", error)
            return None
        if isinstance(item, h5py.h5t.TypeID):
            self.note(where, "is a type without a value")
            return None
        return item

    def _item(self, where: str) -> h5py.Group | h5py.Dataset | None:
        item = self._open(where)
        if isinstance(item, h5py.h5d.DatasetID):
            return h5py.Dataset(item, readonly=True)
        return None if item is None else h5py.Group(item)

    def _dataset(self, where: str) -> h5py.Dataset | None:
        item = self._item(where)
        if item is not None and not isinstance(item, h5py.Dataset):
            self.note(where, NO_DATASET)
            return None
        if item is not None and not self._is_described(where, item):
            return None
        if item is not None and item.shape is None:
            self.note(where, "is empty")
            return None
        if item is not None and (what := self._oversize(item)):
            self.note(where, what)
            return None
        return item

    def _oversize(self, dataset: h5py.Dataset) -> str:
        if dataset.size > self._room:
            return f"claims to hold {dataset.size} values, more than any project can need"
        return exaggerates(dataset)

    def _read(self, where: str, dataset: h5py.Dataset) -> Any:
        self._room -= dataset.size
        try:
            return dataset[()]
        except DAMAGE as error:
            self.note_damage(where, f"cannot be read: {error}", error)
            return None

    def _is_described(self, where: str, dataset: h5py.Dataset) -> bool:
        """Whether type and shape can be read; of a damaged file h5py gets them only when asked."""
        try:
            return dataset.dtype is not None and dataset.ndim >= 0
        except DAMAGE as error:
            self.note_damage(where, "has a damaged type or shape", error)
            return False
