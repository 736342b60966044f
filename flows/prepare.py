"""`prepare`: images and a panel become prepared images, crops to label and a project."""

import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

from flows.crop_sizes import require_crop_fits
from flows.errors import EveryImageTooSmallError
from flows.kept_project import (
    NO_CROP,
    SEED,
    choices_for_more,
    images_without_crop,
    note_choices,
    tell_unnamed,
    tell_without_effect,
)
from flows.options import PrepareOptions
from flows.running.choosing import choose, tell_notes
from flows.running.progress import display
from flows.running.sources import (
    NOTE,
    find_gone,
    noted_sources,
    tell_doubles,
    tell_gone,
    update_sources,
)
from flows.running.verb_flow import verb_flow
from flows.running.verb_run import VerbRun, running
from flows.showing.artifacts import show_prepared
from ilpix.errors import NotAFileError, name_some
from ilpix.images.chosen_crops import NAME as CHOSEN
from ilpix.images.chosen_crops import read_chosen, with_chosen
from ilpix.images.crops import (
    CropWindow,
    crop_stem,
    plan_crops_like_steinbock,
    plan_crops_per_image,
)
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.panel import Panel, read_panel
from ilpix.images.preparation import channel_names
from ilpix.project.reading import read_project
from ilpix.sources.finding import find_sources
from ilpix.wording import counted, in_words_of_the_place
from tasks.preparing import cut_crops, prepare_image
from tasks.projects import (
    add_crops,
    create_untrained_project,
    is_kept,
    set_aside,
    tell_backup,
)
from tasks.records import FilesWritten

_log = logging.getLogger(__name__)
Windows = Mapping[str, list[CropWindow]]


@verb_flow(name="prepare", flow_run_name="prepare-{data_dir.name}", validate_parameters=True)
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
        run.notes[NOTE] = noted_sources(data_dir)
        panel = read_panel(run.path(options.panel), zero_unused=options.zero_unused)
        for note in panel.notes:
            _log.warning("%s", in_words_of_the_place(note))
        project = run.path(options.ilp)
        if project.is_dir():
            raise NotAFileError(project)
        record = ImageRecord(
            channel_names=channel_names(panel, options.preparation), preparation=options.preparation
        )
        tell_backup(project)
        keep = not options.overwrite and is_kept(project, record)
        display.get().doing("looking for images")
        prepared = _prepare_images(run, panel, options, cuts_crops=not keep)
        if prepared and not keep:
            windows, others = plan_windows(run, prepared, options), _crops_of_others(run, options)
            kept = (*others, *_table_of_chosen(run, options))
            set_aside(project, run.path(options.cropout), kept)
            crops = (*_cut_crops(run, windows, options), *others)
            create_untrained_project(project, crops, options.labels, record)
            note_choices(run, options)
        elif prepared:
            _keep_project(run, options, prepared)
        tell_unnamed(run, options)
        show_prepared(run, record)
    return project


def _prepare_images(
    run: VerbRun, panel: Panel, options: PrepareOptions, *, cuts_crops: bool
) -> dict[str, FilesWritten]:
    found = find_sources(run.path(options.img), panel, options.reading)
    chosen = choose(found.names, options.only)
    sources = [source for source in found.sources if source.name in chosen]
    if cuts_crops and not read_chosen(run.path(options.cropout)):
        require_crop_fits(sources, panel, options)
    for name, error in found.failures.items():
        if name in chosen:
            run.fail(name, error)
    prepared = run.for_each_image(
        prepare_image,
        {
            source.name: {
                "source": source.path,
                "index": source.index,
                "target": run.path(options.imgout) / f"{source.name}.h5",
                "panel": run.path(options.panel),
                "options": options.preparation,
                "reading": options.reading,
            }
            for source in sources
        },
    )
    run.notes[NOTE] = update_sources(
        run.notes[NOTE], run.data_dir, options.img, options.imgout, found.sources
    )
    told = list(found.notes.items())
    told += [(name, note) for name, written in prepared.items() for note in written.facts["notes"]]
    told += tell_gone(find_gone(run.notes[NOTE], run.data_dir, options.imgout))
    told += tell_doubles({name: written.files[f"{name}.h5"] for name, written in prepared.items()})
    tell_notes(run, told)
    return prepared


def _cut_crops(run: VerbRun, windows: Windows, options: PrepareOptions) -> tuple[Path, ...]:
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


def _keep_project(
    run: VerbRun, options: PrepareOptions, prepared: Mapping[str, FilesWritten]
) -> None:
    """Say what a kept project makes of the choices; add crops where a person wants that."""
    project = read_project(run.path(options.ilp))
    tell_without_effect(run, options, project)
    gone = find_gone(run.notes[NOTE], run.data_dir, options.imgout)
    missing = images_without_crop(project, prepared, gone)
    if not options.add_crops:
        tell_notes(run, [(name, NO_CROP) for name in missing])
    elif missing:
        options, seed = choices_for_more(run, options), run.notes.get(SEED)
        planned = plan_windows(run, prepared, options)
        run.notes |= {"added_with_seed": run.notes[SEED], SEED: seed}
        windows = {name: planned[name] for name in missing if name in planned}
        crops = _cut_crops(run, windows, options)
        if crops:
            added = add_crops(project.path, crops)
            run.notes["added_crops"] = [crop.stem for crop in crops]
            _log.info(
                "added to %s: %s; it is kept as it was: %s",
                project.path,
                name_some([crop.stem for crop in crops]),
                added.facts["backup"],
            )


def _table_of_chosen(run: VerbRun, options: PrepareOptions) -> tuple[Path, ...]:
    table = run.path(options.cropout) / CHOSEN
    return (table,) if table.is_file() else ()


def _crops_of_others(run: VerbRun, options: PrepareOptions) -> tuple[Path, ...]:
    """The crops of the images that this run was told to leave as they are."""
    names = sorted(
        name for outcome in run.others if outcome.step == cut_crops.name for name in outcome.files
    )
    folder = run.path(options.cropout)
    return tuple(folder / name for name in names if (folder / name).is_file())


def plan_windows(
    run: VerbRun, prepared: Mapping[str, FilesWritten], options: PrepareOptions
) -> dict[str, list[CropWindow]]:
    """Choose the crops of all prepared images; those that are too small have none, and a warning.

    What a person chose by hand stays, behind what is drawn.

    Raises:
        EveryImageTooSmallError: if every image is too small.
    """
    seed = options.seed if options.seed is not None else secrets.randbelow(2**32)
    run.notes[SEED] = seed
    _log.info(in_words_of_the_place("crop positions are drawn with --seed %d"), seed)
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
    run.notes["without_crop"] = too_small
    windows = {stem: crops for stem, crops in planned.items() if crops}
    if shapes and not windows:
        raise EveryImageTooSmallError(options.cropsize, options.scale, shapes)
    if too_small:
        _log.warning("%s", _tell_too_small(too_small, shapes, options.cropsize))
    return windows


def _tell_too_small(names: list[str], shapes: Mapping[str, tuple[int, int]], cropsize: int) -> str:
    measured = [f"{name} ({shapes[name][0]}×{shapes[name][1]})" for name in names]
    return (
        f"too small for a crop of {cropsize}: {len(names)} of {counted(len(shapes), 'image')}, "
        f"{name_some(measured)}; a crop size of {min(map(min, shapes.values()))} fits all"
    )
