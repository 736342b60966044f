"""The inputs of a headless command line: `FILE.h5/DATASET`, `FILE.h5` or a TIFF."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from ilpix.errors import told_shape
from ilpix.images.axistags import axis_keys
from ilpix.images.datasets import require_sound_texts, require_stored
from ilpix.images.hdf5 import FloatImage, PreparedImage
from ilpix.sources.tiff import read_image

HDF5_SUFFIXES = frozenset({".h5", ".hdf5", ".ilp"})
TIFF_SUFFIXES = frozenset({".tif", ".tiff"})


class InputError(Exception):
    """An input cannot be predicted."""


@dataclass(frozen=True, slots=True)
class InputImage:
    """One input: a file, and for HDF5 the dataset in it."""

    path: Path
    dataset: str | None  # None for a TIFF

    @property
    def nickname(self) -> str:
        """The name that `{nickname}` stands for; cut at the first dot, as Ilastik cuts it."""
        name = self.path.name.partition(".")[0]
        return (
            name if self.dataset is None else f"{name}-{self.dataset.strip('/').replace('/', '-')}"
        )


def find_input(text: str) -> InputImage:
    """Find the file and the dataset that a word of the command line names.

    Raises:
        InputError: if there is no such file or dataset, or it is not told which dataset is meant.
    """
    path = Path(text).expanduser()
    if path.is_file() and path.suffix.lower() in TIFF_SUFFIXES:
        return InputImage(path, None)
    for file in (path, *path.parents):
        if file.suffix.lower() in HDF5_SUFFIXES and file.is_file():
            return InputImage(file, _dataset_name(file, str(path.relative_to(file))))
    raise InputError(f"FileNotFoundError: Input file does not exist: {text}")


def read_input(source: InputImage, axes: str | None) -> FloatImage:
    """Read an input whole.

    Args:
        source: what to read.
        axes: its stored axis order; None takes the file's own.

    Returns:
        (C, Y, X) float32.

    Raises:
        InputError: if the axes do not fit, or the image is a stack.
    """
    if source.dataset is None:
        return np.ascontiguousarray(read_image(source.path), dtype=np.float32)
    with h5py.File(source.path, "r") as file:
        dataset = file[source.dataset]
        require_sound_texts(source.path, dataset)
        require_stored(source.path, dataset)
        try:
            keys = axes or axis_keys(dataset)
        except ValueError as error:
            raise InputError(f"{source.path}: {error}") from error
        sizes = dict(zip(keys, dataset.shape, strict=False))
        if len(keys) != dataset.ndim or not {"y", "x"} <= set(keys) or set(keys) - set("tzyxc"):
            raise InputError(
                f"{source.path}: the axes {keys} do not fit the shape {told_shape(dataset.shape)}"
            )
        if max(sizes.get("z", 1), sizes.get("t", 1)) > 1:
            stack = f"{source.path} is a stack ({keys}, {told_shape(dataset.shape)})"
            raise InputError(f"{stack}; only planes are predicted")
        shape = (sizes.get("c", 1), sizes["y"], sizes["x"])
        return PreparedImage(source.path, shape, dataset.dtype, None, keys, dataset).read()


def _dataset_name(path: Path, inner: str) -> str:
    with h5py.File(path, "r") as file:
        if inner != ".":
            if isinstance(file.get(inner), h5py.Dataset):
                return inner
            raise InputError(f"{path} has no dataset {inner}")
        datasets = [name for name, item in file.items() if isinstance(item, h5py.Dataset)]
    if len(datasets) != 1:
        raise InputError(f"{path} has {len(datasets)} datasets: name one as {path}/DATASET")
    return str(datasets[0])
