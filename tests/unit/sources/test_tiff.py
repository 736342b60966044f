"""Images are found in steinbock's order and read by their axes; each fault has its own error."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from ilpix.images.errors import (
    DuplicateImagesError,
    ImageAxesError,
    NoImagesError,
    PixelTypeError,
    UnreadableImageError,
)
from ilpix.sources.errors import AxesOptionError, NonFinitePixelsError, SeriesError
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.tiff import find_images, image_stem, open_tiff, read_image

IMAGE = np.random.default_rng(0).integers(0, 1000, (3, 20, 30)).astype(np.uint16)


def _write(path: Path, pixels: np.ndarray, **options: Any) -> Path:
    options = {"photometric": "minisblack"} | options
    tifffile.imwrite(path, pixels, **options)
    return path


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_images_are_found_below_the_folder_in_sorted_order(tmp_path: Path) -> None:
    _touch(tmp_path, "b.tiff", "a.tif", "B.TIFF", "sub/c.ome.tiff", "._a.tiff", "d.txt")
    (tmp_path / "e.tiff").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)]
    assert found == ["B.TIFF", "a.tif", "b.tiff", "sub/c.ome.tiff"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.tiff", "a"), ("a.ome.tiff", "a"), ("a.OME.tif", "a"), ("a.b.tiff", "a.b")],
)
def test_results_are_named_as_steinbock_names_them(name: str, stem: str) -> None:
    assert image_stem(Path("img") / name) == stem


def test_images_whose_results_would_share_a_name_are_all_listed(tmp_path: Path) -> None:
    _touch(tmp_path, "a.tif", "a.tiff", "b.tiff", "sub/b.ome.tiff", "c.tiff")
    with pytest.raises(DuplicateImagesError) as caught:
        find_images(tmp_path)
    names = [[path.name for path in paths] for paths in caught.value.duplicates]
    assert names == [["a.tif", "a.tiff"], ["b.tiff", "b.ome.tiff"]]


@pytest.mark.parametrize("name", ["there", "gone"])
def test_a_folder_without_images_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(NoImagesError, match=f"below .*{name}"):
        find_images(tmp_path / name)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"])
def test_every_numeric_type_is_read_as_it_is(tmp_path: Path, dtype: str) -> None:
    pixels = (IMAGE % 100).astype(dtype)
    image = read_image(_write(tmp_path / "a.tiff", pixels))
    assert image.dtype == dtype
    np.testing.assert_array_equal(image, pixels)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="plain"),
        pytest.param({"metadata": None}, id="no-metadata"),
        pytest.param({"byteorder": ">"}, id="big-endian"),
        pytest.param({"bigtiff": True}, id="bigtiff"),
        pytest.param({"compression": "lzw"}, id="lzw"),
        pytest.param({"compression": "zlib", "predictor": True}, id="deflate"),
        pytest.param({"tile": (16, 16)}, id="tiles"),
        pytest.param({"ome": True, "metadata": {"axes": "CYX"}}, id="ome"),
        pytest.param({"imagej": True, "metadata": {"axes": "CYX"}}, id="imagej"),
        pytest.param({"photometric": "rgb", "planarconfig": "separate"}, id="planes-of-rgb"),
    ],
)
def test_every_common_way_of_storing_gives_the_same_image(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    np.testing.assert_array_equal(read_image(_write(tmp_path / "a.tiff", IMAGE, **options)), IMAGE)


def test_pages_written_one_by_one_are_channels(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tiff") as writer:
        for plane in IMAGE:
            writer.write(plane, contiguous=False, metadata=None)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tiff"), IMAGE)


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("TCZYX", (1, 3, 1, 20, 30)),
        ("TZCYX", (1, 1, 3, 20, 30)),
        ("ZCYX", (1, 3, 20, 30)),
        ("CYXS", (3, 20, 30, 1)),
    ],
)
def test_ome_axes_of_length_one_are_dropped(
    tmp_path: Path, axes: str, shape: tuple[int, ...]
) -> None:
    path = _write(tmp_path / "a.ome.tiff", IMAGE.reshape(shape), metadata={"axes": axes})
    np.testing.assert_array_equal(read_image(path), IMAGE)


def test_channels_named_as_last_axis_come_first(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.tiff", np.moveaxis(IMAGE, 0, -1), metadata={"axes": "YXC"})
    np.testing.assert_array_equal(read_image(path), IMAGE)


def test_the_full_size_of_a_pyramid_is_read(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tiff") as writer:
        writer.write(IMAGE, subifds=1, metadata={"axes": "CYX"})
        writer.write(IMAGE[:, ::2, ::2], subfiletype=1)
    np.testing.assert_array_equal(read_image(tmp_path / "a.ome.tiff"), IMAGE)


@pytest.mark.parametrize("shape", [(20, 30), (1, 20, 30)])
def test_a_single_plane_is_an_image_of_one_channel(tmp_path: Path, shape: tuple[int, ...]) -> None:
    image = read_image(_write(tmp_path / "a.tiff", IMAGE[0].reshape(shape)))
    np.testing.assert_array_equal(image, IMAGE[:1])


@pytest.mark.parametrize(
    ("pixels", "options", "axes"),
    [
        pytest.param(IMAGE, {"ome": True, "metadata": {"axes": "ZYX"}}, "ZYX", id="slices"),
        pytest.param(IMAGE, {"imagej": True, "metadata": {"axes": "TYX"}}, "TYX", id="times"),
        pytest.param(np.stack([IMAGE, IMAGE]), {}, "QQYX", id="four-axes"),
    ],
)
def test_other_axes_are_refused_with_their_names_and_lengths(
    tmp_path: Path, pixels: np.ndarray, options: dict[str, Any], axes: str
) -> None:
    with pytest.raises(ImageAxesError, match=f"axes {axes} of lengths") as caught:
        read_image(_write(tmp_path / "a.tiff", pixels, **options))
    assert (caught.value.axes, caught.value.shape) == (axes, pixels.shape)


@pytest.mark.parametrize(
    ("pixels", "options", "note"),
    [
        pytest.param(IMAGE, {"imagej": True, "metadata": {"axes": "ZYX"}}, "slices", id="slices"),
        pytest.param(IMAGE, {"imagej": True, "metadata": {"axes": "TYX"}}, "times", id="times"),
        pytest.param(IMAGE, {"ome": True, "metadata": {"axes": "ZYX"}}, "slices", id="ome-slices"),
        pytest.param(
            IMAGE.reshape(3, 1, 20, 30),
            {"ome": True, "metadata": {"axes": "TCYX"}},
            "times",
            id="ome-times-of-one-channel",
        ),
        pytest.param(IMAGE.reshape(1, 1, 3, 20, 30), {}, None, id="five-axes-without-names"),
        pytest.param(np.moveaxis(IMAGE, 0, -1), {}, "stored last", id="last-without-a-name"),
        pytest.param(
            np.moveaxis(IMAGE, 0, -1).astype(np.uint8),
            {"photometric": "rgb"},
            "stored last",
            id="colour",
        ),
        pytest.param(
            np.moveaxis(IMAGE, 0, -1),
            {"photometric": "rgb", "compression": "zlib"},
            "stored last",
            id="colour-compressed",
        ),
        pytest.param(IMAGE, {"photometric": "rgb", "planarconfig": "separate"}, None, id="planar"),
    ],
)
def test_axes_of_other_names_are_channels_where_their_number_is_the_panels(
    tmp_path: Path, pixels: np.ndarray, options: dict[str, Any], note: str | None
) -> None:
    path = _write(tmp_path / "a.tiff", pixels, **options)
    expected = IMAGE.astype(pixels.dtype)
    np.testing.assert_array_equal(read_image(path, n_channels=3), expected)
    with open_tiff(path, n_channels=3) as image:
        if note is None:
            assert not any("stored last" in told or "slices" in told for told in image.notes)
        else:
            assert note.replace("times", "time points") in image.notes[0]


def test_red_green_blue_and_opacity_are_four_channels(tmp_path: Path) -> None:
    pixels = np.arange(20 * 30 * 4, dtype=np.uint16).reshape(20, 30, 4)
    path = _write(tmp_path / "a.tiff", pixels, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(read_image(path, 4), np.moveaxis(pixels, -1, 0))


def test_too_many_slices_are_refused_with_both_numbers(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.tiff", IMAGE, imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(ImageAxesError, match=r"axes ZYX of lengths 3×20×30.* has 5 channels"):
        read_image(path, 5)


@pytest.mark.parametrize(
    ("pixels", "axes"),
    [
        (IMAGE, "CYX"),
        (np.moveaxis(IMAGE, 0, -1), "yxc"),
        (np.moveaxis(IMAGE, 0, 1), "YCX"),
        (IMAGE.transpose(0, 2, 1), "CXY"),
        (IMAGE.reshape(1, 3, 1, 20, 30), "TCZYX"),
        (IMAGE.reshape(1, 3, 1, 20, 30), "CYX"),
    ],
)
def test_a_person_can_name_the_axes(tmp_path: Path, pixels: np.ndarray, axes: str) -> None:
    path = _write(tmp_path / "a.tiff", pixels, metadata=None)
    np.testing.assert_array_equal(read_image(path, 3, ReadingOptions(axes=axes)), IMAGE)


def test_axes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.tiff", IMAGE)
    with pytest.raises(AxesOptionError, match=r"'YX' do not fit .* 3×20×30"):
        read_image(path, 3, ReadingOptions(axes="yx"))


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "lzw", "rowsperstrip": 7},
        {"compression": "zlib", "tile": (16, 16)},
        {"compression": "zlib", "tile": (32, 64), "predictor": True},
        {"compression": "lzw", "rowsperstrip": 7, "ome": True, "metadata": {"axes": "CYX"}},
        {"compression": "lzw", "rowsperstrip": 7, "metadata": None},
    ],
)
@pytest.mark.parametrize("n_rows", [1, 6, 8, 20])
def test_large_images_are_decoded_in_bands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], n_rows: int
) -> None:
    monkeypatch.setattr("ilpix.sources.tiff._STREAMED_BYTES", 0)
    with open_tiff(_write(tmp_path / "a.tiff", IMAGE, **options)) as image:
        bands = list(image.bands(n_rows * 3 * 30 * 2))
    assert len(bands) > 1 or n_rows >= 16
    np.testing.assert_array_equal(np.concatenate(bands, axis=1), IMAGE)


def test_damage_in_a_large_image_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ilpix.sources.tiff._STREAMED_BYTES", 0)
    path = _write(tmp_path / "a.tiff", IMAGE, compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as file:
        offset = file.pages[2].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[offset : offset + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError), open_tiff(path) as image:
        list(image.bands())


def test_pixels_that_are_not_finite_can_be_set_to_zero(tmp_path: Path) -> None:
    pixels = IMAGE.astype(np.float32)
    pixels[1, 4, 7] = np.nan
    path = _write(tmp_path / "a.tiff", pixels)
    expected = np.nan_to_num(pixels, nan=0)
    zeros = read_image(path, options=ReadingOptions(nonfinite="zero"))
    np.testing.assert_array_equal(zeros, expected)


@pytest.mark.parametrize("dtype", ["bool", "c8", "c16"])
def test_pixels_that_are_no_numbers_are_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(PixelTypeError, match="has pixels of type"):
        read_image(_write(tmp_path / "a.tiff", IMAGE.astype(dtype)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_counted_and_placed(tmp_path: Path, value: float) -> None:
    pixels = IMAGE.astype(np.float32)
    pixels[1, 4, 7] = pixels[2, 0, 0] = value
    with pytest.raises(
        NonFinitePixelsError, match=r"in 2 pixels, .* channel 1 .* y 4, x 7"
    ) as caught:
        read_image(_write(tmp_path / "a.tiff", pixels))
    assert (caught.value.count, caught.value.first) == (2, (1, 4, 7))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"II*", id="three-bytes"),
        pytest.param(b"II*\0\x08\0\0\0", id="header-only"),
        pytest.param(b"hello, I am no TIFF", id="text"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(100), id="png"),
    ],
)
def test_a_file_that_is_no_tiff_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tiff").write_bytes(content)
    with pytest.raises(UnreadableImageError, match=r"a\.tiff cannot be read"):
        read_image(tmp_path / "a.tiff")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match="No such file"):
        read_image(tmp_path / "a.tiff")


@pytest.mark.parametrize("options", [{}, {"compression": "lzw"}, {"metadata": None}, {"ome": True}])
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.75])
def test_a_file_cut_short_is_refused_and_not_read_in_part(
    tmp_path: Path, options: dict[str, Any], part: float
) -> None:
    """tifffile itself would take the planes before the cut for the whole image."""
    path = _write(tmp_path / "a.tiff", IMAGE, **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(UnreadableImageError):
        read_image(path)


def test_damaged_bytes_raise_nothing_but_our_errors(tmp_path: Path) -> None:
    """Bytes changed in the header and tables; many changes make no difference to the image."""
    refused = (
        UnreadableImageError,
        ImageAxesError,
        PixelTypeError,
        NonFinitePixelsError,
        SeriesError,  # of which one page is no longer like the others
    )
    whole = _write(tmp_path / "a.tiff", IMAGE[:, :8, :8], compression="zlib").read_bytes()
    n_refused = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        content = bytearray(whole)
        for position in rng.integers(len(content), size=3):
            content[position] = rng.integers(256)
        (tmp_path / "a.tiff").write_bytes(content)
        try:
            read_image(tmp_path / "a.tiff")
        except refused:
            n_refused += 1
    assert n_refused > 20


def test_planes_in_other_files_that_are_gone_are_not_taken_for_zeros(tmp_path: Path) -> None:
    """tifffile would fill them with zeros."""
    path = _write(tmp_path / "a.ome.tiff", IMAGE, metadata={"axes": "CYX"})
    with tifffile.TiffFile(path) as file:
        before, _, rest = str(file.ome_metadata).partition("<TiffData")
    planes = "".join(
        f'<TiffData IFD="0" FirstC="{k}" PlaneCount="1">'
        f'<UUID FileName="{name}">urn:uuid:{k}</UUID></TiffData>'
        for k, name in enumerate(("a.ome.tiff", "b.ome.tiff", "c.ome.tiff"))
    )
    description = before + planes + rest[rest.index("</Pixels>") :]
    _write(path, IMAGE[0], description=description, metadata=None)
    with pytest.raises(UnreadableImageError, match="planes are in other files"):
        read_image(path)


def test_the_real_tissue_is_read(imc: Path) -> None:
    paths = find_images(imc / "steinbock" / "img")
    assert len(paths) == 15
    assert {len(read_image(path)) for path in paths} == {5}
