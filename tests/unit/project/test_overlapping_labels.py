"""Labels of crops of another seed or size come along where the new crops lie."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ilpix.files import sha256_of
from ilpix.project.backups import find_backups
from ilpix.project.errors import UnusableLabelsError
from ilpix.project.label_images import import_labels
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes

LabelImage = NDArray[np.uint8]
Place = tuple[int, int, int]  # y, x, edge


def stem(place: Place, image: str = "roi") -> str:
    y, x, size = place
    return f"{image}_x{x}_y{y}_w{size}_h{size}"


def make_project(folder: Path, *places: Place) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "p.ilp"
    crops = {f"ilastik_crops/{stem(place)}.h5": (2, place[2], place[2]) for place in places}
    create_project(path, crops, label_classes(["Nucleus", "Background"]))
    return path


def write_images(folder: Path, images: Mapping[str, LabelImage]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, labels in images.items():
        tifffile.imwrite(folder / f"{name}.tiff", labels)
    return folder


places = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 8))


@settings(deadline=None, max_examples=30)
@given(old=places, new=places, seed=st.integers(0, 99))
def test_each_label_keeps_its_place_in_the_image(
    tmp_path_factory: pytest.TempPathFactory, old: Place, new: Place, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("places")
    whole = np.zeros((32, 32), np.uint8)
    y, x, size = old
    drawn = np.random.default_rng(seed).integers(0, 3, (size, size)).astype(np.uint8)
    whole[y : y + size, x : x + size] = drawn
    project = make_project(folder, new)
    source = write_images(folder / "labels", {stem(old): drawn})
    y, x, size = new
    expected = whole[y : y + size, x : x + size]
    if not expected.any():
        with pytest.raises(UnusableLabelsError, match="no label lies where"):
            import_labels(project, source, overlapping=True)
        return
    imported = import_labels(project, source, overlapping=True)
    np.testing.assert_array_equal(read_all_labels(read_project(project))[0], expected)
    assert imported.n_outside == np.count_nonzero(whole) - np.count_nonzero(expected)


def test_what_is_labelled_in_the_project_stays(tmp_path: Path) -> None:
    project = make_project(tmp_path, (0, 0, 4))
    own = np.array([[1, 1, 0, 0]] * 4, np.uint8)
    write_labels(project, {0: own})
    source = write_images(tmp_path / "labels", {stem((0, 1, 4)): np.full((4, 4), 2, np.uint8)})
    import_labels(project, source, overlapping=True)
    expected = [[1, 1, 2, 2]] * 4
    assert read_all_labels(read_project(project))[0].tolist() == expected
    assert find_backups(project) == ()  # nothing was replaced


def test_crops_of_other_images_get_nothing(tmp_path: Path) -> None:
    project = make_project(tmp_path, (0, 0, 4))
    drawn = np.ones((4, 4), np.uint8)
    source = write_images(
        tmp_path / "labels", {stem((1, 1, 4)): drawn, stem((0, 0, 4), "other"): drawn}
    )
    imported = import_labels(project, source, overlapping=True)
    assert imported.after == {"Nucleus": 9, "Background": 0}
    assert imported.n_outside == 7 + 16


@pytest.mark.parametrize(
    ("name", "labels", "what"),
    [
        ("roi", np.ones((4, 4), np.uint8), "has no name of a crop"),
        (stem((0, 0, 4)), np.ones((5, 4), np.uint8), "5 rows by 4 columns"),
        (stem((0, 0, 4)), np.full((4, 4), 3, np.uint8), "label 3"),
    ],
)
def test_what_cannot_be_placed_is_named_and_nothing_changes(
    tmp_path: Path, name: str, labels: LabelImage, what: str
) -> None:
    project = make_project(tmp_path, (0, 0, 4))
    before = sha256_of(project)
    good = {stem((1, 0, 4)): np.ones((4, 4), np.uint8)}
    source = write_images(tmp_path / "labels", {**good, name: labels})
    with pytest.raises(UnusableLabelsError, match=what):
        import_labels(project, source, overlapping=True)
    assert sha256_of(project) == before


def test_an_import_of_labels_of_other_crops_says_how_it_is_done(tmp_path: Path) -> None:
    project = make_project(tmp_path, (0, 0, 4))
    source = write_images(tmp_path / "labels", {stem((1, 1, 4)): np.ones((4, 4), np.uint8)})
    with pytest.raises(UnusableLabelsError, match="--overlapping"):
        import_labels(project, source)
