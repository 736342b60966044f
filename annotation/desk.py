"""Everything that a page can ask for, without the web: one project, its answers and its images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from annotation.edits import Labels
from annotation.images import Images
from annotation.live import Live, session_channels
from annotation.news import News
from annotation.pictures import histogram
from annotation.requests import ChangeClasses, ChangeFeatures, Gesture, Paint
from annotation.saving import Saved, save
from annotation.session import Session
from annotation.suspended import WaitingRun, WaitingRuns
from ilpix.features.selection import FEATURE_IDS, SCALES, FeatureSelection
from ilpix.training.feature_table import choose_features

PRESETS = ("fast", ">=1px", "all")
_HISTOGRAM_CROPS = 8  # so many, spread over the list, show how bright a channel is
_HISTOGRAM_PIXELS = 20_000  # of each


class Desk:
    """One project on one desk; pages look at it."""

    def __init__(self, data_dir: Path, session: Session, images: Images) -> None:
        self.data_dir, self.session, self.images = data_dir, session, images
        self.news = News()
        self.live = Live(session, self.news.publish)
        self.runs = WaitingRuns(data_dir, lambda: self.news.publish("runs", self.waiting()))
        self._histograms: dict[int, dict[str, object]] = {}

    def start(self) -> None:
        """Start answering."""
        self.live.start()
        self.runs.start()

    def end(self) -> None:
        """Stop answering."""
        self.live.end()

    def state(self) -> dict[str, Any]:
        """Return all that a page needs to begin."""
        session, board = self.session, self.session.board
        with session.lock:
            return {
                "project": session.path.name,
                "folder": str(session.path.absolute().parent),
                "data_dir": str(self.data_dir.absolute()),
                "channels": session_channels(session),
                "crops": [
                    {
                        "lane": lane,
                        "name": session.crops.of_lane[lane].name,
                        "size": session.crops.of_lane[lane].size,
                        "counts": self._counts(lane),
                    }
                    for lane in sorted(board.labels)
                ],
                **self._changing(),
                "features": _matrix(board.features),
                "presets": {name: _matrix(choose_features(name)) for name in PRESETS},
                "told": session.told,
                "problem": self.live.problem,
                **self.live.findings.known,
                **self.waiting(),
            }

    def take(self, client: str, gestures: Sequence[Gesture]) -> dict[str, Any]:
        """Take what a person did; all of it is on disk when this returns.

        Raises:
            IlpixError: if one of it makes no sense or cannot be kept; those before it are taken.
        """
        lanes: set[int] = set()
        session = self.session
        for gesture in gestures:
            match gesture:
                case Paint():
                    pixels = gesture.pixels
                    session.paint(
                        *(client, gesture.number, gesture.lane, gesture.value, pixels),
                        keep=gesture.keep,
                    )
                    lanes.add(gesture.lane)
                case ChangeClasses():
                    session.change_classes(client, gesture.number, gesture.classes)
                    lanes |= set(session.board.labels)
                case ChangeFeatures():
                    session.change_features(client, gesture.number, gesture.features)
                case _:
                    lanes |= session.step_back(client, gesture.number, gesture.kind)
        changed = self._changing() | {
            "lanes": {lane: self._counts(lane) for lane in lanes},
            "features": _matrix(session.board.features),
            "client": client,
        }
        self.news.publish("changed", changed)
        return changed | {"kept": gestures[-1].number if gestures else None}

    def labels(self, lane: int) -> tuple[Labels, int]:
        """Return the (Y, X) labels of a crop, and the revision they belong to."""
        with self.session.lock:
            return self.session.board.labels[lane].copy(), self.session.board.revision

    def histogram(self, channel: int) -> dict[str, object]:
        """Return how bright a channel is, over some crops."""
        if channel not in self._histograms:
            lanes = sorted(self.session.crops.of_lane)
            chosen = lanes[:: max(len(lanes) // _HISTOGRAM_CROPS, 1)][:_HISTOGRAM_CROPS]
            values = [self.session.crops.pixels(lane)[channel].ravel() for lane in chosen]
            thinned = [one[:: max(len(one) // _HISTOGRAM_PIXELS, 1)] for one in values]
            self._histograms[channel] = histogram(np.concatenate(thinned))
        return self._histograms[channel]

    def save(self) -> Saved:
        """Write everything into the project."""
        saved = save(self.session, self.live)
        self.news.publish("saved", self._changing())
        return saved

    def take_over(self) -> None:
        """Take over what another program wrote into the project."""
        self.session.take_over()
        self.news.publish("reload", {})

    def cut(self, image: str, y: int, x: int, size: int) -> int:
        """Cut a new crop; return its lane."""
        lane = self.images.cut(image, y, x, size)
        self.news.publish("crops", {"lane": lane})
        return lane

    def waiting(self) -> dict[str, Any]:
        """Return the runs that wait for this data directory."""
        return {"runs": [{"id": run.id, "name": run.name} for run in self.runs.waiting]}

    def save_and_continue(self) -> WaitingRun:
        """Save, and let the run that waits go on.

        Raises:
            NotTrainableYetError: if the labels give no classifier.
            NoSuspendedRunError: if none waits any more.
        """
        saved = self.save()
        return self.runs.resume(has_classifier=saved.has_classifier)

    def _changing(self) -> dict[str, Any]:
        board, session = self.session.board, self.session
        return {
            "revision": board.revision,
            "is_saved": session.is_saved,
            "classes": [known.model_dump() for known in board.classes],
            "undo": len(board.undoable),
            "redo": len(board.redoable),
        }

    def _counts(self, lane: int) -> dict[int, int]:
        counts = self.session.board.counts(lane)
        return {known.id: int(counts[known.id]) for known in self.session.board.classes}


def _matrix(selection: FeatureSelection) -> dict[str, Any]:
    """A choice as a whole table of Ilastik's features and scales, and any that it has besides."""
    scales = sorted({*SCALES, *selection.scales})
    chosen = set(selection.chosen)
    return {
        "ids": FEATURE_IDS,
        "scales": scales,
        "matrix": [[(name, scale) in chosen for scale in scales] for name in FEATURE_IDS],
    }
