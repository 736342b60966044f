"""Prepared images: written once as steinbock writes them, read however they are stored."""

import json
from itertools import permutations
from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.images.axistags import axistags_json, parse_axistags
from ilpix.images.errors import (
    DuplicateImagesError,
    ImageAxesError,
    MissingDatasetError,
    NoPreparedImagesError,
    PixelTypeError,
    UnreadableImageError,
)
from ilpix.images.hdf5 import (
    ImageRecord,
    find_foreign,
    find_prepared,
    open_prepared,
    write_bands,
    write_image,
)
from ilpix.images.preparation_options import PreparationOptions

IMAGE = np.arange(3 * 8 * 9, dtype=np.float32).reshape(3, 8, 9)
RECORD = ImageRecord(
    channel_names=("mean", "DNA1+DNA2", "µ"), preparation=PreparationOptions(scale=3)
)


def _store(
    path: Path, pixels: np.ndarray, axes: str | None, name: str = "img", **kwargs: object
) -> Path:
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(name, data=pixels, **kwargs)
        if axes is not None:
            dataset.attrs["axistags"] = axistags_json(axes)
    return path


def test_what_is_written_is_read_back_with_its_record(tmp_path: Path) -> None:
    write_image(tmp_path / "new" / "a.h5", IMAGE, RECORD)
    with open_prepared(tmp_path / "new" / "a.h5") as image:
        assert (image.shape, image.dtype, image.record) == ((3, 8, 9), np.float32, RECORD)
        np.testing.assert_array_equal(image.read(), IMAGE)


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        write_image(tmp_path / name, IMAGE.astype(np.float64), RECORD, "crop")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_rows_written_in_bands_give_the_same_bytes(tmp_path: Path) -> None:
    write_image(tmp_path / "a.h5", IMAGE, RECORD)
    write_bands(tmp_path / "b.h5", IMAGE.shape, np.split(IMAGE, [3, 4], axis=1), RECORD)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_an_image_with_missing_rows_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="7 rows were given for an image of 8"):
        write_bands(tmp_path / "a.h5", IMAGE.shape, [IMAGE[:, :7]], None)
    assert not list(tmp_path.iterdir())


def test_the_pixel_size_is_kept_in_the_record(tmp_path: Path) -> None:
    record = RECORD.model_copy(update={"pixel_size_um": (0.5, 0.25)})
    write_image(tmp_path / "a.h5", IMAGE, record)
    with open_prepared(tmp_path / "a.h5") as image:
        assert image.pixel_size_um == (0.5, 0.25)


@pytest.mark.parametrize(
    ("shape", "n_channels", "axes"),
    [
        ((3, 8, 9), None, "cyx"),
        ((3, 8, 9), 3, "cyx"),
        ((8, 9, 3), 3, "yxc"),
        ((8, 9), 1, "yx"),
        ((1, 8, 9, 3), 3, "zyxc"),
        ((1, 1, 8, 9, 3), 3, "tzyxc"),
        ((1, 3, 1, 8, 9), 3, "tczyx"),
        ((1, 1, 8, 9, 1), 1, "tzyxa"),
    ],
)
def test_axes_without_names_are_told_by_the_number_of_channels(
    tmp_path: Path, shape: tuple[int, ...], n_channels: int | None, axes: str
) -> None:
    path = _store(tmp_path / "a.h5", np.zeros(shape, np.uint16), None)
    with open_prepared(path, n_channels) as image:
        assert image.axes == axes
        assert image.shape == (n_channels or 3, 8, 9)
        assert (image.note is None) == (axes in {"cyx", "yx"})


@pytest.mark.parametrize("n_channels", [None, 4, 8])
def test_axes_that_cannot_be_told_are_refused_with_advice(
    tmp_path: Path, n_channels: int | None
) -> None:
    path = _store(tmp_path / "a.h5", np.zeros((1, 8, 8, 3), np.uint16), None)
    with (
        pytest.raises(UnreadableImageError, match="name them in the attribute 'axistags'"),
        open_prepared(path, n_channels),
    ):
        pass


def test_a_dataset_in_a_group_is_found(tmp_path: Path) -> None:
    _store(tmp_path / "a.hdf5", IMAGE, "cyx", "volume/data")
    (path,) = find_prepared(tmp_path)
    with open_prepared(path) as image:
        np.testing.assert_array_equal(image.read(), IMAGE)


