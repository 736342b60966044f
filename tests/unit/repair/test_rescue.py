"""A project that cannot be opened or read: what is left of it becomes a new one."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.errors import IlpixError, InvalidProjectError
from ilpix.project.errors import UnreadableProjectError
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.project.trained import classifier_digest
from ilpix.project.writing import create_project, label_classes, store_classifier
from ilpix.repair.errors import FixRefusedError
from ilpix.repair.rescue import rescue_project
from tests.hostile.damage import empty_the_free_space
from tests.unit.foreign_projects import SIZE
from tests.unit.forests import one_leaf_forest
from tests.unit.labelled_projects import SMALL_SELECTION

FORESTS = "PixelClassification/ClassifierForests"


def labels(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, SIZE).astype(np.uint8)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three lanes with labels, and a classifier."""
    path = tmp_path / "p.ilp"
    crops = {f"ilastik_crops/{name}.h5": (2, *SIZE) for name in "abc"}
    create_project(path, crops, label_classes(["A", "B", "C"]), ilastik_version="1.4.2")
    write_labels(path, {index: labels(index) for index in range(3)})
    n_columns = len(SMALL_SELECTION.columns(2))
    forest = one_leaf_forest(n_columns)
    store_classifier(path, SMALL_SELECTION, forest, SMALL_SELECTION.names(2), n_samples=9)
    return path


def test_a_sound_project_is_saved_whole(project: Path) -> None:
    rescued = rescue_project(project, project.with_name("new.ilp"))
    assert rescued.lost == ()
    before, after = read_project(project), rescued.project
    assert (after.classes, after.lanes, after.features) == (
        before.classes,
        before.lanes,
        before.features,
    )
    assert after.labelled_pixels == before.labelled_pixels
    assert classifier_digest(after) == classifier_digest(before)
    assert "3 classes, 3 lanes" in rescued.summary


def test_a_damaged_block_costs_only_itself(project: Path) -> None:
    with h5py.File(project, "r+") as file:
        block = file["PixelClassification/LabelSets/labels001/block0000"]
        values, attributes = block[()], dict(block.attrs)
        del file[block.name]
        block = file.create_dataset(
            "PixelClassification/LabelSets/labels001/block0000",
            data=values,
            chunks=values.shape,
            compression="gzip",
        )
        block.attrs.update(attributes)
        block.id.write_direct_chunk((0, 0, 0), b"no zlib stream")
    rescued = rescue_project(project, project.with_name("new.ilp"))
    assert [problem.where for problem in rescued.lost] == [
        "/PixelClassification/LabelSets/labels001/block0000"
    ]
    found = read_all_labels(rescued.project)
    for index in (0, 2):
        np.testing.assert_array_equal(found[index], labels(index))
    assert not found[1].any()
    assert rescued.project.has_classifier


def test_a_lost_lane_keeps_its_labels_for_a_fix(project: Path) -> None:
    with h5py.File(project, "r+") as file:
        del file["Input Data/infos/lane0001"]
    rescued = rescue_project(project, project.with_name("new.ilp"))
    assert any("lost_lane0001.h5" in problem.what for problem in rescued.lost)
    with h5py.File(rescued.project.path) as file:
        assert "block0000" in file["PixelClassification/LabelSets/labels001"]
        assert list(file["Input Data/infos"]) == ["lane0000", "lane0001", "lane0002"]


def test_lost_class_names_are_numbered(project: Path) -> None:
    with h5py.File(project, "r+") as file:
        del file["PixelClassification/LabelNames"]
    rescued = rescue_project(project, project.with_name("new.ilp"))
    assert [known.name for known in rescued.project.classes] == ["Class 1", "Class 2", "Class 3"]
    assert any("name them again" in problem.what for problem in rescued.lost)
    np.testing.assert_array_equal(read_all_labels(rescued.project)[2], labels(2))


def test_a_damaged_forest_goes_and_the_labels_stay(project: Path) -> None:
    with h5py.File(project, "r+") as file:
        file[f"{FORESTS}/Forest0000/Tree_0/topology"][2] = 77
    rescued = rescue_project(project, project.with_name("new.ilp"))
    assert rescued.project.forest is None
    assert rescued.project.features == SMALL_SELECTION
    assert any("Forest0000" in problem.where for problem in rescued.lost)
    np.testing.assert_array_equal(read_all_labels(rescued.project)[0], labels(0))


