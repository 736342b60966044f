"""Labels travel between a project and label images, both ways, and nothing is lost."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from ilpix.errors import InvalidProjectError
from ilpix.files import sha256_of
from ilpix.project.backups import find_backups
from ilpix.project.crop_names import crop_path, lane_stem
from ilpix.project.errors import NoLabelSourceError, UnusableLabelsError
from ilpix.project.label_images import export_labels, import_labels
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes

LabelImage = NDArray[np.uint8]

SIZES = {"roi_a": (7, 9), "roi_b": (6, 6), "roi_c": (8, 5)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "pixel_classifier.ilp"
    make_project(path)
    return path


def make_project(path: Path) -> None:
    crops = {f"ilastik_crops/{stem}.h5": (2, *size) for stem, size in SIZES.items()}
    create_project(path, crops, label_classes(["Nucleus", "Cytoplasm", "Background"]))


def some_labels(seed: int, stem: str) -> LabelImage:
    rng = np.random.default_rng(seed)
    return (rng.integers(1, 4, SIZES[stem]) * (rng.random(SIZES[stem]) < 0.2)).astype(np.uint8)


def labels_of(path: Path) -> dict[str, LabelImage]:
    project = read_project(path)
    labels = read_all_labels(project)
    return {lane_stem(lane): labels[lane.index] for lane in project.lanes}


def problems_of(project: Path, source: Path) -> dict[str, str]:
    """Where and what, of an import that is refused and changes nothing."""
    before = sha256_of(project)
    with pytest.raises(UnusableLabelsError) as error:
        import_labels(project, source)
    assert sha256_of(project) == before
    return {problem.where: problem.what for problem in error.value.problems}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (np.bytes_(b"crops/a\0b.h5"), "which no file can have"),
        (f"crops/{300 * 'a'}.h5".encode(), "300 characters long"),
    ],
)
def test_a_crop_whose_name_no_file_can_have_is_named(
    project: Path, tmp_path: Path, name: bytes, says: str
) -> None:
    with h5py.File(project, "r+") as file:
        del file["Input Data/infos/lane0001/Raw Data/filePath"]
        file["Input Data/infos/lane0001/Raw Data/filePath"] = name
    with pytest.raises(InvalidProjectError, match=f"lane 1.*{says}"):
        export_labels(project, tmp_path / "labels")
    assert not (tmp_path / "labels").exists()


@settings(max_examples=8, deadline=None)
@given(
    first=arrays.arrays(np.uint8, SIZES["roi_a"], elements=st.integers(0, 3)),
    last=arrays.arrays(np.uint8, SIZES["roi_c"], elements=st.integers(0, 3)),
)
def test_exported_labels_come_back_unchanged(
    first: LabelImage, last: LabelImage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assume(first.any() or last.any())
    folder = tmp_path_factory.mktemp("labels")
    make_project(folder / "drawn.ilp")
    make_project(folder / "empty.ilp")
    write_labels(folder / "drawn.ilp", {0: first, 2: last})
    export_labels(folder / "drawn.ilp", folder / "images")
    import_labels(folder / "empty.ilp", folder / "images")
    expected = {"roi_a": first, "roi_b": np.zeros(SIZES["roi_b"], np.uint8), "roi_c": last}
    for stem, labels in labels_of(folder / "empty.ilp").items():
        np.testing.assert_array_equal(labels, expected[stem])


@pytest.mark.parametrize("suffix", [".tif", ".TIFF", ".ome.tiff", ".png"])
def test_image_of_any_annotation_program_is_read(
    project: Path, tmp_path: Path, suffix: str
) -> None:
    labels = some_labels(0, "roi_a")
    write = _write_png if suffix == ".png" else tifffile.imwrite
    write(tmp_path / f"roi_a{suffix}", labels)
    assert import_labels(project, tmp_path).crops == ("roi_a",)
    np.testing.assert_array_equal(labels_of(project)["roi_a"], labels)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_wider_integers_are_read(project: Path, tmp_path: Path, dtype: type[np.generic]) -> None:
    """napari saves label layers with more than 8 bits."""
    labels = some_labels(1, "roi_b")
    tifffile.imwrite(tmp_path / "roi_b.tif", labels.astype(dtype))
    import_labels(project, tmp_path)
    np.testing.assert_array_equal(labels_of(project)["roi_b"], labels)


def test_png_with_a_palette_gives_its_indices(project: Path, tmp_path: Path) -> None:
    labels = some_labels(2, "roi_a")
    image = Image.fromarray(labels).convert("P")
    image.putdata(labels.ravel().tolist())
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / "roi_a.png")
    import_labels(project, tmp_path)
    np.testing.assert_array_equal(labels_of(project)["roi_a"], labels)


def test_crop_without_an_image_keeps_its_labels(project: Path, tmp_path: Path) -> None:
    kept, new = some_labels(3, "roi_b"), some_labels(4, "roi_a")
    write_labels(project, {0: some_labels(5, "roi_a"), 1: kept})
    tifffile.imwrite(tmp_path / "roi_a.tiff", new)
    import_labels(project, tmp_path)
    np.testing.assert_array_equal(labels_of(project)["roi_a"], new)
    np.testing.assert_array_equal(labels_of(project)["roi_b"], kept)


def test_an_empty_image_of_a_labelled_crop_is_refused_unless_told_to_clear(
    project: Path, tmp_path: Path
) -> None:
    """An export of an unlabelled project, imported again, took away all that was drawn since."""
    write_labels(project, {0: some_labels(5, "roi_a")})
    before = project.read_bytes()
    tifffile.imwrite(tmp_path / "roi_a.tiff", np.zeros(SIZES["roi_a"], np.uint8))
    with pytest.raises(UnusableLabelsError, match=r"roi_a: is labelled \(\d+ pixels\)"):
        import_labels(project, tmp_path)
    assert project.read_bytes() == before
    imported = import_labels(project, tmp_path, clear=True)
    assert not labels_of(project)["roi_a"].any()
    assert sum(imported.before.values()) > sum(imported.after.values()) == 0
    assert imported.backup is not None
    assert imported.backup.read_bytes() == before


def test_replaced_labels_are_kept_in_numbered_backups(project: Path, tmp_path: Path) -> None:
    """An import replaced hand labels, exit code 0, and nothing of them was left."""
    contents = []
    for seed in (5, 6, 7):
        tifffile.imwrite(tmp_path / "roi_a.tiff", some_labels(seed, "roi_a"))
        contents.append(project.read_bytes())
        import_labels(project, tmp_path)
    backups = [project.with_name(f"{project.name}.bak{number}") for number in ("", 1)]
    assert [backup.read_bytes() for backup in backups] == contents[1:]
    import_labels(project, tmp_path)  # the same labels once more replace nothing
    assert find_backups(project) == tuple(backups[::-1])


def test_every_problem_of_a_folder_is_told_at_once(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    tifffile.imwrite(folder / "roi_a.tiff", np.zeros((9, 7), np.uint8))
    tifffile.imwrite(folder / "roi_b.tif", np.full(SIZES["roi_b"], 4, np.uint8))
    _write_png(folder / "roi_b.png", np.ones(SIZES["roi_b"], np.uint8))
    tifffile.imwrite(folder / "roi_d.tiff", np.ones((6, 6), np.uint8))
    (folder / "roi_c.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (folder / "roi_e.png").symlink_to("nowhere.png")
    problems = problems_of(project, folder)
    assert set(problems) == {"roi_a.tiff", "roi_b.tif", "roi_c.png", "roi_d.tiff", "roi_e.png"}
    assert "9 rows by 7 columns" in problems["roi_a.tiff"]
    assert "second" in problems["roi_b.tif"]
    assert "cannot be read" in problems["roi_c.png"]
    assert "no crop" in problems["roi_d.tiff"]
    assert problems["roi_e.png"] == "is a link to nowhere.png, which is not there"


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        (np.full(SIZES["roi_a"], 4, np.uint8), "label 4"),
        (np.full(SIZES["roi_a"], -1, np.int16), "label -1"),
        (np.full(SIZES["roi_a"], 256, np.uint16), "label 256"),
        (np.ones(SIZES["roi_a"], np.float32), "float32"),
        (np.ones((2, *SIZES["roi_a"]), np.uint8), "2 channels"),
    ],
)
def test_unfit_labels_are_refused(
    project: Path, tmp_path: Path, labels: NDArray[np.generic], what: str
) -> None:
    tifffile.imwrite(tmp_path / "roi_a.tif", labels, photometric="minisblack")
    assert what in problems_of(project, tmp_path)["roi_a.tif"]


def test_colour_picture_is_refused(project: Path, tmp_path: Path) -> None:
    _write_png(tmp_path / "roi_a.png", np.zeros((*SIZES["roi_a"], 3), np.uint8))
    assert "colour picture" in problems_of(project, tmp_path)["roi_a.png"]


def test_a_folder_without_label_images_says_how_one_would_be_called(
    project: Path, tmp_path: Path
) -> None:
    (tmp_path / "nothing").mkdir()
    assert problems_of(project, tmp_path / "nothing") == {
        "nothing": "holds no labels; draw them on the crops and save them there, as roi_a.tiff"
    }


def test_a_folder_that_is_not_there_is_named(project: Path, tmp_path: Path) -> None:
    with pytest.raises(NoLabelSourceError, match=r"there is no folder .*missing to read labels"):
        import_labels(project, tmp_path / "missing")
    with pytest.raises(NoLabelSourceError, match=r"there is no table .*points\.csv"):
        import_labels(project, tmp_path / "points.csv")


CLASSES = "1 for Nucleus, 2 for Cytoplasm, 3 for Background"
GREY = f"save it as 8-bit grey, TIFF or PNG: 0 for no label, {CLASSES}"
MASK = f"write the number of a class for 255: {CLASSES}"
NAMES = "label images have the names of the crops, such as roi_a.tiff"
ONES = np.ones(SIZES["roi_a"], np.uint8)


@pytest.mark.parametrize(
    ("name", "pixels", "said"),
    [
        ("roi_a.jpg", ONES, f"is no TIFF or PNG; {GREY}"),
        ("roi_a.png", np.dstack([ONES] * 3), f"is a colour picture; {GREY}"),
        ("roi_a.png", 255 * ONES, f"is a black and white mask; {MASK}"),
        ("roi_a.tiff", 4 * ONES, f"holds the label 4, but the classes are {CLASSES}"),
        ("roi_a.tiff", ONES.astype(np.float32), f"has pixels of type float32; {GREY}"),
        ("roi_a_labels.tiff", ONES, "no crop is called so; was roi_a meant?"),
        ("first.tiff", ONES, f"no crop is called so; {NAMES}"),
    ],
)  # fmt: skip
def test_each_mistake_of_a_label_image_is_said_with_the_next_step(
    project: Path, tmp_path: Path, name: str, pixels: NDArray[np.generic], said: str
) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    if name.endswith("tiff"):
        tifffile.imwrite(folder / name, pixels, photometric="minisblack")
    else:
        Image.fromarray(pixels).save(folder / name)
    assert problems_of(project, folder) == {name: said}


def test_labels_drawn_before_enlarging_are_told_from_other_sizes(
    project: Path, tmp_path: Path
) -> None:
    tifffile.imwrite(tmp_path / "roi_b.tiff", np.ones((3, 3), np.uint8))
    tifffile.imwrite(tmp_path / "roi_c.tiff", np.ones((4, 5), np.uint8))
    problems = problems_of(project, tmp_path)
    assert "drawn on the image before that was enlarged 2 times" in problems["roi_b.tiff"]
    assert "enlarged" not in problems["roi_c.tiff"]
    for stem in ("roi_b", "roi_c"):
        path = project.parent / "ilastik_crops" / f"{stem}.h5"
        assert problems[f"{stem}.tiff"].endswith(f"draw on the crop itself, {path}")


def test_label_images_in_which_nothing_is_drawn_are_refused(project: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "roi_a.tiff", 0 * ONES)
    (said,) = problems_of(project, tmp_path).values()
    assert said == f"holds nothing but 1 empty label image; draw with the values {CLASSES}"


def test_one_file_is_no_folder_of_labels(project: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "roi_a.tiff", ONES)
    said = problems_of(project, tmp_path / "roi_a.tiff")["roi_a.tiff"]
    assert said.startswith("is one file; name the folder")


def test_a_label_image_with_a_mistake_is_not_called_empty_as_well(
    project: Path, tmp_path: Path
) -> None:
    write_labels(project, {0: some_labels(6, "roi_a")})
    tifffile.imwrite(tmp_path / "roi_a.tiff", 7 * ONES)
    assert set(problems_of(project, tmp_path)) == {"roi_a.tiff"}


def test_export_does_not_overwrite_other_labels(project: Path, tmp_path: Path) -> None:
    write_labels(project, {0: some_labels(6, "roi_a")})
    drawn = np.ones(SIZES["roi_b"], np.uint8)
    tifffile.imwrite(tmp_path / "roi_b.tiff", drawn)
    with pytest.raises(UnusableLabelsError, match=r"roi_b\.tiff"):
        export_labels(project, tmp_path)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "roi_b.tiff"), drawn)
    assert not (tmp_path / "roi_a.tiff").exists()


def test_export_may_be_repeated_and_gives_the_same_bytes(project: Path, tmp_path: Path) -> None:
    write_labels(project, {0: some_labels(6, "roi_a")})
    first = [sha256_of(path) for path in export_labels(project, tmp_path / "images")]
    assert [sha256_of(path) for path in export_labels(project, tmp_path / "images")] == first
    assert len(set(first)) == len(SIZES)


def test_crops_of_one_name_are_refused(tmp_path: Path) -> None:
    """Their label images would overwrite each other."""
    crops = {f"{folder}/roi.h5": (2, 5, 5) for folder in "ab"}
    create_project(tmp_path / "p.ilp", crops, label_classes(["Nucleus", "Background"]))
    with pytest.raises(InvalidProjectError, match="same name"):
        export_labels(tmp_path / "p.ilp", tmp_path / "images")
    assert not (tmp_path / "images").exists()


def test_points_name_crop_position_and_class(project: Path, tmp_path: Path) -> None:
    table = tmp_path / "points.csv"
    table.write_text("crop,y,x,label,note\nroi_a,0,8,Nucleus,a\nroi_a,6,0,3,b\nroi_c,7,4,2,c\n")
    assert import_labels(project, table).crops == ("roi_a", "roi_c")
    labels = labels_of(project)
    assert (labels["roi_a"][0, 8], labels["roi_a"][6, 0], labels["roi_c"][7, 4]) == (1, 3, 2)
    assert np.count_nonzero(labels["roi_a"]) == 2


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("roi_d,0,0,1", "'roi_d'"),
        ("roi_a,0,0,Stroma", "'Stroma'"),
        ("roi_a,7,0,1", "outside"),
        ("roi_a,0,-1,1", "outside"),
        ("roi_a,0.5,0,1", "whole numbers"),
        ("roi_a,0", "''"),
        ("roi_a,1,1,2", "second class"),
    ],
)
def test_unfit_point_is_refused_with_its_line(
    project: Path, tmp_path: Path, row: str, what: str
) -> None:
    table = tmp_path / "points.csv"
    table.write_text(f"crop,y,x,label\nroi_a,1,1,1\n{row}\n")
    assert what in problems_of(project, table)["line 3"]


def test_points_without_a_column_are_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("crop;y;x;label\n")
    said = problems_of(project, tmp_path / "points.csv")["points.csv"]
    assert said == "its first line lacks crop, y, x, label; it has to name crop, y, x, label"


@pytest.mark.parametrize(
    ("stored", "stem", "file"),
    [
        ("ilastik_crops/roi.h5/crop", "roi", "ilastik_crops/roi.h5"),
        ("ilastik_crops\\roi.h5\\crop", "roi", "ilastik_crops/roi.h5"),
        ("../b.c/roi.1.hdf5/a/b", "roi.1", "../b.c/roi.1.hdf5"),
        ("crops/roi.ome.tiff", "roi", "crops/roi.ome.tiff"),
    ],
)
def test_crop_file_is_found_in_a_stored_path(
    project: Path, stored: str, stem: str, file: str
) -> None:
    with h5py.File(project, "r+") as opened:
        group = opened["Input Data/infos/lane0000/Raw Data"]
        del group["filePath"]
        group["filePath"] = stored.encode()
    read = read_project(project)
    assert lane_stem(read.lanes[0]) == stem
    assert crop_path(read, read.lanes[0]) == project.parent / file


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    Image.fromarray(pixels).save(path)
