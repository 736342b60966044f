"""`prepare`: images and a panel become prepared images, crops to label and a project."""

import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

from prefect import flow

from flows.errors import EveryImageTooSmallError
from flows.options import PrepareOptions
from flows.running.verb_run import VerbRun, running
from flows.showing.artifacts import show_prepared
from ilpix.images.chosen_crops import read_chosen, with_chosen
from ilpix.images.crops import (
    CropWindow,
    crop_stem,
    plan_crops_like_steinbock,
    plan_crops_per_image,
)
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.panel import read_panel
from ilpix.images.preparation import channel_names
from ilpix.images.tiff import find_images, image_stem
from tasks.preparing import cut_crops, prepare_image
from tasks.projects import create_untrained_project, is_kept
from tasks.records import FilesWritten

_log = logging.getLogger(__name__)
Windows = Mapping[str, list[CropWindow]]


@flow(name="prepare", flow_run_name="prepare-{data_dir.name}", validate_parameters=True)
def prepare(data_dir: Path = Path(), options: PrepareOptions = PrepareOptions()) -> Path:
    """Turn images and panel into prepared images, crops and a project, ready for labelling.

    A project that carries labels or a classifier is kept, and its crops with it, unless `overwrite`
    says otherwise.

    Args:
        data_dir: the folder that holds images and panel, and gets all results.
        options: how images are prepared and crops chosen.

    Returns:
        The project file.

    Raises:
        ImagesFailedError: after all images were tried, if any failed.
        IlpixError: if nothing could be begun: no images, a panel with mistakes, a project in the
            way.
    """
    with running("prepare", data_dir, options) as run:
        panel = read_panel(run.path(options.panel))
        project = run.path(options.ilp)
        record = ImageRecord(
            channel_names=channel_names(panel, options.preparation), preparation=options.preparation
        )
        keep = not options.overwrite and is_kept(project, record)
        prepared = _prepare_images(run, options)
        if prepared and not keep:
            crops = _cut_crops(run, prepared, options)
            create_untrained_project(project, crops, options.labels, record)
        show_prepared(run, record)
    return project


def _prepare_images(run: VerbRun, options: PrepareOptions) -> dict[str, FilesWritten]:
    sources = find_images(run.path(options.img))
    return run.for_each_image(
        prepare_image,
        {
            image_stem(source): {
                "source": source,
                "target": run.path(options.imgout) / f"{image_stem(source)}.h5",
                "panel": run.path(options.panel),
                "options": options.preparation,
            }
            for source in sources
        },
    )


def _cut_crops(
    run: VerbRun, prepared: Mapping[str, FilesWritten], options: PrepareOptions
) -> tuple[Path, ...]:
    windows = plan_windows(run, prepared, options)
    targets = {
        stem: tuple(
            run.path(options.cropout) / f"{crop_stem(stem, window)}.h5" for window in planned
        )
        for stem, planned in windows.items()
    }
    cut = run.for_each_image(
        cut_crops,
        {
            stem: {
                "source": run.path(options.imgout) / f"{stem}.h5",
                "targets": targets[stem],
                "windows": tuple(planned),
            }
            for stem, planned in windows.items()
        },
    )
    return tuple(target for stem in cut for target in targets[stem])


def plan_windows(
    run: VerbRun, prepared: Mapping[str, FilesWritten], options: PrepareOptions
) -> dict[str, list[CropWindow]]:
    """Choose the crops of all prepared images; those that are too small have none, and a warning.

    What a person chose by hand stays, behind what is drawn.

    Raises:
        EveryImageTooSmallError: if every image is too small.
    """
    seed = options.seed if options.seed is not None else secrets.randbelow(2**32)
    run.notes["seed"] = seed
    _log.info("crop positions are drawn with --seed %d", seed)
    shapes = {
        stem: (written.facts["height"], written.facts["width"])
        for stem, written in prepared.items()
    }
    if options.crop_sampling == "steinbock":
        planned = plan_crops_like_steinbock(shapes, options.cropsize, seed, options.crops)
    else:
        planned = {
            stem: plan_crops_per_image(stem, shape, options.cropsize, seed, options.crops)
            for stem, shape in shapes.items()
        }
    planned = with_chosen(planned, read_chosen(run.path(options.cropout)), shapes)
    too_small = [stem for stem in shapes if not planned.get(stem)]
    for stem in too_small:
        _log.warning(
            "%s: no crop, %d×%d is smaller than --cropsize %d",
            stem,
            *shapes[stem],
            options.cropsize,
        )
    run.notes["without_crop"] = too_small
    windows = {stem: crops for stem, crops in planned.items() if crops}
    if shapes and not windows:
        raise EveryImageTooSmallError(options.cropsize, shapes)
    return windows
