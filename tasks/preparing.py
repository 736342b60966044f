"""Files of `prepare`: image to prepared image, prepared image to crops, crops to project."""

from pathlib import Path

from prefect import task

from ilpix.images.crops import CropWindow, cut_crop
from ilpix.images.hdf5 import ImageRecord, write_bands
from ilpix.images.panel import read_panel, require_channels
from ilpix.images.preparation import (
    PreparationOptions,
    channel_names,
    enlarged_pixel_um,
    prepared_bands,
    prepared_shape,
)
from ilpix.sources.finding import open_source
from ilpix.sources.naming import compare_names
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.source import FiniteCheck, finite_bands
from tasks.caching import ContentPolicy
from tasks.records import FilesWritten, files_written
from tasks.stopping import stop_if_asked, until_asked_to_stop
from tasks.unchanged import require_unchanged_inputs


@task(
    name="prepare-image",
    task_run_name="prepare-{target.stem}",
    cache_policy=ContentPolicy(algorithm=3),
    result_serializer="json",
    cache_result_in_memory=False,
)
def prepare_image(  # noqa: PLR0913 - what decides the result
    source: Path,
    index: int,
    target: Path,
    panel: Path,
    options: PreparationOptions,
    reading: ReadingOptions,
) -> FilesWritten:
    """Prepare one image for Ilastik.

    Args:
        source: a TIFF file, an OME-Zarr folder or archive, or a folder of one TIFF per channel.
        index: of the image there.
        target: prepared image, (C, Y, X) float32.
        panel: table of the channels.
        options: how the image is prepared.
        reading: how files are read that do not say it, or say it wrongly.
    """
    stop_if_asked()
    channels = read_panel(panel, zero_unused=reading.zero_unused)
    with open_source(source, index, channels, reading) as image:
        require_channels(channels, image.shape[0], image.axes)
        record = ImageRecord(
            channel_names=channel_names(channels, options),
            preparation=options,
            pixel_size_um=enlarged_pixel_um(image.pixel_size_um, options),
        )
        n_channels, height, width = prepared_shape(image.shape, channels, options)
        passes_nan = options.ignores_nan(channels) and reading.nonfinite == "error"
        check = FiniteCheck(image.path, passes_nan)
        given = until_asked_to_stop(finite_bands(image, check, reading))
        bands = prepared_bands(given, channels, options)
        write_bands(target, (n_channels, height, width), bands, record)
        notes = [*image.notes, compare_names(image.channel_names, channels), check.told()]
    require_unchanged_inputs(discard=[target])
    return files_written(
        target,
        channels=n_channels,
        height=height,
        width=width,
        pixel_size_um=record.pixel_size_um,
        set_to_zero=check.count,
        notes=[note for note in notes if note],
    )


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
    require_unchanged_inputs(discard=targets)
    positions = [{"x": window.x, "y": window.y} for window in windows]
    return files_written(*targets, size=windows[0].size, positions=positions)
