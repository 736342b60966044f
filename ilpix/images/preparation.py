"""Turn an image into what Ilastik sees: channels grouped, their mean prepended, enlarged."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, PositiveInt

from ilpix.images.panel import Panel, require_channels

Aggregation = Literal["mean", "median", "sum", "max", "min", "std", "var"]
FloatImage = NDArray[np.float32]

_REDUCE: dict[Aggregation, Callable[..., NDArray[Any]]] = {
    "mean": np.mean,
    "median": np.median,
    "sum": np.sum,
    "max": np.max,
    "min": np.min,
    "std": np.std,
    "var": np.var,
}
_LARGEST = np.finfo(np.float32).max


class PreparationOptions(BaseModel, frozen=True, extra="forbid"):
    """How images are prepared; the defaults are steinbock's."""

    aggr: Aggregation = Field(
        "mean",
        title="Aggregation",
        description="how the channels of a group become one channel",
    )
    mean: bool = Field(
        default=True, title="Mean first", description="prepend the mean of all channels"
    )
    meanfactor: float = Field(
        100.0,
        gt=0,
        allow_inf_nan=False,
        title="Factor of the mean",
        description="what the prepended mean is multiplied by",
    )
    scale: PositiveInt = Field(
        2, title="Scale", description="how many times longer the image edges become"
    )


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
    """
    prepared = np.empty(prepared_shape(image, panel, options), dtype=np.float32)
    for target, plane in zip(prepared, prepared_planes(image, panel, options), strict=True):
        target[:] = plane
    return prepared


def prepared_planes(
    image: NDArray[Any], panel: Panel, options: PreparationOptions
) -> Iterator[FloatImage]:
    """Prepare an image like `prepare_image`, one channel at a time.

    Many enlarged channels need much memory; this holds one of them, and the groups before they are
    enlarged.

    Returns:
        The (scale * Y, scale * X) float32 channels, in their order.

    Raises:
        ChannelCountError: if the panel describes another number of channels.
    """
    require_channels(panel, len(image))
    channels = _group_channels(image, panel, options.aggr)
    means = [channels.mean(axis=0) * options.meanfactor] if options.mean else []
    return (_enlarge(_to_float32(plane), options.scale) for plane in (*means, *channels))


def prepared_shape(
    image: NDArray[Any], panel: Panel, options: PreparationOptions
) -> tuple[int, int, int]:
    """Return the (C, Y, X) of what `prepare_image` makes of an image."""
    _, n_rows, n_columns = image.shape
    n_channels = len(channel_names(panel, options))
    return n_channels, n_rows * options.scale, n_columns * options.scale


def channel_names(panel: Panel, options: PreparationOptions) -> tuple[str, ...]:
    """Return the names of the channels that `prepare_image` makes; the prepended one is `mean`."""
    grouped = panel.names if panel.groups is None else tuple(group.name for group in panel.groups)
    return ("mean", *grouped) if options.mean else grouped


def _group_channels(image: NDArray[Any], panel: Panel, aggr: Aggregation) -> NDArray[Any]:
    """(G, Y, X), in the image's own type where the channels stay as they are."""
    if image.dtype == np.float16:
        image = image.astype(np.float32)  # sums and scaled means would overflow
    if panel.groups is None:
        return image
    reduce = _REDUCE[aggr]
    return np.stack([reduce(image[list(group.channels)], axis=0) for group in panel.groups])


def _to_float32(plane: NDArray[Any]) -> FloatImage:
    return np.asarray(np.clip(plane, -_LARGEST, _LARGEST), dtype=np.float32)


def _enlarge(plane: FloatImage, scale: int) -> FloatImage:
    """Interpolate linearly between pixel centres; the edge pixels go on beyond the edge."""
    if scale == 1:
        return plane
    from skimage.transform import resize  # noqa: PLC0415 - a second to import

    n_rows, n_columns = plane.shape
    enlarged: FloatImage = resize(  # type: ignore[no-untyped-call]  # scikit-image has no types
        plane,
        (n_rows * scale, n_columns * scale),
        order=1,
        mode="edge",
        anti_aliasing=False,
        preserve_range=True,
    )
    return enlarged
