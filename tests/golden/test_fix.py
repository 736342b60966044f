"""Fixing the project of an older pipeline gives what steinbock's own `fix` gave, on real tissue.

`ilastik.ilp` and `analysis/ilastik` are the project and crops before, `steinbock/` holds both
after.
"""

import hashlib
import shutil
from pathlib import Path

import pytest

from ilpix.repair.applying import apply_fix
from ilpix.repair.plan import FixPlan, plan_fix
from tests.golden.hdf5_contents import contents


@pytest.fixture
def folder(imc: Path, tmp_path: Path) -> Path:
    shutil.copy(imc / "ilastik.ilp", tmp_path / "pixel_classifier.ilp")
    shutil.copytree(imc / "analysis" / "ilastik", tmp_path / "ilastik_crops")
    return tmp_path


def plan(folder: Path) -> FixPlan:
    return plan_fix(
        folder / "pixel_classifier.ilp", folder / "ilastik_crops", folder / "ilastik_probabilities"
    )


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def without_block_encoding(path: Path) -> dict[str, object]:
    """A project; steinbock marks the places of label blocks as UTF-8, Ilastik as ASCII."""
    return {
        name: repr(value).replace("'utf-8'", "'ascii'") if "/block" in name else value
        for name, value in contents(path).items()
    }


def test_project_and_crops_are_those_of_steinbock(imc: Path, folder: Path) -> None:
    apply_fix(plan(folder), backup=False)
    theirs = imc / "steinbock"
    ours, expected = (
        without_block_encoding(path / "pixel_classifier.ilp") for path in (folder, theirs)
    )
    assert ours == expected
    names = [path.name for path in sorted((theirs / "ilastik_crops").iterdir())]
    assert names == [path.name for path in sorted((folder / "ilastik_crops").iterdir())]
    for name in names:
        assert contents(folder / "ilastik_crops" / name) == contents(
            theirs / "ilastik_crops" / name
        )
    assert sorted(path.name for path in folder.iterdir()) == [
        "ilastik_crops",
        "pixel_classifier.ilp",
    ]


def test_backups_are_the_old_files(folder: Path) -> None:
    before = digests(folder)
    apply_fix(plan(folder))
    after = digests(folder)
    for path, digest in before.items():
        kept = path.replace("ilastik_crops/", "ilastik_crops.bak/").replace(".ilp", ".ilp.bak")
        assert after[kept] == digest


def test_fixing_twice_changes_nothing(folder: Path) -> None:
    apply_fix(plan(folder))
    before = digests(folder)
    again = plan(folder)
    assert not again.is_needed
    apply_fix(again)
    assert digests(folder) == before


def test_what_steinbock_fixed_needs_nothing(imc: Path) -> None:
    theirs = imc / "steinbock"
    fixed = plan_fix(
        theirs / "pixel_classifier.ilp", theirs / "ilastik_crops", theirs / "ilastik_probabilities"
    )
    assert not fixed.is_needed
    assert not fixed.problems
