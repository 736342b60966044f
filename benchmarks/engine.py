"""How long the embedded engine takes, and how much memory, beside Debian's python3-vigra.

    python -m benchmarks.engine               the cases of the table, each in a process of its own
    python -m benchmarks.engine --large       10 000 x 10 000 px from HDF5

The image is synthetic tissue; the forests are trained on it, one on few clean labels, one ("deep")
on many of which some are wrong. Vigra computes the same columns with whole images in memory and
then predicts with the same trees, in one thread, which is all it has.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom

from benchmarks.costs import REPOSITORY, Cost, own_cost, peak_mb
from ilpix.features.computing import features_at
from ilpix.features.filters import build_filters
from ilpix.features.tiles import TileSize, Window, Workspace, plan_tiles
from ilpix.forest.growing import grow_forest
from ilpix.forest.stored import Forest, load_forest
from ilpix.forest.writing import write_forests
from ilpix.images.hdf5 import write_image
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import LabelClass
from ilpix.training.feature_table import choose_features

SIDE = 1200  # px
REPEATS = 9
SYSTEM_PYTHON = "/usr/bin/python3"  # which has vigra
LABELS = {"shallow": (1500, 0.0), "deep": (8000, 0.15)}  # number of labels, share that is wrong
CASES = [  # name, channels, forest, threads
    ("6 channels", 6, "shallow", 2),
    ("6 channels, 1 thread", 6, "shallow", 1),
    ("6 channels, deep forest", 6, "deep", 2),
    ("6 channels, deep forest, 1 thread", 6, "deep", 1),
    ("2 channels", 2, "shallow", 2),
    ("40 channels", 40, "shallow", 2),
]

VIGRA = """
import json, sys, time, numpy as np, vigra
from vigra import filters as f
folder, forest_file = sys.argv[1:]
image = np.load(folder + "/image.npy")
started, columns = time.perf_counter(), []
scales = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)
for name in ("GS", "LoG", "GGM", "DoG", "ST", "H"):
    for scale in scales if name == "GS" else scales[2:]:
        n = min(scale, 1.0)
        for channel in image:
            pre = (scale**2 - 1) ** 0.5 if scale > 1 else scale
            p = f.gaussianSmoothing(vigra.taggedView(channel, "yx"), pre, window_size=3.5)
            if name in ("GS", "DoG"): c = f.gaussianSmoothing(p, n, window_size=2.0)
            if name == "LoG": c = f.laplacianOfGaussian(p, n, window_size=2.0)
            if name == "GGM": c = f.gaussianGradientMagnitude(p, n, window_size=2.0)
            if name == "DoG": c = c - f.gaussianSmoothing(p, 0.66 * n, window_size=2.0)
            if name == "ST": c = f.structureTensorEigenvalues(p, 0.5 * n, n, window_size=2.0)
            if name == "H": c = f.hessianOfGaussianEigenvalues(p, n, window_size=2.0)
            c = np.asarray(c).reshape(image.shape[1:] + (-1,))
            columns += [c[..., i] for i in range(c.shape[2])]
