"""Prepared images and crops of strangers: pixels come from the file itself or not at all."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from ilpix.images.axistags import axistags_json, parse_axistags
from ilpix.images.errors import UnreadableImageError
from ilpix.images.hdf5 import open_prepared, write_image
from ilpix.repair.crop_files import inspect_crop
from ilpix.sources.tiff import read_image
from tests.hostile.damage import empty_the_free_space, write_sound_project

PIXELS = np.ones((2, 6, 8), np.float32)
OTHER = "other.h5"
PIPE = "pipe.h5"  # opening it would wait for ever


def _link(target: object) -> Callable[[h5py.File], None]:
    def inflict(file: h5py.File) -> None:
        file["img"] = target

    return inflict


def _link_to_link(file: h5py.File) -> None:
    file["others"] = h5py.ExternalLink(OTHER, "/")
    file["img"] = h5py.SoftLink("/others/img")


def _raw_pixels(file: h5py.File) -> None:
    file.create_dataset("img", PIXELS.shape, np.uint8, external=[("/etc/passwd", 0, PIXELS.size)])


def _virtual_pixels(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(PIXELS.shape, np.float32)
    layout[:] = h5py.VirtualSource(OTHER, "img", PIXELS.shape)
    file.create_virtual_dataset("img", layout)


def _link_beside_pixels(file: h5py.File) -> None:
    file["data"] = PIXELS
    file["img"] = h5py.ExternalLink(OTHER, "/img")


ELSEWHERE = {
    "external_link": _link(h5py.ExternalLink(OTHER, "/img")),
    "external_link_to_a_pipe": _link(h5py.ExternalLink(PIPE, "/img")),
    "external_link_to_itself": _link(h5py.ExternalLink("a.h5", "/img")),
    "soft_link_through_an_external_link": _link_to_link,
    "soft_link_to_itself": _link(h5py.SoftLink("/img")),
    "soft_link_to_nothing": _link(h5py.SoftLink("/gone")),
    "pixels_in_a_raw_file": _raw_pixels,
    "virtual_pixels": _virtual_pixels,
    "link_beside_pixels": _link_beside_pixels,
    "no_pixels": _link(h5py.Empty(np.float32)),
}


@pytest.fixture
def image_path(tmp_path: Path) -> Path:
    write_image(tmp_path / OTHER, PIXELS, None)
    os.mkfifo(tmp_path / PIPE)
    return tmp_path / "a.h5"


@pytest.mark.parametrize("inflict", ELSEWHERE.values(), ids=ELSEWHERE)
def test_an_image_whose_pixels_are_elsewhere_is_refused(
    image_path: Path, inflict: Callable[[h5py.File], None]
) -> None:
    with h5py.File(image_path, "w") as file:
        inflict(file)
    with (
        pytest.raises(UnreadableImageError, match=r"links to other data|in another file"),
        open_prepared(image_path),
    ):
        pass


@pytest.mark.parametrize("inflict", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_crop_whose_pixels_are_elsewhere_is_refused(
    image_path: Path, inflict: Callable[[h5py.File], None]
) -> None:
    with h5py.File(image_path, "w") as file:
        inflict(file)
    with pytest.raises(ValueError, match=r"a\.h5 .*(links to other data|in another file)"):
        inspect_crop(image_path, n_channels=2, axis_order=None)


@pytest.mark.parametrize("opening", ["[", '{"axes":', '{"axes":['])
def test_axis_tags_nested_too_deeply_are_refused(image_path: Path, opening: str) -> None:
    tags = opening * 10_000
    write_image(image_path, PIXELS, None)
    with h5py.File(image_path, "a") as file:
        file["img"].attrs["axistags"] = tags
    with pytest.raises(UnreadableImageError, match="axis tags"), open_prepared(image_path):
        pass
    with pytest.raises(ValueError, match="axis tags"):
        parse_axistags(tags)


READ_ALL = """
import sys
from pathlib import Path
from ilpix.errors import IlpixError
from ilpix.images.hdf5 import open_prepared
from ilpix.project.reading import read_project
from ilpix.repair.crop_files import inspect_crop

def look(path):
    with open_prepared(path):
        pass

image, crop, project = map(Path, sys.argv[1:])
def look_at_crop(path):
    inspect_crop(path, 2, None)

for read, path in ((look, image), (look_at_crop, crop), (read_project, project)):
    try:
        read(path)
    except (IlpixError, ValueError) as error:
        print(error)
