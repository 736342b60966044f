"""Channel names and pixel size are read from OME, ImageJ and page names, and compared."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from ilpix.images.panel import Panel
from ilpix.sources.naming import compare_names
from ilpix.sources.tiff import open_tiff

IMAGE = np.zeros((3, 20, 30), np.uint16)
NAMES = ["DNA1", "CD45", "CD3"]
PANEL = Panel(Path("panel.csv"), ("DNA1", "CD45", "CD3"), None, channels=("Ir191", "Y89", "Er170"))


def _write(path: Path, **options: Any) -> Path:
    tifffile.imwrite(path, IMAGE, photometric="minisblack", **options)
    return path


def _ome(**metadata: Any) -> dict[str, Any]:
    return {"ome": True, "metadata": {"axes": "CYX", "Channel": {"Name": NAMES}, **metadata}}


def test_names_and_pixel_size_of_ome(tmp_path: Path) -> None:
    size = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5, "PhysicalSizeXUnit": "µm"}
    with open_tiff(_write(tmp_path / "a.ome.tiff", **_ome(**size))) as image:
        assert image.channel_names == tuple(NAMES)
        assert image.pixel_size_um == (0.5, 0.25)


@pytest.mark.parametrize(
    ("size", "unit", "expected"),
    [(500, "nm", 0.5), (0.001, "mm", 1.0), (1, "pixel", None), (0, "µm", None), (-1, "µm", None)],
)
def test_pixel_sizes_are_in_micrometres_or_unknown(
    tmp_path: Path, size: float, unit: str, expected: float | None
) -> None:
    sizes = {
        f"PhysicalSize{axis}{what}": value
        for axis in "XY"
        for what, value in (("", size), ("Unit", unit))
    }
    with open_tiff(_write(tmp_path / "a.ome.tiff", **_ome(**sizes))) as image:
        assert image.pixel_size_um == (None if expected is None else (expected, expected))


def test_labels_and_unit_of_imagej(tmp_path: Path) -> None:
    metadata = {"axes": "CYX", "Labels": NAMES, "unit": "micron"}
    path = _write(tmp_path / "a.tiff", imagej=True, resolution=(2.0, 4.0), metadata=metadata)
    with open_tiff(path) as image:
        assert image.channel_names == tuple(NAMES)
        assert image.pixel_size_um == (0.25, 0.5)


def test_a_resolution_without_a_unit_of_length_is_no_pixel_size(tmp_path: Path) -> None:
    with open_tiff(_write(tmp_path / "a.tiff", resolution=(72, 72), resolutionunit=2)) as image:
        assert image.pixel_size_um is None
        assert image.channel_names == ()


def test_page_names_of_files_that_call_themselves_ome(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tiff", ome=False) as writer:
        for name in NAMES:
            tag = (285, "s", 0, name, True)
            writer.write(IMAGE[0], contiguous=False, metadata=None, extratags=[tag])
    with open_tiff(tmp_path / "a.ome.tiff") as image:
        assert image.shape == (3, 20, 30)
        assert image.channel_names == tuple(NAMES)


def test_each_image_of_a_file_has_its_own_names(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tiff", ome=True) as writer:
        for names, size in ((NAMES, 1), (NAMES[::-1], 2)):
            metadata = _ome(PhysicalSizeX=size, PhysicalSizeY=size)["metadata"]
            metadata["Channel"] = {"Name": names}
            writer.write(IMAGE, photometric="minisblack", metadata=metadata)
    with open_tiff(tmp_path / "a.ome.tiff", 1) as image:
        assert image.channel_names == tuple(NAMES[::-1])
        assert image.pixel_size_um == (2, 2)


def test_swapped_channels_are_told() -> None:
    told = compare_names(("DNA1", "CD3", "CD45"), PANEL)
    assert told is not None
    assert "channel 1 is CD3 in the file and CD45 in panel.csv" in told
    assert "2 of 3 channels" in told


@pytest.mark.parametrize(
    "names",
    [
        ("DNA1", "CD45", "CD3"),
        ("Ir191", "Y89", "Er170"),
        ("191Ir", "89Y", "170Er"),
        ("191Ir_DNA1", "89Y-CD45", "CD3 (Er170)"),
        ("dna1", "cd45", "cd3"),
        ("Channel 1", "C2", "3"),
        ("", "", ""),
        ("one", "two"),
        (),
    ],
)
def test_names_that_agree_or_say_nothing_are_no_reason_for_a_word(names: tuple[str, ...]) -> None:
    assert compare_names(names, PANEL) is None
