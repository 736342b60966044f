"""One project while a person labels it: what is on the screen, on disk and in the project.

Every change goes into the journal before it is acknowledged. Whoever opens the project again, after
a save or after a kill, finds it as it was. Each page numbers its steps, so a step that is sent
twice is taken once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Literal

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from annotation.board import Board
from annotation.crops import Crop, Crops
from annotation.edits import AnnotatedClass, ClassesEdit, Edit, FeaturesEdit, Step
from annotation.errors import AnnotatedElsewhereError, BadRequestError, ProjectChangedError
from annotation.journal import Beginning, Journal, journal_path, read_journal
from annotation.opening import lay_out, open_labelling, put_on_top
from ilpix.errors import NotAFileError
from ilpix.features.selection import FeatureSelection
from ilpix.files import sha256_of
from ilpix.project.errors import LabelClassesError, NoProjectError
from ilpix.project.reading import read_project

How = Literal["do", "undo", "redo"]

FEWEST_CLASSES, MOST_CLASSES = 2, 20  # as a new project may have


@contextmanager
def opened_alone(project: Path) -> Iterator[None]:
    """Make sure that no other `annotate` works on a project, also where that one was killed.

    Raises:
        AnnotatedElsewhereError: if one does.
        NoProjectError: if there is no such project; its folder stays as it is.
    """
    if project.is_dir():
        raise NotAFileError(project)
    if not project.is_file():
        raise NoProjectError(project)
    path = journal_path(project).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, blocking=False):
            yield
    except Timeout as error:
        raise AnnotatedElsewhereError(project) from error


class Session:
    """A project that is open for labelling; many threads may use it."""

    board: Board
    crops: Crops
    journal: Journal
    saved_revision: int  # of the board when it was what the project holds

    def __init__(self, path: Path) -> None:
        """Open a project, with what a former session left in the journal.

        Args:
            path: an `.ilp` file.

        Raises:
            IlpixError: if the project cannot be read, or has nothing to label.
            JournalDamagedError: if there is a journal that cannot be read.
        """
        self.path = path
        self.lock = RLock()
        self.told: list[str] = []  # what a person has to know
        self.on_change: list[Callable[[set[int]], None]] = []  # told the lanes
        self._open(read_journal(journal_path(path)))

    @property
    def is_saved(self) -> bool:
        """Whether the project holds all labels, classes and features that are on the screen."""
        return self.saved_revision == self.board.revision

    def paint(  # noqa: PLR0913 - what a stroke is
        self,
        client: str,
        number: int,
        lane: int,
        value: int,
        runs: npt.NDArray[np.int64],
        *,
        keep: bool,
    ) -> None:
        """Take a stroke; see `Board.plan_paint`.

        Raises:
            BadRequestError: if there is no such class or crop.
            JournalNotWrittenError: if it cannot be kept.
        """
        with self._numbered(client, number) as is_new:
            if is_new:
                self._require_class(value)
                key = self.crops.key(self.require_lane(lane))
                edit = self.board.plan_paint(lane, key, value, runs, keep=keep)
                self._do(client, number, (edit,) if edit else ())

    def change_classes(self, client: str, number: int, classes: Sequence[AnnotatedClass]) -> None:
        """Take another list of classes; labels of classes that are not in it go.

        Raises:
            LabelClassesError: if there are not 2 to 20, or two have one name.
            JournalNotWrittenError: if it cannot be kept.
        """
        _require_classes(classes)
        with self._numbered(client, number) as is_new:
            if is_new:
                kept = {known.id for known in classes}
                gone = [known.id for known in self.board.classes if known.id not in kept]
                edits: list[Edit] = [edit for one in gone for edit in self._removed_labels(one)]
                edits.append(ClassesEdit(before=self.board.classes, after=tuple(classes)))
                self._do(client, number, edits)

    def change_features(self, client: str, number: int, features: FeatureSelection) -> None:
        """Take another choice of features.

        Raises:
            BadRequestError: if nothing is chosen.
            JournalNotWrittenError: if it cannot be kept.
        """
        if not features.chosen:
            raise BadRequestError("a choice of features needs at least one")
        with self._numbered(client, number) as is_new:
            if is_new:
                edit = FeaturesEdit(before=self.board.features, after=features)
                self._do(client, number, (edit,))

    def step_back(self, client: str, number: int, how: Literal["undo", "redo"]) -> set[int]:
        """Take the last step back, or take it again; return the lanes whose labels changed.

        Raises:
            JournalNotWrittenError: if it cannot be kept.
        """
        with self._numbered(client, number) as is_new:
            steps = self.board.undoable if how == "undo" else self.board.redoable
            if not is_new or not steps:
                return set()
            edits = steps[-1].inverse if how == "undo" else steps[-1].edits
            return self._do(client, number, edits, how)

    def add_crop(self, crop: Crop) -> None:
        """Take up a crop that was cut and whose lane is in the project by now."""
        with self.lock:
            self.crops.add(crop)
            self.board.labels[crop.lane] = np.zeros(crop.size, np.uint8)
            beginning = self.journal.beginning.model_copy(update={"project": sha256_of(self.path)})
            self.journal.begin_from(beginning, self.journal.steps)
            self.project = read_project(self.path)
        self._tell({crop.lane})

    def require_lane(self, lane: int) -> int:
        """Return a lane that is there.

        Raises:
            BadRequestError: if it is not.
        """
        if lane not in self.board.labels:
            raise BadRequestError(f"there is no crop {lane}")
        return lane

    def require_unchanged(self) -> None:
        """Make sure that the project is the one that the labels began from.

        Raises:
            ProjectChangedError: if it is another by now, or gone.
        """
        if not self.path.exists() or sha256_of(self.path) != self.journal.beginning.project:
            raise ProjectChangedError(self.path)

    def take_over(self) -> None:
        """Open the project as it is now, with everything that was not saved on top."""
        with self.lock:
            revision = self.board.revision
            self._open(self.journal)
            self.board.revision += revision + 1
            self.saved_revision += revision + 1
            self.board.changed = dict.fromkeys(self.board.labels, self.board.revision)
        self._tell(set(self.board.labels))

    def mark_saved(self, *, is_backed_up: bool) -> None:
        """Note that the project on disk holds what is on the screen."""
        self.journal.begin(
            Beginning(
                project=sha256_of(self.path),
                classes=self.board.classes,
                is_backed_up=is_backed_up,
                seen=dict(self._seen),
            )
        )
        self.saved_revision = self.board.revision
        self.project = read_project(self.path)

    def _open(self, journal: Journal | None) -> None:
        """Read the project, and take the steps of a journal again."""
        self.project = open_labelling(self.path)
        known = journal.beginning.classes if journal else ()
        self.board, self.crops = lay_out(self.project, known)
        self.saved_revision = self.board.revision
        beginning = Beginning(project=sha256_of(self.path), classes=self.board.classes)
        self._seen: dict[str, int] = {}
        if journal is None:
            self.journal = Journal(journal_path(self.path), beginning)
            return
        gone = put_on_top(journal, self.board, self.crops)
        self._seen = dict(journal.beginning.seen)
        self._seen |= {step.client: step.number for step in journal.steps}
        self._tell_of_journal(journal, beginning.project, gone)
        beginning = beginning.model_copy(
            update={"is_backed_up": journal.beginning.is_backed_up, "seen": journal.beginning.seen}
        )
        self.journal = Journal(journal.path, journal.beginning, journal.steps)
        if journal.beginning.project != beginning.project:
            self.journal.begin_from(beginning, journal.steps)

    def _tell_of_journal(self, journal: Journal, digest: str, gone: list[str]) -> None:
        if not journal.steps:
            return
        self.told.append("Strokes that had not been saved are back.")
        if journal.beginning.project != digest:
            self.told.append(
                f"{self.path.name} was changed by another program since then; what is in it now "
                "was taken over, and your strokes lie on top."
            )
        if gone:
            self.told.append(
                f"Labels of {', '.join(gone)} wait in {journal.path}: no crop of the project has "
                "that content any more."
            )

    def _do(
        self,
        client: str,
        number: int,
        edits: Iterable[Edit],
        how: How = "do",
    ) -> set[int]:
        """Write a step to disk, then take it."""
        step = Step(client=client, number=number, how=how, edits=tuple(edits))
        if not step.edits:
            return set()
        self.journal.add(step)
        lanes = self.board.apply(step.edits, self.crops.find)
        self.board.remember(step)
        self._tell(lanes)
        return lanes

    @contextmanager
    def _numbered(self, client: str, number: int) -> Iterator[bool]:
        """Yield whether a step of a page is new; it counts as taken when the block ends well."""
        with self.lock:
            is_new = number > self._seen.get(client, -1)
            yield is_new
            if is_new:
                self._seen[client] = number

    def _removed_labels(self, removed: int) -> Iterator[Edit]:
        for lane in self.board.labels:
            if self.board.counts(lane)[removed]:
                yield self.board.plan_removal(lane, self.crops.key(lane), removed)

    def _require_class(self, value: int) -> None:
        if value and value not in {known.id for known in self.board.classes}:
            raise BadRequestError("that class is not there any more; load the page again")

    def _tell(self, lanes: set[int]) -> None:
        for told in self.on_change:
            told(lanes)


def _require_classes(classes: Sequence[AnnotatedClass]) -> None:
    names = tuple(known.name for known in classes)
    are_different = len(set(names)) == len(names) == len({known.id for known in classes})
    if not (
        FEWEST_CLASSES <= len(names) <= MOST_CLASSES
        and are_different
        and all(name.strip() for name in names)
    ):
        raise LabelClassesError(names)
