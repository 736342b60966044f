"""Turn an image into what Ilastik sees: channels grouped, their mean prepended, enlarged."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ilpix.images.errors import NothingButNaNError
from ilpix.images.panel import Panel, require_channels
from ilpix.images.preparation_options import (
    LEAVES_OUT_NAN,
    Aggregation,
    PreparationOptions,
)

FloatImage = NDArray[np.float32]

_REDUCE: dict[Aggregation, Callable[..., NDArray[Any]]] = {
    "mean": np.mean,
    "median": np.median,
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "std": np.std,
    "var": np.var,
    "nanmean": np.nanmean,
    "nanmedian": np.nanmedian,
    "nansum": np.nansum,
    "nanmax": np.nanmax,
    "nanmin": np.nanmin,
    "nanstd": np.nanstd,
    "nanvar": np.nanvar,
}
_LARGEST = np.finfo(np.float32).max
_BAND_BYTES = 2**25  # of prepared pixels that are in memory at a time
_FEWEST_ROWS = 16  # of the image; fewer would be enlarged with as many of their neighbours


def prepare_image(image: NDArray[Any], panel: Panel, options: PreparationOptions) -> FloatImage:
    """Prepare an image as steinbock does.

    All is done in floating point, also where an integer image is only enlarged; steinbock rounds
    such an image (no mean, and no groups or their maximum or minimum) back to integers.

    Args:
        image: (C, Y, X), C as in the panel, any integer or floating-point type. Not modified.
        panel: names the groups, in the order of the output channels.
        options: how channels are reduced, and how far the image is enlarged.

    Returns:
        (C', scale * Y, scale * X) float32, its channels as `channel_names` gives them; never a view
        of `image`. Values beyond float32 become its largest number.

    Raises:
        ChannelCountError: if the panel describes another number of channels.
        NothingButNaNError: if a pixel is NaN in all channels of a group.

    Example:
        >>> image, panel = read_image(Path("img/region_1.tiff")), read_panel(Path("panel.csv"))
        >>> prepare_image(image, panel, PreparationOptions()).shape
        (4, 220, 260)
    """
    prepared = np.empty(prepared_shape(image.shape, panel, options), dtype=np.float32)
    first = 0
    for band in prepared_bands([image], panel, options):
        prepared[:, first : first + band.shape[1]] = band
        first += band.shape[1]
    return prepared


def prepared_bands(
    bands: Iterable[NDArray[Any]], panel: Panel, options: PreparationOptions
) -> Iterator[FloatImage]:
    """Prepare an image like `prepare_image`, a band of rows at a time.

    Args:
        bands: (C, rows, X) of the image, from top to bottom.
        panel: as for `prepare_image`.
        options: as for `prepare_image`.

    Yields:
        (C', scale * rows, scale * X) float32, from top to bottom.

    Raises:
        ChannelCountError: if the panel describes another number of channels.
    """
    n_channels = len(channel_names(panel, options))
    grouped = (
        _group_rows(rows, panel, options)
        for band in bands
        for rows in _cut(band, 4 * n_channels * options.scale**2)
    )
    return grouped if options.scale == 1 else _enlarge(grouped, options.scale)


def prepared_shape(
    shape: tuple[int, ...], panel: Panel, options: PreparationOptions
) -> tuple[int, int, int]:
    """Return the (C, Y, X) of what `prepare_image` makes of an image of the given (C, Y, X)."""
    _, n_rows, n_columns = shape
    n_channels = len(channel_names(panel, options))
    return n_channels, n_rows * options.scale, n_columns * options.scale


def channel_names(panel: Panel, options: PreparationOptions) -> tuple[str, ...]:
    """Return the names of the channels that `prepare_image` makes; the prepended one is `mean`."""
    grouped = panel.names if panel.groups is None else tuple(group.name for group in panel.groups)
    return ("mean", *grouped) if options.mean else grouped


def enlarged_pixel_um(
    pixel_size_um: tuple[float, float] | None, options: PreparationOptions
) -> tuple[float, float] | None:
    """Return the (y, x) size of a pixel of the prepared image, from that of the image."""
    if pixel_size_um is None:
        return None
    y, x = pixel_size_um
    return y / options.scale, x / options.scale


def _cut(band: NDArray[Any], bytes_per_pixel: int) -> Iterator[NDArray[Any]]:
    """Cut a band into such ones that become about `_BAND_BYTES` when they are prepared."""
    n_rows = max(_FEWEST_ROWS, _BAND_BYTES // (bytes_per_pixel * band.shape[2]))
    for first in range(0, band.shape[1], n_rows):
        yield band[:, first : first + n_rows]


def _group_rows(rows: NDArray[Any], panel: Panel, options: PreparationOptions) -> FloatImage:
    """(C', rows, X): the groups, and before them their mean."""
    require_channels(panel, len(rows))
    channels = _group_channels(rows, panel, options.aggr)
    means = [channels.mean(axis=0) * options.meanfactor] if options.mean else []
    return np.stack([_to_float32(plane) for plane in (*means, *channels)])


def _group_channels(image: NDArray[Any], panel: Panel, aggr: Aggregation) -> NDArray[Any]:
    """(G, Y, X), in the image's own type where the channels stay as they are."""
    if image.dtype == np.float16:
        image = image.astype(np.float32)  # sums and scaled means would overflow
    if panel.groups is None:
        return image
    reduce = _REDUCE[aggr]
    parts = {group.name: image[list(group.channels)] for group in panel.groups}
    for name, part in parts.items():
        if aggr.startswith(LEAVES_OUT_NAN) and np.isnan(part).all(axis=0).any():
            raise NothingButNaNError(name)
    return np.stack([reduce(part, axis=0) for part in parts.values()])


def _to_float32(plane: NDArray[Any]) -> FloatImage:
    return np.asarray(np.clip(plane, -_LARGEST, _LARGEST), dtype=np.float32)


def _enlarge(bands: Iterable[FloatImage], scale: int) -> Iterator[FloatImage]:
    """Interpolate linearly between pixel centres; the edge pixels go on beyond the edge.

    A band is enlarged together with the last row of the band above and the first row of the one
    below, whose own enlarged rows are cut off again.
    """
    left = iter(bands)
    above: FloatImage | None = None
    band = next(left, None)
    while band is not None:
        below = next(left, None)
        parts = [above, band, None if below is None else below[:, :1]]
        image = np.concatenate([part for part in parts if part is not None], axis=1)
        first = 0 if above is None else scale
        yield _enlarge_planes(image, scale)[:, first : first + scale * band.shape[1]]
        above, band = band[:, -1:], below


def _enlarge_planes(image: FloatImage, scale: int) -> FloatImage:
    from ilpix.images._enlarging import enlarge  # noqa: PLC0415 - numba takes long to import

    n_channels, n_rows, n_columns = image.shape
    enlarged = np.empty((n_channels, n_rows * scale, n_columns * scale), np.float32)
    enlarge(image, scale, enlarged)
    return enlarged
