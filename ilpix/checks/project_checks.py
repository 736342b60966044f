"""Look at a project and the images it is to be applied to; list every problem, change nothing."""

import shutil
from pathlib import Path
from typing import Literal

from ilpix.checks.findings import Finding, merge
from ilpix.checks.image_checks import Expectation, check_image_fits
from ilpix.checks.training_comparison import compare_with_training
from ilpix.errors import IlpixError, InvalidProjectError, told_shape
from ilpix.files import printable
from ilpix.images.axistags import AXES
from ilpix.images.channel_statistics import ChannelStatistics, describe_channels
from ilpix.images.errors import DuplicateImagesError, NoPreparedImagesError
from ilpix.images.hdf5 import find_foreign, find_prepared, open_prepared
from ilpix.project.crop_names import crop_path, lane_stem
from ilpix.project.file import LANE_CLASS
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.stored_lanes import Lane
from ilpix.project.versions import is_newer
from ilpix.wording import counted

BYTES_PER_PROBABILITY = 2
_WITHOUT_CROP = (
    "needed to train again, not to predict; copy it there, or run ilpix fix once it is there"
)
LEAST_COMPRESSION = 10  # of probability images; fewer bytes than this are never enough


def check_project(
    project_path: Path,
    image_dir: Path,
    *,
    output_dir: Path | None = None,
    ilastik_version: str | None = None,
) -> tuple[Finding, ...]:
    """Look at everything that may go wrong when a project is applied to images.

    Args:
        project_path: an `.ilp` file.
        image_dir: the folder of the prepared images.
        output_dir: where probability images go; its disk is looked at.
        ilastik_version: of the Ilastik that will run, such as `1.4.2`.

    Returns:
        Errors first; findings that concern several images in the same way are one.

    Example:
        >>> for finding in check_project(Path("pixel_classifier.ilp"), Path("ilastik_img")):
        ...     print(finding.severity, finding.what)
    """
    findings: list[Finding] = []
    project = _read(project_path, findings)
    if project is None:
        project_findings: list[Finding] = []
        training: list[ChannelStatistics] = []
    else:
        project_findings = [
            *_check_classifier(project),
            *_check_training_data(project),
            *_check_labels(project),
        ]
        if ilastik_version is not None:
            project_findings += _check_version(project, ilastik_version)
        training = _check_crops(project, project_findings)
    findings += project_findings
    n_pixels = 0
    images: dict[str, ChannelStatistics] = {}
    for path in _find_images(image_dir, findings):
        n_pixels += _check_image(path, project, images, findings)
    if project is not None and project.n_channels is not None:
        comparable = {
            name: image
            for name, image in images.items()
            if len(image.quantiles) == project.n_channels
        }
        names = channel_titles(project, project.n_channels)
        findings += compare_with_training(comparable, training, names).findings
    if output_dir is not None and project is not None:
        findings += _check_disk(output_dir, n_pixels * len(project.classes))
    return merge(findings)


def _read(path: Path, findings: list[Finding]) -> PixelProject | None:
    try:
        return read_project(path)
    except InvalidProjectError as error:
        advice = "repair it in Ilastik, or restore it from a backup"
        findings += [
            Finding("error", "project", problem.where, problem.what, advice)
            for problem in error.problems
        ]
    except IlpixError as error:
        findings.append(_as_finding("project", path.name, error))
    return None


def _find_images(folder: Path, findings: list[Finding]) -> list[Path]:
    try:
        images = find_prepared(folder)
        findings += [
            Finding("warning", "images", name, what, "move it away if it is meant to be there")
            for name, what in find_foreign(folder).items()
        ]
        return images
    except (NoPreparedImagesError, DuplicateImagesError) as error:
        findings.append(_as_finding("images", folder.name, error))
    return []


def _as_finding(topic: str, where: str, error: IlpixError) -> Finding:
    what, _, advice = str(error).partition("; ")
    return Finding("error", topic, where, what, advice)


def _check_classifier(project: PixelProject) -> list[Finding]:
    name = project.path.name
    if project.features is None or project.forest is None:
        advice = "label and train it (ilpix annotate, ilpix train; in Ilastik, Live Update)"
        return [Finding("error", "classifier", name, f"has no {project.lacks}", advice)]
    findings = []
    n_per_channel = len(project.features.columns(1))
    for lane in project.lanes:
        if lane.n_channels * n_per_channel != project.forest.n_columns:
            what = (
                f"has {counted(lane.n_channels, 'channel')} with {n_per_channel} feature columns "
                f"each, the classifier {project.forest.n_columns} columns"
            )
            advice = "the project was changed after training; train it again"
            findings.append(Finding("error", "classifier", _title(lane), what, advice))
    for value, label in enumerate(project.classes, start=1):
        if value not in project.forest.labels:
            what = f"class {label.name} was not trained; its probability is 0 everywhere"
            findings.append(Finding("warning", "classes", name, what, "label it and train again"))
    return findings


