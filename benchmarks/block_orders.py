"""The axis order of label blocks beside the one that the version of their project asks for.

    python benchmarks/block_orders.py                     labels trained into a project of examples/
    python benchmarks/block_orders.py PROJECT.ilp CROPS   and a project that is copied and fixed

A row per lane with labels: the version of Ilastik, the axes of the file behind the lane, the order
asked for, and shape and place of each stored block. Exit code 1 where a block lies otherwise. The
labels of the examples are made here: a corner of each crop per class, not square.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import tifffile

from flows import PrepareOptions, TrainOptions, prepare, train
from ilpix.data_directory import CROPS, PROJECT
from ilpix.project.block_order import block_axes
from ilpix.project.label_blocks import BLOCK_SLICE, labels_group, parse_block_slice
from ilpix.project.reading import read_project
from ilpix.repair.applying import apply_fix
from ilpix.repair.plan import plan_fix

EXAMPLES = Path(__file__).parents[1] / "examples"


def main(arguments: list[str]) -> int:
    """Print the tables; return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("train --labels on examples/")
        is_right = print_orders(train_examples(folder / "examples"))
        if arguments:
            print(f"\nfix of {arguments[0]}")
            is_right &= print_orders(fix_copy(folder / "fixed", *map(Path, arguments)))
    return 0 if is_right else 1


def train_examples(folder: Path) -> Path:
    """Prepare the examples, and train with label images."""
    shutil.copytree(EXAMPLES, folder)
    prepare(folder, PrepareOptions(cropsize=64, seed=1, labels=("A", "B")))
    labels = np.zeros((64, 64), np.uint8)
    labels[3:9, 20:50], labels[30:36, 10:17] = 1, 2
    (folder / "labels").mkdir()
    for crop in (folder / CROPS).glob("*.h5"):
        tifffile.imwrite(folder / "labels" / f"{crop.stem}.tiff", labels)
    return train(folder, TrainOptions(labels=Path("labels"), features="fast", quality=False))


def fix_copy(folder: Path, project: Path, crops: Path) -> Path:
    """Fix a copy of a project and its crops."""
    shutil.copytree(crops, folder / CROPS)
    shutil.copy(project, folder / PROJECT)
    apply_fix(plan_fix(folder / PROJECT, folder / CROPS, folder / "probabilities"))
    return folder / PROJECT


def print_orders(path: Path) -> bool:
    """Print a row per labelled lane; return whether all blocks are as they should be."""
    project = read_project(path)
    are_right = []
    with h5py.File(path) as file:
        for lane in project.lanes:
            order = block_axes(project.ilastik_version, lane.axes)
            for block in file.get(labels_group(lane.index), {}).values():
                place = block.attrs[BLOCK_SLICE]
                are_right.append(_has_order(place, order, lane.size))
                said = "as asked for" if are_right[-1] else "WRONG"
                print(
                    f"  {project.ilastik_version}  lane {lane.index:2} {lane.axes} {lane.size}: "
                    f"{order}; block {block.shape} at {place}  {said}"
                )
    return all(are_right) and bool(are_right)


def _has_order(place: str | bytes, order: str, size: tuple[int, int]) -> bool:
    text = place.decode() if isinstance(place, bytes) else place
    intervals = parse_block_slice(text)
    limits = dict(zip("yx", size, strict=True))
    return len(intervals) == len(order) and all(
        stop <= limits.get(key, 1) for key, (_, stop) in zip(order, intervals, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
