"""Prepared images and crops of strangers: pixels come from the file itself or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.images.errors import UnreadableImageError
from ilpix.images.hdf5 import open_prepared, parse_axistags, write_image
from ilpix.repair.crop_files import inspect_crop

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
