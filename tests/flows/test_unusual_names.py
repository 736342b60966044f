"""Names as people give them, and files that are gone before they are read: each is one image."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.errors import ImagesFailedError
from flows.options import RunOptions
from flows.prepare import prepare
from flows.run import run
from flows.running.manifest import read_manifest
from flows.running.progress import LogDisplay, Step, display
from ilpix.project.reading import read_project
from tests.disks.test_full_disk import PREPARE
from tests.flows.trained_folders import make_trained

NAMES = (
    "l" * 240,  # with the longest ending of a result that is no name of 255
    "-rf",
    "--help",
    "a b  c ",
    "dots...in.a.name",
    "Case",
    "case",
    "肿瘤 опухоль ورم",
    "é",  # one character
    "e\u0301",  # two that look like it
    "100% $HOME `ls` 'q' \"q\" & ; <b>",
    "~",
)


@pytest.fixture(scope="module")
def trained(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    make_trained(folder)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "study")


def states(folder: Path, verb: str) -> dict[str, str]:
    return {outcome.image: outcome.state for outcome in read_manifest(folder).verbs[verb].images}


def test_any_name_goes_from_image_to_probabilities(folder: Path) -> None:
    (expected, *_) = run(folder)
    for name in NAMES:
        shutil.copy(folder / "img" / "region_1.tiff", folder / "img" / f"{name}.tiff")
    prepare(folder, PREPARE)
    run(folder)
    assert {*NAMES} < {*states(folder, "prepare")}
    assert {*states(folder, "run")} == {*states(folder, "prepare")}
    assert set(states(folder, "run").values()) == {"done", "kept"}
    for name in NAMES:
        result = folder / "ilastik_probabilities" / f"{name}.tiff"
        assert result.read_bytes() == expected.read_bytes()


def test_a_name_that_is_too_long_for_its_crop_costs_that_crop(folder: Path) -> None:
    shutil.copy(folder / "img" / "region_1.tiff", folder / "img" / f"{NAMES[0]}.tiff")
    (folder / "pixel_classifier.ilp").unlink()
    with pytest.raises(ImagesFailedError, match="takes no name as long as") as raised:
        prepare(folder, PREPARE)
    assert list(raised.value.failures) == [NAMES[0]]
    assert (folder / "ilastik_img" / f"{NAMES[0]}.h5").exists()
    assert len(read_project(folder / "pixel_classifier.ilp").lanes) == 5


class TakingAway(LogDisplay):
    """Takes a file away when all images are known and none is done."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Step]:
        self.path.unlink(missing_ok=True)
        with super().step(title, total) as step:
            yield step


@pytest.mark.parametrize(
    ("verb", "name"), [("prepare", "img/region_2.tiff"), ("run", "ilastik_img/region_2.h5")]
)
def test_a_file_that_is_gone_before_it_is_read_costs_that_image_only(
    folder: Path, verb: str, name: str
) -> None:
    shutil.rmtree(folder / ".ilpix")  # nothing is known to be done
    before = {path.name: path.read_bytes() for path in (folder / "ilastik_img").iterdir()}
    token = display.set(TakingAway(folder / name))
    try:
        with pytest.raises(ImagesFailedError, match="region_2") as raised:
            prepare(folder, PREPARE) if verb == "prepare" else run(folder, RunOptions())
    finally:
        display.reset(token)
    assert list(raised.value.failures) == ["region_2"]
    assert "No such file" in str(raised.value) or "no such file" in str(raised.value)
    done = {image for image, state in states(folder, verb).items() if state == "done"}
    assert done == {f"region_{number}" for number in (1, 3, 4, 5)}
    for path in (folder / "ilastik_img").iterdir():
        assert path.read_bytes() == before[path.name]
    assert not (folder / "ilastik_probabilities" / "region_2.tiff").exists()
