"""TIFF files whose strips or tiles have no place, or one that cannot be: no pixel is made up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from ilpix.images.errors import UnreadableImageError
from ilpix.repair.crop_files import inspect_crop
from ilpix.sources.tiff import ALL_PAGES, choose_images, open_tiff, read_image

IMAGE = np.random.default_rng(4).integers(1, 200, (3, 64, 48)).astype(np.uint16)
Places = list[int]
STORED = {
    "plain": {"first": True},
    "plain_planes": {"rowsperstrip": 64, "metadata": None},
    "plain_strips": {"rowsperstrip": 16, "metadata": None},
    "plain_tiles": {"tile": (16, 16), "metadata": None},
    "deflated_strips": {"rowsperstrip": 16, "compression": "zlib"},
    "deflated_tiles": {"tile": (16, 16), "compression": "zlib"},
    "jpeg_tiles": {"tile": (16, 16), "compression": "jpeg", "dtype": np.uint8},
    "lzw_of_one_strip": {"rowsperstrip": 64, "compression": "lzw", "metadata": None},
}


def no_place(offsets: Places, counts: Places, n_bytes: int) -> None:
    offsets[len(offsets) // 2] = 0


def no_place_nor_length(offsets: Places, counts: Places, n_bytes: int) -> None:
    offsets[-1] = counts[-1] = 0


def no_length(offsets: Places, counts: Places, n_bytes: int) -> None:
    counts[len(counts) // 2] = 0


def beyond_the_end(offsets: Places, counts: Places, n_bytes: int) -> None:
    offsets[-1] = n_bytes + 100


def reaches_beyond_the_end(offsets: Places, counts: Places, n_bytes: int) -> None:
    offsets[-1] = n_bytes - counts[-1] // 2


DAMAGE = [no_place, no_place_nor_length, no_length, beyond_the_end, reaches_beyond_the_end]


def write_damaged(path: Path, stored: dict[str, Any], damage: Callable[..., None]) -> None:
    how = dict(stored)
    number = 0 if how.pop("first", False) else -1
    image = IMAGE.astype(how.pop("dtype", IMAGE.dtype))
    tifffile.imwrite(path, image, photometric="minisblack", **how)
    damage_page(path, number, damage)


def damage_page(path: Path, number: int, damage: Callable[..., None]) -> None:
    with tifffile.TiffFile(path, mode="r+") as file:
        page = file.pages[number]
        kind = "Tile" if page.is_tiled else "Strip"
        tags = page.tags[f"{kind}Offsets"], page.tags[f"{kind}ByteCounts"]
        places = [list(page.dataoffsets), list(page.databytecounts)]
        damage(*places, path.stat().st_size)
        for tag, values in zip(tags, places, strict=True):
            if values != list(tag.value):
                tag.overwrite(values)


def read_in_bands(path: Path) -> np.ndarray:
    with open_tiff(path) as image:
        return np.concatenate(list(image.bands(1)), axis=1)


def is_needed(name: str, damage: Callable[..., None]) -> bool:
    """Whether what is damaged is looked at: pixels that lie in one piece have one length."""
    return damage is not no_length or name not in {"plain", "plain_planes"}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", STORED)
def test_strips_or_tiles_that_are_not_stored_are_never_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: Callable[..., None]
) -> None:
    """Read in bands, an image had other pixels than read whole, neither of them its own."""
    path = tmp_path / "a.tiff"
    write_damaged(path, STORED[name], damage)
    for streamed_bytes in (0, 2**27):
        monkeypatch.setattr("ilpix.sources.tiff._STREAMED_BYTES", streamed_bytes)
        for read in (read_in_bands, read_image):
            if is_needed(name, damage):
                with pytest.raises(UnreadableImageError):
                    read(path)
            else:
                np.testing.assert_array_equal(read(path), IMAGE)


@pytest.mark.parametrize("name", ["plain_strips", "deflated_strips", "deflated_tiles"])
def test_a_crop_of_which_strips_or_tiles_are_not_stored_is_refused(
    tmp_path: Path, name: str
) -> None:
    write_damaged(tmp_path / "a.tiff", STORED[name], no_place)
    with pytest.raises(ValueError, match="strips or tiles of it are missing"):
        inspect_crop(tmp_path / "a.tiff", n_channels=3, axis_order=None)


@pytest.mark.parametrize("damage", [no_place, no_length])
def test_a_channel_that_is_not_stored_is_refused_where_each_is_an_image(
    tmp_path: Path, damage: Callable[..., None]
) -> None:
    path = tmp_path / "a.tiff"
    with tifffile.TiffWriter(path) as file:
        for number, plane in enumerate(IMAGE):
            told = {"Name": str(number)}
            file.write(plane, photometric="minisblack", contiguous=False, metadata=told)
    indices = choose_images(path, 3).indices
    assert indices == (ALL_PAGES,)
    np.testing.assert_array_equal(read_image(path, 3), IMAGE)
    damage_page(path, -1, damage)
    with pytest.raises(UnreadableImageError):
        read_image(path, 3)