def test_several_datasets_in_groups_are_named(tmp_path: Path) -> None:
    path = _store(tmp_path / "a.h5", IMAGE, "cyx", "volume/data")
    with h5py.File(path, "a") as file:
        file["volume/mask"] = np.zeros(3)
    with pytest.raises(MissingDatasetError, match="volume/data, volume/mask"), open_prepared(path):
        pass


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.h5").touch()
    (tmp_path / "a.hdf5").touch()
    with pytest.raises(DuplicateImagesError):
        find_prepared(tmp_path)


def test_files_that_are_no_prepared_images_are_named(tmp_path: Path) -> None:
    for name in ("a.npy", "b.tiff", ".hidden"):
        (tmp_path / name).touch()
    assert set(find_foreign(tmp_path)) == {"a.npy", "b.tiff"}
    with pytest.raises(NoPreparedImagesError, match=r"a\.npy is no prepared image"):
        find_prepared(tmp_path)


def test_a_file_without_a_record_is_read_without_one(tmp_path: Path) -> None:
    write_image(tmp_path / "a.h5", IMAGE, None)
    with open_prepared(tmp_path / "a.h5") as image:
        assert image.record is None


def test_prepared_images_are_found_in_sorted_order(tmp_path: Path) -> None:
    for name in ("b.h5", "a.h5", ".a.h5", "c.tiff"):
        (tmp_path / name).touch()
    (tmp_path / "d.h5").mkdir()
    assert [path.name for path in find_prepared(tmp_path)] == ["a.h5", "b.h5"]


@pytest.mark.parametrize("name", ["there", "gone"])
def test_a_folder_without_prepared_images_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(NoPreparedImagesError, match=f"{name}; run ilpix prepare first"):
        find_prepared(tmp_path / name)


@pytest.mark.parametrize("axes", ["".join(keys) for keys in permutations("cyx")])
@pytest.mark.parametrize("chunks", [None, (2, 3, 2)], ids=["contiguous", "chunked"])
def test_a_window_is_read_from_every_axis_order(
    tmp_path: Path, axes: str, chunks: tuple[int, ...] | None
) -> None:
    stored = np.einsum(f"cyx->{axes}", IMAGE).astype(np.uint16)
    path = _store(tmp_path / "a.h5", stored, axes, chunks=chunks)
    with open_prepared(path) as image:
        assert image.shape == (3, 8, 9)
        window = image.read(slice(2, 5), slice(4, None))
    np.testing.assert_array_equal(window, IMAGE[:, 2:5, 4:])
    assert window.dtype == np.float32
    assert window.flags.c_contiguous


@pytest.mark.parametrize(
    ("axes", "shape"), [("zyxc", (1, 8, 9, 3)), ("tzcyx", (1, 1, 3, 8, 9)), ("czyx", (3, 1, 8, 9))]
)
def test_depth_and_time_of_one_are_dropped(
    tmp_path: Path, axes: str, shape: tuple[int, ...]
) -> None:
    order = "".join(key for key in axes if key in "cyx")
    stored = np.einsum(f"cyx->{order}", IMAGE).reshape(shape)
    with open_prepared(_store(tmp_path / "a.h5", stored, axes)) as image:
        np.testing.assert_array_equal(image.read(slice(1, 3)), IMAGE[:, 1:3])


def test_a_plane_without_channels_has_one(tmp_path: Path) -> None:
    with open_prepared(_store(tmp_path / "a.h5", IMAGE[0].T, "xy")) as image:
        np.testing.assert_array_equal(image.read(), IMAGE[:1])


def test_axes_without_names_are_channels_rows_columns(tmp_path: Path) -> None:
    with open_prepared(_store(tmp_path / "a.h5", IMAGE, None)) as image:
        np.testing.assert_array_equal(image.read(), IMAGE)


@pytest.mark.parametrize("name", ["img", "crop", "region_x0_y0", "data"])
def test_the_dataset_is_found_under_each_usual_name(tmp_path: Path, name: str) -> None:
    path = _store(tmp_path / "region_x0_y0.h5", IMAGE, "cyx", name)
    if name != "data":
        with h5py.File(path, "a") as file:
            file["other"] = np.zeros(3)
    with open_prepared(path) as image:
        np.testing.assert_array_equal(image.read(), IMAGE)


