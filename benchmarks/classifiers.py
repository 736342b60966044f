"""How good forests are that are grown here, beside vigra's from the same pixels and columns.

Out of bag, and leaving one crop out: every labelled pixel is judged by a forest of the other crops.
The data sets are the synthetic tissue of `ilpix demo`, and any labelled projects that are named:

    python benchmarks/classifiers.py [PROJECT ...] [--seeds N]

vigra runs on the machine's own Python (Debian: apt install python3-vigra). Where scikit-learn is
installed, its forest is there as well.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from command.demo import demo
from ilpix.features.selection import default_selection
from ilpix.forest.growing import TREES, columns_per_split, grow_forest
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from ilpix.training.quality import add_up, judge_out_of_bag, leave_one_crop_out
from ilpix.training.samples import Samples, collect_samples

SYSTEM_PYTHON = "/usr/bin/python3"

VIGRA_QUALITY = """
import json, sys
import numpy, vigra
folder, trees, seed = sys.argv[1], *map(int, sys.argv[2:])
features = numpy.load(folder + "/features.npy")
labels = numpy.load(folder + "/labels.npy").astype(numpy.uint32)
crops = numpy.load(folder + "/crops.npy")
def learn(rows):
    forest = vigra.learning.RandomForest(treeCount=trees)
    return forest, forest.learnRF(features[rows], labels[rows, None], randomSeed=seed + 1)
_, out_of_bag = learn(numpy.ones(len(labels), bool))
right = 0
for crop in numpy.unique(crops):
    rows = crops != crop
    forest, _ = learn(rows)
    right += (forest.predictLabels(features[~rows])[:, 0] == labels[~rows]).sum()
print(json.dumps([1 - out_of_bag, right / len(labels)]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", type=Path, nargs="*", help="labelled .ilp beside their crops")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    print("| pixels | forest | out of bag | on crops left out |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        demo(Path(folder))
        for path in (Path(folder) / "pixel_classifier.ilp", *arguments.projects):
            project = read_project(path)
            samples = collect_samples(project, read_all_labels(project), default_selection())
            compare(
                path.parent.name if path in arguments.projects else "demo", samples, arguments.seeds
            )


def compare(name: str, samples: Samples, seeds: int) -> None:
    size = f"{name}: {len(samples.labels)} in {len(samples.crop_names)} crops"
    for forest, judge in (("ilpix", ours), ("vigra", vigra), ("scikit-learn", scikit)):
        found = [result for seed in range(seeds) for result in judge(samples, seed)]
        if found:
            low, high = 100 * np.min(found, axis=0), 100 * np.max(found, axis=0)
            mean = 100 * np.mean(found, axis=0)
            cells = [
                f"{m:.2f} % ({a:.2f} to {b:.2f})" for m, a, b in zip(mean, low, high, strict=True)
            ]
            print(f"| {size} | {forest} | {' | '.join(cells)} |", flush=True)


def ours(samples: Samples, seed: int) -> Iterator[tuple[float, float]]:
    grow = partial(grow_forest, seed=seed)
    out_of_bag = judge_out_of_bag(samples, grow(samples.features, samples.labels))
    others = add_up(result.confusion for result in leave_one_crop_out(samples, grow))
    yield out_of_bag.accuracy, others.accuracy


def vigra(samples: Samples, seed: int) -> Iterator[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("features", "labels", "crops"):
            np.save(Path(folder, name), getattr(samples, name))
        program = [SYSTEM_PYTHON, "-c", VIGRA_QUALITY, folder, str(TREES), str(seed)]
        answer = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    out_of_bag, others = json.loads(answer)
    yield out_of_bag, others


def scikit(samples: Samples, seed: int) -> Iterator[tuple[float, float]]:
    try:
        from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - not everybody has it
    except ImportError:
        return

    def fit(rows: np.ndarray) -> RandomForestClassifier:
        tried = columns_per_split(samples.features.shape[1])
        forest = RandomForestClassifier(
            TREES, max_features=tried, random_state=seed, oob_score=True, n_jobs=2
        )
        return forest.fit(samples.features[rows], samples.labels[rows])

    right = 0
    for crop in range(len(samples.crop_names)):
        rows = samples.crops != crop
        right += int(np.sum(fit(rows).predict(samples.features[~rows]) == samples.labels[~rows]))
    yield fit(np.ones(len(samples.labels), bool)).oob_score_, right / len(samples.labels)


if __name__ == "__main__":
    main()
