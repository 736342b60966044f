import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from imagecodecs import png_encode

from ilpix.images.axistags import axistags_json
from ilpix.project.errors import ProjectLockedError
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from ilpix.repair.applying import apply_fix
from ilpix.repair.errors import FixRefusedError
from ilpix.repair.plan import plan_fix
from tests.unit.foreign_projects import (
    LABELS,
    assert_fixed,
    digests,
    fix,
    pixels,
    plan,
    set_up,
    stored,
    write_crop,
    write_project,
)


@pytest.mark.parametrize("tagged", [False, True], ids=["untagged", "tagged"])
@pytest.mark.parametrize("axes", ["yxc", "cyx", "zyxc", "tzyxc", "xyc"])
def test_every_axis_order_becomes_cyx(tmp_path: Path, axes: str, tagged: bool) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"], axes, tagged)
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1), axes)
    fix(tmp_path)
    assert_fixed(tmp_path, ["a"], [1])


def test_each_crop_has_its_own_axis_order(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a", "old/b.h5/b"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1), "zyxc")
    write_crop(tmp_path / "ilastik_crops" / "b.h5", pixels(2), "cyx", name="crop")
    fix(tmp_path)
    assert_fixed(tmp_path, ["a", "b"], [1, 2])


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Users\lab\crops\a.b.v2.h5\crop",
        r"\\server\share\a.b.v2.h5\a.b.v2",
        "/home/lab/my.h5.files/a.b.v2.h5/crop",
        "crops/a.b.v2.hdf5/exported_data",
        "/home/lab/a.b.v2.tif",
        r"D:\a.b.v2.png",
    ],
)
def test_paths_of_any_system_are_understood(tmp_path: Path, path: str) -> None:
    write_project(tmp_path / "p.ilp", [path])
    write_crop(tmp_path / "ilastik_crops" / "a.b.v2.h5", pixels(1))
    fix(tmp_path)
    assert_fixed(tmp_path, ["a.b.v2"], [1])


def write_tiff(path: Path) -> None:
    tifffile.imwrite(
        path, pixels(1).astype(np.uint16), photometric="minisblack", metadata={"axes": "CYX"}
    )


def write_ome_tiff(path: Path) -> None:
    tifffile.imwrite(
        path.with_suffix(".ome.tif"),
        pixels(1).astype(np.uint16),
        photometric="minisblack",
        metadata={"axes": "CYX"},
    )


def write_unnamed_tiff(path: Path) -> None:
    tifffile.imwrite(
        path.with_suffix(".tif"),
        pixels(1).transpose(1, 2, 0).astype(np.uint16),
        photometric="minisblack",
        metadata=None,
    )


def write_png(path: Path) -> None:
    image = np.ascontiguousarray(pixels(1).transpose(1, 2, 0), np.uint8)
    path.with_suffix(".png").write_bytes(png_encode(image))


