"""A disk without room ends a verb with a sentence; nothing is lost, and the next run goes on."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import flows
from command.demo import LABELS
from ilpix.errors import DiskFullError
from ilpix.project.label_images import export_labels, import_labels
from ilpix.repair.rescue import rescue_project
from tests.disks.conftest import Disk
from tests.unit.foreign_projects import set_up
from tests.unit.raw_files import Measured, counts, write_mcd

SHARES = (0.0, 0.4, 0.9)  # of the room that a verb needs
PREPARE = flows.PrepareOptions(cropsize=60, seed=1)
Contents = Callable[[Path], dict[str, bytes]]


def change_labels(study: Path) -> None:
    import_labels(study / "pixel_classifier.ilp", study / LABELS, clear=True)


VERBS: dict[str, Callable[[Path], object]] = {
    "prepare": lambda study: flows.prepare(study, PREPARE),
    "train": lambda study: flows.train(study, flows.TrainOptions(features="fast", seed=2)),
    "run": lambda study: flows.run(study, flows.RunOptions()),
    "import": lambda study: flows.import_raw(study, flows.ImportOptions(imgout=Path("read"))),
    "fix": lambda study: flows.fix(study / "foreign", flows.FixOptions(ilp=Path("p.ilp"))),
    "labels export": lambda study: export_labels(study / "pixel_classifier.ilp", study / "drawn"),
    "labels import": change_labels,
    "rescue": lambda study: rescue_project(study / "pixel_classifier.ilp", study / "new.ilp"),
}


def begin(verb: str, trained: Path, study: Path) -> None:
    """Make what a verb begins with."""
    shutil.copytree(trained, study)
    if verb == "import":
        (study / "panel.csv").unlink()
        acquisitions = [Measured(number, counts(number, (90, 80))) for number in (1, 2)]
        write_mcd(study / "raw" / "slide.mcd", acquisitions)
    if verb == "fix":
        set_up(study / "foreign")
    if verb == "prepare":
        for name in ("ilastik_img", "ilastik_crops", ".ilpix"):
            shutil.rmtree(study / name)
        (study / "pixel_classifier.ilp").unlink()


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_that_the_disk_is_full_and_goes_on_when_there_is_room(
    verb: str, trained: Path, disk: Disk, contents: Contents
) -> None:
    study = disk.folder / "study"
    begin(verb, trained, study)
    before = disk.used_bytes()
    VERBS[verb](study)
    needed = disk.used_bytes() - before or (study / "pixel_classifier.ilp").stat().st_size
    wanted = contents(study)
    for share in SHARES:
        disk.empty()
        begin(verb, trained, study)
        given = contents(study)
        disk.leave(int(share * needed))
        with pytest.raises(DiskFullError, match="is full: No space left on device"):
            VERBS[verb](study)
        left = contents(study)
        assert {name: left[name] for name in given} == given
        assert not [name for name in left if ".ilpix-" in name]
        disk.leave(8 * needed)
        VERBS[verb](study)
        assert contents(study) == wanted
