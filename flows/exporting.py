"""What `run` writes besides probability images: other sizes, formats, classes, uncertainty."""

from collections.abc import Sequence
from pathlib import Path

from flows.options import RunOptions
from flows.running.manifest import ALSO_WRITTEN
from flows.running.outcomes import Outcome
from flows.running.verb_run import VerbRun
from ilpix.images.hdf5 import find_prepared
from ilpix.prediction.products import plan_products
from ilpix.project.reading import PixelProject
from tasks.exporting import export_image

_STEP = "export-"  # and what


def is_export(outcome: Outcome) -> bool:
    """Tell whether an outcome is of something that is written besides probability images."""
    return outcome.step.startswith(_STEP)


def note_products(run: VerbRun, options: RunOptions) -> None:
    """Say in the manifest what is written besides probability images, and where."""
    run.notes[ALSO_WRITTEN] = [
        {"folder": product.folder(options.probabilities).as_posix(), **product.describe()}
        for product in plan_products(options)
    ]


def export_images(
    run: VerbRun, project: PixelProject, options: RunOptions, probabilities: Sequence[Path]
) -> None:
    """Write each product that was asked for, of every image that was predicted."""
    products = plan_products(options)
    if not products or not probabilities:
        return
    folder = run.path(options.probabilities)
    images = {image.stem: image for image in find_prepared(run.path(options.img))}
    classes = tuple((label_class.name, label_class.pmap_color) for label_class in project.classes)
    for product in products:
        run.for_each_image(
            export_image.with_options(name=f"{_STEP}{product.kind}"),
            {
                path.stem: {
                    "probabilities": path,
                    "image": images[path.stem],
                    "target": product.target(folder, path.stem),
                    "product": product,
                    "classes": classes,
                }
                for path in probabilities
            },
        )
