"""The engine `apptainer` with a real one: `.ci/apptainer` installs it and builds the image."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from containers.apptainer import predict_by_apptainer, prepare_apptainer
from containers.apptainer_errors import (
    ApptainerImageMissingError,
    DamagedImageError,
    NoSuchProgramError,
)
from containers.apptainer_image import ApptainerImage, find_walls
from containers.confinement import base_flags
from containers.errors import ProgramUnknownError, RunCancelledError
from containers.prediction import PredictionRequest
from containers.run_errors import RunTimeoutError
from containers.settings import ApptainerSettings
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import read_project
from tests.conftest import REPOSITORY

RequestOf = Callable[..., PredictionRequest]
PATIENCE_S = 30


@pytest.fixture(scope="module")
def settings() -> ApptainerSettings:
    """The image that `.ci/apptainer build FOLDER ilpix-headless` makes, named by a variable."""
    image = os.environ.get("TEST_SIF")
    if image is None or shutil.which("apptainer") is None:
        pytest.skip("the longer tests of Apptainer: TEST_SIF names what .ci/apptainer build makes")
    return ApptainerSettings(image=image, cpus=1, timeout_s=120)


@pytest.fixture(scope="module")
def image(settings: ApptainerSettings, tmp_path_factory: pytest.TempPathFactory) -> ApptainerImage:
    return prepare_apptainer(settings, tmp_path_factory.mktemp("workspace"))


def test_the_bytes_are_those_of_the_embedded_engine(
    settings: ApptainerSettings, image: ApptainerImage, request_of: RequestOf, tmp_path: Path
) -> None:
    request = request_of("roi_d_small", "roi_e_exact")
    batch = settings.model_copy(update={"batch": 2})
    classifier = Classifier.of(read_project(request.project))
    for outcome in predict_by_apptainer(request, batch, image, threading.Event()):
        assert outcome.error is None
        classifier.predict_file(outcome.image, tmp_path / "embedded.tiff")
        assert outcome.target.read_bytes() == (tmp_path / "embedded.tiff").read_bytes()
    assert list((request.workspace / "runs" / "apptainer").iterdir()) == []


def test_image_is_named_by_its_content_and_has_no_network(image: ApptainerImage) -> None:
    assert image.digest.startswith("sha256:")
    assert image.program == "/opt/ilpix/run_ilastik.sh"
    assert "switch the network off" in find_walls(image)


SHELL_ALONE = """
mkdir -p /copy/usr/lib /copy/dev /copy/proc /copy/sys /copy/tmp /copy/var/tmp /copy/etc
cp -a /bin /lib /lib64 /copy
cp -a /usr/bin /copy/usr
cp -a /usr/lib64 /usr/lib/x86_64-linux-gnu /copy/usr/lib 2>/dev/null || true
mv /copy/usr/lib/lib64 /copy/usr
"""


def sleeping(settings: ApptainerSettings, image: ApptainerImage, folder: Path) -> ApptainerSettings:
    """Return settings of a sandbox whose program only sleeps."""
    sandbox = folder / "sandbox"
    sandbox.mkdir()
    mount = f"type=bind,source={sandbox},destination=/copy"
    command = ["apptainer", "exec", *base_flags(), "--mount", mount, image.path]
    subprocess.run([*command, "sh", "-c", SHELL_ALONE], check=True, capture_output=True)
    program = sandbox / "run_ilastik.sh"
    program.write_text("#!/bin/sh\necho asleep\nsleep 777 &\nwait\n")
    program.chmod(0o755)
    return settings.model_copy(update={"image": str(sandbox), "program": "/run_ilastik.sh"})


def sleepers() -> list[Path]:
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"sleep\x00777" in line.read_bytes():
                found.append(line)
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], bool]) -> None:
    patience = threading.Event()
    for _ in range(PATIENCE_S * 20):
        if condition():
            return
        patience.wait(0.05)
    raise AssertionError(f"{condition} did not come true within {PATIENCE_S} s")


def test_nothing_is_left_of_a_run_that_ends_early(
    settings: ApptainerSettings, image: ApptainerImage, request_of: RequestOf, tmp_path: Path
) -> None:
    """By its time, by a cancellation, and by the kill of the process that watched it."""
    asleep = sleeping(settings, image, tmp_path)
    request = request_of("roi_e_exact")
    sandbox = prepare_apptainer(asleep, request.workspace)

    hurried = asleep.model_copy(update={"timeout_s": 3})
    (outcome,) = predict_by_apptainer(request, hurried, sandbox, threading.Event())
    assert isinstance(outcome.error, RunTimeoutError)
    wait_for(lambda: not sleepers())

    stop = threading.Event()
    watcher = threading.Thread(target=lambda: (wait_for(lambda: bool(sleepers())), stop.set()))
    watcher.start()
    with pytest.raises(RunCancelledError):
        predict_by_apptainer(request, asleep, sandbox, stop)
    watcher.join()
    wait_for(lambda: not sleepers())

    script = f"""
import threading
from pathlib import Path, PosixPath
from containers.apptainer import predict_by_apptainer
from containers.apptainer_image import ApptainerImage
from containers.prediction import PredictionRequest
from containers.settings import ApptainerSettings
settings = ApptainerSettings.model_validate_json({asleep.model_dump_json()!r})
predict_by_apptainer({request!r}, settings, {sandbox!r}, threading.Event())
"""
    killed = subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY)
    wait_for(lambda: bool(sleepers()))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert sleepers()
    prepare_apptainer(asleep, request.workspace)
    wait_for(lambda: not sleepers())
    assert list((request.workspace / "runs" / "apptainer").iterdir()) == []


def test_an_image_that_is_not_there_is_named(settings: ApptainerSettings, tmp_path: Path) -> None:
    for name in (str(tmp_path / "no.sif"), "docker://localhost:1/nobody/ilastik:1.4.2"):
        missing = settings.model_copy(update={"image": name, "cache": tmp_path, "program": "/x"})
        with pytest.raises(ApptainerImageMissingError, match="apptainer build"):
            prepare_apptainer(missing, tmp_path)
    assert not list(tmp_path.glob("*.sif"))


def test_a_damaged_image_is_called_that(settings: ApptainerSettings, tmp_path: Path) -> None:
    """The tools to read it were called missing."""
    whole = Path(settings.image).read_bytes()
    for name, content in {"cut.sif": whole[: len(whole) // 2], "text.sif": b"no image"}.items():
        (tmp_path / name).write_bytes(content)
        damaged = settings.model_copy(update={"image": str(tmp_path / name), "program": "/x"})
        with pytest.raises(DamagedImageError, match=name):
            prepare_apptainer(damaged, tmp_path)


def test_a_program_that_is_not_in_the_image_is_found_before_any_image(
    settings: ApptainerSettings, tmp_path: Path
) -> None:
    with pytest.raises(NoSuchProgramError, match=r"run_ilastik\.sh"):
        prepare_apptainer(settings.model_copy(update={"program": "/no/where"}), tmp_path)


def test_an_unknown_image_needs_the_path_of_its_program(
    settings: ApptainerSettings, tmp_path: Path
) -> None:
    shutil.copy(settings.image, tmp_path / "tools.sif")
    other = settings.model_copy(update={"image": str(tmp_path / "tools.sif")})
    with pytest.raises(ProgramUnknownError):
        prepare_apptainer(other, tmp_path)
