"""`prepare` where a person's project is kept: which choices have no effect, what lacks a crop."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from flows.options import PrepareOptions
from flows.running.choosing import tell_notes
from flows.running.manifest import VerbRecord, read_manifest
from flows.running.verb_run import VerbRun
from ilpix.errors import IlpixError
from ilpix.images.crops import parse_crop_stem
from ilpix.project.crop_names import lane_stem
from ilpix.project.reading import PixelProject
from ilpix.project.unnamed_crops import find_unnamed_crops
from ilpix.wording import in_words_of_the_place

CHOICES = "crops_made_with"  # in the manifest
SEED = "seed"  # likewise
NO_CROP = "no crop of it is in the project, which is kept; ilpix prepare --add-crops adds one"
UNNAMED = (
    "no project names this crop any more: it is of another seed or size, or its image is gone; "
    "ilpix prune lists it"
)
ROUTE = (
    "for other crops: ilpix labels export FOLDER, the same again with --overwrite, ilpix labels "
    "import FOLDER --overlapping; labels where the new crops are come along, project and crops are "
    "backed up"
)

_CROPPING = ("cropsize", "crops", "crop_sampling")
_log = logging.getLogger(__name__)


def note_choices(run: VerbRun, options: PrepareOptions) -> None:
    """Note in the manifest how the crops of a new project were chosen."""
    run.notes[CHOICES] = {name: getattr(options, name) for name in _CROPPING}


def tell_without_effect(run: VerbRun, options: PrepareOptions, project: PixelProject) -> None:
    """Warn of what a person chose otherwise than when the crops of a kept project were made.

    How they were made stays noted in the manifest.
    """
    before = read_manifest(run.data_dir).verbs.get("prepare")
    made = _made_with(before)
    run.notes |= {name: made[name] for name in (SEED,) if made.get(name) is not None}
    run.notes[CHOICES] = {name: made[name] for name in _CROPPING if name in made}
    names = tuple(label_class.name for label_class in project.classes)
    if options.labels != names and "labels" in options.model_fields_set:
        _log.warning(
            "the classes %s have no effect: %s is kept and has %s; change classes in ilpix "
            "annotate or in Ilastik",
            ", ".join(options.labels),
            project.path,
            ", ".join(names),
        )
    given = {
        _title(name): value
        for name in (*_CROPPING, SEED)
        if name in options.model_fields_set
        and (value := getattr(options, name)) not in (None, made.get(name))
    }
    if given and not options.add_crops:
        told = " and ".join(f"{title} {value}" for title, value in given.items())
        have = "have" if len(given) > 1 else "has"
        route = in_words_of_the_place(ROUTE)
        _log.warning("%s %s no effect on %s, which is kept; %s", told, have, project.path, route)
        run.notes["without_effect"] = list(given)


def choices_for_more(run: VerbRun, options: PrepareOptions) -> PrepareOptions:
    """Return how further crops are chosen: as those before where a person says nothing else."""
    made = {**run.notes.get(CHOICES, {}), SEED: run.notes.get(SEED)}
    unsaid = {name: made[name] for name in made if name not in options.model_fields_set}
    return options.model_copy(update=unsaid)


def images_without_crop(
    project: PixelProject, images: Iterable[str], renamed: Mapping[str, str]
) -> list[str]:
    """Return the images of which no lane of a project is a crop, as far as names tell.

    Args:
        project: names the crops.
        images: names of images.
        renamed: former names of images, and those of now.
    """
    names = (parse_crop_stem(lane_stem(lane)) for lane in project.lanes)
    cut = {renamed.get(name.image) or name.image for name in names if name}
    return [image for image in images if image not in cut]


def tell_unnamed(run: VerbRun, options: PrepareOptions) -> None:
    """Warn of crops that no project names; of none where a project cannot be read."""
    project, crops = run.path(options.ilp), run.path(options.cropout)
    try:
        unnamed = find_unnamed_crops(run.data_dir, crops, [project])
    except IlpixError:
        return
    tell_notes(run, [(path.stem, UNNAMED) for path in unnamed])


def _made_with(before: VerbRecord | None) -> dict[str, Any]:
    """How the crops were chosen, as far as the manifest knows."""
    if before is None:
        return {}
    chosen = before.notes.get(CHOICES) or {name: before.parameters.get(name) for name in _CROPPING}
    return {**chosen, SEED: before.notes.get(SEED)}


def _title(name: str) -> str:
    return (PrepareOptions.model_fields[name].title or name).lower()