def test_a_file_that_holds_nothing_more_makes_no_project(project: Path) -> None:
    """A project cut short in its middle has lost the list of what is in it."""
    content = project.read_bytes()
    project.write_bytes(content[: len(content) // 40])
    with pytest.raises(UnreadableProjectError, match="nothing of it is left"):
        rescue_project(project, project.with_name("new.ilp"))
    assert [path.name for path in project.parent.iterdir()] == ["p.ilp"]


@pytest.mark.parametrize("share", [0.98, 0.8])
def test_of_a_project_cut_short_the_first_part_is_saved(project: Path, share: float) -> None:
    content = project.read_bytes()
    project.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnreadableProjectError, match="rescue"):
        read_project(project)
    rescued = rescue_project(project, project.with_name("new.ilp"))
    assert [known.name for known in rescued.project.classes] == ["A", "B", "C"]
    assert rescued.lost


def test_damaged_free_space_among_the_texts_costs_nothing(project: Path) -> None:
    """The HDF5 library would stay there for ever, so nothing of the project could be read."""
    expected = read_all_labels(read_project(project))
    empty_the_free_space(project)
    before = project.read_bytes()
    with pytest.raises(InvalidProjectError, match="holds damaged texts; restore it"):
        read_project(project)
    rescued = rescue_project(project, project.with_name("out.ilp"))
    assert project.read_bytes() == before
    assert rescued.lost == ()
    for index, image in read_all_labels(rescued.project).items():
        np.testing.assert_array_equal(image, expected[index])


def test_nothing_is_made_of_a_file_of_another_kind(project: Path) -> None:
    project.write_text("no project")
    with pytest.raises(UnreadableProjectError):
        rescue_project(project, project.with_name("new.ilp"))
    assert [path.name for path in project.parent.iterdir()] == ["p.ilp"]


def test_a_rescue_replaces_nothing(project: Path) -> None:
    other = project.with_name("new.ilp")
    other.write_text("precious")
    with pytest.raises(FixRefusedError, match="is there already"):
        rescue_project(project, other)
    assert other.read_text() == "precious"


def test_the_backups_of_a_project_that_cannot_be_opened_are_named_newest_first(
    project: Path,
) -> None:
    for age_s, number in enumerate(("2", "", "1")):
        backup = project.with_name(f"{project.name}.bak{number}")
        backup.write_bytes(project.read_bytes())
        os.utime(backup, (1e9 - age_s, 1e9 - age_s))
    project.write_bytes(project.read_bytes()[:1000])
    with pytest.raises(IlpixError, match=r"first: p\.ilp\.bak2, p\.ilp\.bak, p\.ilp\.bak1"):
        read_project(project)


FUZZ = """
import random, sys
from pathlib import Path
from ilpix.errors import IlpixError
from ilpix.project.reading import read_project
from ilpix.repair.rescue import rescue_project

path = Path(sys.argv[1])
sound, rng = path.read_bytes(), random.Random(3)
n_saved = 0
for _ in range(40):
    broken = bytearray(sound)
    for _ in range(rng.choice([1, 8, 64])):
        broken[rng.randrange(100, len(broken))] = rng.randrange(256)
    path.write_bytes(broken)
    target = path.with_name("new.ilp")
    target.unlink(missing_ok=True)
    try:
        rescue_project(path, target)
        read_project(target)
        n_saved += 1
    except IlpixError:
        pass
print(n_saved)
"""


def test_random_damage_is_rescued_or_said(project: Path) -> None:
    """In a process of its own, as the HDF5 library might end it."""
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(project)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 20


def test_links_are_not_followed(project: Path) -> None:
    with h5py.File(project, "r+") as file:
        file["PixelClassification/Stolen"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(InvalidProjectError, match="is a link"):
        read_project(project)
    rescued = rescue_project(project, project.with_name("new.ilp"))
    assert [problem.what for problem in rescued.lost] == ["is lost: it is a link"]
