"""Everything that an HDF5 file holds, in a form that two files can be compared by."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np


def contents(path: Path) -> dict[str, object]:
    """Every group and dataset with its attributes, types, shape and value."""
    found: dict[str, object] = {}

    def type_of(dtype: np.dtype[Any]) -> object:
        return str(dtype), h5py.check_string_dtype(dtype)

    def note(name: str, item: h5py.Group | h5py.Dataset) -> None:
        attributes = {
            key: (type_of(item.attrs.get_id(key).dtype), np.asarray(value).tolist())
            for key, value in item.attrs.items()
        }
        if isinstance(item, h5py.Group):
            found[name] = attributes
        else:
            found[name] = (type_of(item.dtype), np.asarray(item[()]).tolist(), attributes)

    with h5py.File(path) as file:
        file.visititems(note)
    return found
