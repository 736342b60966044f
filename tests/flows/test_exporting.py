"""`run` writes further results on request, each in a folder of its own, and only what is asked."""

import json
import re
import runpy
import shutil
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import skimage.io
import tifffile
from scipy import ndimage

from command.demo import CROPSIZE, LABELS, SEED, write_labels_of_a_person
from flows.errors import ImagesFailedError, NoImageChosenError
from flows.options import PrepareOptions, RunOptions, TrainOptions
from flows.prepare import prepare
from flows.run import run
from flows.train import train
from ilpix.example import write_example
from ilpix.project.reading import read_project

EXAMPLES = Path(__file__).parents[2] / "examples"
OPTIONS = PrepareOptions(cropsize=CROPSIZE, seed=SEED)
ALL = RunOptions(output_scale="original", also="classes,uncertainty")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a trained project; tests work on copies."""
    folder = tmp_path_factory.mktemp("trained")
    write_example(folder)
    for path in sorted((folder / "img").iterdir())[3:]:
        path.unlink()
    prepare(folder, OPTIONS)
    write_labels_of_a_person(folder, OPTIONS)
    train(folder, TrainOptions(labels=LABELS, seed=SEED, quality=False, features="fast"))
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "data")
    return tmp_path / "data"


def _record(folder: Path, verb: str) -> dict:
    return json.loads((folder / "ilpix_run.json").read_text())["verbs"][verb]


def _states(folder: Path, verb: str) -> dict[tuple[str, str], str]:
    return {(one["image"], one["step"]): one["state"] for one in _record(folder, verb)["images"]}


def test_results_at_original_size_lie_beside_the_usual_ones(folder: Path) -> None:
    targets = run(folder, ALL)
    for target in targets:
        size = tifffile.imread(folder / "img" / target.name).shape[1:]
        usual = tifffile.imread(target)
        assert usual.shape == (2 * size[0], 2 * size[1], 3)
        small = tifffile.imread(folder / "ilastik_probabilities_original" / target.name)
        means = usual.reshape(size[0], 2, size[1], 2, 3).mean(axis=(1, 3))
        np.testing.assert_array_equal(small, np.rint(means))
        classes = tifffile.imread(folder / "ilastik_classes_original" / target.name)
        np.testing.assert_array_equal(classes, means.argmax(axis=2) + 1)
        assert (folder / "ilastik_uncertainty_original" / target.name).exists()
    written = [product["folder"] for product in _record(folder, "run")["notes"]["also_written"]]
    assert written == [
        "ilastik_probabilities_original",
        "ilastik_classes_original",
        "ilastik_uncertainty_original",
    ]


def test_further_results_are_made_once_and_again_where_one_is_gone(folder: Path) -> None:
    (first, *_) = run(folder, ALL.model_copy(update={"format": "ome-zarr"}))
    shutil.rmtree(folder / "ilastik_classes_original_ome" / f"{first.stem}.ome.zarr")
    run(folder, ALL.model_copy(update={"format": "ome-zarr"}))
    done = {key for key, state in _states(folder, "run").items() if state != "kept"}
    assert done == {(first.stem, "export-classes")}


def test_only_some_images_are_predicted_and_the_rows_of_the_others_stay(folder: Path) -> None:
    run(folder)
    before = _states(folder, "run")
    (target,) = run(folder, RunOptions(only="*_2", refresh=True))
    assert target.stem == "region_2"
    after = _states(folder, "run")
    assert set(after) == set(before)
    assert after["region_2", "predict-image"] == "done"
    with pytest.raises(NoImageChosenError, match=r"no image has a name like 'x\*'"):
        run(folder, RunOptions(only="x*"))
    assert set(_states(folder, "run")) == set(before)


def _cards(folder: Path) -> dict[str, str]:
    """State of each image that the report shows."""
    page = (folder / "ilpix_report" / "index.html").read_text()
    return dict(re.findall(r'<li class="card[^"]*" data-name="([^"]*)" data-state="(\w+)"', page))


def test_the_report_of_some_images_shows_the_others_too_each_once(folder: Path) -> None:
    """They had no pictures any more, and a row for each further result of the run before."""
    run(folder, ALL)
    assert _cards(folder) == dict.fromkeys(["region_1", "region_2", "region_3"], "done")
    run(folder, RunOptions(only="*_2", refresh=True))
    assert _cards(folder) == {"region_1": "kept", "region_2": "done", "region_3": "kept"}
    assert "<strong>3</strong> images" in (folder / "ilpix_report" / "index.html").read_text()


def test_the_report_names_what_was_written_and_what_of_it_failed(folder: Path) -> None:
    with h5py.File(folder / "ilastik_img" / "region_1.h5", "r+") as file:
        del file["img"].attrs["ilpix"]  # its scale
    with pytest.raises(ImagesFailedError):
        run(folder, ALL)
    page = (folder / "ilpix_report" / "index.html").read_text().replace("<wbr>", "")
    assert "<dt>ilastik_classes_original</dt><dd>classes, original size, uint8</dd>" in page
    assert _cards(folder) == {"region_1": "failed", "region_2": "done", "region_3": "done"}
    assert '<th scope="row">region_1</th>' in page[page.index('<section id="failed">') :]


def test_only_some_images_are_prepared_and_the_crops_of_the_others_stay(folder: Path) -> None:
    shutil.copy(folder / "img" / "region_1.tiff", folder / "img" / "region_9.tiff")
    (folder / "pixel_classifier.ilp").unlink()
    prepare(folder, OPTIONS.model_copy(update={"only": "region_9"}))
    images = {image for image, _ in _states(folder, "prepare")}
    assert images == {"region_1", "region_2", "region_3", "region_9"}
    lanes = {lane.nickname for lane in read_project(folder / "pixel_classifier.ilp").lanes}
    assert {lane.rsplit("_", 4)[0] for lane in lanes} == images


def test_files_that_are_no_prepared_images_are_named(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "ilastik_img" / "a.npy").write_bytes(b"")
    run(folder)
    assert "a.npy: is no prepared image" in caplog.text


def test_probabilities_are_what_steinbock_and_cellprofiler_expect(folder: Path) -> None:
    """One colour image a source image, of its name, as many pixels long and wide as it was scaled.

    steinbock's file types: `.tiff`, 16 bit unsigned, YXS. Its CellProfiler pipeline takes nuclei
    from red, cytoplasm from green, background from blue, and halves the image first.
    """
    sources = {path.name for path in (folder / "img").iterdir()}
    assert {path.name for path in run(folder)} == sources
    for name in sources:
        path = folder / "ilastik_probabilities" / name
        with tifffile.TiffFile(path) as file:
            (page,) = file.pages
            assert page.photometric == tifffile.PHOTOMETRIC.RGB
            assert page.planarconfig == tifffile.PLANARCONFIG.CONTIG
            assert page.compression == tifffile.COMPRESSION.LZW
            assert (page.dtype, page.axes) == (np.dtype(np.uint16), "YXS")
            stored = page.asarray()
        _, height, width = tifffile.imread(folder / "img" / name).shape
        assert stored.shape == (2 * height, 2 * width, 3)
        np.testing.assert_array_equal(skimage.io.imread(path), stored)
        blue_green_red = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(blue_green_red[..., ::-1], stored)
        truth = np.kron(tifffile.imread(folder / "truth" / name), np.ones((2, 2), int))
        for channel in range(3):  # red is the first class, and so on
            assert stored[truth == channel + 1, channel].mean() > 0.5 * 65535


def test_the_watershed_of_the_examples_finds_the_cells(folder: Path) -> None:
    run(folder, RunOptions(output_scale="original"))
    counts = runpy.run_path(str(EXAMPLES / "watershed.py"))["segment_all"](folder)
    for name, n_cells in counts.items():
        cells = tifffile.imread(folder / "masks" / f"{name}.tiff")
        truth = tifffile.imread(folder / "truth" / f"{name}.tiff")
        assert (cells.shape, cells.dtype, cells.max()) == (truth.shape, np.uint16, n_cells)
        _, n_nuclei = ndimage.label(truth == 1)
        assert abs(n_cells - n_nuclei) <= 0.1 * n_nuclei
        assert np.mean((cells > 0) == (truth < 3)) > 0.95


def test_axes_without_names_are_told_by_the_classifier_with_a_word(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As another pipeline writes them: 1 × Y × X × C, named as the file, without tags."""
    (expected, *_) = run(folder)
    prepared = folder / "ilastik_img" / f"{expected.stem}.h5"
    with h5py.File(prepared) as file:
        pixels = np.moveaxis(file["img"][:], 0, -1)[None]
    with h5py.File(folder / "ilastik_img" / "other.hdf5", "w") as file:
        file["other"] = pixels
    run(folder, RunOptions(only="other"))
    np.testing.assert_array_equal(
        tifffile.imread(expected.with_name("other.tiff")), tifffile.imread(expected)
    )
    assert "its axes have no names and are taken for zyxc" in caplog.text
