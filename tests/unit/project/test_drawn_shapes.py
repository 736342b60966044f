"""Annotations of QuPath become labels: which pixels, which class, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from ilpix.files import sha256_of
from ilpix.project.errors import UnusableLabelsError
from ilpix.project.label_images import import_labels
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes

STEM = "roi_x0_y0_w8_h6"
SIZE = (6, 8)  # rows, columns
Shape = dict[str, Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "p.ilp"
    crops = {f"ilastik_crops/{STEM}.h5": (2, *SIZE)}
    create_project(path, crops, label_classes(["Nucleus", "Cytoplasm", "Background"]))
    return path


def drawn(kind: str, coordinates: object, name: str | None = "Nucleus") -> Shape:
    """An annotation as QuPath 0.5 writes it."""
    properties: Shape = {"objectType": "annotation"}
    if name is not None:
        properties["classification"] = {"name": name, "color": [200, 0, 0]}
    return {
        "type": "Feature",
        "id": "0b4f1e1c-5b51-4c4e-8f0f-3d1d6c2b8a10",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def rectangle(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def save(folder: Path, content: object, name: str = f"{STEM}.geojson") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def imported(project: Path, *features: Shape) -> list[list[int]]:
    content = {"type": "FeatureCollection", "features": features}
    import_labels(project, save(project.parent / "labels", content))
    labels: list[list[int]] = read_all_labels(read_project(project))[0].tolist()
    return labels


def expected(**areas: tuple[slice, slice]) -> list[list[int]]:
    labels = np.zeros(SIZE, int)
    for value, area in areas.items():
        labels[area] = int(value[1:])
    result: list[list[int]] = labels.tolist()
    return result


def test_an_area_labels_the_pixels_whose_centres_lie_inside(project: Path) -> None:
    shape = drawn("Polygon", [rectangle(1, 2, 4, 5)])
    assert imported(project, shape) == expected(_1=np.s_[2:5, 1:4])


@pytest.mark.parametrize(
    ("corners", "area"),
    [
        (rectangle(1.4, 2.4, 4.6, 5.6), np.s_[2:6, 1:5]),
        (rectangle(1.6, 2.6, 4.4, 5.4), np.s_[3:5, 2:4]),
        (rectangle(-0.5, -0.5, 8.5, 6.5), np.s_[:, :]),
    ],
)
def test_part_of_a_pixel_counts_where_it_holds_the_centre(
    project: Path, corners: list[list[float]], area: tuple[slice, slice]
) -> None:
    assert imported(project, drawn("Polygon", [corners])) == expected(_1=area)


def test_a_hole_is_not_labelled(project: Path) -> None:
    rings = [rectangle(0, 0, 6, 6), rectangle(2, 2, 4, 4)]
    labels = np.zeros(SIZE, int)
    labels[0:6, 0:6] = 1
    labels[2:4, 2:4] = 0
    assert imported(project, drawn("Polygon", rings)) == labels.tolist()


def test_several_areas_may_be_one_annotation(project: Path) -> None:
    areas = [[rectangle(0, 0, 2, 2)], [rectangle(5, 3, 8, 6)]]
    labels = np.zeros(SIZE, int)
    labels[0:2, 0:2] = labels[3:6, 5:8] = 2
    assert imported(project, drawn("MultiPolygon", areas, "Cytoplasm")) == labels.tolist()


def test_lines_and_points_label_the_pixels_that_they_touch(project: Path) -> None:
    line = drawn("LineString", [[0.2, 0.2], [7.9, 0.9]])
    points = drawn("MultiPoint", [[3.5, 4.5], [8.0, 6.0]], "Background")
    labels = np.zeros(SIZE, int)
    labels[0] = 1
    labels[4, 3] = labels[5, 7] = 3
    assert imported(project, line, points) == labels.tolist()


@pytest.mark.parametrize("name", ["nucleus", " NUCLEUS ", "Nucleus"])
def test_classes_are_matched_without_capitals(project: Path, name: str) -> None:
    shape = drawn("Polygon", [rectangle(0, 0, 1, 1)], name)
    assert imported(project, shape) == expected(_1=np.s_[0:1, 0:1])


def test_neighbours_that_share_an_edge_do_not_overlap(project: Path) -> None:
    """Also where the edge runs through the centres of pixels, which then have no label."""
    left = drawn("Polygon", [rectangle(0, 0, 3.5, 6)])
    right = drawn("Polygon", [rectangle(3.5, 0, 8, 6)], "Background")
    labels = np.zeros(SIZE, int)
    labels[:, :3], labels[:, 4:] = 1, 3
    assert imported(project, left, right) == labels.tolist()


def test_detections_are_not_labels(project: Path) -> None:
    cell = drawn("Polygon", [rectangle(0, 0, 8, 6)])
    cell["properties"]["objectType"] = "cell"
    shape = drawn("Point", [1, 1])
    assert imported(project, cell, shape) == expected(_1=np.s_[1:2, 1:2])


@pytest.mark.parametrize(
    "content",
    [
        drawn("Point", [1, 1]),
        [drawn("Point", [1, 1])],
        {"type": "FeatureCollection", "features": [drawn("Point", [1, 1])]},
        [
            {
                "type": "Feature",
                "id": "PathAnnotationObject",
                "geometry": {"type": "Point", "coordinates": [1, 1]},
                "properties": {"classification": {"name": "Nucleus", "colorRGB": -1}},
            }
        ],
    ],
    ids=["one", "list", "collection", "older QuPath"],
)
def test_all_layouts_of_a_file_are_read(project: Path, content: object) -> None:
    import_labels(project, save(project.parent / "labels", content))
    labels = read_all_labels(read_project(project))[0].tolist()
    assert labels == expected(_1=np.s_[1:2, 1:2])


def test_the_suffix_of_the_image_may_be_in_the_name(project: Path) -> None:
    source = save(project.parent / "labels", drawn("Point", [1, 1]), f"{STEM}.ome.tiff.geojson")
    assert import_labels(project, source).crops == (STEM,)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (drawn("Point", [1, 1], None), "1 annotations without a class.*Nucleus, Cytoplasm"),
        (drawn("Point", [1, 1], "Tumor"), "class Tumor, but the classes of the project are"),
        (drawn("Point", [1, 9]), "outside of the crop, 6 × 8 pixels"),
        (drawn("Polygon", [rectangle(900, 900, 950, 950)]), "outside of the crop"),
        (drawn("LineString", [[0, 0], [1e300, 0]]), "outside of the crop"),
        (drawn("Sphere", [1, 1]), "cannot be drawn"),
        (drawn("Polygon", [1, 1]), "cannot be drawn"),
        (drawn("Point", ["NaN", 1]), "cannot be drawn"),
        ({"type": "FeatureCollection", "features": []}, "holds no annotations"),
        ({"type": "FeatureCollection", "features": 7}, "cannot be read as GeoJSON"),
        ("{", "cannot be read as GeoJSON; in QuPath, export"),
        ("[" * 100_000, "cannot be read as GeoJSON"),
        ('{"type": "Feature"}', "cannot be drawn"),
    ],
)
def test_what_is_no_label_is_refused_and_nothing_changes(
    project: Path, content: object, what: str
) -> None:
    before = sha256_of(project)
    with pytest.raises(UnusableLabelsError, match=what):
        import_labels(project, save(project.parent / "labels", content))
    assert sha256_of(project) == before


def test_a_pixel_cannot_have_two_classes(project: Path) -> None:
    over = [
        drawn("Polygon", [rectangle(0, 0, 4, 4)]),
        drawn("Polygon", [rectangle(2, 2, 6, 6)], "Background"),
    ]
    with pytest.raises(UnusableLabelsError, match="Background lies over an annotation of another"):
        imported(project, *over)


def test_shapes_and_label_image_of_one_crop_are_one_too_many(project: Path) -> None:
    source = save(project.parent / "labels", drawn("Point", [1, 1]))
    tifffile.imwrite(source / f"{STEM}.tiff", np.ones(SIZE, np.uint8))
    with pytest.raises(UnusableLabelsError, match="second label image"):
        import_labels(project, source)
