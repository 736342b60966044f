"""Rows of what is computed: prediction and training."""

import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.bench import Bench, Row
from benchmarks.costs import Cost, Work, own_cost, told_cost
from benchmarks.engine import SYSTEM_PYTHON, prepare_case, run_vigra, write_large_case
from benchmarks.labelled_crops import VIGRA_BANK, labelled_crops, write_arrays
from benchmarks.training import SEED, train_here, train_with_vigra
from ilpix.data_directory import PROJECT
from ilpix.forest.growing import grow_forest
from ilpix.images.hdf5 import write_image
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from ilpix.training.feature_table import choose_features
from ilpix.training.samples import Samples, collect_samples

THREADS, TREES = 2, 100
SMALL_PX = 300  # edge of the image that vigra predicts as well, in one thread
CROP_PX, N_CROPS = 256, 5
CASES = {"6": (6, "shallow"), "6, deep forest": (6, "deep"), "40": (40, "shallow")}
LEARN = "vigra learnRF"

VIGRA_TRAINING = f"""
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy, vigra
folder = sys.argv[1]
images, drawn = numpy.load(folder + "/images.npy"), numpy.load(folder + "/labels.npy")
{VIGRA_BANK}
def learn(seed):
    forest = vigra.learning.RandomForest(treeCount=50)
    forest.learnRF(features, labels, randomSeed=seed)
began, cpu_began = time.perf_counter(), time.process_time()
with ThreadPoolExecutor(2) as pool:
    banks = list(pool.map(bank, images))
    features = [b[d.ravel() > 0] for b, d in zip(banks, drawn)]
    features = numpy.concatenate(features).astype(numpy.float32)
    labels = drawn[drawn > 0].astype(numpy.uint32)[:, None]
    list(pool.map(learn, (1, 2)))
seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
print(json.dumps(dict(seconds=seconds, cpu_seconds=cpu_seconds)))
"""


def engine_rows(bench: Bench) -> Iterator[Row]:
    """Prediction, file to file."""

    def predict(case: Path, threads: int) -> Work:
        words = [sys.executable, "-m", "benchmarks.engine", "--once", case, str(threads)]
        return partial(told_cost, words, bench.environment)

    def case_of(n_channels: int, kind: str) -> Path:
        case = bench.folder / f"{n_channels}_{kind}"
        if not case.exists():
            prepare_case(case, n_channels, kind)
        return case

    def small() -> tuple[Work, Work]:
        case = _cut_out(case_of(6, "shallow"), bench.folder / "small")
        return predict(case, 1), partial(_vigra, case)

    def large() -> tuple[Work, None]:
        write_large_case(bench.folder / "large")
        return predict(bench.folder / "large", THREADS), None

    yield Row(f"predict {SMALL_PX}² px × 6, 1 thread", small, "vigra")
    for name, of_case in CASES.items():
        yield Row(f"predict 1200² px × {name}", lambda c=of_case: (predict(case_of(*c), 2), None))
    yield Row("predict 10 000² px × 6", large, is_large=True)


def training_rows(bench: Bench) -> Iterator[Row]:
    """Growing forests, and what comes before it."""
    yield _noise(20_000, 252, 4)
    yield _noise(50_000, 252, TREES, is_large=True)
    yield Row("grow 100 trees, 1 000 px in 5 crops, 4 channels", _growing, LEARN)
    name = "features and 100 trees, 1 000 px in 5 crops, 4 channels"
    yield Row(name, partial(_training, bench), "vigra: features of the crops, learnRF")


def _noise(n_pixels: int, n_columns: int, n_trees: int, *, is_large: bool = False) -> Row:
    def prepare() -> tuple[Work, Work]:
        rng = np.random.default_rng(SEED)
        samples = rng.standard_normal((n_pixels, n_columns), dtype=np.float32)
        labels = rng.integers(1, 4, n_pixels).astype(np.uint8)
        return _beside_vigra(samples, labels, n_trees)

    pixels = f"{n_pixels // 1000} 000"
    name = f"grow {n_trees} trees, {pixels} px × {n_columns} columns of noise"
    return Row(name, prepare, LEARN, is_large=is_large)


def _growing() -> tuple[Work, Work]:
    with labelled_crops(CROP_PX, N_CROPS) as folder:
        samples = _samples(folder)
    return _beside_vigra(samples.features, samples.labels, TREES)


def _beside_vigra(samples: np.ndarray, labels: np.ndarray, n_trees: int) -> tuple[Work, Work]:
    train_here(samples, labels, 1, THREADS)  # compiles
    of_both = (samples, labels, n_trees, THREADS)
    return partial(train_here, *of_both), partial(train_with_vigra, *of_both)


def _training(bench: Bench) -> tuple[Work, Work]:
    folder = bench.until.enter_context(labelled_crops(CROP_PX, N_CROPS))

    def train() -> None:
        samples = _samples(folder)
        grow_forest(samples.features, samples.labels, SEED, n_trees=TREES, threads=THREADS)

    train()  # compiles
    return partial(own_cost, train), partial(_vigra_training, folder)


def _samples(folder: Path) -> Samples:
    project = read_project(folder / PROJECT)
    return collect_samples(project, read_all_labels(project), choose_features(">=1px+smoothings"))


def _vigra_training(folder: Path) -> Cost:
    with tempfile.TemporaryDirectory() as name:
        write_arrays(folder / PROJECT, Path(name))
        return told_cost([SYSTEM_PYTHON, "-c", VIGRA_TRAINING, name])


def _vigra(case: Path) -> Cost:
    parts = run_vigra(case)  # in one thread, without start and files
    return Cost(sum(parts.values()), sum(parts.values()))


def _cut_out(case: Path, small: Path) -> Path:
    small.mkdir()
    image = np.load(case / "image.npy")[:, :SMALL_PX, :SMALL_PX]
    np.save(small / "image.npy", image)
    write_image(small / "image.h5", image, None)
    (small / "forest.h5").symlink_to(case / "forest.h5")
    return small
