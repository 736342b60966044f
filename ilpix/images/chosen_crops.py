"""The crops that a person chose, in a table beside them: `chosen.csv` with image, y, x, size."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from ilpix.errors import Problem
from ilpix.files import write_text
from ilpix.images.crops import CropWindow
from ilpix.images.errors import InvalidChosenCropsError

NAME = "chosen.csv"
_COLUMNS = ("image", "y", "x", "size")


def read_chosen(folder: Path) -> dict[str, list[CropWindow]]:
    """Return the chosen crops of each image, in the order chosen; none without a table.

    Raises:
        InvalidChosenCropsError: with every line that names no crop.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    chosen: dict[str, list[CropWindow]] = {}
    problems = []
    rows = csv.DictReader(StringIO(path.read_text(encoding="utf-8-sig")))
    for number, row in enumerate(rows, 2):
        try:
            window = CropWindow(*(int(row[name]) for name in _COLUMNS[1:]))
            chosen.setdefault(row["image"], []).append(window)
        except (KeyError, TypeError, ValueError) as error:
            problems.append(Problem(f"line {number}", f"names no crop: {error}"))
    if problems:
        raise InvalidChosenCropsError(path, tuple(problems))
    return chosen


def add_chosen(folder: Path, image: str, window: CropWindow) -> None:
    """Add a crop to the table; one that is there stays where it is."""
    chosen = read_chosen(folder)
    if window not in chosen.setdefault(image, []):
        chosen[image].append(window)
    text = StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(_COLUMNS)
    for name, windows in chosen.items():
        table.writerows((name, window.y, window.x, window.size) for window in windows)
    write_text(folder / NAME, text.getvalue())


def with_chosen(
    planned: Mapping[str, list[CropWindow]],
    chosen: Mapping[str, list[CropWindow]],
    shapes: Mapping[str, tuple[int, int]],
) -> dict[str, list[CropWindow]]:
    """Return planned crops with the chosen ones behind those of the same image.

    What does not lie in its image any more, or was planned anyway, is left out.

    Args:
        planned: by image.
        chosen: by image.
        shapes: (Y, X) of the images.
    """
    return {
        image: [
            *windows,
            *(
                window
                for window in chosen.get(image, [])
                if window not in windows and _lies_in(window, shapes[image])
            ),
        ]
        for image, windows in planned.items()
    }


def _lies_in(window: CropWindow, shape: tuple[int, int]) -> bool:
    return window.y + window.size <= shape[0] and window.x + window.size <= shape[1]
