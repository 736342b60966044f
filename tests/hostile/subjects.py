"""What is mutated: sound files of every kind, what reads them, and who contradicts a wrong reading.

A `read` returns what a person would get, as plain values; `contradict` looks at the same bytes in
another way and says what is wrong with it, if anything. A file that was cut short gives an error or
what the whole file gives, unless it is a table, which may end anywhere.
"""

import csv
import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import imagecodecs
import numpy as np
import tifffile

from ilpix.checks.project_checks import check_project
from ilpix.errors import IlpixError
from ilpix.images.hdf5 import ImageRecord, open_prepared, write_image
from ilpix.images.panel import read_panel
from ilpix.images.preparation_options import PreparationOptions
from ilpix.prediction.classifier import Classifier
from ilpix.project.label_images import read_label_source
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.repair.applying import apply_fix
from ilpix.repair.crop_files import inspect_crop, read_crop
from ilpix.repair.plan import plan_fix
from ilpix.repair.rescue import rescue_project
from ilpix.sources.finding import find_sources, open_source
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.source import FiniteCheck, read_finite
from tests.hostile.damage import write_sound_project
from tests.hostile.mutations import HDF5, MCD, PNG, TABLE, TIFF, Mutation
from tests.hostile.raw import contradict_raw, read_raw, write_raw

Reading = Mapping[str, Any]

PIXELS = np.random.default_rng(3).poisson(4, (3, 20, 24)).astype(np.float32)
LABELS = np.random.default_rng(4).integers(0, 3, (6, 8), dtype=np.uint8)
PANEL = (
    "channel,name,keep,ilastik\nIr191,DNA1,1,1\nIr193,DNA2,1,1\n"
    "Er166,E-Cadherin,1,2\nNd143,Vimentin,1,3\nXe134,Xenon,0,\n"
)
POINTS = "crop,y,x,label\na,1,1,A\na,2,3,2\nb,0,7,B\nb,5,0,1\n"
IMAGE_PANEL = "channel,name\nA,a\nB,b\nC,c\n"
RECORD = ImageRecord(channel_names=("a", "b", "c"), preparation=PreparationOptions())


def nothing_to_say(path: Path, reading: Reading) -> str:
    return ""


@dataclass(frozen=True)
class Subject:
    name: str
    file: str  # where it lies in a folder that is otherwise sound
    write: Callable[[Path], object]
    mutations: tuple[Mutation, ...]
    read: Callable[[Path], Reading]
    contradict: Callable[[Path, Reading], str] = nothing_to_say
    errors: tuple[type[Exception], ...] = (IlpixError,)
    may_end_anywhere: bool = False
    others: Mapping[str, Callable[[Path], object]] = field(default_factory=dict)


def _read_a_project(path: Path) -> Reading:
    check_project(path, path.parent / "ilastik_img")
    project = read_project(path)
    reading: dict[str, Any] = {"classes": [label.name for label in project.classes]}
    if project.has_classifier:
        classifier = Classifier.of(project)
        if classifier.n_channels == 2 and len(classifier.selection.scales) < 9:
            reading["probabilities"] = classifier.predict(PIXELS[:2], threads=1)
    reading["labels"] = read_all_labels(project)
    return reading


def _contradict_project(path: Path, reading: Reading) -> str:
    with h5py.File(path, "r") as file:
        with suppress(RuntimeError):  # a damaged list of free space hinders the first look alone
            list(file)
        stored = file["PixelClassification"]
        names = [name.decode() for name in stored.get("LabelNames", np.zeros(0, "S1"))[()]]
        blocks = _blocks(stored.get("LabelSets", {}))
    if names != reading["classes"]:
        return f"classes {reading['classes']}, stored {names}"
    n_labelled = sum(np.count_nonzero(labels) for labels in reading["labels"].values())
    if n_labelled != sum(np.count_nonzero(block) for block in blocks):
        return f"{n_labelled} labelled pixels, stored blocks hold another number"
    sums = reading.get("probabilities", np.ones(1)).sum(axis=-1)
    if not np.allclose(sums, 1, atol=1e-5):
        return f"probabilities sum to {sums.min()} to {sums.max()}"
    return _write_and_read_again(path)


def _blocks(layers: Mapping[str, h5py.Group]) -> list[Any]:
    return [block[()] for layer in layers.values() for block in layer.values()]


def _write_and_read_again(path: Path) -> str:
    """Whatever is taken for sound can be labelled and fixed, or is refused with an error."""
    before = path.read_bytes()
    try:
        labels = np.full(read_project(path).lanes[0].size, 1, np.uint8)
        write_labels(path, {0: labels})
    except (IlpixError, IndexError):
        return "" if path.read_bytes() == before else "changed although it was refused"
    kept = read_all_labels(read_project(path))[0]
    return "" if np.array_equal(kept, labels) else "labels read are not those written"


