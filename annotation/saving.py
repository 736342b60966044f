"""Put what is on the screen into the project: classes, labels and the classifier that they give.

The project is changed in a copy that takes its place, exactly as `ilpix train` does it, and kept as
it was before it was opened here.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotation.edits import AnnotatedClass, Labels, map_labels
from annotation.findings import SEED
from annotation.live import Live, Trained, training_key
from annotation.session import Session
from ilpix.files import replacing
from ilpix.forest.growing import grow_forest
from ilpix.project.backups import back_up
from ilpix.project.classes import remove_classifier, replace_classes
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import LabelClass
from ilpix.project.writing import store_classifier
from ilpix.training.samples import collect_samples


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written."""

    backup: Path | None  # of the project as it was before it was opened; None: made before
    has_classifier: bool


def save(session: Session, live: Live) -> Saved:
    """Write labels and classifier into the project, whole or not at all.

    Raises:
        ProjectChangedError: if the project is not the one that was opened.
        IlpixError: if it cannot be written.
    """
    with session.lock:
        session.require_unchanged()
        trained = live.trained
        labels = stored_labels(session)
        with replacing(session.path) as temporary:
            shutil.copyfile(session.path, temporary)
            _write_labels(session, labels, temporary)
            has_classifier = _write_classifier(session, labels, trained, temporary)
            backup = _back_up(session)
        session.mark_saved(is_backed_up=True)
    return Saved(backup, has_classifier)


def stored_labels(session: Session) -> dict[int, Labels]:
    """Return the labels of all crops as the project has them: 1 is the first class."""
    value_of = {known.id: value for value, known in enumerate(session.board.classes, 1)}
    return {
        lane: map_labels(labels, lambda one: value_of.get(one, 0))
        for lane, labels in session.board.labels.items()
    }


def _write_labels(session: Session, labels: dict[int, Labels], target: Path) -> None:
    """Classes and labels; at no moment is there a label without its class."""
    before = read_all_labels(session.project)
    changed = {
        lane: values for lane, values in labels.items() if not np.array_equal(values, before[lane])
    }
    classes = _as_stored(session.board.classes)
    if classes == session.project.classes:
        if changed:
            write_labels(target, changed)
        return
    are_fewer = len(classes) < len(session.project.classes)
    if are_fewer and changed:
        write_labels(target, changed)
    replace_classes(target, classes)
    if not are_fewer and changed:
        write_labels(target, changed)


def _write_classifier(
    session: Session, labels: dict[int, Labels], trained: Trained | None, target: Path
) -> bool:
    selection, project = session.board.features, session.project
    if trained is None or trained.key != training_key(session):
        trained = _train(session, labels)
    if trained is None:
        remove_classifier(target)
        return False
    store_classifier(
        target,
        selection,
        trained.grown.forest,
        selection.names(project.lanes[0].n_channels),
        len(trained.samples.labels),
    )
    return True


def _train(session: Session, labels: dict[int, Labels]) -> Trained | None:
    """What `ilpix train` would do; None where two classes are missing."""
    values = {int(value) for image in labels.values() for value in np.unique(image)} - {0}
    if len(values) < 2:
        return None
    board = session.board
    samples = collect_samples(session.project, labels, board.features)
    grown = grow_forest(samples.features, samples.labels, SEED)
    key = training_key(session)
    return Trained(board.revision, key, samples, grown, board.features, board.classes)


def _back_up(session: Session) -> Path | None:
    if session.journal.beginning.is_backed_up:
        return None
    return back_up(session.path)


def _as_stored(classes: Sequence[AnnotatedClass]) -> tuple[LabelClass, ...]:
    return tuple(LabelClass(known.name, known.color, known.pmap_color) for known in classes)
