"""Which stored axis holds the channels.

Files name their axes by letters (C channels, Y rows, X columns, Z slices, T times, S samples of
colour), or only number their planes (Q, I). Axes of length 1 say nothing. What is left besides rows
and columns must be one axis: that of the channels. Where a file calls it otherwise, as Fiji does if
nobody sets channels, it is taken for channels if its length is the number of channels.
"""

from dataclasses import dataclass
from pathlib import Path

from ilpix.images.errors import ImageAxesError
from ilpix.sources.errors import AxesOptionError

_UNTOLD = set("QI")  # only numbered
_CHANNELS = set("CSQI")
_NAMES = {"Z": "slices (Z)", "T": "time points (T)"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How to turn a stored array into (C, Y, X)."""

    kept: tuple[int, ...]  # stored axes of channels (if any), rows and columns, in that order
    shape: tuple[int, int, int]  # (C, Y, X)
    note: str | None = None  # what a person should know about how the axes were taken

    @property
    def has_channels(self) -> bool:
        """Whether there is a stored axis of channels; one plane has none."""
        return len(self.kept) == 3


def find_layout(
    path: Path,
    axes: str,
    shape: tuple[int, ...],
    n_channels: int | None = None,
    told: str | None = None,
) -> Layout:
    """Find channels, rows and columns among stored axes.

    Args:
        path: the file, for messages.
        axes: a letter for each stored axis, upper case.
        shape: of the stored array.
        n_channels: how many channels the image must have, where that is known.
        told: axes that a person named; for all stored axes, or for those longer than 1.

    Raises:
        ImageAxesError: if there is no telling which axis is that of the channels.
        AxesOptionError: if `told` does not fit the stored axes.
    """
    if told is not None:
        axes = _spread(path, told.upper(), shape)
    rows, columns = axes.rfind("Y"), axes.rfind("X")
    if min(rows, columns) < 0 or 0 in shape:
        raise ImageAxesError(path, axes, shape, n_channels)
    others = [k for k, size in enumerate(shape) if size > 1 and k not in {rows, columns}]
    if not others:
        return Layout((rows, columns), (1, shape[rows], shape[columns]))
    if len(others) > 1:
        raise ImageAxesError(path, axes, shape, n_channels)
    (channels,) = others
    note = None
    if told is None and n_channels is not None:
        if axes[channels] in _UNTOLD and shape[channels] != n_channels:
            channels, rows, columns = _find_length(shape, (channels, rows, columns), n_channels)
        note = _describe(axes, shape, channels, rows)
    if axes[channels] not in _CHANNELS and shape[channels] != n_channels:
        raise ImageAxesError(path, axes, shape, n_channels)
    return Layout((channels, rows, columns), (shape[channels], shape[rows], shape[columns]), note)


def _spread(path: Path, told: str, shape: tuple[int, ...]) -> str:
    """The axes as a person named them, with a letter for each stored axis."""
    long = [k for k, size in enumerate(shape) if size > 1]
    if len(told) == len(shape):
        return told
    if len(told) > len(long):  # those of length 1 may not be stored at all
        told = "".join(letter for letter in told if letter in "CYX")
    if len(told) != len(long):
        raise AxesOptionError(path, told, shape)
    letters = dict(zip(long, told, strict=True))
    return "".join(letters.get(k, "Q") for k in range(len(shape)))


def _find_length(
    shape: tuple[int, ...], order: tuple[int, int, int], n_channels: int
) -> tuple[int, int, int]:
    """Put the only one of three unnamed axes that has the length of the channels first."""
    fitting = [k for k in order if shape[k] == n_channels]
    if len(fitting) != 1:
        return order
    rows, columns = (k for k in order if k != fitting[0])
    return fitting[0], rows, columns


def _describe(axes: str, shape: tuple[int, ...], channels: int, rows: int) -> str | None:
    letter, length = axes[channels], shape[channels]
    if channels > rows and letter != "C":
        return f"the {length} values of each pixel are taken as channels (channels are stored last)"
    if letter not in _CHANNELS:
        return f"the {length} {_NAMES.get(letter, f'planes ({letter})')} are taken as channels"
    return None
