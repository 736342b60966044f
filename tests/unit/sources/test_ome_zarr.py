"""OME-Zarr written by ome-zarr itself is read from folders and archives, in both versions."""

import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from ome_zarr.format import Format, FormatV04, FormatV05
from ome_zarr.writer import write_image, write_labels, write_plate_metadata

from ilpix.images.errors import MissingExtraError, UnreadableImageError
from ilpix.images.panel import Panel
from ilpix.sources.errors import NoSuchLevelError, ZarrKindError
from ilpix.sources.finding import find_sources, open_source
from ilpix.sources.reading_options import ReadingOptions

pytestmark = pytest.mark.filterwarnings("ignore")  # those of the writer's own dependencies

NAMES = ("DNA1", "CD45", "CD3")
PANEL = Panel(Path("panel.csv"), NAMES, None)
IMAGE = np.random.default_rng(0).integers(0, 1000, (3, 40, 60)).astype(np.uint16)
FORMATS = [FormatV04(), FormatV05()]


def _group(path: Path, fmt: Format) -> Any:
    return zarr.open_group(path, mode="w", zarr_format=fmt.zarr_format)


def _write(
    path: Path, fmt: Format = FORMATS[1], pixels: np.ndarray = IMAGE, axes: str = "cyx"
) -> Path:
    scale = {"t": 1.0, "c": 1.0, "z": 1.0, "y": 0.5, "x": 0.25}
    write_image(
        pixels,
        _group(path, fmt),
        scale_factors=[2],
        fmt=fmt,
        axes=list(axes),
        scale={axis: scale[axis] for axis in axes},
        axes_units=dict.fromkeys("yx", "micrometer"),
        storage_options={"chunks": tuple(min(size, 16) for size in pixels.shape)},
    )
    group = zarr.open_group(path, mode="a")
    omero = {"channels": [{"label": name} for name in NAMES]}
    if fmt.zarr_format == 3:
        group.attrs["ome"] = {**group.attrs["ome"], "omero": omero}
    else:
        group.attrs["omero"] = omero
    return path


def _zip(folder: Path, target: Path, *, below: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{below}{path.relative_to(folder).as_posix()}")
    return target


def _read(path: Path, options: ReadingOptions = ReadingOptions()) -> np.ndarray:
    with open_source(path, 0, PANEL, options) as image:
        return np.concatenate(list(image.bands(2**13)), axis=1)


@pytest.mark.parametrize("fmt", FORMATS, ids=["0.4", "0.5"])
@pytest.mark.parametrize("kind", ["folder", "archive", "archive-of-the-folder"])
def test_images_are_read_with_names_and_pixel_size(tmp_path: Path, fmt: Format, kind: str) -> None:
    path = _write(tmp_path / "a.ome.zarr", fmt)
    if kind != "folder":
        below = "a.ome.zarr/" if kind == "archive-of-the-folder" else ""
        archive = _zip(path, tmp_path / "a.ome.zarr.zip", below=below)
        shutil.rmtree(path)
        path = archive
    (source,) = find_sources(tmp_path, PANEL).sources
    assert (source.name, source.path) == ("a", path)
    np.testing.assert_array_equal(_read(path), IMAGE)
    with open_source(path, 0, PANEL) as image:
        assert image.channel_names == NAMES
        assert image.pixel_size_um == (0.5, 0.25)


@pytest.mark.parametrize("axes", ["tczyx", "czyx"])
def test_axes_of_length_one_are_dropped(tmp_path: Path, axes: str) -> None:
    shape = tuple({"c": 3, "y": 40, "x": 60}.get(axis, 1) for axis in axes)
    np.testing.assert_array_equal(
        _read(_write(tmp_path / "a.zarr", pixels=IMAGE.reshape(shape), axes=axes)), IMAGE
    )


def test_slices_as_many_as_the_panel_has_channels_are_channels(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.zarr", axes="zyx")
    np.testing.assert_array_equal(_read(path), IMAGE)


def test_a_coarser_level_is_read_on_request(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.zarr")
    with open_source(path, 0, PANEL, ReadingOptions(level=1)) as image:
        assert image.shape == (3, 20, 30)
        assert image.pixel_size_um == (1.0, 0.5)
    with pytest.raises(NoSuchLevelError, match="2 resolution levels"):
        _read(path, ReadingOptions(level=2))


@pytest.mark.parametrize("fmt", FORMATS, ids=["0.4", "0.5"])
def test_labels_beside_the_image_are_passed_over_and_alone_refused(
    tmp_path: Path, fmt: Format
) -> None:
    path = _write(tmp_path / "a.zarr", fmt)
    write_labels(
        (IMAGE[0] > 500).astype(np.uint8),
        zarr.open_group(path, mode="a"),
        name="cells",
        fmt=fmt,
        axes=["y", "x"],
        scale_factors=[],
    )
    assert [source.name for source in find_sources(tmp_path, PANEL).sources] == ["a"]
    shutil.move(path / "labels" / "cells", tmp_path / "cells.zarr")
    shutil.move(path / "labels", tmp_path / "labels.zarr")
    failures = find_sources(tmp_path, PANEL).failures
    assert "a label image" in str(failures["cells"])
    assert "a folder of label images" in str(failures["labels"])


@pytest.mark.parametrize("fmt", FORMATS, ids=["0.4", "0.5"])
def test_plates_are_named_and_refused(tmp_path: Path, fmt: Format) -> None:
    group = _group(tmp_path / "p.zarr", fmt)
    write_plate_metadata(group, ["A"], ["1"], ["A/1"], fmt=fmt)
    assert "a plate of images" in str(find_sources(tmp_path, PANEL).failures["p"])


def test_zarr_that_is_no_ome_zarr_is_refused(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "a.zarr", mode="w")["x"] = IMAGE
    assert isinstance(find_sources(tmp_path, PANEL).failures["a"], ZarrKindError)


def test_converted_files_of_several_images_are_read_as_such(tmp_path: Path) -> None:
    root = _group(tmp_path / "a.zarr", FORMATS[0])
    root.attrs["bioformats2raw.layout"] = 3
    root.create_group("OME")
    _write(tmp_path / "a.zarr" / "0", FORMATS[0])
    _write(tmp_path / "a.zarr" / "1", FORMATS[0], IMAGE[:, :30])
    found = find_sources(tmp_path, PANEL)
    assert [source.name for source in found.sources] == ["a_1", "a_2"]
    with open_source(tmp_path / "a.zarr", 1, PANEL) as image:
        assert image.shape == (3, 30, 60)


def test_a_damaged_chunk_is_an_error_of_ours(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.zarr")
    (chunk, *_) = sorted(path.glob("s0/c/0/*/*"))
    chunk.write_bytes(chunk.read_bytes()[:-5])
    with pytest.raises(UnreadableImageError):
        _read(path)


def test_a_damaged_archive_is_an_error_of_ours(tmp_path: Path) -> None:
    path = _zip(_write(tmp_path / "a.zarr"), tmp_path / "b.zarr.zip")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UnreadableImageError, match="cut short"):
        _read(path)


def test_without_zarr_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "a.zarr")
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ilpix\[zarr\]'"):
        _read(path)
