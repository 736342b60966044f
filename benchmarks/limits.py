"""How far prediction is from what this processor can do: sums, comparisons and memory of a pixel.

    python -m benchmarks.limits [--case CASE]

One thread, the cases of `benchmarks.engine`. Operations of the features are additions,
multiplications and fused multiply-adds of one value, as the loops have them, without what tiles
compute twice at their borders; comparisons of the forest are those of blocks, which compare all
their pixels at every node that one of them meets. The peaks are measured: fused multiply-adds in
registers, comparisons of what lies in the nearest cache, copying of what lies in none.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
from numba import njit

from benchmarks.engine import SIDE, prepare_case, seconds
from ilpix._vectors import HALF_ROWS, WIDTH, fused, spread, store, which_below
from ilpix.features.filters import Filters, build_filters
from ilpix.features.tiles import TileSize, Window, Workspace, plan_tiles
from ilpix.forest.stored import Forest, load_forest
from ilpix.forest.voting import pack
from ilpix.training.feature_table import choose_features

CASES = {"6": (6, "shallow"), "6, deep": (6, "deep"), "40": (40, "shallow")}
REPEATS, N_BLOCKS, TIMES = 3, 60, 2_000_000
FILTER_OPERATIONS, TENSOR_OPERATIONS = 57, 53  # of `_filter_strip`; of the two of the tensor
BLOCK_ROWS = 2 * HALF_ROWS


@dataclass(frozen=True)
class Peaks:
    """What one thread can do in a second."""

    operations: float
    comparisons: float
    copied_bytes: float  # read and written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", choices=list(CASES), action="append", help="else all")
    cases = parser.parse_args().case or CASES
    peaks = measure_peaks()
    told = f"One thread, a second: {peaks.operations / 1e9:.1f} · 10⁹ operations, "
    told += f"{peaks.comparisons / 1e9:.1f} · 10⁹ comparisons, "
    print(f"{told}{peaks.copied_bytes / 1e9:.1f} GB read and written.\n")
    print("| channels | part | a pixel | at the peak s | measured s | share of the peak |")
    print("|---|---|---|---|---|---|")
    for name in cases:
        with TemporaryDirectory() as folder:
            report(name, Path(folder) / "case", peaks)


def report(name: str, case: Path, peaks: Peaks) -> None:
    n_channels, kind = CASES[name]
    prepare_case(case, n_channels, kind)
    image = np.load(case / "image.npy")
    with h5py.File(case / "forest.h5", "r") as file:
        forest = load_forest(file["forests"])
    packed = pack(forest)
    selected = choose_features(">=1px+smoothings").columns(n_channels)
    filters = build_filters([selected[column] for column in packed.columns], n_channels)
    features_s = seconds(partial(go_over, image, filters, lambda *_: None), REPEATS)
    both_s = seconds(partial(go_over, image, filters, packed.predict), REPEATS)
    alone, together = count_visits(image, filters, forest, packed.columns)
    n_px, n_columns = SIDE**2, len(packed.columns)
    told = f"{alone:.0f} nodes, {together:.0f} of its block: comparisons"
    for part, amount, unit, peak, taken in (
        ("features", count_operations(filters), "operations", peaks.operations, features_s),
        ("forest", together, told, peaks.comparisons, both_s - features_s),
        ("memory", 8 * n_columns, "bytes of features", peaks.copied_bytes, both_s),
    ):
        least = amount * n_px / peak
        a_pixel = unit if unit == told else f"{amount:.0f} {unit}"
        shown = f"{least:.2f} | {taken:.2f} | {100 * least / taken:.0f} %"
        print(f"| {name} | {part} | {a_pixel} | {shown} |", flush=True)


def go_over(image: np.ndarray, filters: Filters, use: Callable[..., None]) -> None:
    """Compute the features of all parts, and use them while they are in the cache."""
    size = TileSize()
    workspace, n_classes = Workspace(filters, size), 3
    for tile in plan_tiles(range(SIDE), SIDE, size):
        for part, features in workspace.parts(Window.whole(image), tile):
            use(features, np.empty((part.height, part.width, n_classes), np.float32))


def count_operations(filters: Filters) -> float:
    """Return the operations of one pixel, all channels."""
    wanted = filters.outputs >= 0  # (C, S, N_VALUES)
    smoothing = wanted.any(axis=2) @ (2 * (2 * filters.radii + 1))
    tensor, others = wanted[..., 4:6].any(axis=2), np.delete(wanted, (4, 5), axis=2).any(axis=2)
    filtering = FILTER_OPERATIONS * others.sum() + TENSOR_OPERATIONS * tensor.sum()
    return float(smoothing.sum() + filtering)


def count_visits(
    image: np.ndarray, filters: Filters, forest: Forest, columns: np.ndarray
) -> tuple[float, float]:
    """Return the nodes that a pixel meets by itself, and those that its block does, on average."""
    place = {int(column): index for index, column in enumerate(columns)}
    blocks: list[np.ndarray] = []

    def keep(features: np.ndarray, _out: np.ndarray) -> None:
        if len(blocks) < N_BLOCKS:
            blocks.append(features[:, :BLOCK_ROWS, :WIDTH].reshape(len(features), -1).copy())

    go_over(image, filters, keep)
    alone = together = 0
    for block in blocks:
        waiting = [(root, np.arange(block.shape[1])) for root in forest.roots]
        while waiting:
            node, pixels = waiting.pop()
            if len(pixels) == 0 or forest.feature[node] < 0:
                continue
            alone, together = alone + len(pixels), together + 1
            below = block[place[int(forest.feature[node])], pixels] < forest.threshold[node]
            waiting += [(forest.left[node], pixels[below]), (forest.right[node], pixels[~below])]
    return alone / (len(blocks) * BLOCK_ROWS * WIDTH), together / len(blocks)


def measure_peaks() -> Peaks:
    planes = np.zeros((12, BLOCK_ROWS, WIDTH), np.float32)
    large = np.zeros(2**27, np.uint8)
    target = np.ones_like(large)
    sums = partial(add_up, np.zeros((1, WIDTH), np.float32), TIMES)
    comparisons = partial(compare, planes, TIMES)
    sums(), comparisons()  # compiles
    return Peaks(
        operations=8 * WIDTH * TIMES / seconds(sums, REPEATS),
        comparisons=BLOCK_ROWS * WIDTH * TIMES / seconds(comparisons, REPEATS),
        copied_bytes=2 * large.nbytes / seconds(partial(np.copyto, target, large), REPEATS),
    )


@njit
def add_up(out, times):
    """Eight sums of WIDTH values that do not wait for each other."""
    step, factor = spread(np.float32(1e-9)), spread(np.float32(0.999))
    a = b = c = d = e = f = g = h = step
    for _ in range(times):
        a, b, c, d = (
            fused(a, factor, step),
            fused(b, factor, step),
            fused(c, factor, step),
            fused(d, factor, step),
        )
        e, f, g, h = (
            fused(e, factor, step),
            fused(f, factor, step),
            fused(g, factor, step),
            fused(h, factor, step),
        )
    store(a + b + c + d + e + f + g + h, out, 0, 0)


@njit
def compare(planes, times):
    """Compare a block with a threshold, plane after plane."""
    found = np.uint64(0)
    for time in range(times):
        upper, lower = which_below(planes, time % 12, 0, 0, np.float32(time))
        found ^= upper ^ lower
    return found


if __name__ == "__main__":
    main()
