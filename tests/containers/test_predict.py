"""Images through a real container: what comes out, and what each way to fail looks like."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import docker
import numpy as np
import pytest
import tifffile

from containers.errors import (
    ImageMissingError,
    ProgramTooOldError,
    RunCancelledError,
    SourceNotFoundError,
)
from containers.images import PinnedImage, pin_image
from containers.outcome import PredictionOutcome
from containers.predict import predict_in_container, prepare_engine, remove_containers_of
from containers.prediction import PredictionRequest
from containers.run import IMAGE_LABEL, RUN_LABEL
from containers.run_errors import (
    EngineDiskFullError,
    IlastikFailedError,
    OptionsIgnoredError,
    OutOfMemoryError,
    OutputMissingError,
    OutputWrongError,
    ProgramCrashedError,
    ProgramMissingError,
    RunError,
    RunTimeoutError,
)
from containers.settings import ContainerSettings, PathMapping
from ilpix.images.hdf5 import write_image
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.errors import WrongChannelsError
from ilpix.project.reading import read_project

pytestmark = pytest.mark.docker
REPOSITORY = Path(__file__).parents[2]
GOLDEN = REPOSITORY / "tests" / "golden" / "data" / "training"
MIB = 2**20
RequestOf = Callable[..., PredictionRequest]
Predict = Callable[..., list[PredictionOutcome]]


@pytest.fixture
def predict(client: docker.DockerClient, settings: ContainerSettings) -> Predict:
    """Predicts a request with changed settings."""

    def run(
        request: PredictionRequest, stop: threading.Event | None = None, **changes: object
    ) -> list[PredictionOutcome]:
        changed = settings.model_copy(update=changes)
        return predict_in_container(
            request, changed, pin_image(client, changed), stop or threading.Event()
        )

    return run


def test_container_gives_the_bytes_of_the_embedded_engine(
    predict: Predict, request_of: RequestOf, tmp_path: Path
) -> None:
    request = request_of("roi_a", "roi_d_small")
    outcomes = predict(request)
    classifier = Classifier.of(read_project(request.project))
    for outcome in outcomes:
        assert outcome.error is None
        embedded = tmp_path / "embedded.tiff"
        classifier.predict_file(outcome.image, embedded)
        assert outcome.target.read_bytes() == embedded.read_bytes()
        ilastiks = tifffile.imread(GOLDEN / outcome.target.name)
        np.testing.assert_array_equal(tifffile.imread(outcome.target), ilastiks)


def test_log_and_attempt_are_kept_and_nothing_else(predict: Predict, request_of: RequestOf) -> None:
    request = request_of("roi_e_exact")
    (outcome,) = predict(request)
    (attempt,) = outcome.attempts
    assert "Exporting to /out/0000.h5" in attempt.log.read_text()
    assert attempt.failure is None
    assert attempt.memory_bytes == 1024 * MIB
    kept = [path for path in request.workspace.rglob("*") if path.is_file()]
    assert kept == [attempt.log]
    assert list((request.workspace / "runs").iterdir()) == []


def test_batch_gives_the_same_as_single_images(
    predict: Predict, request_of: RequestOf, tmp_path: Path
) -> None:
    stems = ("roi_c", "roi_d_small", "roi_e_exact")
    single = predict(request_of(*stems))
    targets = tuple(tmp_path / "batch" / f"{stem}.tiff" for stem in stems)
    batch = predict(request_of(*stems, targets=targets), batch=3)
    assert [len(outcome.attempts) for outcome in batch] == [1, 1, 1]
    assert batch[0].attempts[0].images == 3
    for one, other in zip(single, batch, strict=True):
        assert one.target.read_bytes() == other.target.read_bytes()


def test_one_broken_image_in_a_batch_of_eight_costs_only_itself(
    predict: Predict, request_of: RequestOf, tmp_path: Path
) -> None:
    request = request_of("roi_e_exact")
    n_channels = Classifier.of(read_project(request.project)).n_channels
    image = np.random.default_rng(0).random((n_channels, 40, 44), np.float32)
    images = tuple(tmp_path / "many" / f"image.{i}.h5" for i in range(8))
    for path in images:
        write_image(path, image, None)
    with images[5].open("ab") as file:
        file.write(b"broken")
    targets = tuple(path.with_suffix(".tiff") for path in images)
    outcomes = predict(
        request_of("roi_e_exact", images=images, targets=targets),
        program="/programs/picky.sh",
        batch=8,
    )
    assert [outcome.error is None for outcome in outcomes] == [i != 5 for i in range(8)]
    assert [path.exists() for path in targets] == [i != 5 for i in range(8)]
    assert isinstance(outcomes[5].error, IlastikFailedError)
    assert [attempt.images for attempt in outcomes[5].attempts] == [8, 4, 2, 1]
    assert "this file is broken" in str(outcomes[5].error)


@pytest.mark.parametrize(
    ("program", "error", "says"),
    [
        ("silent.sh", OutputMissingError, "left no output"),
        ("crashing.sh", ProgramCrashedError, "exit code 139"),
        ("transposing.sh", OutputWrongError, "is expected"),
        ("full.sh", EngineDiskFullError, "No space left"),
        ("forgetful.sh", OptionsIgnoredError, "--output-format=hdf5"),
        ("nowhere.sh", ProgramMissingError, "path of run_ilastik.sh"),
    ],
)
def test_failures_are_told_apart(
    predict: Predict, request_of: RequestOf, program: str, error: type[RunError], says: str
) -> None:
    request = request_of("roi_e_exact")
    (outcome,) = predict(request, program=f"/programs/{program}")
    assert type(outcome.error) is error
    assert says in str(outcome.error)
    assert str(outcome.attempts[-1].log) in str(outcome.error)
    assert not outcome.target.exists()


def test_too_little_memory_is_tried_again_with_more(
    predict: Predict, request_of: RequestOf
) -> None:
    (outcome,) = predict(
        request_of("roi_e_exact"),
        program="/programs/hungry.sh",
        memory_bytes=256 * MIB,
        memory_ceiling_bytes=1024 * MIB,
    )
    assert outcome.error is None
    assert [(a.memory_bytes, a.failure) for a in outcome.attempts] == [
        (256 * MIB, "OutOfMemoryError"),
        (512 * MIB, "OutOfMemoryError"),
        (1024 * MIB, None),
    ]


def test_memory_that_never_suffices_is_a_clear_error(
    predict: Predict, request_of: RequestOf
) -> None:
    (outcome,) = predict(
        request_of("roi_e_exact"),
        program="/programs/insatiable.sh",
        memory_bytes=128 * MIB,
        memory_ceiling_bytes=256 * MIB,
    )
    assert isinstance(outcome.error, OutOfMemoryError)
    assert "killed for memory at a limit of 256 MiB" in str(outcome.error)
    assert [a.memory_bytes for a in outcome.attempts] == [128 * MIB, 256 * MIB]


def test_sleeping_program_is_stopped_when_its_time_is_up(
    predict: Predict, request_of: RequestOf
) -> None:
    (outcome,) = predict(request_of("roi_e_exact"), program="/programs/sleeping.sh", timeout_s=2)
    assert isinstance(outcome.error, RunTimeoutError)
    assert outcome.error.retryable
    assert "asleep" in str(outcome.error)


def test_error_that_concerns_all_images_is_met_once(
    predict: Predict, request_of: RequestOf
) -> None:
    outcomes = predict(request_of("roi_d_small", "roi_e_exact"), program="/programs/nowhere.sh")
    assert [type(outcome.error) for outcome in outcomes] == [
        ProgramMissingError,
        ProgramMissingError,
    ]
    assert [len(outcome.attempts) for outcome in outcomes] == [1, 0]


def test_wrong_channels_are_found_without_a_container(
    predict: Predict, request_of: RequestOf, tmp_path: Path
) -> None:
    write_image(tmp_path / "one.h5", np.zeros((1, 50, 50), np.float32), None)
    (outcome,) = predict(request_of("roi_e_exact", images=(tmp_path / "one.h5",)))
    assert isinstance(outcome.error, WrongChannelsError)
    assert outcome.attempts == ()


def test_stop_removes_the_container_and_ends_the_call(
    predict: Predict, request_of: RequestOf, client: docker.DockerClient
) -> None:
    stop = threading.Event()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            predict(request_of("roi_d_small", "roi_e_exact"), stop, program="/programs/sleeping.sh")
        except RunCancelledError as error:
            raised.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    (container,) = _wait_for_containers(client)
    assert container.labels[RUN_LABEL] == "test-run"
    assert container.labels[IMAGE_LABEL] == "roi_d_small.h5"
    stop.set()
    worker.join(20)
    assert not worker.is_alive()
    assert len(raised) == 1
    assert _containers(client) == []


def test_hook_can_remove_the_containers_of_a_run(
    predict: Predict,
    request_of: RequestOf,
    client: docker.DockerClient,
    settings: ContainerSettings,
) -> None:
    outcomes: list[PredictionOutcome] = []
    worker = threading.Thread(
        target=lambda: outcomes.extend(
            predict(request_of("roi_e_exact"), program="/programs/sleeping.sh")
        )
    )
    worker.start()
    (container,) = _wait_for_containers(client)
    assert remove_containers_of(settings, "test-run") == [container.name]
    worker.join(20)
    assert outcomes[0].error is not None
    assert _containers(client) == []


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_signal_leaves_no_container(
    sign: signal.Signals, client: docker.DockerClient, request_of: RequestOf, image: PinnedImage
) -> None:
    process = _predict_in_another_process(request_of("roi_e_exact"), image, "/programs/sleeping.sh")
    _wait_for_containers(client)
    process.send_signal(sign)
    assert process.wait(20) != 0
    assert _containers(client) == []


def test_killed_run_is_swept_by_the_next(
    client: docker.DockerClient,
    request_of: RequestOf,
    settings: ContainerSettings,
    image: PinnedImage,
) -> None:
    """A living run beside it keeps its container."""
    killed = _predict_in_another_process(request_of("roi_e_exact"), image, "/programs/sleeping.sh")
    (orphan,) = _wait_for_containers(client)
    living = _predict_in_another_process(request_of("roi_d_small"), image, "/programs/sleeping.sh")
    _wait_for_containers(client, 2)
    killed.kill()
    killed.wait()
    workspace = request_of("roi_e_exact").workspace
    prepare_engine(settings, workspace)
    (left,) = _containers(client)
    assert left.id != orphan.id
    assert len(list((workspace / "runs").glob("*.lock"))) == 1
    living.terminate()
    assert living.wait(20) != 0
    assert _containers(client) == []


def test_sweep_leaves_the_containers_of_other_data_alone(
    client: docker.DockerClient,
    request_of: RequestOf,
    settings: ContainerSettings,
    image: PinnedImage,
    tmp_path: Path,
) -> None:
    process = _predict_in_another_process(request_of("roi_e_exact"), image, "/programs/sleeping.sh")
    _wait_for_containers(client)
    process.kill()
    process.wait()
    prepare_engine(settings, tmp_path / "other" / ".ilpix")
    assert len(_containers(client)) == 1
    prepare_engine(settings, request_of().workspace)
    assert _containers(client) == []


def test_path_map_gives_mounts_in_the_engines_words(
    predict: Predict, tissue: Path, request_of: RequestOf, tmp_path: Path
) -> None:
    """As in a worker container: the data directory has another path on the engine's machine."""
    inside = tmp_path / "inside"
    inside.mkdir()
    outside = tmp_path / "outside"
    for name in ("pixel_classifier.ilp", "ilastik_img/roi_e_exact.h5"):
        for folder in (inside, outside):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((tissue / name).read_bytes())
    request = request_of(
        "roi_e_exact",
        project=inside / "pixel_classifier.ilp",
        images=(inside / "ilastik_img" / "roi_e_exact.h5",),
    )
    (outside / "pixel_classifier.ilp").unlink()
    mapped = (PathMapping(inside=inside, outside=outside),)
    (outcome,) = predict(request, path_map=mapped)
    assert isinstance(outcome.error, SourceNotFoundError)
    (outside / "pixel_classifier.ilp").write_bytes(request.project.read_bytes())
    (outcome,) = predict(request, path_map=mapped)
    assert outcome.error is None


