"""How a headless command line wants its output: options, then the project's own settings."""

import argparse
import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
from numpy.typing import NDArray

from containers.headless.inputs import InputImage
from containers.headless.region import ExportError, Region, find_region
from ilpix.errors import told_shape
from ilpix.files import replacing
from ilpix.images.axistags import axistags_json
from ilpix.prediction.probabilities import to_uint16

FORMATS = {"hdf5": ".h5", "compressed hdf5": ".h5", "tiff": ".tiff", "multipage tiff": ".tiff"}
RESULT_TYPE = "Probabilities"
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """How probabilities become a file."""

    filename_format: str
    base: Path  # what a relative file name is relative to
    file_format: str  # a key of FORMATS
    dataset: str  # in an HDF5 file
    axes: str  # such as "yxc"
    dtype: np.dtype[Any]
    region: Region  # the part that is written
    stretch: (
        tuple[Range, Range] | None
    )  # what the first range becomes; None leaves the numbers alone

    def path_for(self, source: InputImage) -> Path:
        """Return where the output of an input goes; its extension is that of the format."""
        names = {
            "{dataset_dir}": str(source.path.parent.resolve()),
            "{nickname}": source.nickname,
            "{result_type}": RESULT_TYPE,
        }
        text = self.filename_format
        for key, value in names.items():
            text = text.replace(key, value)
        return (self.base / text).with_suffix(FORMATS[self.file_format])


def read_export_settings(project: h5py.File, options: argparse.Namespace) -> ExportSettings:
    """Combine the command line with the group `Prediction Export` of a project.

    Raises:
        ExportError: if a value cannot be understood or is not supported.
    """
    if options.export_source.lower() != RESULT_TYPE.lower():
        raise ExportError(
            f"Invalid option for --export_source: '{options.export_source}'; valid is {RESULT_TYPE}"
        )
    stored = project.get("Prediction Export", {})

    def choose(option: str | None, name: str, default: str) -> str:
        return option or _text(stored, name) or default

    file_format = choose(options.output_format, "OutputFormat", "hdf5")
    axes = choose(options.output_axis_order, "OutputAxisOrder", "yxc").lower()
    if file_format not in FORMATS:
        raise ExportError(
            f"the project asks for the format {file_format}; known are {', '.join(FORMATS)}"
        )
    if not {"y", "x", "c"} <= set(axes) <= set("tzyxc") or len(set(axes)) < len(axes):
        raise ExportError(f"Invalid axes specified output_axis_order: {axes}")
    return ExportSettings(
        filename_format=choose(
            options.output_filename_format,
            "OutputFilenameFormat",
            "{dataset_dir}/{nickname}_{result_type}",
        ),
        base=Path.cwd()
        if options.output_filename_format
        else Path(project.filename).resolve().parent,
        file_format=file_format,
        dataset=choose(options.output_internal_path, "OutputInternalPath", "exported_data"),
        axes=axes,
        dtype=np.dtype(choose(options.export_dtype, "ExportDtype", "float32")),
        region=find_region(options.cutout_subregion, stored),
        stretch=_stretch(options, stored),
    )


def write_output(
    target: Path, probabilities: NDArray[np.float32], settings: ExportSettings
) -> None:
    """Write probabilities (Y, X, K) as the settings want them, the file whole or not at all.

    Raises:
        ExportError: if nothing of the image lies in the export region.
    """
    numbers = _as_numbers(probabilities[settings.region], settings)
    if 0 in numbers.shape:
        raise ExportError(
            f"the export region lies outside of an image of {told_shape(probabilities.shape)}"
        )
    missing = [axis for axis in settings.axes if axis not in "yxc"]
    stored = np.expand_dims(numbers, tuple(range(len(missing))))
    keys = [*missing, *"yxc"]
    stored = np.ascontiguousarray(stored.transpose([keys.index(axis) for axis in settings.axes]))
    with replacing(target) as temporary:
        if FORMATS[settings.file_format] == ".h5":
            _write_hdf5(temporary, stored, settings)
        else:
            _write_tiff(temporary, stored, settings)


def _write_hdf5(path: Path, stored: NDArray[Any], settings: ExportSettings) -> None:
    compression = "gzip" if settings.file_format == "compressed hdf5" else None
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(
            settings.dataset, data=stored, chunks=True, compression=compression, track_times=False
        )
        dataset.attrs["axistags"] = axistags_json(settings.axes)


def _write_tiff(path: Path, stored: NDArray[Any], settings: ExportSettings) -> None:
    tifffile.imwrite(
        path,
        stored,
        photometric="minisblack",
        planarconfig="contig" if settings.axes.endswith("c") else None,
        metadata={"axes": settings.axes.upper()},
        software="",
    )


def _as_numbers(probabilities: NDArray[np.float32], settings: ExportSettings) -> NDArray[Any]:
    if settings.stretch is None:
        return probabilities.astype(settings.dtype)
    (low, high), (out_low, out_high) = settings.stretch
    if settings.dtype == np.uint16 and settings.stretch == ((0.0, 1.0), (0.0, 65535.0)):
        return to_uint16(probabilities)
    stretched = (probabilities.astype(np.float64) - low) / (high - low) * (
        out_high - out_low
    ) + out_low
    if settings.dtype.kind in "iu":
        info = np.iinfo(settings.dtype)
        stretched = np.clip(np.rint(stretched), info.min, info.max)
    return stretched.astype(settings.dtype)


def _stretch(options: argparse.Namespace, stored: Any) -> tuple[Range, Range] | None:
    if options.export_drange and not options.pipeline_result_drange:
        raise ExportError(
            "Cannot renormalize to custom export_drange without a specified pipeline_result_drange."
        )
    if options.pipeline_result_drange and options.export_drange:
        before, after = (
            _range(text) for text in (options.pipeline_result_drange, options.export_drange)
        )
    else:
        ends = [
            _number(stored, name) for name in ("InputMin", "InputMax", "ExportMin", "ExportMax")
        ]
        given = [end for end in ends if end is not None]
        if len(given) < len(ends):
            return None
        before, after = (given[0], given[1]), (given[2], given[3])
    if before[0] == before[1]:
        raise ExportError(f"an empty range cannot be stretched: {before}")
    return before, after


def _range(text: str) -> Range:
    try:
        low, high = ast.literal_eval(text)
        return float(low), float(high)
    except (ValueError, TypeError, SyntaxError) as error:
        raise ExportError(f"Didn't understand the range {text}: write it as (0.0,1.0)") from error


def _text(group: Any, name: str) -> str | None:
    item = group.get(name)
    if not isinstance(item, h5py.Dataset):
        return None
    value = item[()]
    return value.decode() if isinstance(value, bytes) else str(value)


def _number(group: Any, name: str) -> float | None:
    item = group.get(name)
    return float(np.ravel(item[()])[0]) if isinstance(item, h5py.Dataset) and item.size else None
