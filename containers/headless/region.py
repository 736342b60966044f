"""Which part of the probabilities is written: an option, else what the project last exported.

A region is a start and a stop along the axes that Ilastik works in, rows, columns, channels, where
None is an end of the image. What reaches beyond the image is cut off there.
"""

import ast
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np


class ExportError(Exception):
    """The output is not wanted in a way that this program knows."""


Region = tuple[slice, slice, slice]  # rows, columns, channels

WHOLE: Region = (slice(None), slice(None), slice(None))


def find_region(option: str | None, stored: Mapping[str, Any]) -> Region:
    """Return the region that an option names, else that of a project's `Prediction Export`.

    Raises:
        ExportError: if it is none.
    """
    if option:
        try:
            start, stop = ast.literal_eval(option)
        except (ValueError, TypeError, SyntaxError) as error:
            raise ExportError(f"Invalid cutout_subregion: {option}") from error
        return _region(start, stop, f"cutout_subregion {option}")
    ends = [stored.get(name) for name in ("RegionStart", "RegionStop")]
    given = [np.ravel(end[()]).tolist() for end in ends if isinstance(end, h5py.Dataset)]
    if len(given) < 2 or not all(given):
        return WHOLE
    return _region(given[0], given[1], "export region of the project")


def _region(start: Any, stop: Any, name: str) -> Region:
    """Rows, columns and channels; axes in front of them, z and time, have length 1."""
    try:
        pairs = list(zip(start, stop, strict=True))
    except (TypeError, ValueError) as error:
        raise ExportError(f"Invalid {name}: start and stop have other lengths") from error
    if len(pairs) < len(WHOLE) or not all(_is_interval(*pair) for pair in pairs):
        raise ExportError(f"Invalid {name}: it gives no start and stop along y, x and c")
    rows, columns, channels = (slice(*pair) for pair in pairs[-3:])
    return rows, columns, channels


def _is_interval(start: Any, stop: Any) -> bool:
    ends = (end for end in (start, stop) if end is not None)
    return all(isinstance(end, int) for end in ends) and 0 <= (start or 0) < (stop or np.inf)
