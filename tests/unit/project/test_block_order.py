"""The version of a project decides the axis order of its label blocks; crops are not square."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from ilpix.checks.project_checks import check_project
from ilpix.errors import InvalidProjectError
from ilpix.project.block_order import block_axes
from ilpix.project.label_images import export_labels
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from tests.unit.foreign_projects import LABELS, SIZE, fix, pixels, write_crop, write_project

IN_FILE_ORDER = ("1.3.3post2", "1.3.3post3", "1.4.0b7")
IN_WORKING_ORDER = ("1.2.0", "1.3.2", "1.4.0b8", "1.4.0", "1.4.1b15", "1.4.2")
WORKING = {"yx": "yxc", "yxc": "yxc", "cyx": "yxc", "zyxc": "zyxc"}
CASES = [
    *((version, lane, lane) for version in IN_FILE_ORDER for lane in WORKING),
    *((version, lane, order) for version in IN_WORKING_ORDER for lane, order in WORKING.items()),
]
BLOCK = "PixelClassification/LabelSets/labels000/block0000"
every_version_and_lane = pytest.mark.parametrize(("version", "lane", "order"), CASES)


def write(folder: Path, version: str, lane: str, order: str) -> Path:
    """A project with one labelled lane of a crop with axes `lane`, its block in `order`."""
    path = folder / "p.ilp"
    write_project(path, ["old/a.h5/a"], lane, version=version, block_axes=order)
    write_crop(folder / "ilastik_crops" / "a.h5", pixels(1), lane)
    return path


def painted(path: Path, order: str) -> np.ndarray:
    """The labels of the one block, by its place and the axes `order`."""
    with h5py.File(path) as file:
        values, place = file[BLOCK][()], file[BLOCK].attrs["blockSlice"]
    shape = tuple({"y": SIZE[0], "x": SIZE[1]}.get(key, 1) for key in order)
    lane = np.zeros(shape, np.uint8)
    lane[tuple(slice(*map(int, part.split(":"))) for part in place[1:-1].split(","))] = values
    plane = lane.reshape([size for key, size in zip(order, shape, strict=True) if key in "yx"])
    return plane if order.index("y") < order.index("x") else plane.T


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        *((version, "cyx") for version in (*IN_FILE_ORDER, "1.4.0a1", "1.4.0b7.dev3")),
        *((version, "yxc") for version in (*IN_WORKING_ORDER, "1.3.3post1", "1.3.3", "1.4.0rc1")),
        ("1.4.0b7.post1", "yxc"),
        ("2.0", "yxc"),
        ("nightly build", "yxc"),
        ("", "yxc"),
    ],
)
def test_versions_are_compared_as_releases_follow_each_other(version: str, expected: str) -> None:
    assert block_axes(version, "cyx") == expected


@pytest.mark.parametrize(
    ("lane", "expected"),
    [("tyxc", "tyxc"), ("tzyxc", "tzyxc"), ("xyc", "yxc"), ("ctyx", "tyxc"), ("zcyx", "zyxc")],
)
def test_the_working_order_has_channels_last(lane: str, expected: str) -> None:
    assert block_axes("1.4.2", lane) == expected
    assert block_axes("1.3.3post3", lane) == lane


@every_version_and_lane
def test_labels_are_written_in_the_order_of_the_version(
    tmp_path: Path, version: str, lane: str, order: str
) -> None:
    path = write(tmp_path, version, lane, order)
    wanted = np.roll(LABELS, (2, -3), (0, 1))
    write_labels(path, {0: wanted})
    np.testing.assert_array_equal(painted(path, order), wanted)
    np.testing.assert_array_equal(read_all_labels(read_project(path))[0], wanted)


@every_version_and_lane
def test_labels_of_ilastik_are_read_and_exported(
    tmp_path: Path, version: str, lane: str, order: str
) -> None:
    path = write(tmp_path, version, lane, order)
    np.testing.assert_array_equal(read_all_labels(read_project(path))[0], LABELS)
    (image,) = export_labels(path, tmp_path / "labels")
    np.testing.assert_array_equal(tifffile.imread(image), LABELS)


@every_version_and_lane
def test_a_fixed_project_has_its_labels_in_the_order_of_the_version(
    tmp_path: Path, version: str, lane: str, order: str
) -> None:
    path = write(tmp_path, version, lane, order)
    fix(tmp_path)
    project = read_project(path)
    assert (project.ilastik_version, project.lanes[0].axes) == (version, "cyx")
    after = "cyx" if version in IN_FILE_ORDER else "yxc"
    np.testing.assert_array_equal(painted(path, after), LABELS)
    np.testing.assert_array_equal(read_all_labels(project)[0], LABELS)


@every_version_and_lane
def test_another_order_is_told_and_mended_and_not_guessed(
    tmp_path: Path, version: str, lane: str, order: str
) -> None:
    """Projects of the version 1.3.3post3 got blocks in yxc, later ones in cyx from a fix."""
    wrong = "cyx" if order != "cyx" else "yxc"
    path = write(tmp_path, version, lane, wrong)
    with pytest.raises(InvalidProjectError, match=f"axis order {wrong}, .* looks for {order}"):
        read_all_labels(read_project(path))
    said = [finding for finding in check_project(path, tmp_path) if "axis order" in finding.what]
    assert [(finding.severity, "fix" in finding.advice) for finding in said] == [("warning", True)]
    fix(tmp_path)
    np.testing.assert_array_equal(read_all_labels(read_project(path))[0], LABELS)
    np.testing.assert_array_equal(painted(path, block_axes(version, "cyx")), LABELS)


def test_what_a_block_says_of_itself_is_not_read(tmp_path: Path) -> None:
    """Real Ilastik does not read it; a fix of another program leaves a wrong one behind."""
    path = write(tmp_path, "1.4.2", "cyx", "yxc")
    with h5py.File(path, "r+") as file:
        file[BLOCK].attrs["axistags"] = "nonsense"
    np.testing.assert_array_equal(read_all_labels(read_project(path))[0], LABELS)


def test_blocks_carry_axis_tags_where_ilastik_gives_them(tmp_path: Path) -> None:
    for version, lane, has_tags in (("1.3.3post3", "cyx", False), ("1.4.2", "yxc", True)):
        path = write(tmp_path, version, lane, lane)
        write_labels(path, {0: LABELS})
        with h5py.File(path) as file:
            assert ("axistags" in file[BLOCK].attrs) is has_tags


def test_an_order_that_also_fits_is_that_of_the_version(tmp_path: Path) -> None:
    """One labelled pixel in the corner fits in every order of three axes."""
    path = write(tmp_path, "1.3.3post3", "cyx", "cyx")
    corner = np.zeros(SIZE, np.uint8)
    corner[0, 0] = 1
    write_labels(path, {0: corner})
    np.testing.assert_array_equal(read_all_labels(read_project(path))[0], corner)
