"""Labels outside the project: one label image beside each crop, or a table of points.

A label image is a TIFF or PNG of the size of its crop and with its stem, as any annotation program
writes it: 0 where nothing is labelled, else the class, counted from 1. A table of points is a CSV
file with the columns `crop`, `y`, `x` (pixels, counted from 0) and `label` (a class, by name or
number). Either replaces all labels of the crops that it names and touches no other crop.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tifffile
from PIL import Image

from ilpix.arrays import LabelImage
from ilpix.errors import IlpixError, Problem
from ilpix.files import replacing
from ilpix.project.crop_names import lane_stem, lanes_by_stem
from ilpix.project.errors import UnusableLabelsError
from ilpix.project.label_sources import read_label_source, read_png
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.overlapping_labels import read_overlapping
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.work import count_labels, keep_work
from ilpix.sources.tiff import read_image

LabelFormat = Literal["tiff", "png"]


def export_labels(project_path: Path, folder: Path, suffix: LabelFormat = "tiff") -> list[Path]:
    """Write the labels of every crop as `STEM.tiff`; a crop without labels gives an empty image.

    Args:
        project_path: an `.ilp` file.
        folder: made where it is missing.
        suffix: `png` has the colours of the classes, `tiff` is grey.

    Raises:
        InvalidProjectError: if the project cannot be read, or has two crops of one name.
        UnusableLabelsError: if the folder holds other labels already; nothing is written then.

    Example:
        >>> written = export_labels(Path("pixel_classifier.ilp"), Path("exported"))
        >>> written[0].name
        'region_1_x128_y82_w100_h100.tiff'
    """
    project = read_project(project_path)
    labels_of = read_all_labels(project)
    images = {
        folder / f"{stem}.{suffix}": labels_of[lane.index]
        for stem, lane in lanes_by_stem(project).items()
    }
    if taken := [path for path, labels in images.items() if _holds_other(path, labels)]:
        what = "holds other labels already; move it away or export to another folder"
        raise UnusableLabelsError(folder, tuple(Problem(path.name, what) for path in taken))
    for path, labels in images.items():
        with replacing(path) as temporary:
            if suffix == "png":
                _write_png(temporary, labels, project)
            else:
                tifffile.imwrite(
                    temporary, labels, photometric="minisblack", compression="zlib", metadata=None
                )
    return list(images)


def _write_png(path: Path, labels: LabelImage, project: PixelProject) -> None:
    """Write label values that are looked up in a palette: no label black, then the classes."""
    image = Image.fromarray(labels).convert("P")
    image.putpalette([0, 0, 0, *(value for known in project.classes for value in known.color)])
    image.save(path, "PNG")


@dataclass(frozen=True, slots=True)
class ImportedLabels:
    """What an import changed."""

    crops: tuple[str, ...]  # the stems of those whose labels were replaced
    before: dict[str, int]  # labelled pixels of the whole project, by class
    after: dict[str, int]
    backup: Path | None  # of the project as it was; None where no labels were replaced
    n_outside: int = 0  # labelled pixels of the source that lie in no crop


def import_labels(
    project_path: Path, source: Path, *, clear: bool = False, overlapping: bool = False
) -> ImportedLabels:
    """Store the labels of a folder of label images, or of a table of points, in the project.

    Where labels are replaced by others, the project is kept as it was: `X.ilp.bak`, numbered.

    Args:
        project_path: an `.ilp` file.
        source: what is stored; crops that it does not name keep their labels.
        clear: an empty label image takes the labels of its crop away; else it is a problem.
        overlapping: the label images may be those of other crops of the same prepared images;
            labels are taken where they lie in a crop of the project that has none there.

    Raises:
        InvalidProjectError: if the project cannot be read, or has two crops of one name.
        UnusableLabelsError: with every problem of the source; the project is as it was then.

    Example:
        >>> import_labels(Path("pixel_classifier.ilp"), Path("labels")).crops[:1]
        ('region_1_x128_y82_w100_h100',)
    """
    project = read_project(project_path)
    if overlapping:
        labels, n_outside = read_overlapping(project, source)
    else:
        labels, n_outside = read_label_source(project, source, clear=clear), 0
    with replacing(project_path) as temporary:
        shutil.copyfile(project_path, temporary)
        write_labels(temporary, labels)
        after = count_labels(read_project(temporary))
        backup = keep_work(project_path, temporary)
    crops = tuple(lane_stem(lane) for lane in project.lanes if lane.index in labels)
    return ImportedLabels(crops, count_labels(project), after, backup, n_outside)


def _holds_other(path: Path, labels: LabelImage) -> bool:
    if not path.exists():
        return False
    try:
        read = read_png if path.suffix == ".png" else read_image
        return not np.array_equal(read(path), labels[np.newaxis])
    except IlpixError:
        return True
