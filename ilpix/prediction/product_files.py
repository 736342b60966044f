"""Write products of probability images as TIFF, OME-TIFF or OME-Zarr, and read them again.

Every file is written in blocks of rows, whole or not at all. OME formats hold the classes as
channels with names and colours, the pixel size, and smaller copies of images above 4096 × 4096.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from tifffile import TiffWriter

from ilpix.errors import told_shape
from ilpix.files import replacing, replacing_folder
from ilpix.images.errors import MissingExtraError
from ilpix.prediction.derived import derived_dtype, derived_rows, derived_shape
from ilpix.prediction.errors import InvalidProductError
from ilpix.prediction.probabilities import (
    LARGEST,
    LARGEST_CLASSIC_TIFF,
    Rows,
    cut_rows,
    read_rows,
    write_probabilities,
)
from ilpix.prediction.products import Product
from ilpix.sources.ome_zarr import open_zarr
from ilpix.sources.tiff import open_tiff

TILE = 512  # px
LARGEST_SINGLE = 4096  # px along an edge; larger images get smaller copies

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ProductSource:
    """What a product is made from."""

    probabilities: Path
    factor: int  # of how many pixels along an edge one becomes
    classes: tuple[tuple[str, Color], ...]
    pixel_size_um: tuple[float, float] | None  # (y, x) of a pixel of the probability image

    def enlarged_pixel_um(self, times: int) -> tuple[float, float] | None:
        """Return the (y, x) size of a pixel that so many pixels along an edge become."""
        if self.pixel_size_um is None:
            return None
        y, x = self.pixel_size_um
        return y * times, x * times


def write_product(target: Path, product: Product, source: ProductSource) -> None:
    """Write a product of one image, look at it again, and only then publish it.

    Raises:
        InvalidProbabilitiesError: if the probability image cannot be read.
        InvalidProductError: if what was written is not what was computed.
        MissingExtraError: if the format needs a package that is not installed.
    """
    if product.format == "ome-zarr":
        with replacing_folder(target) as folder:
            _write_ome_zarr(folder, product, source)
            verify_product(folder, product, source)
        return
    with replacing(target) as temporary:
        if product.format == "tiff":
            shape = derived_shape(source.probabilities, product, source.factor)
            rows = derived_rows(source.probabilities, product, source.factor)
            write_probabilities(temporary, shape, rows, dtype=derived_dtype(product))
        else:
            _write_ome_tiff(temporary, product, source)
        verify_product(temporary, product, source)


def verify_product(path: Path, product: Product, source: ProductSource) -> None:
    """Check that a product has the size and type that it must have, and values that can be.

    Raises:
        InvalidProductError: if it has not.
    """
    height, width, n_values = derived_shape(source.probabilities, product, source.factor)
    n_rows = 0
    for rows in _read_back(path, product):
        if rows.shape[1:] != (width, n_values) or rows.dtype != derived_dtype(product):
            found, wanted = told_shape(rows.shape[1:]), told_shape((width, n_values))
            what = f"it has rows of {rows.dtype} {found}, not of {wanted}"
            raise InvalidProductError(path, what)
        if not _are_possible(rows, product, len(source.classes)):
            raise InvalidProductError(path, f"it has values below row {n_rows} that cannot be")
        n_rows += len(rows)
    if n_rows != height:
        raise InvalidProductError(path, f"it has {n_rows} of {height} rows")


def _read_back(path: Path, product: Product) -> Iterator[Rows]:
    if product.format == "tiff":
        yield from (rows for _, rows in read_rows(path, derived_dtype(product)))
        return
    opened = open_tiff(path) if product.format == "ome-tiff" else open_zarr(path)
    with opened as image:
        for band in image.bands():
            yield np.moveaxis(band, 0, -1)


def _are_possible(rows: Rows, product: Product, n_classes: int) -> bool:
    if product.kind == "classes":
        return bool(rows.min() >= 1 and rows.max() <= n_classes)
    unit = LARGEST if product.dtype == "uint16" else 1
    if product.kind == "probabilities":
        # each class is rounded on its own, and was before in the probability image
        allowed = 1.5 * n_classes * unit / LARGEST + 1e-6
        return bool(np.all(abs(rows.sum(axis=2, dtype=np.float64) - unit) <= allowed))
    return bool(rows.min() >= 0 and rows.max() <= unit)


def _levels(shape: tuple[int, int, int]) -> list[int]:
    """By how much each stored copy is smaller: 1, then 2, then 4."""
    levels = [1]
    while max(shape[:2]) // levels[-1] > LARGEST_SINGLE:
        levels.append(2 * levels[-1])
    return levels


def _channels(product: Product, source: ProductSource) -> tuple[tuple[str, Color], ...]:
    return source.classes if product.kind == "probabilities" else ((product.kind, (255,) * 3),)


def _write_ome_tiff(target: Path, product: Product, source: ProductSource) -> None:
    shape = derived_shape(source.probabilities, product, source.factor)
    levels, dtype = _levels(shape), derived_dtype(product)
    is_big = 2 * np.prod(shape) * dtype.itemsize > LARGEST_CLASSIC_TIFF
    with TiffWriter(target, bigtiff=bool(is_big), byteorder="<", ome=True) as file:
        for level in levels:
            height, width, n_values = derived_shape(
                source.probabilities, product, source.factor * level
            )
            file.write(
                _tiles(product, source, level),
                shape=(n_values, height, width),
                dtype=dtype,
                tile=(TILE, TILE),
                photometric="minisblack",
                compression="zlib",
                subifds=len(levels) - 1 if level == 1 else 0,
                subfiletype=0 if level == 1 else 1,
                metadata=_ome_metadata(product, source) if level == 1 else None,
                maxworkers=1,
            )


def _tiles(product: Product, source: ProductSource, level: int) -> Iterator[Rows]:
    """The tiles of one channel after the other; the image is derived once for each."""
    factor = source.factor * level
    height, _, n_values = derived_shape(source.probabilities, product, factor)
    for channel in range(n_values):
        rows = derived_rows(source.probabilities, product, factor)
        for block in cut_rows(rows, height, TILE):
            for x in range(0, block.shape[1], TILE):
                tile = np.zeros((TILE, TILE), block.dtype)
                part = block[:, x : x + TILE, channel]
                tile[: part.shape[0], : part.shape[1]] = part
                yield tile


def _ome_metadata(product: Product, source: ProductSource) -> dict[str, Any]:
    channels = _channels(product, source)
    metadata: dict[str, Any] = {
        "axes": "CYX",
        "Creator": "ilpix",
        "Channel": {
            "Name": [name for name, _ in channels],
            "Color": [_ome_color(color) for _, color in channels],
        },
    }
    if size := source.enlarged_pixel_um(source.factor):
        for axis, length in zip("YX", size, strict=True):
            metadata |= {f"PhysicalSize{axis}": length, f"PhysicalSize{axis}Unit": "µm"}
    # the same content has the same identifier, so the same bytes
    metadata["UUID"] = f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps(metadata, sort_keys=True))}"
    return metadata


def _ome_color(color: Color) -> int:
    """Red, green, blue and opacity as one signed number of 32 bits."""
    return int.from_bytes(bytes([*color, 255]), "big", signed=True)


def _write_ome_zarr(target: Path, product: Product, source: ProductSource) -> None:
    try:
        import zarr  # noqa: PLC0415 - an extra, not installed everywhere
    except ImportError as error:
        raise MissingExtraError("writing OME-Zarr", "zarr") from error
    levels = _levels(derived_shape(source.probabilities, product, source.factor))
    group = zarr.open_group(target, mode="w", zarr_format=2)
    for number, level in enumerate(levels):
        factor = source.factor * level
        height, width, n_values = derived_shape(source.probabilities, product, factor)
        array = group.create_array(
            str(number),
            shape=(n_values, height, width),
            dtype=derived_dtype(product),
            chunks=(1, min(TILE, height), min(TILE, width)),
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )
        first = 0
        for block in cut_rows(derived_rows(source.probabilities, product, factor), height, TILE):
            array[:, first : first + len(block)] = np.moveaxis(block, -1, 0)
            first += len(block)
    group.attrs.update(_zarr_metadata(product, source, levels))


def _zarr_metadata(product: Product, source: ProductSource, levels: list[int]) -> dict[str, Any]:
    """The attributes of OME-Zarr 0.4: https://ngff.openmicroscopy.org/0.4/."""
    unit = {} if source.pixel_size_um is None else {"unit": "micrometer"}
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", **unit} for name in "yx"]
    datasets = [
        {
            "path": str(number),
            "coordinateTransformations": [
                {
                    "type": "scale",
                    "scale": [
                        1.0,
                        *(source.enlarged_pixel_um(source.factor * level) or (level,) * 2),
                    ],
                }
            ],
        }
        for number, level in enumerate(levels)
    ]
    largest = _largest(product, len(source.classes))
    window = {"min": 0, "max": largest, "start": 0, "end": largest}
    channels = [
        {"label": name, "color": bytes(color).hex().upper(), "active": True, "window": window}
        for name, color in _channels(product, source)
    ]
    multiscale = {"version": "0.4", "name": product.kind, "axes": axes, "datasets": datasets}
    return {"multiscales": [multiscale], "omero": {"version": "0.4", "channels": channels}}


def _largest(product: Product, n_classes: int) -> float:
    if product.kind == "classes":
        return n_classes
    return LARGEST if product.dtype == "uint16" else 1
