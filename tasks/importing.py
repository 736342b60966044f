"""Files of `import`: a raw acquisition to an image."""

import logging
from pathlib import Path

from prefect import task

from ilpix.sources.errors import RawFileError
from ilpix.sources.raw_imc import (
    Acquisition,
    filter_hot_pixels,
    list_acquisitions,
    read_acquisition,
    write_raw_image,
)
from tasks.caching import ContentPolicy
from tasks.records import FilesWritten, files_written
from tasks.stopping import stop_if_asked

_log = logging.getLogger(__name__)


@task(
    name="import-acquisition",
    task_run_name="import-{target.stem}",
    cache_policy=ContentPolicy(algorithm=1),
    result_serializer="json",
    cache_result_in_memory=False,
)
def import_acquisition(  # noqa: PLR0913 - what decides the result
    source: Path,
    number: int | None,
    target: Path,
    channels: tuple[str, ...],
    hpf: float | None = None,
    recovery: Path | None = None,
) -> FilesWritten:
    """Turn one raw acquisition into an image.

    Args:
        source: an MCD or TXT file.
        number: of the acquisition in an MCD file.
        target: the image, (C, Y, X) float32 ion counts.
        channels: names of the channels, in the order of the image.
        hpf: by how many counts a pixel may exceed its neighbours; None filters nothing.
        recovery: TXT file of the same acquisition, read where the MCD file is damaged.
    """
    stop_if_asked()
    is_recovered = False
    acquisition = _find(source, number)
    try:
        image = read_acquisition(acquisition, channels)
    except RawFileError as error:
        if recovery is None:
            raise
        _log.warning("%s; taken from %s", error, recovery.name)
        image, is_recovered = read_acquisition(_find(recovery, None), channels), True
    if hpf is not None:
        image = filter_hot_pixels(image, hpf)
    write_raw_image(target, image)
    n_channels, height, width = image.shape
    return files_written(
        target, channels=n_channels, height=height, width=width, recovered=is_recovered
    )


def _find(source: Path, number: int | None) -> Acquisition:
    return next(found for found in list_acquisitions(source) if found.id == number)
