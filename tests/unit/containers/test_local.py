"""The engine `local`, with `ilpix-headless` in the place of Ilastik."""

import gzip
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from containers.errors import LocalProgramError, RunCancelledError
from containers.local import predict_locally
from containers.outcome import PredictionOutcome
from containers.prediction import PredictionRequest
from containers.run_errors import (
    IlastikFailedError,
    OptionsIgnoredError,
    OutputMissingError,
    RunTimeoutError,
)
from containers.settings import LocalSettings
from ilpix.images.hdf5 import write_image
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.errors import NoClassifierError
from ilpix.project.reading import read_project

DATA = Path(__file__).parents[2] / "golden" / "data"
STEMS = ("roi_d_small", "roi_e_exact")
HEADLESS = f'exec "{sys.executable}" -m containers.headless.cli "$@"'
Predict = Callable[..., list[PredictionOutcome]]


@pytest.fixture
def request_(tmp_path: Path) -> PredictionRequest:
    """Two images and a project that Ilastik trained."""
    (tmp_path / "p.ilp").write_bytes(
        gzip.decompress((DATA / "training" / "all.ilp.gz").read_bytes())
    )
    with np.load(DATA / "training" / "images.npz") as images:
        for stem in STEMS:
            write_image(tmp_path / f"{stem}.h5", images[f"image/{stem}"], None)
    return PredictionRequest(
        project=tmp_path / "p.ilp",
        images=tuple(tmp_path / f"{stem}.h5" for stem in STEMS),
        targets=tuple(tmp_path / f"{stem}.tiff" for stem in STEMS),
        workspace=tmp_path / ".ilpix",
    )


@pytest.fixture
def predict(
    tmp_path: Path, request_: PredictionRequest, monkeypatch: pytest.MonkeyPatch
) -> Predict:
    """Predicts by a shell script in the place of `run_ilastik.sh`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))

    def run(
        script: str, stop: threading.Event | None = None, **settings: object
    ) -> list[PredictionOutcome]:
        program = tmp_path / "run_ilastik.sh"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        chosen = LocalSettings(program=program, timeout_s=120).model_copy(update=settings)
        return predict_locally(request_, chosen, stop or threading.Event())

    return run


def test_local_program_gives_the_bytes_of_the_embedded_engine(
    predict: Predict, request_: PredictionRequest, tmp_path: Path
) -> None:
    outcomes = predict(HEADLESS, batch=2)
    classifier = Classifier.of(read_project(request_.project))
    for outcome in outcomes:
        assert outcome.error is None
        classifier.predict_file(outcome.image, tmp_path / "embedded.tiff")
        assert outcome.target.read_bytes() == (tmp_path / "embedded.tiff").read_bytes()


def test_much_output_does_not_block_the_program(predict: Predict) -> None:
    outcomes = predict(f"yes 'a long line of log' | head -n 200000\n{HEADLESS}", batch=2)
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert outcomes[0].attempts[0].log.stat().st_size > 10**6


def test_whole_process_group_ends_with_its_time(predict: Predict, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    outcomes = predict(f"sleep 600 &\necho $! > {pid_file}\nwait", timeout_s=1)
    assert [type(outcome.error) for outcome in outcomes] == [RunTimeoutError, RunTimeoutError]
    patience = threading.Event()
    while _runs(int(pid_file.read_text())):
        assert not patience.wait(0.05)


def test_stop_ends_the_program(predict: Predict, tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(RunCancelledError):
        predict("sleep 600", stop)


def test_failures_are_those_of_the_container(predict: Predict) -> None:
    assert isinstance(predict("exit 0")[0].error, OutputMissingError)
    assert isinstance(predict("echo Unused command-line args: x")[0].error, OptionsIgnoredError)
    assert isinstance(predict("echo no; exit 3")[0].error, IlastikFailedError)


def test_program_that_is_not_there_is_named(request_: PredictionRequest) -> None:
    with pytest.raises(LocalProgramError, match="nowhere"):
        predict_locally(
            request_, LocalSettings(program=Path("/nowhere/run_ilastik.sh")), threading.Event()
        )


def test_untrained_project_is_refused(request_: PredictionRequest) -> None:
    untrained = gzip.decompress((DATA / "projects" / "untrained.ilp.gz").read_bytes())
    request_.project.write_bytes(untrained)
    with pytest.raises(NoClassifierError):
        predict_locally(request_, LocalSettings(program=Path(sys.executable)), threading.Event())


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
