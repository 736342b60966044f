"""`prepare` as steinbock 0.16.5 does it; see data/steinbock/PROVENANCE.md."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from ilpix.images.crops import crop_stem, cut_crop, plan_crops_like_steinbock
from ilpix.images.hdf5 import ImageRecord, open_prepared, write_image
from ilpix.images.panel import Panel, read_panel
from ilpix.images.preparation import channel_names, prepare_image
from ilpix.images.preparation_options import PreparationOptions
from ilpix.sources.tiff import find_images, image_stem, read_image

GOLDEN = Path(__file__).parent / "data" / "steinbock"
RUNS = sorted(GOLDEN.glob("runs/*.npz"))


def test_there_are_golden_runs() -> None:
    assert len(RUNS) == 8


@pytest.mark.parametrize("run", RUNS, ids=lambda path: path.stem)
def test_images_and_crops_are_those_of_steinbock(run: Path, tmp_path: Path) -> None:
    """Where tissue is empty steinbock's own rounding leaves up to 1e-12 counts instead of 0."""
    arguments = _arguments(run.with_suffix(".txt").read_text())
    panel = read_panel(GOLDEN / ("panel_nogroups.csv" if run.stem == "nogroups" else "panel.csv"))
    written = _prepare(panel, arguments, tmp_path)
    with np.load(run) as golden:
        assert written == set(golden.files)
        for key in golden.files:
            with open_prepared(tmp_path / f"{key}.h5") as image:
                assert image.dtype == np.float32
                np.testing.assert_allclose(image.read(), golden[key], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "original", sorted(GOLDEN.glob("original/*.h5")), ids=lambda path: path.stem
)
def test_files_without_a_record_are_steinbocks_byte_for_byte(
    original: Path, tmp_path: Path
) -> None:
    with h5py.File(original, "r") as file:
        (dataset,) = file
    with open_prepared(original) as image:
        write_image(tmp_path / "same.h5", image.read(), None, dataset)
    assert (tmp_path / "same.h5").read_bytes() == original.read_bytes()


def test_the_record_is_the_only_attribute_that_steinbock_does_not_write(tmp_path: Path) -> None:
    original = GOLDEN / "original" / "roi_e_exact.h5"
    with open_prepared(original) as image:
        pixels = image.read()
    record = ImageRecord(channel_names=("a", "b", "c", "d"), preparation=PreparationOptions())
    write_image(tmp_path / "ours.h5", pixels, record)
    theirs, ours = _stored(original), _stored(tmp_path / "ours.h5")
    assert ours.pop("ilpix")[0] == record.model_dump_json()
    assert ours == theirs


def test_real_tissue_is_prepared_as_by_an_older_steinbock(imc: Path) -> None:
    """steinbock 0.8 enlarged by another library, with less exact weights."""
    folder = imc / "steinbock"
    panel = read_panel(folder / "panel.csv")
    paths = find_images(folder / "img")
    assert len(paths) == 15
    for path in paths:
        prepared = prepare_image(read_image(path), panel, PreparationOptions())
        with open_prepared(folder / "ilastik_img" / f"{image_stem(path)}.h5") as image:
            expected = image.read()
        np.testing.assert_allclose(prepared, expected, rtol=5e-4, atol=1e-9 * expected.max())


def _arguments(text: str) -> dict[str, Any]:
    """The values of a command line such as `--cropsize 50 --no-mean`."""
    words = text.split()
    flags = {"mean": False} if "--no-mean" in words else {}
    values = [word for word in words if word != "--no-mean"]
    names = [name.removeprefix("--") for name in values[::2]]
    return flags | dict(zip(names, values[1::2], strict=True))


def _prepare(panel: Panel, arguments: dict[str, Any], folder: Path) -> set[str]:
    """Write images and crops below a folder; return their names there without `.h5`."""
    size, seed = int(arguments.pop("cropsize")), int(arguments.pop("seed"))
    options = PreparationOptions(**arguments)
    record = ImageRecord(channel_names=channel_names(panel, options), preparation=options)
    shapes = {}
    for path in find_images(GOLDEN / "img"):
        prepared = prepare_image(read_image(path), panel, options)
        assert len(prepared) == len(record.channel_names)
        write_image(folder / "ilastik_img" / f"{image_stem(path)}.h5", prepared, record)
        shapes[image_stem(path)] = prepared.shape[1:]
    written = {f"ilastik_img/{stem}" for stem in shapes}
    for stem, windows in plan_crops_like_steinbock(shapes, size, seed).items():
        for window in windows:
            crop = f"ilastik_crops/{crop_stem(stem, window)}"
            cut_crop(folder / "ilastik_img" / f"{stem}.h5", folder / f"{crop}.h5", window)
            written.add(crop)
    return written


def _stored(path: Path) -> dict[str, tuple[Any, Any]]:
    """Each attribute's value and the size of its type, and how the pixels lie in the file."""
    with h5py.File(path, "r") as file:
        dataset = file["img"]
        attributes = {
            name: (value, dataset.attrs.get_id(name).get_type().get_size())
            for name, value in dataset.attrs.items()
        }
        return attributes | {"layout": (dataset.chunks, dataset.compression)}
