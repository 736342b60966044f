"""How often channels in another order are noticed, in all images together and in each alone.

`python benchmarks/channel_order.py FOLDER`: FOLDER holds `ilastik_img` and `ilastik_crops` of the
same channels, a crop for each image in the order of names. Without FOLDER the example of this
repository is prepared.
"""

import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from flows import PrepareOptions, prepare
from ilpix.checks.training_comparison import compare_with_training
from ilpix.data_directory import CROPS, PREPARED
from ilpix.example import write_example
from ilpix.images.channel_statistics import ChannelStatistics, describe_channels
from ilpix.images.hdf5 import find_prepared, open_prepared

CROPSIZE, SEED = 100, 1
Statistics = list[ChannelStatistics]


def main() -> None:
    if len(sys.argv) > 1:
        print_table(Path(sys.argv[1]))
        return
    with TemporaryDirectory() as folder:
        write_example(Path(folder))
        prepare(Path(folder), PrepareOptions(cropsize=CROPSIZE, seed=SEED))
        print_table(Path(folder))


def print_table(folder: Path) -> None:
    images, crops = (list(describe_all(folder / part)) for part in (PREPARED, CROPS))
    n_channels = len(images[0].quantiles)
    print(f"\n{len(images)} images\n")
    print("| order of the images | all | one: named, other | its crop left out: named, other |")
    print("|---|---|---|---|")
    for swap in [(), *combinations(range(n_channels), 2)]:
        order = list(range(n_channels))
        for one, other in [swap] if swap else []:
            order[one], order[other] = other, one
        cells = [
            "named" if name_together(images, crops, order) else "missed",
            ", ".join(map(str, count_alone(images, crops, order, leave_out=False))),
            ", ".join(map(str, count_alone(images, crops, order, leave_out=True))),
        ]
        title = f"channels {swap[0]} and {swap[1]} swapped" if swap else "as it is"
        print(f"| {title} | {' | '.join(cells)} |")


def name_together(images: Statistics, crops: Statistics, order: list[int]) -> bool:
    swapped = {str(index): reorder(image, order) for index, image in enumerate(images)}
    compared = compare_with_training(swapped, crops, titles(order))
    return compared.order == tuple(order)


def count_alone(
    images: Statistics, crops: Statistics, order: list[int], *, leave_out: bool
) -> tuple[int, int]:
    """In how many images the right order is named when only it is swapped, in how many another."""
    named = others = 0
    for index, image in enumerate(images):
        mixed = {str(other): known for other, known in enumerate(images)}
        mixed[str(index)] = reorder(image, order)
        known = [crop for other, crop in enumerate(crops) if other != index or not leave_out]
        compared = compare_with_training(mixed, known, titles(order))
        found = [f.what for f in compared.of_image(str(index)) if f.topic == "channel order"]
        is_right = compared.order == tuple(sorted(order)) and (
            f"fitting: {', '.join(map(str, order))})" in found[0] if found else is_sorted(order)
        )
        named += is_right
        others += bool(found) and not is_right
    return named, others


def reorder(image: ChannelStatistics, order: list[int]) -> ChannelStatistics:
    parts = {
        name: tuple(getattr(image, name)[channel] for channel in order)
        for name in ("quantiles", "linkage", "smoothness")
    }
    return image.model_copy(update=parts)


def describe_all(folder: Path) -> Iterator[ChannelStatistics]:
    for path in find_prepared(folder):
        with open_prepared(path) as image:
            yield describe_channels(image)


def titles(order: list[int]) -> tuple[str, ...]:
    return tuple(map(str, range(len(order))))


def is_sorted(order: list[int]) -> bool:
    return order == sorted(order)


if __name__ == "__main__":
    main()