def _check_training_data(project: PixelProject) -> list[Finding]:
    """What training needs and cannot use; it does not hinder a prediction."""
    advice = "predicting works; to train, mend it (ilpix fix)"
    return [
        Finding("warning", "training data", problem.where, problem.what, advice)
        for problem in project.training_problems
    ]


def _check_labels(project: PixelProject) -> list[Finding]:
    findings = []
    name = project.path.name
    advice = "label it, or leave it: it hinders nothing"
    for lane, counts in zip(project.lanes, project.labelled_pixels, strict=True):
        if not any(counts):
            findings.append(Finding("warning", "labels", _title(lane), "carries no labels", advice))
    for value, label in enumerate(project.classes, start=1):
        n_labelled = sum(counts[value - 1] for counts in project.labelled_pixels)
        is_trained = project.forest is not None and value in project.forest.labels
        if is_trained and not n_labelled and project.has_labels:
            what = f"class {label.name} was trained, but its labels are gone"
            findings.append(Finding("warning", "labels", name, what, "train again"))
        if project.has_classifier and n_labelled and not is_trained:
            what = f"class {label.name} was labelled after training"
            findings.append(Finding("error", "labels", name, what, "train again"))
    return findings


def _check_version(project: PixelProject, ilastik_version: str) -> list[Finding]:
    if not is_newer(project.ilastik_version, ilastik_version):
        return []
    what = f"was saved by Ilastik {project.ilastik_version}, {ilastik_version} is to run it"
    advice = "choose an Ilastik image of the same version or later, or engine embedded"
    return [Finding("error", "version", project.path.name, what, advice)]


def _check_crops(project: PixelProject, findings: list[Finding]) -> list[ChannelStatistics]:
    """Look for each lane's crop; return the values of those that are there and fit."""
    training = []
    for lane in project.lanes:
        if lane.inner_path is not None or lane.dataset_class != LANE_CLASS or lane.axes != AXES:
            what = "is not stored as prepare does: a relative path to a file of axes cyx"
            findings.append(Finding("warning", "crops", _title(lane), what, "run ilpix fix"))
        path = crop_path(project, lane)
        if lane.inner_path is not None:
            continue
        if not path.is_file():
            what = f"has no crop in {path.parent}"
            findings.append(Finding("warning", "crops", _title(lane), what, _WITHOUT_CROP))
            continue
        try:
            with open_prepared(path) as crop:
                if crop.shape[1:] == lane.size and crop.shape[0] == lane.n_channels:
                    training.append(describe_channels(crop))
                else:
                    found, said = told_shape(crop.shape), told_shape((lane.n_channels, *lane.size))
                    what = (
                        f"has a crop of {found} (channels, rows, columns), the project says {said}"
                    )
                    findings.append(Finding("error", "crops", _title(lane), what, "run ilpix fix"))
        except IlpixError as error:
            what = f"has no readable crop: {error}"
            findings.append(Finding("warning", "crops", _title(lane), what, _WITHOUT_CROP))
    n_channels = project.n_channels
    return [crop for crop in training if len(crop.quantiles) == n_channels]


def _check_image(
    path: Path,
    project: PixelProject | None,
    images: dict[str, ChannelStatistics],
    findings: list[Finding],
) -> int:
    """Add what is wrong with an image and what it looks like; return its number of pixels."""
    wanted = Expectation(None, None, None)
    if project is not None:
        wanted = Expectation(project.n_channels, project.record, project.features)
    try:
        with open_prepared(path, wanted.n_channels) as image:
            findings += check_image_fits(image.path.name, image.header, wanted)
            _, height, width = image.shape
            images[path.name] = described = describe_channels(image)
    except IlpixError as error:
        what, _, advice = str(error).partition("; ")
        where = printable(path.name)
        findings.append(Finding("error", "image", where, what, advice or "prepare it again"))
        return 0
    if described.n_not_finite:
        what = "has pixels that are no finite numbers"
        findings.append(Finding("error", "values", path.name, what, "prepare the image again"))
    return height * width


def channel_titles(project: PixelProject, n_channels: int) -> tuple[str, ...]:
    """Return the names of a project's channels, or their numbers where it does not name them."""
    record = project.record
    if record is not None and len(record.channel_names) == n_channels:
        return record.channel_names
    return tuple(str(channel) for channel in range(n_channels))


def _check_disk(output_dir: Path, n_probabilities: int) -> list[Finding]:
    existing = next(
        folder for folder in (output_dir, *output_dir.absolute().parents) if folder.exists()
    )
    free_bytes = shutil.disk_usage(existing).free
    needed_bytes = n_probabilities * BYTES_PER_PROBABILITY
    if free_bytes >= needed_bytes:
        return []
    what = f"has {free_bytes / 1e6:.0f} MB free; the results take up to {needed_bytes / 1e6:.0f} MB"
    is_hopeless = free_bytes * LEAST_COMPRESSION < needed_bytes
    severity: Literal["error", "warning"] = "error" if is_hopeless else "warning"
    return [Finding(severity, "disk", str(output_dir), what, "free some space")]


def _title(lane: Lane) -> str:
    return f"lane {lane.index} ({lane_stem(lane)})"
