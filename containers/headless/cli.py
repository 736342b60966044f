"""Ilastik's headless command line in front of ilpix's own engine.

It is `ilpix-headless`, and `run_ilastik.sh` in our image. Options, log lines and exit codes are
those of Ilastik's pixel classification workflow, so that programs written for Ilastik (steinbock,
nf-core, MCMICRO) can call this instead. One difference is wanted: a project without a classifier is
refused, never trained anew.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import h5py

from containers.headless.export import (
    FORMATS,
    ExportSettings,
    read_export_settings,
    write_output,
)
from containers.headless.inputs import InputError, InputImage, find_input, read_input
from containers.headless.log import start_logging
from containers.headless.region import ExportError
from ilpix.errors import IlpixError
from ilpix.features.errors import ImageTooSmallError
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import read_project

MOST_THREADS = 8
app_log = logging.getLogger("ilastik.app")
project_log = logging.getLogger("ilastik.shell.projectManager")
workflow_log = logging.getLogger(
    "ilastik.workflows.pixelClassification.pixelClassificationWorkflow"
)
batch_log = logging.getLogger("ilastik.applets.batchProcessing.batchProcessingApplet")


def main() -> None:
    """Run the command line of this process and end it with Ilastik's exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a headless command line; return the exit code: 0, or 1 with the error in the log."""
    start_logging()
    options, unused = parse_arguments(arguments)
    app_log.info("Starting ilastik from %s", Path(__file__).parent)
    if unused:
        workflow_log.warning("Unused command-line args: %s", unused)
    try:
        _predict(options)
    except (IlpixError, InputError, ExportError, OSError) as error:
        batch_log.error("%s: %s", type(error).__name__, error)
        return 1
    return 0


def parse_arguments(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Parse what Ilastik knows; return it and the options that it only warns of."""
    parser = argparse.ArgumentParser(
        prog="run_ilastik.sh", description="Pixel classification without a window."
    )
    parser.add_argument("--headless", action="store_true", help="always so here")
    parser.add_argument(
        "--project", type=Path, required=True, help="a trained pixel classification project"
    )
    parser.add_argument(
        "--readonly", nargs="?", help="always so here; a bare one swallows the next word"
    )
    parser.add_argument("--input_axes", help="axes of the inputs, such as cyx; else their axistags")
    parser.add_argument("--export_source", default="Probabilities", help="Probabilities")
    parser.add_argument("--output_format", choices=sorted(FORMATS))
    parser.add_argument(
        "--output_filename_format", help="may hold {dataset_dir}, {nickname} and {result_type}"
    )
    parser.add_argument("--output_internal_path", help="dataset in an HDF5 output")
    parser.add_argument("--output_axis_order", help="such as yxc")
    parser.add_argument(
        "--export_dtype", choices=("uint8", "uint16", "uint32", "float32", "float64")
    )
    parser.add_argument("--pipeline_result_drange", help="such as (0.0,1.0)")
    parser.add_argument("--export_drange", help="such as (0,65535)")
    parser.add_argument(
        "--cutout_subregion", help="start and stop along y, x, c, such as [(0,0,0),(9,None,None)]"
    )
    parser.add_argument(
        "--raw_data", nargs="+", default=[], metavar="INPUT", help="inputs, as those without option"
    )
    options, rest = parser.parse_known_args(arguments)
    unused = [word for word in rest if word.startswith("-")]
    options.inputs = [*options.raw_data, *(word for word in rest if not word.startswith("-"))]
    return options, unused


def _predict(options: argparse.Namespace) -> None:
    project_log.info("Opening Project: %s", options.project)
    inputs = [find_input(text) for text in options.inputs]
    project = read_project(options.project)
    if not project.has_classifier:
        workflow_log.warning(
            "Your project file has no classifier. A new classifier will be trained for this run."
        )
        raise InputError("this program does not train: store a classifier in the project first")
    with h5py.File(options.project, "r") as file:
        settings = read_export_settings(file, options)
    classifier = Classifier.of(project)
    for source in inputs:
        _predict_one(source, classifier, options.input_axes, settings)


def _predict_one(
    source: InputImage,
    classifier: Classifier,
    axes: str | None,
    settings: ExportSettings,
) -> None:
    image = read_input(source, axes)
    if len(image) != classifier.n_channels:
        raise InputError(
            "All input images must have the same number of channels. Your new image "
            f"has {len(image)} channel(s), but your other images have {classifier.n_channels} "
            "channel(s)."
        )
    try:
        classifier.require_fitting(image.shape)
    except ImageTooSmallError as error:
        raise InputError(f"FeatureSelectionConstraintError: {error}") from error
    target = settings.path_for(source)
    batch_log.info("Exporting to %s", target)
    write_output(target, classifier.predict(image, threads=_threads()), settings)


def _threads() -> int:
    told = os.environ.get("LAZYFLOW_THREADS", "")
    return (
        int(told) if told.isdecimal() and int(told) > 0 else min(os.cpu_count() or 1, MOST_THREADS)
    )


if __name__ == "__main__":
    main()
