"""A disk as of a USB stick or a camera: the same bytes, and no result in place of another."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import flows
from flows.errors import NamesAlikeError
from flows.running.manifest import read_manifest
from tests.disks.test_full_disk import PREPARE, VERBS
from tests.flows.trained_folders import make_trained


def test_every_step_gives_the_same_bytes_as_on_another_disk(
    exfat: Path, study: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    make_trained(exfat)
    for folder in (exfat, study):
        VERBS["train"](folder)
        VERBS["run"](folder)
    assert contents(exfat) == contents(study)
    flows.run(exfat)
    kept = read_manifest(exfat).verbs["run"].images
    assert {outcome.state for outcome in kept} == {"kept"}


def test_names_that_differ_in_capitals_alone_are_refused_where_they_are_one(
    exfat: Path, study: Path
) -> None:
    """The image that came last had the names of both."""
    for folder in (study, exfat):
        if folder != study:
            shutil.copy(study / "panel.csv", folder)
        for number, name in ((1, "Region"), (2, "region")):
            (folder / "img" / str(number)).mkdir(parents=True)
            source = study / "img" / f"region_{number}.tiff"
            shutil.copy(source, folder / "img" / str(number) / f"{name}.tiff")
    with pytest.raises(NamesAlikeError, match=r"takes Region\.h5 and region\.h5 for one name"):
        flows.prepare(exfat, PREPARE)
    assert not list((exfat / "ilastik_img").iterdir())
    flows.prepare(study, flows.PrepareOptions(only="?egion"))
    assert {"Region.h5", "region.h5"} <= {path.name for path in (study / "ilastik_img").iterdir()}
