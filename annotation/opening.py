"""A project as it is opened for labelling, and what was not saved put on top of it.

In the project the first class is 1, the second 2; here a class has an identity that stays when an
earlier one is removed. The journal says which names the identities had.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from annotation.board import Board
from annotation.crops import Crops, crops_of, is_plane
from annotation.edits import AnnotatedClass, map_labels
from annotation.errors import ForeignLaneError, NoCropsError
from annotation.journal import Journal
from ilpix.features.selection import default_selection
from ilpix.project.crop_names import lane_stem
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import LabelClass, PixelProject, read_project


def open_labelling(path: Path) -> PixelProject:
    """Read a project that can be labelled here.

    Raises:
        NoCropsError: if it has no crops.
        ForeignLaneError: if a lane is a stack, or its pixels lie in the project.
        IlpixError: if it cannot be read; see `read_project`.
    """
    project = read_project(path)
    if not project.lanes:
        raise NoCropsError(path)
    foreign = [
        lane
        for lane in project.lanes
        if lane.inner_path is not None or not is_plane(lane.axes, lane.shape)
    ]
    if foreign:
        raise ForeignLaneError(path, tuple(lane_stem(lane) for lane in foreign))
    return project


def lay_out(project: PixelProject, known: Sequence[AnnotatedClass]) -> tuple[Board, Crops]:
    """Return labels, classes and features of a project, and its crops.

    Args:
        project: as read.
        known: classes that have an identity already; a class of the same name gets the same.
    """
    classes = tuple(_identified(project.classes, known))
    ids = dict(enumerate((known.id for known in classes), 1))
    labels = {
        lane: map_labels(values, lambda value: ids.get(value, 0))
        for lane, values in read_all_labels(project).items()
    }
    return Board(labels, classes, project.features or default_selection()), crops_of(project)


def put_on_top(journal: Journal, board: Board, crops: Crops) -> list[str]:
    """Take all steps of a journal again; return the names of crops that are gone."""
    gone: dict[str, None] = {}
    for step in journal.steps:
        edits = []
        for edit in step.edits:
            if edit.kind == "labels" and crops.find(edit.crop) is None:
                gone[edit.crop.name] = None
            else:
                edits.append(edit)
        board.apply(edits, crops.find)
        board.remember(step)
    _bring_back_classes(board, journal.beginning.classes)
    return list(gone)


def _bring_back_classes(board: Board, known: Iterable[AnnotatedClass]) -> None:
    """No label without its class: somebody else may have removed or renamed it."""
    labelled = {value for value in range(1, 256) if board.totals()[value]}
    missing = labelled - {present.id for present in board.classes}
    board.classes += tuple(former for former in known if former.id in missing)


def _identified(
    classes: Sequence[LabelClass], known: Sequence[AnnotatedClass]
) -> Iterable[AnnotatedClass]:
    id_of = {former.name: former.id for former in known}
    taken = set(id_of.values())
    for label_class in classes:
        number = id_of.get(label_class.name) or free_id(taken)
        taken.add(number)
        yield AnnotatedClass(
            id=number,
            name=label_class.name,
            color=label_class.color,
            pmap_color=label_class.pmap_color,
        )


def free_id(taken: Iterable[int]) -> int:
    """Return the first identity of a class that is free."""
    return min(set(range(1, 256)) - set(taken))
