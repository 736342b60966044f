"""Time to train a forest: ours (scikit-learn grows, we convert) beside vigra's `learnRF`.

Noise is the hardest case: trees grow deepest. Both get the same samples, the same rules (as many
columns per split, bootstrap, Gini, until pure) and the same number of threads; vigra splits its
trees over one forest per thread, as Ilastik does. Run it on an idle machine:

    python benchmarks/training.py [--small]

vigra runs on the machine's own Python (Debian: apt install python3-vigra).
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from ilpix.growing import grow_forest

SYSTEM_PYTHON = "/usr/bin/python3"
CLASSES, SEED = 3, 0
FULL = {"pixels": 50_000, "columns": 252, "trees": 100}
SMALL = {"pixels": 2_000, "columns": 60, "trees": 20}

VIGRA_TRAINING = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy, vigra
folder, trees, threads, seed = sys.argv[1], *map(int, sys.argv[2:])
samples = numpy.load(folder + "/samples.npy")
labels = numpy.load(folder + "/labels.npy").astype(numpy.uint32)[:, None]
sizes = [len(part) for part in numpy.array_split(range(trees), threads)]
def learn(index):
    forest = vigra.learning.RandomForest(treeCount=sizes[index])
    forest.learnRF(samples, labels, randomSeed=seed + index + 1)
    return forest.treeCount()
start = time.perf_counter()
with ThreadPoolExecutor(threads) as pool:
    grown = sum(pool.map(learn, range(threads)))
print(json.dumps({"seconds": time.perf_counter() - start, "trees": grown}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a quick look; the ratio says little")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    size = SMALL if arguments.small else FULL
    rng = np.random.default_rng(SEED)
    samples = rng.standard_normal((size["pixels"], size["columns"]), dtype=np.float32)
    labels = rng.integers(1, CLASSES + 1, size["pixels"]).astype(np.uint8)
    print(f"{size['pixels']} pixels × {size['columns']} columns of noise, {size['trees']} trees")
    ours = train_here(samples, labels, size["trees"], arguments.threads)
    vigra = train_with_vigra(samples, labels, size["trees"], arguments.threads)
    print(f"ilpix  {ours:7.1f} s, {arguments.threads} threads (fit and conversion)")
    print(f"vigra  {vigra:7.1f} s, {arguments.threads} threads (learnRF, one forest per thread)")
    print(f"ratio  {vigra / ours:7.2f} (vigra / ilpix; above 1: ilpix is faster)")


def train_here(samples: np.ndarray, labels: np.ndarray, trees: int, threads: int) -> float:
    start = time.perf_counter()
    grow_forest(samples, labels, SEED, n_trees=trees, threads=threads)
    return time.perf_counter() - start


def train_with_vigra(samples: np.ndarray, labels: np.ndarray, trees: int, threads: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "samples.npy"), samples)
        np.save(Path(folder, "labels.npy"), labels)
        program = [SYSTEM_PYTHON, "-c", VIGRA_TRAINING, folder, *map(str, (trees, threads, SEED))]
        answer = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    result = json.loads(answer)
    if result["trees"] != trees:
        raise RuntimeError(f"vigra grew {result['trees']} trees of {trees}")
    return float(result["seconds"])


if __name__ == "__main__":
    main()