@pytest.mark.parametrize("write", [write_tiff, write_ome_tiff, write_unnamed_tiff, write_png])
def test_crops_may_be_tiff_or_png(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.tiff"], "yxc")
    (tmp_path / "ilastik_crops").mkdir()
    write(tmp_path / "ilastik_crops" / "a.tiff")
    fix(tmp_path)
    assert_fixed(tmp_path, ["a"], [1])
    assert [path.name for path in (tmp_path / "ilastik_crops").iterdir()] == ["a.h5"]


def test_crops_inside_the_project_are_taken_out(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a", "whatever"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    with h5py.File(tmp_path / "p.ilp", "r+") as file:
        lane = file["Input Data/infos/lane0001/Raw Data"]
        del lane["__class__"], lane["nickname"]
        lane["__class__"] = b"ProjectInternalDatasetInfo"
        lane["inner_path"] = b"Input Data/local_data/pasted"
        lane["nickname"] = "pasted/näher".encode()
        file["Input Data/local_data/pasted"] = stored(pixels(2), "zyxc")
    fix(tmp_path)
    assert_fixed(tmp_path, ["a", "pasted_näher"], [1, 2])
    with h5py.File(tmp_path / "p.ilp") as file:
        assert len(file["Input Data/local_data"]) == 0


def test_a_folder_of_crops_is_made_where_all_lie_in_the_project(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["whatever"])
    with h5py.File(tmp_path / "p.ilp", "r+") as file:
        lane = file["Input Data/infos/lane0000/Raw Data"]
        del lane["location"]
        lane["location"] = b"ProjectInternal"
        file[f"Input Data/local_data/{lane['datasetId'][()].decode()}"] = stored(pixels(1), "zyxc")
    fix(tmp_path)
    assert_fixed(tmp_path, ["old_name"], [1])


def test_lanes_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", [r"C:\day1\a.h5\a", r"C:\day2\a.h5\a", "day1/b.h5/b"])
    write_crop(tmp_path / "ilastik_crops" / "day1" / "a.h5", pixels(1))
    write_crop(tmp_path / "ilastik_crops" / "day2" / "a.h5", pixels(2))
    write_crop(tmp_path / "ilastik_crops" / "b.h5", pixels(3))
    fix(tmp_path)
    assert_fixed(tmp_path, ["day1_a", "day2_a", "b"], [1, 2, 3])


def test_lanes_of_one_name_and_one_crop_are_a_mismatch(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["day1/a.h5/a", "day2/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    assert [problem.where for problem in plan(tmp_path).problems] == [
        "lane 0 (old name)",
        "lane 1 (old name)",
        "a.h5",
    ]


def test_a_crop_used_twice_stays_one_crop(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["day1/a.h5/a", "day1/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    fix(tmp_path)
    assert_fixed(tmp_path, ["a", "a"], [1, 1])


def test_what_does_not_match_is_listed_and_refused(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a", "old/b.h5/b"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    write_crop(tmp_path / "ilastik_crops" / "c.h5", pixels(3))
    before = digests(tmp_path)
    with pytest.raises(
        FixRefusedError, match=r"(?s)lane 1 \(old name\): no crop.*from old/b\.h5,.*c\.h5: no lane"
    ):
        fix(tmp_path)
    assert digests(tmp_path) == before


def test_partial_goes_on_and_leaves_the_rest(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a", "old/b.h5/b"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    write_crop(tmp_path / "ilastik_crops" / "c.h5", pixels(3))
    spare = (tmp_path / "ilastik_crops" / "c.h5").read_bytes()
    fix(tmp_path, partial=True)
    project = read_project(tmp_path / "p.ilp")
    first, second = project.lanes
    assert first.file_path == "ilastik_crops/a.h5/crop"
    assert (second.file_path, second.axes) == ("old/b.h5/b", "zyxc")
    for labels in read_all_labels(project).values():
        np.testing.assert_array_equal(labels, LABELS)
    assert (tmp_path / "ilastik_crops" / "c.h5").read_bytes() == spare
    assert not plan(tmp_path, partial=True).is_needed


def test_a_crop_of_another_size_is_a_mismatch(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1)[:, :, :5])
    (problem,) = plan(tmp_path).problems
    assert "6 × 5 pixels, the lane 6 × 8" in problem.what


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "cannot be read"), (b"\x89HDF\r\n\x1a\n" + b"\0" * 40, "cannot be read")],
)
def test_a_broken_crop_is_a_mismatch(tmp_path: Path, content: bytes, what: str) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a", "old/b.tif", "old/c.png"])
    (tmp_path / "ilastik_crops").mkdir()
    for name in ("a.h5", "b.tif", "c.png"):
        (tmp_path / "ilastik_crops" / name).write_bytes(content)
    problems = plan(tmp_path).problems
    assert len(problems) == 3
    assert all(what in problem.what for problem in problems)


def test_a_misnamed_channel_axis_is_found(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"], "cyx")
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1), "cyx")
    with h5py.File(tmp_path / "ilastik_crops" / "a.h5", "r+") as file:
        file["a"].attrs["axistags"] = axistags_json("yxc")
    fix(tmp_path)
    assert_fixed(tmp_path, ["a"], [1])


def test_a_given_axis_order_counts_more_than_the_tags(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1), "tzyxc")
    with h5py.File(tmp_path / "ilastik_crops" / "a.h5", "r+") as file:
        file["a"].attrs["axistags"] = "no tags at all"
    assert "give the axis order" in plan(tmp_path).problems[0].what
    apply_fix(plan(tmp_path, axis_order="tzyxc"))
    assert_fixed(tmp_path, ["a"], [1])


@pytest.mark.parametrize("axis_order", ["zyyc", "zc", "yxq", ""])
def test_an_impossible_axis_order_is_refused(tmp_path: Path, axis_order: str) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"])
    with pytest.raises(FixRefusedError, match="axis order"):
        plan(tmp_path, axis_order=axis_order)


def test_missing_export_settings_are_made(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    with h5py.File(tmp_path / "p.ilp", "r+") as file:
        del file["Prediction Export"]
    fix(tmp_path)
    with h5py.File(tmp_path / "p.ilp") as file:
        export = file["Prediction Export"]
        assert export["OutputFilenameFormat"][()] == b"ilastik_probabilities/{nickname}.tiff"
        assert export["ExportDtype"][()] == b"uint16"
    assert_fixed(tmp_path, ["a"], [1])


def test_other_files_among_the_crops_stay(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    (tmp_path / "ilastik_crops" / "notes").mkdir()
    (tmp_path / "ilastik_crops" / "notes" / "a.txt").write_text("good one")
    apply_fix(plan(tmp_path), backup=False)
    assert (tmp_path / "ilastik_crops" / "notes" / "a.txt").read_text() == "good one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ilastik_crops", "p.ilp"]


def test_crops_that_fit_are_not_touched(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    fix(tmp_path)
    with h5py.File(tmp_path / "p.ilp", "r+") as file:
        del file["Prediction Export"]
    (tmp_path / "p.ilp.bak").unlink()
    fix(tmp_path)  # the backup of the crops is still there, and not in the way
    assert_fixed(tmp_path, ["a"], [1])


@pytest.mark.parametrize("name", ["p.ilp.bak", "ilastik_crops.bak"])
def test_an_older_backup_is_never_replaced(tmp_path: Path, name: str) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    (tmp_path / name).write_text("precious")
    project = (tmp_path / "p.ilp").read_bytes()
    crop = (tmp_path / "ilastik_crops" / "a.h5").read_bytes()
    fix(tmp_path)
    assert (tmp_path / name).read_text() == "precious"
    assert (tmp_path / "p.ilp.bak1").read_bytes() == project
    assert (tmp_path / "ilastik_crops.bak1" / "a.h5").read_bytes() == crop


def test_a_project_among_its_crops_is_refused(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["a.h5/a"])
    with pytest.raises(FixRefusedError, match="folder of their own"):
        plan_fix(tmp_path / "p.ilp", tmp_path, tmp_path / "out")


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside idle threads
def test_a_project_that_ilastik_has_open_is_left_alone(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"])
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1))
    made = plan(tmp_path)
    is_open, tell_open = os.pipe()
    is_done, tell_done = os.pipe()
    child = os.fork()
    if child == 0:
        with h5py.File(tmp_path / "p.ilp", "r+"):
            os.write(tell_open, b"1")
            os.read(is_done, 1)
        os._exit(0)
    os.read(is_open, 1)
    before = digests(tmp_path)
    try:
        with pytest.raises(ProjectLockedError):
            apply_fix(made)
        assert [name for name in digests(tmp_path) if name not in before] == []
    finally:
        os.write(tell_done, b"1")
        os.waitpid(child, 0)


def refuse(path: Path, target: Path) -> Path:
    raise PermissionError(f"{path.name} cannot become {target.name}")


def test_a_folder_that_cannot_be_moved_leaves_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(tmp_path)
    before = digests(tmp_path)
    made = plan(tmp_path)
    move = Path.rename

    def move_all_but_crops(path: Path, target: Path) -> Path:
        return refuse(path, target) if path.name == "ilastik_crops" else move(path, target)

    monkeypatch.setattr(Path, "rename", move_all_but_crops)
    with pytest.raises(PermissionError, match="ilastik_crops cannot become"):
        apply_fix(made)
    monkeypatch.undo()
    assert digests(tmp_path) == before
    fix(tmp_path)
    assert_fixed(tmp_path, ["a", "b"], [1, 2])


def test_a_fixed_project_takes_the_place_of_a_link_and_what_that_led_to_stays(
    tmp_path: Path,
) -> None:
    set_up(tmp_path / "store")
    work = tmp_path / "work"
    work.mkdir()
    for name in ("p.ilp", "ilastik_crops"):
        (work / name).symlink_to(tmp_path / "store" / name)
    before = digests(tmp_path / "store")
    fix(work)
    assert_fixed(work, ["a", "b"], [1, 2])
    assert digests(tmp_path / "store") == before
    assert (work / "p.ilp.bak").readlink() == tmp_path / "store" / "p.ilp"


def test_labels_of_an_unknown_class_are_taken_out(tmp_path: Path) -> None:
    """They stopped the fix, so that nothing else of the project could be used."""
    set_up(tmp_path)
    with h5py.File(tmp_path / "p.ilp", "r+") as file:
        file["PixelClassification/LabelSets/labels000/block0000"][0, 0, 0, 0] = 7
    before = (tmp_path / "p.ilp").read_bytes()
    assert "1 pixel of value 7" in plan(tmp_path).rows[0].what
    fix(tmp_path)
    expected = LABELS.copy()
    expected[1, 4] = 0
    np.testing.assert_array_equal(read_all_labels(read_project(tmp_path / "p.ilp"))[0], expected)
    assert (tmp_path / "p.ilp.bak").read_bytes() == before