def _plan_a_fix(path: Path) -> Reading:
    plan = plan_fix(path, path.parent / "crops", path.parent / "out")
    apply_fix(plan)
    return {"classes": [label.name for label in read_project(path).classes]}


def _rescue_a_project(path: Path) -> Reading:
    target = path.with_name("rescued.ilp")
    target.unlink(missing_ok=True)
    rescued = rescue_project(path, target)
    again = read_project(target)
    labels = {} if again.training_problems else read_all_labels(again)
    return {"lanes": len(rescued.project.lanes), "labelled": len(labels)}


def _read_sources(path: Path) -> Reading:
    """As `prepare` does: each image of the file as (C, Y, X)."""
    panel = read_panel(path.parent.parent / "panel.csv")
    found = find_sources(path.parent, panel)
    for error in found.failures.values():
        raise error
    images = {}
    for source in found.sources:
        with open_source(source.path, source.index, panel) as image:
            whole = read_finite(image, FiniteCheck(path), ReadingOptions())
            images[source.name] = np.array(whole)
        with (
            mock.patch("ilpix.sources.tiff._STREAMED_BYTES", 0),
            open_source(source.path, source.index, panel) as image,
        ):
            banded = np.concatenate(list(image.bands(n_bytes=512)), axis=1)
        if not np.array_equal(whole, banded):
            raise AssertionError("bands differ from the whole")
    return images


def _contradict_tiff(path: Path, reading: Reading) -> str:
    """What libtiff decodes, where it does, unless these are the pixels of the sound file.

    They may be, where the description of a later page is damaged, which tifffile does not need.
    """
    planes = [plane for image in reading.values() for plane in image]
    if ".imagej." in path.name:  # its planes follow the first, whatever later pages say
        planes = planes[:1]
    for page, plane in enumerate(planes):
        try:
            other = imagecodecs.tiff_decode(path.read_bytes(), index=page, asrgb=False)
        except Exception:  # it refuses more than tifffile does
            return ""
        if other.shape != plane.shape or other.dtype != plane.dtype:
            return ""
        is_sound = np.array_equal(plane, PIXELS[page % len(PIXELS)])
        if not is_sound and not np.array_equal(other, plane, equal_nan=True):
            return f"libtiff decodes other pixels in plane {page}"
    return ""


def _read_prepared(path: Path) -> Reading:
    with open_prepared(path, 3) as image:
        if image.shape != PIXELS.shape:
            return {"shape": image.shape}
        parts = [image.read(slice(first, first + 7)) for first in range(0, image.shape[1], 7)]
        whole = image.read()
    if not np.array_equal(whole, np.concatenate(parts, axis=1), equal_nan=True):
        raise AssertionError("parts differ from the whole")
    return {"pixels": whole}


def _contradict_prepared(path: Path, reading: Reading) -> str:
    with h5py.File(path, "r") as file:
        usual = [name for name in ("img", "crop") if name in file]
        stored = file[(usual or list(file))[0]][()]
    if "pixels" not in reading:
        return ""
    same = np.array_equal(
        np.sort(stored.astype(np.float32), axis=None),
        np.sort(reading["pixels"], axis=None),
        equal_nan=True,
    )
    return "" if same else "other pixels than are stored"


def _read_a_crop(path: Path) -> Reading:
    crop = inspect_crop(path, 3, None)
    return {"pixels": read_crop(crop)}


def _read_a_panel(path: Path) -> Reading:
    panel = read_panel(path)
    groups = None if panel.groups is None else [group.channels for group in panel.groups]
    return {"names": panel.names, "channels": panel.channels, "groups": groups}


def _contradict_panel(path: Path, reading: Reading) -> str:
    """Python's own reader of tables, where it is plain commas and the usual header."""
    text = path.read_bytes().decode("utf-8", "replace")
    if not text.startswith("channel,name,keep,ilastik\n") or '"' in text or "\r" in text:
        return ""
    rows = [row for row in csv.DictReader(io.StringIO(text)) if any(row.values())]
    kept = [row for row in rows if (row["keep"] or "1").strip().lower() in {"1", "1.0", "true"}]
    n_kept = len(kept) + sum(not (row["keep"] or "").strip() for row in rows if row not in kept)
    channels = [(row["channel"] or "").strip() for row in kept]
    if len(reading["channels"]) != n_kept and "NA" not in text.upper():
        return f"{len(reading['channels'])} channels, Python's csv finds {n_kept}"
    wrong = set(reading["channels"]) - {(row["channel"] or "").strip() for row in rows}
    return f"channels {wrong} are nowhere in {channels}" if wrong else ""


def _read_labels(path: Path) -> Reading:
    folder = path.parent.parent
    source = path if path.suffix == ".csv" else path.parent
    return {"labels": read_label_source(read_project(folder / "p.ilp"), source)}


