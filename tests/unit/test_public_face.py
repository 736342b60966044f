"""What a notebook uses: every name is documented, and its example is true."""

import doctest
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

import ilpix
from ilpix.data_directory import CROPS, IMAGES, PANEL, PREPARED, PROJECT
from ilpix.example import draw_labels, write_example
from ilpix.images.crops import crop_stem, cut_crop, plan_crops_per_image
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.preparation import channel_names
from ilpix.project.writing import create_project, label_classes

CLASSES = ("Nucleus", "Cytoplasm", "Background")
CROP_PX = 100
PUBLIC = {name: getattr(ilpix, name) for name in ilpix.__all__}


@pytest.fixture(scope="module")
def trained_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example images, prepared, labelled and trained with the functions of the science."""
    folder = tmp_path_factory.mktemp("data") / "study"
    write_example(folder)
    options, panel = ilpix.PreparationOptions(), ilpix.read_panel(folder / PANEL)
    record = ImageRecord(channel_names=channel_names(panel, options), preparation=options)
    crops, rng = {}, np.random.default_rng(0)
    (folder / "labels").mkdir()
    for source in sorted((folder / IMAGES).iterdir()):
        prepared = ilpix.prepare_image(ilpix.read_image(source), panel, options)
        target = folder / PREPARED / f"{source.stem}.h5"
        ilpix.write_image(target, prepared, record)
        (window,) = plan_crops_per_image(source.stem, prepared.shape[1:], CROP_PX, 1, 1)
        crop = CROPS / f"{crop_stem(source.stem, window)}.h5"
        cut_crop(target, folder / crop, window)
        crops[crop.as_posix()] = (len(prepared), CROP_PX, CROP_PX)
        truth = tifffile.imread(folder / "truth" / source.name)
        labels = draw_labels(truth, window, options.scale, rng)
        tifffile.imwrite(folder / "labels" / f"{crop.stem}.tiff", labels)
    create_project(folder / PROJECT, crops, label_classes(CLASSES), record)
    ilpix.train(folder / PROJECT, ilpix.choose_features("fast"), folder / "labels", seed=1)
    return folder


@pytest.mark.parametrize("name", PUBLIC)
def test_the_example_of_a_public_name_is_true(
    name: str, trained_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained_directory, tmp_path / "study")
    monkeypatch.chdir(tmp_path / "study")
    names = {**PUBLIC, "np": np, "Path": Path}
    found = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs=names)
    tests = [test for test in found if test.examples]
    assert tests, "its docstring has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    for test in tests:
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


def test_importing_ilpix_imports_none_of_it() -> None:
    """The program starts quickly since each name's module is imported when it is used."""
    asked = "import sys, ilpix; print([name for name in sys.modules if name.startswith('ilpix.')])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
