"""Time to train a forest: ours beside vigra's `learnRF`.

Noise is the hardest case: trees grow deepest. Both get the same samples, the same rules (as many
columns per split, bootstrap, Gini, until pure) and the same number of threads; vigra splits its
trees over one forest per thread, as Ilastik does. Run it on an idle machine:

    python -m benchmarks.training [--small] [--trees N]

vigra runs on the machine's own Python (Debian: apt install python3-vigra).
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.costs import Cost, own_cost, told_cost
from ilpix.forest.growing import grow_forest

SYSTEM_PYTHON = "/usr/bin/python3"
CLASSES, SEED = 3, 0
FULL = (50_000, 252, 100)  # pixels, columns, trees
SMALL = (2_000, 60, 20)

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
start, cpu_start = time.perf_counter(), time.process_time()
with ThreadPoolExecutor(threads) as pool:
    assert sum(pool.map(learn, range(threads))) == trees
seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a quick look; the ratio says little")
    parser.add_argument("--trees", type=int, help="how many; by default 100, or 20 with --small")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    n_pixels, n_columns, n_trees = SMALL if arguments.small else FULL
    n_trees = arguments.trees or n_trees
    rng = np.random.default_rng(SEED)
    samples = rng.standard_normal((n_pixels, n_columns), dtype=np.float32)
    labels = rng.integers(1, CLASSES + 1, n_pixels).astype(np.uint8)
    print(f"{n_pixels} pixels × {n_columns} columns of noise, {n_trees} trees", flush=True)
    ours = train_here(samples, labels, n_trees, arguments.threads)
    show("ilpix", ours, f"{arguments.threads} threads")
    vigra = train_with_vigra(samples, labels, n_trees, arguments.threads)
    show("vigra", vigra, f"{arguments.threads} threads (learnRF, one forest per thread)")
    print(
        f"vigra / ilpix: {vigra.seconds / ours.seconds:.2f} in time, "
        f"{vigra.cpu_seconds / ours.cpu_seconds:.2f} in CPU time (above 1: ilpix is faster)"
    )


def show(name: str, cost: Cost, how: str) -> None:
    print(f"{name}  {cost.seconds:7.1f} s, CPU {cost.cpu_seconds:7.1f} s, {how}", flush=True)


def train_here(samples: np.ndarray, labels: np.ndarray, trees: int, threads: int) -> Cost:
    return own_cost(lambda: grow_forest(samples, labels, SEED, n_trees=trees, threads=threads))


def train_with_vigra(samples: np.ndarray, labels: np.ndarray, trees: int, threads: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "samples.npy"), samples)
        np.save(Path(folder, "labels.npy"), labels)
        program = [SYSTEM_PYTHON, "-c", VIGRA_TRAINING, folder, *map(str, (trees, threads, SEED))]
        return told_cost(program)


if __name__ == "__main__":
    main()