def _contradict_label_png(path: Path, reading: Reading) -> str:
    try:
        other = imagecodecs.png_decode(path.read_bytes())
    except Exception:  # it refuses more than Pillow does
        return ""
    (labels,) = reading["labels"].values()
    same = other.shape == labels.shape and np.array_equal(other, labels)
    return "" if same or other.ndim == 3 else "libpng decodes other labels"


def _contradict_label_tiff(path: Path, reading: Reading) -> str:
    (labels,) = reading["labels"].values()
    return "" if labels.shape == LABELS.shape and labels.max() <= 2 else "labels out of range"


def _contradict_points(path: Path, reading: Reading) -> str:
    n_lines = len(path.read_bytes().splitlines()) - 1
    n_labelled = sum(np.count_nonzero(labels) for labels in reading["labels"].values())
    return "" if n_labelled <= n_lines else f"{n_labelled} labels in {n_lines} lines"


def _imagej(path: Path) -> None:
    tifffile.imwrite(path, PIXELS, imagej=True, metadata={"axes": "CYX", "Labels": list("abc")})


def _ome(path: Path) -> None:
    names = {"axes": "CYX", "Channel": {"Name": list("abc")}, "PhysicalSizeX": 1.0}
    tifffile.imwrite(
        path, PIXELS.astype(np.uint16), ome=True, metadata=names, tile=(16, 16), compression="zlib"
    )


def _pages(path: Path) -> None:
    with tifffile.TiffWriter(path, bigtiff=True, byteorder=">") as file:
        for plane in PIXELS.astype(np.uint8):
            file.write(plane, rowsperstrip=5, compression="lzw", predictor=True, metadata=None)


def _chunked(path: Path) -> None:
    with h5py.File(path, "w") as file:
        stored = file.create_dataset(
            "img", data=PIXELS, chunks=(1, 8, 24), compression="gzip", fletcher32=True
        )
        stored.attrs["axistags"] = '{"axes": [{"key": "c"}, {"key": "y"}, {"key": "x"}]}'


def _text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


def _panel_of_image(path: Path) -> object:
    return (path / "panel.csv").write_text(IMAGE_PANEL)


def _project(path: Path) -> None:
    write_sound_project(path / "p.ilp")


def _crops(path: Path) -> None:
    (path / "crops").mkdir()
    for name in "ab":
        write_image(path / f"crops/{name}.h5", PIXELS[:2, :6, :8], None, "crop")


OF_CROP = (IlpixError, ValueError)  # whoever plans a fix turns it into a row of the plan
PANEL_BESIDE = {"panel": _panel_of_image}
PROJECT_BESIDE = {"project": _project}
CROPS_BESIDE = {"crops": _crops}

SUBJECTS = (
    Subject(*("project", "p.ilp", write_sound_project, HDF5, _read_a_project, _contradict_project)),
    Subject("fix", "p.ilp", write_sound_project, HDF5, _plan_a_fix, others=CROPS_BESIDE),
    Subject("rescue", "p.ilp", write_sound_project, HDF5, _rescue_a_project, may_end_anywhere=True),
    *(
        Subject(
            *(f"TIFF, {kind}", f"img/a.{kind}.tiff", write, TIFF, _read_sources, _contradict_tiff),
            others=PANEL_BESIDE,
        )
        for kind, write in (("imagej", _imagej), ("ome", _ome), ("pages", _pages))
    ),
    Subject(
        "prepared image",
        "a.h5",
        lambda path: write_image(path, PIXELS, RECORD),
        *(HDF5, _read_prepared, _contradict_prepared),
    ),
    Subject("prepared, in chunks", "a.h5", _chunked, HDF5, _read_prepared, _contradict_prepared),
    Subject("crop, HDF5", "a.h5", _chunked, HDF5, _read_a_crop, errors=OF_CROP),
    Subject("crop, TIFF", "a.tiff", _imagej, TIFF, _read_a_crop, errors=OF_CROP),
    Subject("raw, MCD", "raw/a.mcd", write_raw, MCD, read_raw, contradict_raw),
    Subject(
        *("panel", "panel.csv", _text(PANEL), TABLE, _read_a_panel, _contradict_panel),
        may_end_anywhere=True,
    ),
    Subject(
        "labels, PNG",
        "labels/a.png",
        lambda path: path.write_bytes(imagecodecs.png_encode(LABELS)),
        *(PNG, _read_labels, _contradict_label_png),
        others=PROJECT_BESIDE,
    ),
    Subject(
        "labels, TIFF",
        "labels/a.tiff",
        lambda path: tifffile.imwrite(path, LABELS, compression="zlib"),
        *(TIFF, _read_labels, _contradict_label_tiff),
        others=PROJECT_BESIDE,
    ),
    Subject(
        *("labels, points", "labels/a.csv", _text(POINTS), TABLE, _read_labels),
        _contradict_points,
        may_end_anywhere=True,
        others=PROJECT_BESIDE,
    ),
)
