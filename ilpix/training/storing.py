"""Train the classifier of a project without a window: labels in, a stored forest out."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ilpix.arrays import LabelImage
from ilpix.features.selection import FeatureSelection
from ilpix.files import replacing, sha256_of
from ilpix.forest.growing import TREES, GrownForest, grow_forest
from ilpix.project.label_sources import read_label_source
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.work import count_labels, keep_work
from ilpix.project.writing import store_classifier
from ilpix.training.errors import OneClassLabelledError, ProjectChangedError
from ilpix.training.phases import Phase, Tell, tell_nobody
from ilpix.training.samples import Samples, advise, collect_samples
from ilpix.wording import counted

LabelSource = Literal["project"] | Path  # or a folder of label images, or a CSV table of points


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSummary:
    """What a classifier was trained from, and the classifier."""

    class_names: dict[int, str]  # of all classes, by label value
    pixels: dict[int, int]  # labelled pixels, by label value; 0 where a class has none
    advice: tuple[str, ...]  # sentences for the person who labels
    samples: Samples
    grown: GrownForest
    labels_before: dict[str, int]  # labelled pixels of the whole project, by class
    labels_after: dict[str, int]
    backup: Path | None  # of the project as it was; None where nothing of it was replaced


def train(  # noqa: PLR0913 - what decides the classifier, and who is told
    project_path: Path,
    selection: FeatureSelection,
    labels: LabelSource = "project",
    *,
    seed: int,
    threads: int | None = None,
    clear: bool = False,
    tell: Tell = tell_nobody,
) -> TrainingSummary:
    """Train a classifier and store it in the project with the labels and the choice of features.

    Where labels, features or a classifier are replaced by others, the project is kept as it was:
    `X.ilp.bak`, numbered.

    Args:
        project_path: an `.ilp` file, which is replaced as a whole or stays as it is. Its crops are
            found relative to its folder.
        selection: which features.
        labels: those in the project, or the source of labels that replace them crop by crop.
        seed: from 0 to 2^32 - 1; the same seed and labels give the same classifier.
        threads: None for all cores; does not change the classifier.
        clear: an empty label image takes the labels of its crop away; else it is an error.
        tell: is told what is begun.

    Raises:
        InvalidProjectError: if the project cannot be read.
        ProjectChangedError: if somebody saved it while it was trained; nothing is stored then.
        NoLabelsError: if no pixel is labelled.
        OneClassLabelledError: if only one class is labelled.
        UnusableLabelsError: if the label source does not fit the project, or a labelled crop is
            missing, unreadable or unfit.

    Example:
        >>> summary = train(Path("pixel_classifier.ilp"), choose_features("fast"), seed=1)
        >>> summary.pixels
        {1: 213, 2: 201, 3: 258}
    """
    digest = sha256_of(project_path) if project_path.is_file() else ""
    project = read_project(project_path)
    new_labels = {} if labels == "project" else read_label_source(project, labels, clear=clear)
    samples = collect_samples(project, read_all_labels(project) | new_labels, selection, tell)
    if len(samples.label_values) == 1:
        raise OneClassLabelledError(project_path, class_names(project)[samples.label_values[0]])
    tell(
        Phase(
            "growing",
            f"growing {TREES} trees from {counted(len(samples.labels), 'labelled pixel')}",
            0.0,
        )
    )
    grown = grow_forest(samples.features, samples.labels, seed, n_trees=TREES, threads=threads)
    with replacing(project_path) as temporary:
        shutil.copyfile(project_path, temporary)
        if sha256_of(temporary) != digest:
            raise ProjectChangedError(project_path)
        _store(temporary, new_labels, selection, samples, grown)
        labels_after = count_labels(read_project(temporary))
        backup = keep_work(project_path, temporary)
    names = class_names(project)
    return TrainingSummary(
        class_names=names,
        pixels={label: int((samples.labels == label).sum()) for label in names},
        advice=advise(samples, names),
        samples=samples,
        grown=grown,
        labels_before=count_labels(project),
        labels_after=labels_after,
        backup=backup,
    )


def class_names(project: PixelProject) -> dict[int, str]:
    """Return the names of all classes by label value."""
    return {label: known.name for label, known in enumerate(project.classes, 1)}


def _store(
    path: Path,
    labels: Mapping[int, LabelImage],
    selection: FeatureSelection,
    samples: Samples,
    grown: GrownForest,
) -> None:
    """Labels and classifier together, so that a project never holds one without the other."""
    if labels:
        write_labels(path, labels)
    store_classifier(
        path,
        selection,
        grown.forest,
        selection.names(len(samples.channel_names)),
        len(samples.labels),
    )
