"""What the report costs beside the prediction that it shows, with the same images side by side.

    python -m benchmarks.report

Eight images of synthetic tissue, 1000 × 1000 px and 6 channels when prepared, with 1500 labelled
pixels. Predicted is file to file, with areas and digest, as a task of `run` does it, without
Prefect. What is compared was measured in turns; times are medians of 5, by the clock and of the
processors.
"""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tifffile

from benchmarks.engine import tissue
from flows import PrepareOptions, RunOptions, prepare
from flows.looking import look_at_images
from flows.running.verb_run import VerbRun
from flows.settings import Settings
from flows.showing.pictures import Result
from flows.showing.report import write_report
from ilpix.data_directory import IMAGES, PANEL, PREPARED, PROBABILITIES, PROJECT, REPORT
from ilpix.files import sha256_of
from ilpix.images.hdf5 import find_prepared
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.probabilities import class_areas
from ilpix.project.reading import PixelProject, read_project
from ilpix.training.feature_table import choose_features
from ilpix.training.storing import train

N_IMAGES, N_CHANNELS, SIDE, REPEATS = 8, 5, 1000, 5  # beside the channels their mean
N_LABELS = 1500
FEATURES = (">=1px+smoothings", "fast")
LABELS = Path("labels")
Results = dict[str, Result]


def main() -> None:
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_folder(folder)
        print("\n| features | prediction | report | report / prediction | nothing changed |")
        print("|---|---|---|---|---|")
        for features in FEATURES:
            train(folder / PROJECT, choose_features(features), folder / LABELS, seed=1)
            print(f"| `{features}` | {' | '.join(measure(folder))} |", flush=True)


def write_folder(folder: Path) -> None:
    """Write images, prepare them, label pixels of one crop that is a whole image."""
    image, classes = (part[..., :SIDE, :SIDE] for part in tissue(N_CHANNELS))
    (folder / IMAGES).mkdir()
    for number in range(N_IMAGES):
        source = np.roll(image[:, ::2, ::2], 37 * number, axis=2)
        tifffile.imwrite(folder / IMAGES / f"{number}.tiff", source, photometric="minisblack")
    rows = "".join(f"{channel},{channel},1,{channel + 1}\n" for channel in range(N_CHANNELS))
    (folder / PANEL).write_text(f"channel,name,keep,ilastik\n{rows}", encoding="utf-8")
    options = PrepareOptions(cropsize=len(classes), seed=1)
    prepare(folder, options)
    labels = np.zeros(classes.shape, np.uint8)
    places = tuple(np.random.default_rng(2).integers(0, len(classes), (2, N_LABELS)))
    labels[places] = classes[places]
    (folder / LABELS).mkdir()
    crop = next((folder / options.cropout).glob("0_*.h5"))
    tifffile.imwrite(folder / LABELS / f"{crop.stem}.tiff", labels)


def measure(folder: Path) -> list[str]:
    run = VerbRun("run", folder, Settings(), notes={"engine": "embedded"})
    project = read_project(folder / PROJECT)
    results = {
        path.stem: Result(path, folder / PROBABILITIES / f"{path.stem}.tiff")
        for path in find_prepared(folder / PREPARED)
    }
    (folder / PROBABILITIES).mkdir(exist_ok=True)
    predict(run, project, results)  # compiles, as does the first report; knows the digests
    report(run, project, results)
    taken = []
    for _ in range(REPEATS):
        shutil.rmtree(folder / REPORT)
        predicted = clocks(lambda: predict(run, project, results))
        report(run, project, results)  # digests of the new files, which `run` knows already
        shutil.rmtree(folder / REPORT)
        drawn, kept = (clocks(lambda: report(run, project, results)) for _ in range(2))
        taken.append((predicted, drawn, kept))
    table = np.array(taken)  # (repeats, what, clock)
    seconds = np.median(table, axis=0)
    shares = np.median(table[:, 1] / table[:, 0], axis=0)
    cells = [f"{clock:.2f} s ({cpu:.2f} s CPU)" for clock, cpu in seconds]
    return [*cells[:2], " ".join(f"{100 * share:.1f} %" for share in shares), cells[2]]


def predict(run: VerbRun, project: PixelProject, results: Results) -> None:
    width, classifier = run.width(len(results)), Classifier.of(project)

    def predict_one(result: Result) -> None:
        classifier.predict_file(*result, threads=width.threads)
        class_areas(result.probabilities)
        sha256_of(result.probabilities)

    with ThreadPoolExecutor(width.parallel) as pool:
        list(pool.map(predict_one, results.values()))


def report(run: VerbRun, project: PixelProject, results: Results) -> None:
    """Compare the images with the crops, draw what is missing, write the page."""
    look = look_at_images(run, project, [result.image for result in results.values()])
    write_report(run, project, look, results, RunOptions())


def clocks(work: Callable[[], object]) -> tuple[float, float]:
    started = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started[0], time.process_time() - started[1]


if __name__ == "__main__":
    main()
