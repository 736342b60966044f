"""The classifier of a project: labels and crops in, a trained project out."""

import logging
import time
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from ilpix.features.selection import FeatureSelection
from ilpix.forest.growing import grow_forest
from ilpix.project.crop_names import crop_path
from ilpix.project.label_sources import read_label_source
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.work import tell_counts
from ilpix.training.feature_choice import measure_speed, suggest_features
from ilpix.training.feature_table import write_feature_table
from ilpix.training.quality import assess_quality
from ilpix.training.quality_report import write_quality_report
from ilpix.training.samples import collect_samples
from ilpix.training.storing import TrainingSummary, train
from ilpix.training.verdict import verdict
from tasks.caching import ContentPolicy
from tasks.phases import tell_phase
from tasks.records import FilesWritten, files_written
from tasks.unchanged import InputChangedError, require_unchanged_inputs

_log = logging.getLogger(__name__)


@task(
    name="train-classifier",
    task_run_name="train-{target.stem}",
    cache_policy=ContentPolicy(algorithm=2, without=("source", "threads", "clear")),
    result_serializer="json",
    cache_result_in_memory=False,
)
def train_classifier(  # noqa: PLR0913 - each decides the result, or where it goes
    target: Path,
    source: Path | None,
    crops: tuple[Path, ...],  # noqa: ARG001 - part of the key
    labels: str,
    features: FeatureSelection,
    seed: int,
    targets: tuple[Path, ...] = (),
    threads: int | None = None,
    clear: bool = False,
) -> FilesWritten:
    """Train the classifier of a project from its labels, and measure how good it is.

    Args:
        target: the project, which is changed in place: whole or not at all.
        source: label images or a table of points; None for the labels in the project.
        crops: the crops of the project, whose content decides the result.
        labels: digest of the labels, likewise.
        features: what the classifier sees.
        seed: of the forest.
        targets: `quality.json` of a quality report, whose other files go beside it; or nothing.
        threads: None for all cores; does not change the result.
        clear: an empty label image takes the labels of its crop away; else it is an error.
    """
    summary = train(
        target,
        features,
        source or "project",
        seed=seed,
        threads=threads,
        clear=clear,
        tell=tell_phase,
    )
    _tell_replaced(target, summary)
    facts: dict[str, Any] = {
        "pixels": {summary.class_names[label]: count for label, count in summary.pixels.items()},
        "trees": len(summary.grown.forest.roots),
        "advice": list(summary.advice),
        "labels_before": summary.labels_before,
        "labels_after": summary.labels_after,
        "backup": summary.backup.name if summary.backup else None,
    }
    for report in targets:
        quality = assess_quality(
            summary.samples,
            summary.grown,
            seed,
            class_names=summary.class_names,
            threads=threads,
            tell=tell_phase,
        )
        write_quality_report(quality, report.parent)
        facts["verdict"] = list(verdict(quality))
    require_unchanged_inputs()
    require_labels(target, source, labels)
    return files_written(target, *targets, **facts)


def _tell_replaced(project: Path, summary: TrainingSummary) -> None:
    if summary.labels_before != summary.labels_after:
        _log.info("%s", tell_counts(summary.labels_before, summary.labels_after))
    if summary.backup:
        _log.warning("%s is kept as it was: %s", project.name, summary.backup.name)


@task(name="suggest-features", cache_policy=NO_CACHE)
def suggest_selection(
    target: Path, project: Path, source: Path | None, features: FeatureSelection, seed: int
) -> FilesWritten:
    """Write the table of the fewest features that recognise the labelled pixels as well.

    Args:
        target: CSV table that `choose_features` reads.
        project: names the crops.
        source: label images or a table of points; None for the labels in the project.
        features: where to start.
        seed: of the forests that judge.
    """
    read = read_project(project)
    labels = read_all_labels(read) | (read_label_source(read, source) if source else {})
    samples = collect_samples(read, labels, features)
    grow = partial(grow_forest, seed=seed)
    suggestion = suggest_features(samples, features, grow, np.random.default_rng(seed))
    speed = measure_speed(read, samples, suggestion, grow, time.perf_counter)
    write_feature_table(suggestion.selection, target)
    return files_written(
        target,
        columns=[suggestion.columns_before, suggestion.columns_after],
        accuracy=[suggestion.accuracy_before, suggestion.accuracy_after],
        seconds_per_megapixel=[speed.before_s, speed.after_s],
    )


def crop_files(project: PixelProject) -> tuple[Path, ...]:
    """Return the crops of a project that are there."""
    paths = (crop_path(project, lane) for lane in project.lanes if lane.inner_path is None)
    return tuple(path for path in paths if path.is_file())


def require_labels(project: Path, source: Path | None, digest: str) -> None:
    """Make sure that the labels of a training are still those that its key names.

    Raises:
        InputChangedError: if they are not; the next training has other ones, and is another.
    """
    if digest_labels(read_project(project), source) != digest:
        raise InputChangedError(((source or project).name,))


def digest_labels(project: PixelProject, source: Path | None) -> str:
    """Return what identifies the labels that a training would use.

    Labels that a source brings and that are in the project already are the same labels.
    """
    labels = read_all_labels(project)
    if source is not None:
        labels |= read_label_source(project, source)
    digest = sha256()
    for index, image in sorted(labels.items()):
        digest.update(f"{index} {image.shape} ".encode() + image.tobytes())
    return digest.hexdigest()