features_s = time.perf_counter() - started
matrix = np.stack(columns, axis=-1).reshape(-1, len(columns))
started = time.perf_counter()
vigra.learning.RandomForest(forest_file, "forests/Forest0000").predictProbabilities(matrix)
print(json.dumps({"features": features_s, "forest": time.perf_counter() - started}))
"""


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--case"]:
        print(json.dumps(measure(Path(arguments[1]), int(arguments[2]))))
        return
    if arguments[:1] == ["--once"]:
        print(json.dumps(asdict(measure_once(Path(arguments[1]), int(arguments[2])))))
        return
    with tempfile.TemporaryDirectory() as folder:
        if arguments == ["--large"]:
            report_large(Path(folder))
        else:
            report_cases(Path(folder))


def report_cases(folder: Path) -> None:
    megapixels = SIDE**2 / 1e6
    print(f"{'case':36} {'s':>6} {'s/Mpx':>6} {'features':>9} {'peak MB':>8} {'first s':>8}  vigra")
    for name, n_channels, forest, threads in CASES:
        case = folder / f"{n_channels}_{forest}"
        if not case.exists():
            prepare_case(case, n_channels, forest)
        run_child(case, threads)  # compiles what this machine has not compiled yet
        ours = run_child(case, threads)
        line = f"{name:36} {ours['total']:6.2f} {ours['total'] / megapixels:6.2f}"
        line += f" {ours['features']:9.2f} {ours['peak_mb']:8.0f} {ours['first']:8.2f}"
        if n_channels == 6 and threads == 1:
            peer = run_vigra(case)
            of_forest = peer["forest"] / max(ours["total"] - ours["features"], 1e-9)
            line += (
                f"  features {peer['features']:.2f} s ({peer['features'] / ours['features']:.1f}x)"
            )
            line += f", forest {peer['forest']:.2f} s ({of_forest:.1f}x)"
        print(line, flush=True)
        if threads == 1:
            print(f"{'':36} the second core gains {ours['gain']:.2f}x")


def report_large(folder: Path) -> None:
    case = folder / "large"
    write_large_case(case)
    ours = run_child(case, 2)
    print(f"100 Mpx, 6 channels, 2 threads: {ours['first']:.1f} s, peak {ours['peak_mb']:.0f} MB")


def write_large_case(case: Path) -> None:
    """An image of 10 000 × 10 000 px and 6 channels, and beside it the small one."""
    n_channels, side = 6, 10_000
    prepare_case(case, n_channels, "shallow")
    image = np.load(case / "image.npy")
    (case / "image.h5").rename(case / "warm.h5")
    repeats = -(-side // SIDE)
    with h5py.File(case / "image.h5", "w") as file:
        large = file.create_dataset("img", (n_channels, side, side), np.float32)
        for y in range(0, side, SIDE):
            row = np.tile(image, (1, 1, repeats))[:, : side - y, :side]
            large[:, y : y + row.shape[1]] = row


def prepare_case(case: Path, n_channels: int, kind: str) -> None:
    """Write the image and a forest trained on it."""
    case.mkdir()
    image, classes = tissue(n_channels)
    np.save(case / "image.npy", image)
    write_image(case / "image.h5", image, None)
    n_labels, wrong = LABELS[kind]
    rng = np.random.default_rng(2)
    places = rng.integers(0, SIDE, (n_labels, 2))
    labels = classes[places[:, 0], places[:, 1]]
    labels = np.where(rng.random(n_labels) < wrong, rng.integers(1, 4, n_labels), labels)
    selection = choose_features(">=1px+smoothings")
    forest = grow_forest(features_at(image, selection, places), labels.astype(np.uint8), 1).forest
    with h5py.File(case / "forest.h5", "w") as file:
        write_forests(file.create_group("forests"), forest, selection.names(n_channels), n_labels)


def tissue(n_channels: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Noisy counts of nuclei and what surrounds them, scaled by 2, and the class of each pixel."""
    rng = np.random.default_rng(1)
    half = SIDE // 2
    cells = np.zeros((half, half))
    cells[tuple(rng.integers(0, half, (2, half**2 // 150)))] = 1
    nuclei, bodies = gaussian_filter(cells, 2) * 25, gaussian_filter(cells, 4) * 100
    channels = [
        rng.poisson(4 * (bodies if i % 3 else nuclei) * gaussian_filter(rng.random(cells.shape), 6))
        for i in range(n_channels)
    ]
    image = np.stack([zoom(c.astype(np.float32), 2, order=1, mode="nearest") for c in channels])
    classes = np.where(nuclei > 0.5, 1, np.where(bodies > 0.4, 2, 3))
    return image, classes.repeat(2, axis=0).repeat(2, axis=1)


def run_child(case: Path, threads: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.engine", "--case", str(case), str(threads)]
    result = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    values: dict[str, float] = json.loads(result.stdout)
    return values


def run_vigra(case: Path) -> dict[str, float]:
    command = [SYSTEM_PYTHON, "-c", VIGRA, str(case), str(case / "forest.h5")]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    values: dict[str, float] = json.loads(result.stdout)
    return values


def measure(case: Path, threads: int) -> dict[str, float]:
    """Measure file to file, first call and median, then the features alone."""
    target = case / f"{os.getpid()}.tiff"
    started = time.perf_counter()
    with h5py.File(case / "forest.h5", "r") as file:
        forest = load_forest(file["forests"])
    classifier = Classifier.of(project_of(forest))
    classifier.predict_file(case / "image.h5", target, threads=threads)
    first = time.perf_counter() - started
    if first > 30:  # the large image, once
        return {"first": first, "peak_mb": peak_mb()}

    def predict(n_threads: int) -> float:
        return seconds(
            lambda: classifier.predict_file(case / "image.h5", target, threads=n_threads), 1
        )

    # in turns, since how much of its cores a virtual machine gets changes from second to second
    one_and_two = np.array([(predict(threads), predict(2)) for _ in range(REPEATS)])
    total, of_two = np.median(one_and_two, axis=0)
    return {
        "first": first,
        "total": total,
        "gain": total / of_two,
        "peak_mb": peak_mb(),
        "features": features_s(case, forest),
    }


def measure_once(case: Path, threads: int) -> Cost:
    """Measure file to file, after a first call that loads the kernels."""
    classifier = classifier_of(case)
    image, target = case / "image.h5", case / f"{os.getpid()}.tiff"
    warm = case / "warm.h5"
    classifier.predict_file(warm if warm.exists() else image, target, threads=threads)
    cost = own_cost(lambda: classifier.predict_file(image, target, threads=threads))
    target.unlink()
    return replace(cost, peak_mb=peak_mb())


def classifier_of(case: Path) -> Classifier:
    with h5py.File(case / "forest.h5", "r") as file:
        return Classifier.of(project_of(load_forest(file["forests"])))


def features_s(case: Path, forest: Forest) -> float:
    """The features alone, in one thread."""
    image, selection = np.load(case / "image.npy"), choose_features(">=1px+smoothings")
    columns = [selection.columns(len(image))[i] for i in np.unique(forest.feature) if i >= 0]
    size = TileSize()
    workspace = Workspace(build_filters(columns, len(image)), size)

    def compute() -> None:
        for tile in plan_tiles(range(SIDE), SIDE, size):
            for _ in workspace.parts(Window.whole(image), tile):
                pass

    return seconds(compute, REPEATS)


def project_of(forest: Forest) -> SimpleNamespace:
    """What a classifier is made of, without a project file."""
    classes = [LabelClass(name, (0, 0, 0), (0, 0, 0)) for name in ("a", "b", "c")]
    return SimpleNamespace(
        path=Path("benchmark.ilp"),
        features=choose_features(">=1px+smoothings"),
        forest=forest,
        classes=classes,
    )


def seconds(work: Callable[[], object], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main(sys.argv[1:])
