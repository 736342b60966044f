"""What is left of a run that is interrupted or killed, and how the next one goes on."""

import json
import os
import signal
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import pytest
from prefect import flow, task
from prefect.settings import PREFECT_API_URL

from flows.run import run
from flows.running.verb_run import VerbRun
from flows.settings import Settings
from ilpix.features.selection import default_selection
from ilpix.images.hdf5 import write_image
from ilpix.project.writing import create_project, label_classes, store_classifier
from tasks.records import FilesWritten
from tasks.stopping import stop_event
from tests.unit.forests import split_forest

N_CHANNELS = 4
LONG = 8192  # pixels; a prediction of so many rows and columns takes minutes
CHUNK = 512


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small image that is done soon, and one that takes long."""
    project = tmp_path / "pixel_classifier.ilp"
    create_project(project, {"a.h5": (N_CHANNELS, 9, 9)}, label_classes(["A", "B", "C"]))
    selection = default_selection()
    forest = split_forest(n_columns=len(selection.columns(N_CHANNELS)))
    store_classifier(project, selection, forest, selection.names(N_CHANNELS), n_samples=2)
    prepared = tmp_path / "ilastik_img"
    write_image(prepared / "a_small.h5", np.zeros((N_CHANNELS, 50, 50), np.float32), None)
    write_long_image(prepared / "b_long.h5")
    return tmp_path


def write_long_image(path: Path) -> None:
    """Write an image of a gigabyte, all pieces of which are the same few bytes."""
    rng = np.random.default_rng(1)
    piece = (rng.random((1, CHUNK, CHUNK)) < 0.05).astype(np.float32)
    packed = zlib.compress(piece.tobytes())
    with h5py.File(path, "w") as file:
        shape = (N_CHANNELS, LONG, LONG)
        stored = file.create_dataset(
            "img", shape, np.float32, chunks=piece.shape, compression="gzip"
        )
        for place in product(range(N_CHANNELS), *[range(0, LONG, CHUNK)] * 2):
            stored.id.write_direct_chunk(place, packed)


@contextmanager
def running(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """`ilpix run` in a process of its own, at work on the long image."""
    program = Path(sys.executable).with_name("ilpix")
    process = subprocess.Popen(
        [program, "run"],
        cwd=folder,
        env=os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value(), "ILPIX_PARALLEL": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert any("a_small" in line for line in process.stderr)
        yield process
    finally:
        process.kill()
        process.communicate()


def results(folder: Path) -> set[str]:
    return {path.name for path in (folder / "ilastik_probabilities").iterdir()}


def images_of(folder: Path) -> list[dict[str, str]]:
    """What the manifest says of the images of the last run."""
    manifest = json.loads((folder / "ilpix_run.json").read_text())
    images: list[dict[str, str]] = manifest["verbs"]["run"]["images"]
    return images


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_ends_soon_says_what_is_kept_and_leaves_nothing_half_written(
    folder: Path, how: signal.Signals
) -> None:
    with running(folder) as process:
        process.send_signal(how)
        told, said = process.communicate(timeout=10)
    assert process.returncode == 128 + how
    assert "run: 1 done in" in told
    assert said.endswith("interrupted; what was finished is kept, run the same again to go on\n")
    assert "Traceback" not in said
    assert results(folder) == {"a_small.tiff"}
    assert [image["image"] for image in images_of(folder)] == ["a_small"]


def test_an_interrupt_is_noticed_although_it_does_not_wake_the_thread_that_waits(
    tmp_path: Path,
) -> None:
    was_stopped: list[bool] = []

    @task
    def interrupt() -> FilesWritten:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        was_stopped.append(stop_event().wait(10))
        return FilesWritten(files={}, facts={})

    @flow
    def interrupted() -> None:
        VerbRun("run", tmp_path, Settings()).for_each_image(interrupt, {"a": {}})

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert was_stopped == [True]


def test_after_a_kill_the_next_run_goes_on_where_it_was(folder: Path) -> None:
    with running(folder) as process:
        process.kill()
        process.wait(timeout=10)
    assert "b_long.tiff" not in results(folder)
    (folder / "ilastik_img" / "b_long.h5").unlink()
    run(folder)
    assert [image["state"] for image in images_of(folder)] == ["kept"]
