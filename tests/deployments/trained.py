"""A data directory with a trained project, made without a flow."""

from pathlib import Path

from ilpix.features.selection import default_selection
from ilpix.project.writing import create_project, label_classes, store_classifier
from tests.unit.forests import split_forest

N_CHANNELS = 2


def write_trained(folder: Path) -> Path:
    """Write a project that tells three classes apart; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    project = folder / "pixel_classifier.ilp"
    create_project(project, {"a.h5": (N_CHANNELS, 9, 9)}, label_classes(["A", "B", "C"]))
    selection = default_selection()
    forest = split_forest(n_columns=len(selection.columns(N_CHANNELS)))
    store_classifier(project, selection, forest, selection.names(N_CHANNELS), n_samples=2)
    return folder
