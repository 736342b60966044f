"""The thread that answers strokes: grow a forest of all labels, predict what is looked at.

A newer stroke ends whatever an older one began, so work never piles up. The first trees answer
early; the last answer is the classifier that `ilpix train` makes of the same labels.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import Any

import numpy as np

from annotation.answers import Answer, describe, predict_pixels, predict_planes
from annotation.crops import BoundedCache
from annotation.edits import AnnotatedClass, Labels
from annotation.features import CropFeatures
from annotation.findings import SEED, Findings
from annotation.samples import SampleStore
from annotation.session import Session
from ilpix.cores import n_cores
from ilpix.errors import IlpixError
from ilpix.features.planes import Places
from ilpix.features.selection import FeatureSelection
from ilpix.forest.growing import GrownForest, grow_in_parts
from ilpix.training.samples import Samples, channel_names

MOST_SHOWN = 4  # crops that are looked at: the last of each page
ANSWER_BYTES = 2**26
_log = logging.getLogger(__name__)

Publish = Callable[[str, dict[str, Any]], None]


class OutdatedError(Exception):
    """Something newer is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A forest and what it was grown from."""

    revision: int  # of the board
    key: object  # equal for equal labels, classes and features
    samples: Samples
    grown: GrownForest
    selection: FeatureSelection
    classes: tuple[AnnotatedClass, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    revision: int
    key: object
    selection: FeatureSelection
    classes: tuple[AnnotatedClass, ...]
    changed: dict[int, tuple[int, Places, Labels]]  # lane: revision, places, classes


class Live(Thread):
    """Answers the last stroke, for the crops that pages show."""

    def __init__(self, session: Session, publish: Publish) -> None:
        super().__init__(name="live", daemon=True)
        self.session, self.publish = session, publish
        self.trained: Trained | None = None
        self.problem: str | None = None  # why there is no prediction
        self._answers: BoundedCache[int, Answer] = BoundedCache(
            ANSWER_BYTES, lambda answer: answer.probabilities.nbytes + answer.classes.nbytes
        )
        self._shown: OrderedDict[str, int] = OrderedDict()  # page: lane, the last asked last
        self._wanted, self._ended, self._is_paused = Event(), Event(), False
        self._threads = n_cores()
        self._start_afresh()
        session.on_change.append(lambda _: self._wanted.set())

    def show(self, client: str, lane: int) -> None:
        """Note which crop a page shows."""
        self._shown[client] = lane
        self._shown.move_to_end(client)
        while len(self._shown) > MOST_SHOWN:
            self._shown.popitem(last=False)
        self._wanted.set()

    def pause(self, *, is_paused: bool) -> None:
        """Stop answering, or answer again."""
        self._is_paused = is_paused
        self._wanted.set()

    def answer(self, lane: int) -> Answer | None:
        """Return the last prediction of a crop, which may be older than its labels."""
        return self._answers.get(lane)

    def end(self) -> None:
        """End the thread soon."""
        self._ended.set()
        self._wanted.set()

    def run(self) -> None:
        """Answer until the end."""
        while not self._ended.is_set():
            self._wanted.wait()
            self._wanted.clear()
            try:
                if not self._is_paused and not self._ended.is_set():
                    self._answer()
            except OutdatedError:
                self._wanted.set()
            except IlpixError as error:
                self._say_problem(str(error))
            except Exception as error:
                _log.exception("the prediction failed")
                self._say_problem(f"the prediction failed: {error}")

    def _answer(self) -> None:
        if self._crops is not self.session.crops:
            self._start_afresh()
        snapshot = self._snapshot()
        trained = self._train(snapshot)
        if trained is None:
            return
        for lane in self._lanes_to_show():
            self._predict(lane, snapshot, trained.grown, is_final=True)
        go_on = partial(self._go_on, snapshot, background=True)
        self.findings.find(snapshot.revision, trained.samples, trained.grown, self._features, go_on)

    def _snapshot(self) -> _Snapshot:
        session, board = self.session, self.session.board
        with session.lock:
            known = self._samples.known_revisions(board.features)
            changed = {}
            for lane, labels in board.labels.items():
                revision = board.changed.get(lane, 0)
                if known.get(lane) != revision:
                    places = np.flatnonzero(labels)
                    changed[lane] = revision, places, labels.ravel()[places]
            return _Snapshot(
                board.revision, training_key(session), board.features, board.classes, changed
            )

    def _train(self, snapshot: _Snapshot) -> Trained | None:
        """Grow the forest of a snapshot; None where two classes are missing."""
        go_on = partial(self._go_on, snapshot)
        if self.trained is not None and self.trained.key == snapshot.key:
            return self.trained
        for lane, (revision, places, ids) in snapshot.changed.items():
            go_on()
            self._samples.update(lane, revision, places, ids)
        names = {lane: crop.name for lane, crop in self._crops.of_lane.items()}
        samples = self._samples.collect(snapshot.classes, names, self._channels())
        if samples is None or len(samples.label_values) < 2:
            self.trained = None
            self._answers.clear()
            self._say_missing(samples)
            return None
        for grown in grow_in_parts(samples.features, samples.labels, SEED, go_on=go_on):
            if not grown.is_whole:
                for lane in self._lanes_to_show()[:1]:
                    self._predict(lane, snapshot, grown, is_final=False)
        self.trained = Trained(
            snapshot.revision, snapshot.key, samples, grown, snapshot.selection, snapshot.classes
        )
        return self.trained

    def _predict(
        self, lane: int, snapshot: _Snapshot, grown: GrownForest, *, is_final: bool
    ) -> None:
        known = self._answers.get(lane)
        if known and is_final and known.is_final and known.revision == snapshot.revision:
            return
        began = time.perf_counter()
        go_on = partial(self._go_on, snapshot, lane)
        planes = self._features.planes(lane, snapshot.selection, go_on)
        ids = [known.id for known in snapshot.classes]
        if planes is None:
            probabilities = predict_pixels(
                self._crops.pixels(lane),
                self.session.project,
                snapshot.selection,
                grown.forest,
                len(ids),
                self._threads,
            )
        else:
            probabilities = predict_planes(planes, grown.forest, len(ids), self._threads, go_on)
        answer = describe(
            lane, snapshot.revision, grown.forest, ids, probabilities, is_final=is_final
        )
        self._answers.put(lane, answer)
        self.problem = None
        self.publish(
            "prediction",
            {
                "lane": lane,
                "revision": answer.revision,
                "trees": answer.trees,
                "is_final": is_final,
                "seconds": time.perf_counter() - began,
            },
        )

    def _say_missing(self, samples: Samples | None) -> None:
        self.findings.clear()
        value = samples.label_values[0] - 1 if samples is not None else None
        name = None if value is None else self.session.board.classes[value].name
        self.publish("untrained", {"only_class": name})

    def _say_problem(self, problem: str) -> None:
        self.problem = problem
        self.publish("problem", {"problem": problem})

    def _lanes_to_show(self) -> list[int]:
        """The lanes that pages show, the last asked first."""
        lanes = dict.fromkeys(reversed(list(self._shown.values())))
        return [lane for lane in lanes if lane in self._crops.of_lane]

    def _channels(self) -> tuple[str, ...]:
        return session_channels(self.session)

    def _go_on(
        self, snapshot: _Snapshot, lane: int | None = None, *, background: bool = False
    ) -> None:
        """Give up what something newer makes useless.

        Raises:
            OutdatedError: if labels changed, or nobody looks at the crop, or, for what is done
                in the background, if anything is asked for.
        """
        is_old = self.session.board.revision != snapshot.revision
        is_unseen = lane is not None and lane not in self._shown.values()
        if is_old or is_unseen or self._is_paused or self._ended.is_set():
            raise OutdatedError
        if background and self._wanted.is_set():
            raise OutdatedError

    def _start_afresh(self) -> None:
        self._crops = self.session.crops
        self._features = CropFeatures(self._crops, self._threads)
        self._samples = SampleStore(self._features)
        self.findings = Findings(self.session, self.publish)
        self._answers.clear()
        self.trained = None


def training_key(session: Session) -> object:
    """Return what decides a classifier; equal for equal labels, classes and features."""
    board = session.board
    labelled = tuple(sorted(board.changed.items()))
    return id(session.crops), labelled, tuple(known.id for known in board.classes), board.features


def session_channels(session: Session) -> tuple[str, ...]:
    """Return the names of a project's channels."""
    return channel_names(session.project, session.project.lanes[0].n_channels)
