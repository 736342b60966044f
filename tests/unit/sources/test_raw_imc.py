"""Raw files are read as steinbock reads them; the filter is compared with its definition."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from ilpix.images.errors import MissingExtraError
from ilpix.images.panel import read_panel
from ilpix.sources.errors import MissingChannelError, RawFileError
from ilpix.sources.raw_imc import (
    filter_hot_pixels,
    is_raw,
    list_acquisitions,
    match_recovery,
    read_acquisition,
    write_raw_image,
)
from ilpix.sources.raw_panel import write_raw_panel
from ilpix.sources.tiff import read_image
from tests.unit.raw_files import CHANNELS, NAMES, Measured, counts, write_mcd, write_txt


@pytest.mark.parametrize("suffix", [".mcd", ".txt"])
def test_counts_and_names_are_those_of_the_file(tmp_path: Path, suffix: str) -> None:
    measured = Measured(2, counts(0))
    write = write_mcd if suffix == ".mcd" else write_txt
    path = write(tmp_path / f"a{suffix}", [measured] if suffix == ".mcd" else measured)
    (found,) = list_acquisitions(path)
    assert found.name == ("a_002" if suffix == ".mcd" else "a")
    assert found.channels == NAMES
    assert found.labels == tuple(label for _, _, label in CHANNELS)
    np.testing.assert_array_equal(read_acquisition(found, NAMES), measured.counts)
    chosen = read_acquisition(found, ("Ir191", "Er170"))
    np.testing.assert_array_equal(chosen, measured.counts[[1, 0]])
    with pytest.raises(MissingChannelError, match="not measured with the channel Xe134"):
        read_acquisition(found, ("Xe134",))


def slow_filter(plane: np.ndarray, threshold: float) -> np.ndarray:
    """The definition, one pixel at a time; mirrored about the centres of the edge pixels."""
    mirrored = np.pad(plane, 1, mode="reflect")
    result = plane.copy()
    for y, x in np.ndindex(plane.shape):
        around = mirrored[y : y + 3, x : x + 3].ravel().tolist()
        del around[4]
        if plane[y, x] - np.float32(max(around)) > threshold:
            result[y, x] = max(around)
    return result


@settings(deadline=None)  # the first call imports SciPy
@given(
    st.integers(2, 7), st.integers(2, 7), st.integers(0, 2**16), st.sampled_from([0.0, 2.5, 50.0])
)
def test_the_hot_pixel_filter_is_that_of_its_definition(
    height: int, width: int, seed: int, threshold: float
) -> None:
    rng = np.random.default_rng(seed)
    plane = rng.choice([0, 1, 3, 60, 500], (height, width)).astype(np.float32)
    before = plane.copy()
    filtered = filter_hot_pixels(plane[None], threshold)
    np.testing.assert_array_equal(filtered[0], slow_filter(plane, threshold))
    np.testing.assert_array_equal(plane, before)


def test_images_are_stored_as_steinbock_stores_them(tmp_path: Path) -> None:
    write_raw_image(tmp_path / "a.tiff", counts(0))
    with tifffile.TiffFile(tmp_path / "a.tiff") as file:
        assert file.is_imagej
        assert file.series[0].axes == "CYX"
    np.testing.assert_array_equal(read_image(tmp_path / "a.tiff"), counts(0))


def test_the_panel_has_all_channels_by_mass_and_names_that_differ(tmp_path: Path) -> None:
    first = Measured(
        1, counts(0), (("Ir", 193, "DNA"), ("Ir", 191, "DNA"), ("Y", 89, "CD45"), ("In", 113, ""))
    )
    second = Measured(2, counts(0)[:2], (("Y", 89, "PTPRC"), ("Er", 170, "CD3")))
    path = write_mcd(tmp_path / "a.mcd", [first, second])
    write_raw_panel(tmp_path / "panel.csv", list_acquisitions(path))
    assert (tmp_path / "panel.csv").read_text() == (
        "channel,name,keep,ilastik,deepcell,cellpose\n"
        "Y89,CD45 / PTPRC,1,1,,\n"
        "In113,,1,2,,\n"
        "Er170,CD3,1,3,,\n"
        "Ir191,DNA 1,1,4,,\n"
        "Ir193,DNA 2,1,5,,\n"
    )
    assert read_panel(tmp_path / "panel.csv").channels == (
        "Y89",
        "In113",
        "Er170",
        "Ir191",
        "Ir193",
    )


def test_text_files_are_matched_by_name_and_number(tmp_path: Path) -> None:
    (found,) = list_acquisitions(write_mcd(tmp_path / "a.mcd", [Measured(2, counts(0))]))
    names = ["a_2.txt", "a_12.txt", "a_x.txt", "b_2.txt"]
    assert match_recovery(found, [Path(name) for name in names]) == Path("a_2.txt")
    assert match_recovery(found, [Path("a_2.txt"), Path("a_ROI_002.txt")]) is None
    assert match_recovery(found, [Path("a_ROI_002.txt")]) == Path("a_ROI_002.txt")


def test_other_text_files_are_no_raw_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Start here\n")
    assert not is_raw(tmp_path / "notes.txt")
    assert is_raw(write_txt(tmp_path / "a.txt", Measured(1, counts(0))))


@pytest.mark.parametrize(
    "content", [b"", b"no MCD", "<MCDSchema>".encode("utf-16-le"), b"<MCDSchema></MCD"]
)
def test_a_file_that_is_no_mcd_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mcd").write_bytes(content)
    with pytest.raises(RawFileError, match=r"a\.mcd cannot be read"):
        list_acquisitions(tmp_path / "a.mcd")


def test_an_acquisition_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    measured = Measured(1, counts(0), n_missing_bytes=10**6)
    (found,) = list_acquisitions(write_mcd(tmp_path / "a.mcd", [measured]))
    with pytest.raises(RawFileError):
        read_acquisition(found, NAMES)


def test_an_acquisition_without_pixels_is_refused(tmp_path: Path) -> None:
    empty = Measured(1, np.zeros((4, 0, 0), np.float32))
    (found,) = list_acquisitions(write_mcd(tmp_path / "a.mcd", [empty]))
    with pytest.raises(RawFileError, match="acquisition 1 has no pixels"):
        read_acquisition(found, NAMES)


def test_unbelievable_sizes_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = write_mcd(tmp_path / "a.mcd", [Measured(1, counts(0))])
    content = path.read_bytes().replace(
        "<MaxX>9<".encode("utf-16-le"), "<MaxX>999999999<".encode("utf-16-le")
    )
    path.write_bytes(content)
    (found,) = list_acquisitions(path)
    with pytest.raises(RawFileError, match="claims 999999999 × 7 pixels"):
        read_acquisition(found, NAMES)


def test_a_table_without_some_of_its_rows_is_refused(tmp_path: Path) -> None:
    path = write_txt(tmp_path / "a.txt", Measured(1, counts(0)))
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-3]) + "\n")
    (found,) = list_acquisitions(path)
    with pytest.raises(RawFileError, match="inconsistent"):
        read_acquisition(found, NAMES)


def test_without_readimc_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_mcd(tmp_path / "a.mcd", [Measured(1, counts(0))])
    monkeypatch.setitem(sys.modules, "readimc", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'ilpix\[imc\]'"):
        list_acquisitions(path)
