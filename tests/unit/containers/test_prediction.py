"""Attempts, splits and outcomes, with a program that is played."""

import errno
import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pytest

from containers import outputs
from containers.errors import EngineUnreachableError, RunCancelledError
from containers.lease import held_lease
from containers.outcome import PredictionOutcome
from containers.prediction import Job, PredictionRequest, Work, predict_images
from containers.run_errors import (
    EngineDiskFullError,
    IlastikFailedError,
    OutOfMemoryError,
    OutputMissingError,
    OutputWrongError,
)
from containers.runner import Finished
from containers.settings import IlastikLimits
from ilpix.images.errors import UnreadableImageError
from ilpix.images.hdf5 import write_image
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.probabilities import LARGEST
from ilpix.project.reading import read_project

TRAINING = Path(__file__).parents[2] / "golden" / "data" / "training"
SIDE_PX = 40


@dataclass
class PlayedProgram:
    """Writes an output for every image, unless a run is said to go wrong."""

    goes_wrong: Callable[[Job], Finished | None] = lambda _: None
    value: int = LARGEST  # of the first class; the others are 0
    suffix: str = "-img"  # what the program puts behind the file name
    memory_steps: tuple[int, ...] = (1, 2, 4)
    program: str = "played"
    enforces_memory: bool = True
    runs: list[tuple[int, ...]] = field(default_factory=list)

    def launch(self, job: Job, stop: threading.Event) -> Finished:
        """Play one run."""
        if stop.is_set():
            raise RunCancelledError
        self.runs.append((len(job.inputs), job.memory_bytes))
        if wrong := self.goes_wrong(job):
            return wrong
        for i in range(len(job.inputs)):
            with h5py.File(job.folder / "out" / f"{i:04d}{self.suffix}.h5", "w") as file:
                pixels = np.zeros((SIDE_PX, SIDE_PX, 3), np.uint16)
                pixels[..., 0] = self.value
                file["exported_data"] = pixels
        return Finished(0, 0.1, "")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Three classes."""
    path = tmp_path_factory.mktemp("project") / "p.ilp"
    path.write_bytes(gzip.decompress((TRAINING / "all.ilp.gz").read_bytes()))
    return Classifier.of(read_project(path))


@pytest.fixture
def predict(tmp_path: Path, classifier: Classifier) -> Callable[..., list[PredictionOutcome]]:
    """Predicts some images, 0.h5, 1.h5, ..., with a played program."""

    def run(
        program: PlayedProgram, count: int, batch: int = 1, stop: threading.Event | None = None
    ) -> list[PredictionOutcome]:
        images = tuple(tmp_path / "img" / f"{i}.h5" for i in range(count))
        for path in images:
            if not path.exists():
                pixels = np.zeros((classifier.n_channels, SIDE_PX, SIDE_PX), np.float32)
                write_image(path, pixels, None)
        targets = tuple(tmp_path / "out" / f"{i}.tiff" for i in range(count))
        request = PredictionRequest(tmp_path / "p.ilp", images, targets, tmp_path / ".ilpix")
        with held_lease(tmp_path / ".ilpix" / "runs") as lease:
            work = Work(request, classifier, lease, IlastikLimits(batch=batch))
            return predict_images(program, work, stop or threading.Event())

    return run


def test_images_are_grouped_and_published(predict: Callable[..., list[PredictionOutcome]]) -> None:
    program = PlayedProgram()
    outcomes = predict(program, 5, batch=2)
    assert [outcome.error for outcome in outcomes] == [None] * 5
    assert all(outcome.target.exists() for outcome in outcomes)
    assert [n for n, _ in program.runs] == [2, 2, 1]


@pytest.mark.parametrize("suffix", ["", "-img", "_Probabilities"])
def test_output_is_found_under_whatever_nickname(
    predict: Callable[..., list[PredictionOutcome]], suffix: str
) -> None:
    assert [outcome.error for outcome in predict(PlayedProgram(suffix=suffix), 2, batch=2)] == [
        None,
        None,
    ]


def test_bad_image_is_found_by_halving(predict: Callable[..., list[PredictionOutcome]]) -> None:
    program = PlayedProgram(lambda job: Finished(1, 0.1, "no") if "3.h5" in job.images else None)
    outcomes = predict(program, 4, batch=4)
    assert [type(outcome.error) for outcome in outcomes] == [type(None)] * 3 + [IlastikFailedError]
    assert [n for n, _ in program.runs] == [4, 2, 2, 1, 1]


def test_memory_is_raised_before_a_batch_is_split(
    predict: Callable[..., list[PredictionOutcome]],
) -> None:
    program = PlayedProgram(lambda job: Finished(137, 0.1, "") if len(job.inputs) > 1 else None)
    outcomes = predict(program, 2, batch=2)
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert program.runs == [(2, 1), (2, 2), (2, 4), (1, 1), (1, 1)]
    assert [attempt.failure for attempt in outcomes[0].attempts] == ["OutOfMemoryError"] * 3 + [
        None
    ]


def test_memory_is_not_raised_without_end(predict: Callable[..., list[PredictionOutcome]]) -> None:
    program = PlayedProgram(lambda _: Finished(137, 0.1, ""))
    (outcome,) = predict(program, 1)
    assert isinstance(outcome.error, OutOfMemoryError)
    assert program.runs == [(1, 1), (1, 2), (1, 4)]


def test_lost_engine_ends_the_course_but_keeps_what_was_done(
    predict: Callable[..., list[PredictionOutcome]],
) -> None:
    def lose(job: Job) -> None:
        if "2.h5" in job.images:
            raise EngineUnreachableError("unix:///gone", "connection refused")

    outcomes = predict(PlayedProgram(lose), 4)
    assert [outcome.error is None for outcome in outcomes] == [True, True, False, False]
    assert all(isinstance(outcome.error, EngineUnreachableError) for outcome in outcomes[2:])


def test_output_whose_probabilities_do_not_sum_to_one_is_not_published(
    predict: Callable[..., list[PredictionOutcome]],
) -> None:
    (outcome,) = predict(PlayedProgram(value=LARGEST // 2), 1)
    assert isinstance(outcome.error, OutputWrongError)
    assert "do not sum to 1" in str(outcome.error)
    assert list(outcome.target.parent.iterdir()) == []


def test_full_disk_ends_the_course(
    predict: Callable[..., list[PredictionOutcome]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(outputs, "write_probabilities", fill)
    program = PlayedProgram()
    outcomes = predict(program, 3)
    assert [type(outcome.error) for outcome in outcomes] == [EngineDiskFullError] * 3
    assert len(program.runs) == 1


def test_success_without_output_is_an_error(
    predict: Callable[..., list[PredictionOutcome]],
) -> None:
    (outcome,) = predict(PlayedProgram(lambda _: Finished(0, 0.1, "")), 1)
    assert isinstance(outcome.error, OutputMissingError)


def test_broken_input_is_told_without_a_run(
    predict: Callable[..., list[PredictionOutcome]], tmp_path: Path
) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "0.h5").write_bytes(b"nothing")
    program = PlayedProgram()
    outcomes = predict(program, 2, batch=2)
    assert isinstance(outcomes[0].error, UnreadableImageError)
    assert outcomes[1].error is None
    assert [n for n, _ in program.runs] == [1]


def test_stop_is_seen_before_a_run(predict: Callable[..., list[PredictionOutcome]]) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(RunCancelledError):
        predict(PlayedProgram(), 1, stop=stop)
