"""A disk that takes nothing: one sentence, at once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import flows
from ilpix.errors import FolderNotWritableError
from tests.disks.conftest import Disk
from tests.disks.test_full_disk import VERBS


@pytest.mark.parametrize("verb", ["prepare", "train", "run", "labels export", "rescue"])
def test_a_verb_says_which_folder_cannot_be_written_to(
    verb: str, trained: Path, disk: Disk, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    study = shutil.copytree(trained, disk.folder / "study")
    given = contents(study)
    disk.remount("ro")
    with pytest.raises(FolderNotWritableError, match="cannot be written to: Read-only file system"):
        VERBS[verb](study)
    assert contents(study) == given


def test_a_study_on_a_read_only_disk_can_be_checked(trained: Path, disk: Disk) -> None:
    study = shutil.copytree(trained, disk.folder / "study")
    wanted = flows.check.fn(study, flows.CheckOptions())
    disk.remount("ro")
    assert flows.check.fn(study, flows.CheckOptions()) == wanted