"""


def test_damage_that_holds_the_hdf5_library_for_ever_is_found_before(tmp_path: Path) -> None:
    """In a process of its own: it would hang, deaf to signals."""
    image, crop, project = (tmp_path / name for name in ("image.h5", "crop.h5", "a.ilp"))
    write_image(image, PIXELS, None)
    write_image(crop, PIXELS, None, "crop")
    write_sound_project(project)
    for path in (image, crop, project):
        empty_the_free_space(path)
    words = [sys.executable, "-c", READ_ALL, image, crop, project]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("holds damaged texts") >= 3
    assert "image.h5" in done.stdout
    assert "crop.h5" in done.stdout
    assert "a.ilp" in done.stdout


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("user_block", [0, 512])
def test_files_of_every_format_are_read(tmp_path: Path, libver: str, user_block: int) -> None:
    path = tmp_path / "image.h5"
    with h5py.File(path, "w", libver=libver, userblock_size=user_block) as file:
        stored = file.create_dataset("img", data=PIXELS)
        stored.attrs["axistags"] = axistags_json("cyx")
        stored.attrs["long"] = "text" * 1000
    with open_prepared(path) as image:
        np.testing.assert_array_equal(image.read(), PIXELS)


def test_a_text_of_gigabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The HDF5 library sets aside the claimed length of a text before it looks for the text."""
    path = tmp_path / "image.h5"
    write_image(path, PIXELS, None)
    content = path.read_bytes()
    length = len(axistags_json("cyx")).to_bytes(4, "little")
    heap = content.index(b"GCOL").to_bytes(8, "little")
    path.write_bytes(content.replace(length + heap, (2**31).to_bytes(4, "little") + heap))
    with pytest.raises(UnreadableImageError, match="2147483648 characters"), open_prepared(path):
        pass


@pytest.mark.parametrize("chunks", [None, (1, 256, 256)])
def test_pixels_that_were_never_stored_are_not_predicted_for_days(
    tmp_path: Path, chunks: tuple[int, ...] | None
) -> None:
    path = tmp_path / "image.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("img", (2, 100_000, 100_000), np.float32, chunks=chunks)
    with pytest.raises(UnreadableImageError, match="claims 80,000 MB"), open_prepared(path):
        pass


def test_pieces_that_were_never_stored_are_not_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "image.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("img", (1, 4096, 4096), np.uint8, chunks=(1, 1, 1))
    with pytest.raises(UnreadableImageError, match="16777216 pieces"), open_prepared(path):
        pass


@pytest.mark.parametrize(
    ("stored", "options"),
    [(bytes(100), {}), (bytes(2), {"fletcher32": True}), (bytes(100), {"shuffle": True})],
)
def test_a_piece_that_is_too_short_is_an_error(
    tmp_path: Path, stored: bytes, options: dict[str, object]
) -> None:
    """The HDF5 library read on behind it: other memory as pixels, or the end of the process."""
    path = tmp_path / "image.h5"
    with h5py.File(path, "w") as file:
        image = file.create_dataset("img", (1, 64, 64), np.float32, chunks=(1, 64, 64), **options)
        image.id.write_direct_chunk((0, 0, 0), stored)
    with (
        pytest.raises(UnreadableImageError, match="shorter than they must be"),
        open_prepared(path),
    ):
        pass


def _change_tag(path: Path, name: str, number: int) -> None:
    with tifffile.TiffFile(path) as file:
        place = file.pages.first.tags[name].offset
    content = bytearray(path.read_bytes())
    content[place + 8 : place + 12] = number.to_bytes(4, "little")  # the value of a small tag
    path.write_bytes(content)


@pytest.mark.parametrize("read", [read_image, lambda path: inspect_crop(path, 1, None)])
def test_a_tiff_that_claims_to_be_huge_is_not_decoded_strip_by_strip(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "a.tiff"
    tifffile.imwrite(path, PIXELS[0], compression="zlib", rowsperstrip=6, metadata=None)
    _change_tag(path, "ImageLength", 2**30)
    with pytest.raises((UnreadableImageError, ValueError), match="claims 34,360 MB"):
        read(path)


@pytest.mark.parametrize(("tag", "number"), [("ImageLength", 12), ("StripByteCounts", 2**31)])
def test_strips_that_are_missing_are_an_error_not_zeros(
    tmp_path: Path, tag: str, number: int
) -> None:
    """Of lengths that lie beyond the end of the file, tifffile reads none."""
    path = tmp_path / "a.tiff"
    rows = 6 if tag == "ImageLength" else 2
    tifffile.imwrite(path, PIXELS[0], compression="zlib", rowsperstrip=rows, metadata=None)
    _change_tag(path, tag, number)
    with pytest.raises(UnreadableImageError, match="strips or tiles of it are missing"):
        read_image(path)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_pixels_of_no_bits_are_an_error(tmp_path: Path, compression: str | None) -> None:
    """Decoded, they are an array of nothing."""
    path = tmp_path / "a.tiff"
    tifffile.imwrite(path, PIXELS[0].astype(np.uint8), compression=compression)
    _change_tag(path, "BitsPerSample", 0)
    with pytest.raises(UnreadableImageError):
        read_image(path)


def test_pieces_that_need_a_gigabyte_to_be_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.h5"
    shape = (1, 16_384, 16_384)
    with h5py.File(path, "w") as file:
        stored = file.create_dataset("img", shape, np.float32, chunks=shape, compression="gzip")
        stored.id.write_direct_chunk((0, 0, 0), bytes(3_000_000))
    with pytest.raises(UnreadableImageError, match="pieces of 1,074 MB"), open_prepared(path):
        pass


def test_a_piece_is_unpacked_once_for_all_its_rows(tmp_path: Path) -> None:
    """Each few rows unpacked again the pieces that they lie in."""
    path = tmp_path / "image.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("img", data=np.zeros((2, 600, 600)), chunks=(2, 600, 300))
    with open_prepared(path) as image:
        access = image._dataset.id.get_access_plist()
        assert access.get_chunk_cache()[1] >= 2 * 600 * 600 * 8
