"""Every layout of images below a folder is found; what cannot be read is named."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import tifffile

from ilpix.images.errors import (
    DanglingLinkError,
    DuplicateImagesError,
    FileNameError,
    FolderNotReadableError,
    NoImagesError,
    UnreadableImageError,
)
from ilpix.images.left_out import FOLDER_LINK, HIDDEN
from ilpix.images.panel import Panel
from ilpix.sources.errors import SeriesError, StackError
from ilpix.sources.finding import Found, find_sources, open_source
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.tiff import read_image

NAMES = ("DNA1", "CD45", "CD45RA")
PANEL = Panel(Path("panel.csv"), NAMES, None, channels=("Ir191", "Y89", "Er170"))
IMAGE = np.random.default_rng(0).integers(0, 1000, (3, 20, 30)).astype(np.uint16)


def _write(path: Path, pixels: np.ndarray = IMAGE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, pixels, photometric="minisblack")


def _write_planes(folder: Path, *names: str) -> None:
    for name, plane in zip(names, IMAGE, strict=True):
        _write(folder / name, plane)


def _read(found: Found, options: ReadingOptions = ReadingOptions()) -> dict[str, np.ndarray]:
    images = {}
    for source in found.sources:
        with open_source(source.path, source.index, PANEL, options) as image:
            images[source.name] = np.concatenate(list(image.bands()), axis=1)
    return images


def test_images_are_found_below_the_folder_in_steinbocks_order(tmp_path: Path) -> None:
    for name in ("b.tiff", "a.tif", "B.TIFF", "sub/c.ome.tiff", "._a.tiff"):
        _write(tmp_path / name)
    found = find_sources(tmp_path, PANEL)
    assert [source.name for source in found.sources] == ["B", "a", "b", "c"]
    assert (found.failures, found.notes) == ({}, {})


@pytest.mark.parametrize(
    "names",
    [
        ("DNA1.tiff", "CD45.tiff", "CD45RA.tiff"),
        ("Ir191.tif", "Y89.tif", "Er170.tif"),
        ("191Ir_DNA1.ome.tiff", "89Y_CD45.ome.tiff", "170Er_CD45RA.ome.tiff"),
        ("roi1_dna1.tiff", "roi1_cd45.tiff", "roi1_cd45ra.tiff"),
        ("2-DNA1.tiff", "0-CD45.tiff", "1-CD45RA.tiff"),
        ("img_1.tiff", "img_2.tiff", "img_10.tiff"),
    ],
)
@pytest.mark.parametrize("below", ["roi1", "roi1/TIFs"])
def test_one_file_per_channel_is_stacked(
    tmp_path: Path, names: tuple[str, ...], below: str
) -> None:
    _write_planes(tmp_path / below, *names)
    found = find_sources(tmp_path, PANEL)
    if names[0] == "img_1.tiff":  # numbers that do not count the files are no order
        assert isinstance(found.failures["roi1" if below == "roi1" else "TIFs"], StackError)
        found = find_sources(tmp_path, PANEL, options := ReadingOptions(stack="order"))
        images = _read(found, options)
    else:
        images = _read(found)
    assert list(images) == ["roi1"]
    np.testing.assert_array_equal(images["roi1"], IMAGE)


def test_files_numbered_from_end_to_end_are_in_order(tmp_path: Path) -> None:
    _write_planes(tmp_path / "roi", "c8.tiff", "c9.tiff", "c10.tiff")
    found = find_sources(tmp_path, PANEL)
    np.testing.assert_array_equal(_read(found)["roi"], IMAGE)


def test_images_of_one_folder_are_told_apart_by_the_rest_of_the_name(tmp_path: Path) -> None:
    for roi in ("left", "right"):
        _write_planes(tmp_path, *(f"{roi}_{name}.tiff" for name in NAMES))
    images = _read(find_sources(tmp_path, PANEL))
    assert list(images) == ["left", "right"]
    np.testing.assert_array_equal(images["right"], IMAGE)


def test_other_files_beside_the_channels_are_left_out_with_a_word(tmp_path: Path) -> None:
    _write_planes(tmp_path / "roi", *(f"{name}.tiff" for name in NAMES))
    _write(tmp_path / "roi" / "HistoneH3.tiff", IMAGE[0])
    (source,) = find_sources(tmp_path, PANEL).sources
    with open_source(source.path, source.index, PANEL) as image:
        assert "left out: 1 file of other names" in image.notes[0]


def test_planes_of_different_sizes_are_no_image(tmp_path: Path) -> None:
    _write_planes(tmp_path / "roi", *(f"{name}.tiff" for name in NAMES))
    _write(tmp_path / "roi" / "CD45.tiff", IMAGE[0, :10])
    (source,) = find_sources(tmp_path, PANEL).sources
    with (
        pytest.raises(StackError, match=r"CD45\.tiff is 1×10×30"),
        open_source(source.path, source.index, PANEL),
    ):
        pass


def test_images_named_as_channels_are_not_stacked(tmp_path: Path) -> None:
    for name in NAMES:
        _write(tmp_path / f"{name}.tiff")
    assert [source.name for source in find_sources(tmp_path, PANEL).sources] == sorted(NAMES)


def test_several_images_of_a_file_without_the_panels_channels_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tiff") as writer:
        writer.write(IMAGE[:2], photometric="minisblack")
        writer.write(IMAGE[:, :10], photometric="minisblack")
    found = find_sources(tmp_path, PANEL)  # the second fits
    assert [source.index for source in found.sources] == [1]
    assert "left out for their number of channels or as smaller copies: 1" in found.notes["a"]
    other = Panel(Path("panel.csv"), ("a", "b", "c", "d"), None)
    error = find_sources(tmp_path, other).failures["a"]
    assert isinstance(error, SeriesError)
    assert "holds 2 images, with 2, 3 channels; the panel describes 4" in str(error)


def test_without_a_panel_the_first_of_several_images_is_not_taken(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tiff") as writer:
        writer.write(IMAGE, photometric="minisblack")
        writer.write(IMAGE[:, :10], photometric="minisblack")
    with pytest.raises(SeriesError):
        read_image(tmp_path / "a.tiff")


def test_smaller_copies_of_an_image_are_left_out(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tiff") as writer:
        writer.write(IMAGE, photometric="minisblack")
        writer.write(IMAGE[:, ::2, ::2], photometric="minisblack", subfiletype=1)
    found = find_sources(tmp_path, PANEL)
    np.testing.assert_array_equal(_read(found)["a"], IMAGE)


def test_results_of_one_name_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "x" / "a.tiff")
    _write(tmp_path / "y" / "a.tiff")
    with pytest.raises(DuplicateImagesError):
        find_sources(tmp_path, PANEL)


@pytest.mark.parametrize("name", ["a.czi", "a.nd2", "a.qptiff", "a.jpg", "a.npy", "a.mcd"])
def test_other_formats_are_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(NoImagesError, match=rf"{name} is .*: "):
        find_sources(tmp_path, PANEL)
    _write(tmp_path / "b.tiff")
    assert list(find_sources(tmp_path, PANEL).notes) == [name]


def _archive(path: Path, *, is_encrypted: bool = False) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    content = bytearray(path.read_bytes())
    if is_encrypted:  # the flag, in the local and in the central header
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            content[content.index(signature) + offset] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", r"empty \(0 bytes\), a placeholder of a cloud folder"),
        (bytes(100), "nothing but zeros"),
        (b"ZISRAWFILE" + bytes(50), r"CZI file \(Zeiss\): convert it to OME-TIFF"),
        (b"\xda\xce\xbe\x0a" + bytes(50), "ND2 file"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "JPEG picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "PNG picture"),
        (b"  <!DOCTYPE html><html>", "a web page: the download failed"),
        ("zip", "ZIP archive: unpack it"),
        ("encrypted", "protected by a password"),
        ("truncated", "cut short"),
    ],
)
def test_a_tiff_that_is_none_says_what_it_is(
    tmp_path: Path, content: bytes | str, told: str
) -> None:
    if isinstance(content, str):
        whole = _archive(tmp_path / "x.zip", is_encrypted=content == "encrypted")
        (tmp_path / "x.zip").unlink()
        content = whole[:-20] if content == "truncated" else whole
    (tmp_path / "a.tiff").write_bytes(content)
    (source,) = find_sources(tmp_path, PANEL).sources
    with (
        pytest.raises(UnreadableImageError, match=told),
        open_source(source.path, source.index, PANEL),
    ):
        pass


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX systems only")
def test_a_name_that_is_not_utf8_fails_alone(tmp_path: Path) -> None:
    _write(tmp_path / "a.tiff")
    os.rename(tmp_path / "a.tiff", os.fsencode(tmp_path) + b"/M\xfcller.tiff")  # noqa: PTH104
    _write(tmp_path / "b.tiff")
    found = find_sources(tmp_path, PANEL)
    assert [source.name for source in found.sources] == ["b"]
    ((name, error),) = found.failures.items()
    assert isinstance(error, FileNameError)
    assert name == "M\\udcfcller"
    str(error).encode()


def test_a_link_is_read_as_the_file_that_it_leads_to(tmp_path: Path) -> None:
    _write(tmp_path / "elsewhere" / "a.tiff")
    _write_planes(tmp_path / "elsewhere" / "planes", *(f"{name}.tiff" for name in NAMES))
    images = tmp_path / "img"
    (images / "roi").mkdir(parents=True)
    (images / "b.tiff").symlink_to(tmp_path / "elsewhere" / "a.tiff")
    for path in (tmp_path / "elsewhere" / "planes").iterdir():
        (images / "roi" / path.name).symlink_to(path)
    read = _read(find_sources(images, PANEL))
    assert list(read) == ["b", "roi"]
    for pixels in read.values():
        np.testing.assert_array_equal(pixels, IMAGE)


def test_links_that_cannot_be_followed_and_hidden_images_are_named(tmp_path: Path) -> None:
    """They were left out without a word."""
    for name in (
        "a.tiff",
        ".hidden.tiff",
        "._a.tiff",
        ".DS_Store",
        ".ilpix-00-1-0123456789abcdef.tif",
    ):
        _write(tmp_path / "img" / name)
    _write(tmp_path / "batch" / "x.tiff")
    for name, target in {
        "gone.ome.tiff": "/nowhere/gone.tiff",
        "round.tiff": "round.tiff",
        "README": "/nowhere/README",
        "batch": "../batch",
    }.items():
        (tmp_path / "img" / name).symlink_to(target)
    found = find_sources(tmp_path / "img", PANEL)
    assert [source.name for source in found.sources] == ["a"]
    assert {name: str(error).partition("; ")[0] for name, error in found.failures.items()} == {
        name.partition(".")[0]: f"{tmp_path / 'img' / name} is a link to {target}, which is not "
        "there or cannot be reached"
        for name, target in [("gone.ome.tiff", "/nowhere/gone.tiff"), ("round.tiff", "round.tiff")]
    }
    assert found.notes == {
        ".hidden.tiff": HIDDEN,
        "batch": FOLDER_LINK,
        "README": "is a link to nothing (/nowhere/README)",
    }


@contextmanager
def _nobody() -> Iterator[None]:
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_looked_into_is_named() -> None:
    """It was passed over, and the images in it with it."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        _write(Path(folder, "img", "a.tiff"))
        _write(Path(folder, "img", "closed", "b.tiff"))
        Path(folder, "img", "c.tiff").symlink_to("closed/b.tiff")
        Path(folder, "img", "closed").chmod(0o700)
        with _nobody():
            found = find_sources(Path(folder, "img"), PANEL)
    assert [source.name for source in found.sources] == ["a"]
    assert isinstance(found.failures["closed"], FolderNotReadableError)
    assert "Permission denied" in str(found.failures["closed"])
    assert isinstance(found.failures["c"], DanglingLinkError)
