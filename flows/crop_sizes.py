"""Whether any image is large enough for a crop, from the headers of the images: nothing is read."""

from collections.abc import Iterable
from contextlib import suppress

from flows.errors import EveryImageTooSmallError
from flows.options import PrepareOptions
from ilpix.errors import IlpixError
from ilpix.images.panel import Panel
from ilpix.images.preparation import prepared_shape
from ilpix.sources.finding import Source, open_source


def require_crop_fits(sources: Iterable[Source], panel: Panel, options: PrepareOptions) -> None:
    """Raise before anything is prepared if no image would get a crop.

    The first image that is large enough ends the search. Images that cannot be opened are told of
    where they are prepared.

    Raises:
        EveryImageTooSmallError: if every image is too small once it is prepared.
    """
    shapes: dict[str, tuple[int, int]] = {}
    for source in sources:
        with (
            suppress(IlpixError),
            open_source(source.path, source.index, panel, options.reading) as image,
        ):
            _, height, width = prepared_shape(image.shape, panel, options.preparation)
            if min(height, width) >= options.cropsize:
                return
            shapes[source.name] = (height, width)
    if shapes:
        raise EveryImageTooSmallError(options.cropsize, options.scale, shapes)
