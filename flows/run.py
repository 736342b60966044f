"""`run`: a trained project and prepared images become probability images."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from prefect.runtime import flow_run

from flows.check import look_at_image
from flows.engines import choose_engine, remove_containers
from flows.exporting import export_images, note_products
from flows.looking import look_at_images
from flows.options import RunOptions
from flows.running.choosing import choose, tell_notes
from flows.running.progress import display
from flows.running.server import on_server
from flows.running.sources import find_gone, noted_sources, tell_gone
from flows.running.verb_flow import verb_flow
from flows.running.verb_run import Chunks, VerbRun, running
from flows.settings import Settings
from flows.showing.artifacts import show_predicted
from flows.showing.pictures import Result
from flows.showing.report import write_report
from ilpix.images.hdf5 import find_foreign, find_prepared
from ilpix.project.reading import PixelProject
from ilpix.project.trained import classifier_digest
from tasks.predicting import predict_batch, predict_image
from tasks.taking import take_classifier


@verb_flow(
    name="run",
    flow_run_name="run-{data_dir.name}",
    on_cancellation=[remove_containers],
    on_crashed=[remove_containers],
)
def run(data_dir: Path = Path(), options: RunOptions = RunOptions()) -> list[Path]:
    """Predict the class probabilities of every prepared image.

    Args:
        data_dir: the folder that holds the project and the prepared images, and gets the results.
        options: which project, which images, and what predicts them.

    Returns:
        The probability images, (Y, X, K) uint16, in the order of the images.

    Raises:
        ImagesFailedError: after all images were tried, if any failed.
        IlpixError: if nothing could be begun: no trained classifier, no images, no engine.
    """
    settings = Settings()
    if options.parallel:
        settings = settings.model_copy(update={"parallel": options.parallel})
    with running("run", data_dir, options, settings) as verb_run:
        taken, project = take_classifier(verb_run.path(options.ilp), verb_run.workspace)
        verb_run.notes["classes"] = [label_class.name for label_class in project.classes]
        display.get().doing("comparing the images with the training crops")
        images = _find_fitting(verb_run, project, options)
        look = look_at_images(verb_run, project, images)
        targets = _predict_images(verb_run, taken, project, options, images)
        note_products(verb_run, options)
        display.get().doing("writing the results")
        export_images(verb_run, project, options, targets)
        rows = write_report(verb_run, project, look, _find_results(verb_run, options), options)
        show_predicted(verb_run, project, look, rows)
    return targets


def _predict_images(
    verb_run: VerbRun, taken: Path, project: PixelProject, options: RunOptions, images: list[Path]
) -> list[Path]:
    engine = choose_engine(verb_run, options, len(images))
    out = verb_run.path(options.probabilities)
    targets = {image.stem: out / f"{image.stem}.tiff" for image in images}
    classifier = classifier_digest(project)
    run_id = on_server(flow_run.get_root_flow_run_id) or ""
    written = verb_run.for_each_image(
        predict_image,
        {
            image.stem: {
                "image": image,
                "target": targets[image.stem],
                "project": taken,
                "engine": engine,
                "classifier": classifier,
                "computed_by": engine.identity,
                "workspace": verb_run.workspace,
                "run": run_id,
            }
            for image in images
        },
        Chunks(engine.batch, predict_batch) if engine.batch > 1 else None,
    )
    return [targets[stem] for stem in written]


def _find_results(verb_run: VerbRun, options: RunOptions) -> dict[str, Result]:
    """Return what can be shown: images of this run, and of runs before that it leaves alone."""
    outcomes = [*verb_run.outcomes, *verb_run.others]
    predicted = {outcome.image for outcome in outcomes if "areas" in outcome.facts}
    out = verb_run.path(options.probabilities)
    return {
        image.stem: Result(image, target)
        for image in find_prepared(verb_run.path(options.img))
        if image.stem in predicted and (target := out / f"{image.stem}.tiff").exists()
    }


def _find_fitting(verb_run: VerbRun, project: PixelProject, options: RunOptions) -> list[Path]:
    """Return the prepared images that fit the project; the others are remembered as failed."""
    folder = verb_run.path(options.img)
    images = find_prepared(folder)
    chosen = choose([image.stem for image in images], options.only)
    gone = find_gone(noted_sources(verb_run.data_dir), verb_run.data_dir, options.img)
    verb_run.leave_out(gone)
    images = [image for image in images if image.stem in chosen and image.stem not in gone]
    look = partial(look_at_image, project=project, workspace=verb_run.workspace)
    with ThreadPoolExecutor(verb_run.width(len(images)).parallel) as pool:
        looked = dict(zip(images, pool.map(look, images), strict=True))
    notes = [(image.name, note) for image, (_, note) in looked.items() if note]
    tell_notes(verb_run, [*find_foreign(folder).items(), *tell_gone(gone), *notes])
    for image, (error, _) in looked.items():
        if error:
            verb_run.fail(image.stem, error)
    return [image for image, (error, _) in looked.items() if error is None]