def test_newer_project_is_refused_before_anything_runs(
    request_of: RequestOf, settings: ContainerSettings, client: docker.DockerClient
) -> None:
    client.images.get(settings.image).tag("biocontainers/ilastik", "1.4.0_cv2")
    old = settings.model_copy(update={"image": "biocontainers/ilastik:1.4.0_cv2"})
    try:
        with pytest.raises(ProgramTooOldError) as caught:
            predict_in_container(
                request_of("roi_e_exact"), old, pin_image(client, old), threading.Event()
            )
    finally:
        client.images.remove(old.image)
    assert "1.4.2" in str(caught.value)
    assert "1.4.0" in str(caught.value)


def test_missing_image_is_not_pulled_where_that_is_switched_off(
    settings: ContainerSettings, client: docker.DockerClient
) -> None:
    with pytest.raises(ImageMissingError, match="docker pull"):
        pin_image(client, settings.model_copy(update={"image": "nobody/ilastik:0"}))


def test_image_is_pinned_by_its_content(image: PinnedImage, settings: ContainerSettings) -> None:
    assert image.reference == settings.image
    assert image.image_id.startswith("sha256:")
    assert image.digest == image.image_id or "@sha256:" in image.digest


def _containers(client: docker.DockerClient) -> list[docker.models.containers.Container]:
    return client.containers.list(all=True, filters={"label": f"{RUN_LABEL}=test-run"})


def _wait_for_containers(
    client: docker.DockerClient, count: int = 1
) -> list[docker.models.containers.Container]:
    patience = threading.Event()
    for _ in range(600):
        found = client.containers.list(filters={"label": f"{RUN_LABEL}=test-run"})
        if len(found) == count:
            return found
        patience.wait(0.05)
    raise AssertionError(f"{count} containers do not run")


def _predict_in_another_process(
    request: PredictionRequest, image: PinnedImage, program: str
) -> subprocess.Popen[bytes]:
    script = f"""
import signal, sys, threading
from pathlib import Path, PosixPath
from containers.images import PinnedImage
from containers.predict import predict_in_container
from containers.prediction import PredictionRequest
from containers.settings import ContainerSettings

signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Prefect too raises an exception then
predict_in_container(
    {request!r}, ContainerSettings(program={program!r}), {image!r}, threading.Event()
)
""".replace(repr(image.program), repr(program))
    return subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPOSITORY, stderr=subprocess.DEVNULL
    )
