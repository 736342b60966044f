"""A folder with the example, prepared and trained, for tests that run flows on it."""

from pathlib import Path

from command.demo import CROPSIZE, LABELS, SEED, write_labels_of_a_person
from flows.options import PrepareOptions
from flows.prepare import prepare
from ilpix.example import write_example
from ilpix.training.feature_table import choose_features
from ilpix.training.storing import train


def make_trained(folder: Path) -> None:
    """Fill a folder with prepared images and a trained project."""
    options = PrepareOptions(cropsize=CROPSIZE, seed=SEED)
    write_example(folder)
    prepare(folder, options)
    write_labels_of_a_person(folder, options)
    project = folder / "pixel_classifier.ilp"
    train(project, choose_features("fast"), folder / LABELS, seed=SEED)
