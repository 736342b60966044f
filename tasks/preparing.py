"""Files of `prepare`: image to prepared image, prepared image to crops, crops to project."""

from pathlib import Path

from prefect import task

from ilpix.images.crops import CropWindow, cut_crop
from ilpix.images.hdf5 import ImageRecord, write_planes
from ilpix.images.panel import read_panel
from ilpix.images.preparation import (
    PreparationOptions,
    channel_names,
    prepared_planes,
    prepared_shape,
)
from ilpix.images.tiff import read_image
from tasks.caching import ContentPolicy
from tasks.records import FilesWritten, files_written
from tasks.stopping import stop_if_asked


@task(
    name="prepare-image",
    task_run_name="prepare-{source.stem}",
    cache_policy=ContentPolicy(algorithm=1),
    result_serializer="json",
    cache_result_in_memory=False,
)
def prepare_image(
    source: Path, target: Path, panel: Path, options: PreparationOptions
) -> FilesWritten:
    """Prepare one image file for Ilastik."""
    stop_if_asked()
    image, channels = read_image(source), read_panel(panel)
    shape = prepared_shape(image, channels, options)
    record = ImageRecord(channel_names=channel_names(channels, options), preparation=options)
    write_planes(target, shape, prepared_planes(image, channels, options), record)
    n_channels, height, width = shape
    return files_written(target, channels=n_channels, height=height, width=width)


@task(
    name="cut-crops",
    task_run_name="cut-crops-{source.stem}",
    cache_policy=ContentPolicy(algorithm=1),
    result_serializer="json",
    cache_result_in_memory=False,
)
def cut_crops(
    source: Path, targets: tuple[Path, ...], windows: tuple[CropWindow, ...]
) -> FilesWritten:
    """Cut each window out of a prepared image into a file of its own."""
    stop_if_asked()
    for target, window in zip(targets, windows, strict=True):
        cut_crop(source, target, window)
    positions = [{"x": window.x, "y": window.y} for window in windows]
    return files_written(*targets, size=windows[0].size, positions=positions)
