"""Rows of `prepare`: images become prepared images."""

import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.bench import Bench, Row
from benchmarks.costs import Cost, program_cost, told_cost
from benchmarks.studies import ILPIX, source_study
from ilpix.data_directory import CROPS, PREPARED, PROJECT, WORKSPACE

FEW = "4 images of 600² px × 30"
LARGE = "an image of 4 000² px × 40, of which 8 000² px × 41 become"
CROPPING = ("--cropsize", "50", "--seed", "1")

# the work without a command around it, and as many bytes written as plainly as it goes
WORK = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from benchmarks.costs import own_cost, peak_mb
from ilpix.images.hdf5 import write_bands
from ilpix.images.panel import read_panel
from ilpix.images.preparation import prepared_bands, prepared_shape
from ilpix.images.preparation_options import PreparationOptions
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.source import FiniteCheck, finite_bands
from ilpix.sources.finding import open_source
folder, options, reading = Path(sys.argv[1]), PreparationOptions(), ReadingOptions()
panel = read_panel(folder / "panel.csv")
(folder / "worked").mkdir(exist_ok=True)
def prepare(source):
    with open_source(source, 0, panel, reading) as image:
        bands = finite_bands(image, FiniteCheck(source), reading)
        shape = prepared_shape(image.shape, panel, options)
        target = folder / "worked" / f"{source.stem}.h5"
        write_bands(target, shape, prepared_bands(bands, panel, options), None)
def prepare_all():
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(prepare, sorted((folder / "img").iterdir())))
prepare_all()
cost = own_cost(prepare_all)
print(json.dumps({**asdict(cost), "peak_mb": peak_mb()}))
"""
WRITING = """
import json, os, sys
from dataclasses import asdict
from pathlib import Path
from benchmarks.costs import own_cost
sizes = [path.stat().st_size for path in Path(sys.argv[1]).iterdir()]
piece = os.urandom(2**25)
def write_all():
    for number, size in enumerate(sizes):
        with open(Path(sys.argv[2]) / f"{number}.written", "wb", buffering=0) as file:
            for start in range(0, size, len(piece)):
                file.write(piece[: size - start])
            os.fsync(file.fileno())
cost = own_cost(write_all)
for number in range(len(sizes)):
    (Path(sys.argv[2]) / f"{number}.written").unlink()
print(json.dumps(asdict(cost)))
"""


def preparing_rows(bench: Bench) -> Iterator[Row]:
    """Preparing few images, and a large one."""
    few = partial(_sources, bench, "few", 4, 30, 600)
    writing = "as many bytes written"
    yield Row(
        f"prepare {FEW}, the work alone",
        lambda: (partial(_work, few()), partial(_writing, bench, few() / "worked")),
        writing,
    )
    command = partial(_command, bench, few)
    if bench.steinbock:
        steinbock = partial(_steinbock, bench, few)
        yield Row(f"ilpix prepare, {FEW}", lambda: (command, steinbock), "steinbock")
    else:
        yield Row(f"ilpix prepare, {FEW}", lambda: (command, None))
    large = partial(_sources, bench, "large_source", 1, 40, 4000)
    yield Row(
        f"ilpix prepare, {LARGE}",
        lambda: (
            partial(_command, bench, large),
            partial(_writing, bench, large() / PREPARED),
        ),
        writing,
        is_large=True,
    )


def _sources(bench: Bench, name: str, n_images: int, n_channels: int, side: int) -> Path:
    folder = bench.folder / name
    return folder if folder.exists() else source_study(folder, n_images, n_channels, side)


def _work(folder: Path) -> Cost:
    return told_cost([sys.executable, "-c", WORK, folder])


def _writing(bench: Bench, written: Path) -> Cost:
    return told_cost([sys.executable, "-c", WRITING, written, bench.folder])


def _command(bench: Bench, study: Callable[[], Path]) -> Cost:
    folder = study()
    for done in (WORKSPACE, PREPARED, CROPS):
        shutil.rmtree(folder / done, ignore_errors=True)
    (folder / PROJECT).unlink(missing_ok=True)
    return program_cost([*ILPIX, "prepare", "-C", folder, *CROPPING], bench.beside)


def _steinbock(bench: Bench, study: Callable[[], Path]) -> Cost:
    given, folder = study(), bench.folder / "by_steinbock"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    paths = {
        "--img": given / "img",
        "--panel": given / "panel.csv",
        "-o": folder / "pixel_classifier.ilp",
        "--imgout": folder / "ilastik_img",
        "--cropout": folder / "ilastik_crops",
    }
    words = [str(word) for pair in paths.items() for word in pair]
    steps = ("classify", "ilastik", "prepare")
    return program_cost([bench.steinbock, *steps, *words, *CROPPING], bench.environment)