def test_several_datasets_of_other_names_are_not_guessed_among(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["one"], file["two"] = IMAGE, IMAGE
    with (
        pytest.raises(MissingDatasetError, match="datasets: one, two"),
        open_prepared(tmp_path / "a.h5"),
    ):
        pass


@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        pytest.param("zyx", (3, 8, 9), id="depth"),
        pytest.param("tyx", (3, 8, 9), id="time"),
        pytest.param("cyz", (3, 8, 1), id="no-columns"),
        pytest.param("cyx", (3, 0, 9), id="no-pixels"),
    ],
)
def test_stacks_and_images_without_planes_are_refused(
    tmp_path: Path, axes: str, shape: tuple[int, ...]
) -> None:
    path = _store(tmp_path / "a.h5", np.zeros(shape, np.float32), axes)
    with pytest.raises(ImageAxesError, match=f"axes {axes} of lengths"), open_prepared(path):
        pass


@pytest.mark.parametrize("dtype", ["bool", "c8", "S3"])
def test_pixels_that_are_no_numbers_are_refused(tmp_path: Path, dtype: str) -> None:
    path = _store(tmp_path / "a.h5", np.zeros((3, 8, 9), dtype), "cyx")
    with pytest.raises(PixelTypeError), open_prepared(path):
        pass


@pytest.mark.parametrize(
    "tags", ["", "{", "[]", '{"axes": 3}', '{"axes": [{"k": 1}]}', axistags_json("yx")]
)
def test_axis_tags_that_do_not_fit_are_refused(tmp_path: Path, tags: str) -> None:
    path = _store(tmp_path / "a.h5", IMAGE, None)
    with h5py.File(path, "a") as file:
        file["img"].attrs["axistags"] = tags
    with pytest.raises(UnreadableImageError, match="ax"), open_prepared(path):
        pass


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.h5", IMAGE, RECORD)
    whole = (tmp_path / "a.h5").read_bytes()
    for n_bytes in (0, 100, len(whole) // 2, len(whole) - 8):
        (tmp_path / "cut.h5").write_bytes(whole[:n_bytes])
        with pytest.raises(UnreadableImageError), open_prepared(tmp_path / "cut.h5"):
            pass
    with pytest.raises(UnreadableImageError), open_prepared(tmp_path / "missing.h5"):
        pass


def test_a_damaged_table_of_contents_is_refused(tmp_path: Path) -> None:
    """HDF5 opens the file and finds out when it is asked what is in it."""
    write_image(tmp_path / "a.h5", IMAGE, None)
    content = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(content.replace(b"SNOD", b"NODS"))
    with pytest.raises(UnreadableImageError), open_prepared(tmp_path / "a.h5"):
        pass


def test_damaged_pixels_are_refused_when_they_are_read(tmp_path: Path) -> None:
    path = _store(
        tmp_path / "a.h5", IMAGE, "cyx", chunks=IMAGE.shape, compression="gzip", fletcher32=True
    )
    with h5py.File(path, "r") as file:
        chunk = file["img"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 0xFF
    path.write_bytes(content)
    with open_prepared(path) as image, pytest.raises(UnreadableImageError):
        image.read()


@pytest.mark.parametrize("text", ["", "{}", json.dumps({"channel_names": "abc"})])
def test_a_damaged_record_is_refused(tmp_path: Path, text: str) -> None:
    write_image(tmp_path / "a.h5", IMAGE, RECORD)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["img"].attrs["ilpix"] = text
    with (
        pytest.raises(UnreadableImageError, match="'ilpix' is damaged"),
        open_prepared(tmp_path / "a.h5"),
    ):
        pass


@pytest.mark.parametrize("keys", ["cyx", "tzyxc", "yx"])
def test_axis_tags_are_read_as_they_were_written(keys: str) -> None:
    assert parse_axistags(axistags_json(keys)) == keys


@pytest.mark.parametrize("keys", [["c", "c"], ["channel", "y"], [""]])
def test_axis_tags_name_each_axis_with_a_letter_of_its_own(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="the axis tags name"):
        parse_axistags(json.dumps({"axes": [{"key": key} for key in keys]}))


def test_axis_tags_tell_channels_space_and_time_apart() -> None:
    flags = {axis["key"]: axis["typeFlags"] for axis in json.loads(axistags_json("tzyxc"))["axes"]}
    assert flags == {"t": 8, "z": 2, "y": 2, "x": 2, "c": 1}
