"""Channel names and pixel size that a TIFF file carries: OME, ImageJ, and the names of pages."""

import math
from typing import Any

import tifffile

from ilpix.sources.units import micrometres

_PAGE_NAME = 285  # the tag in which MCD Viewer and others name each plane


def read_channel_names(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, index: int, n_channels: int
) -> tuple[str, ...]:
    """Return the names of the channels of one image; empty where the file does not name them."""
    for found in (_ome_names(file, index), _imagej_names(file), _page_names(file, series, index)):
        if len(found) == n_channels and any(found):
            return tuple(found)
    return ()


def read_pixel_size_um(file: tifffile.TiffFile, index: int) -> tuple[float, float] | None:
    """Return the (y, x) size of one pixel in µm; None where the file does not say it."""
    if file.is_ome:
        pixels = _ome_pixels(file, index)
        sizes = tuple(
            _in_um(pixels.get(f"PhysicalSize{key}"), pixels.get(f"PhysicalSize{key}Unit", "µm"))
            for key in "YX"
        )
    elif file.is_imagej and file.imagej_metadata:
        unit = str(file.imagej_metadata.get("unit", "")).encode().decode("unicode_escape")
        tags = file.pages.first.tags
        sizes = tuple(
            _in_um(_inverse(tags.valueof(tag)), unit) for tag in ("YResolution", "XResolution")
        )
    else:
        return None
    y, x = sizes
    return (y, x) if y and x else None


def _in_um(size: Any, unit: Any) -> float | None:
    factor = micrometres(str(unit))
    try:
        length = float(size) * factor if factor else math.nan
    except (TypeError, ValueError):
        return None
    return length if math.isfinite(length) and length > 0 else None


def _inverse(resolution: Any) -> float | None:
    """Units of length per pixel, of pixels per unit as a fraction."""
    try:
        pixels, units = resolution
        return float(units / pixels)
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _ome_pixels(file: tifffile.TiffFile, index: int) -> dict[str, Any]:
    """The Pixels element of one image of a file; empty where there is none."""
    try:
        tree = tifffile.xml2dict(str(file.ome_metadata))
    except Exception:  # damaged XML fails in many ways, and what it tells is no part of the pixels
        return {}
    images = _listed(tree.get("OME", {}).get("Image"))
    image = images[max(index, 0)] if max(index, 0) < len(images) else {}
    pixels = _listed(image.get("Pixels"))
    return pixels[0] if pixels else {}


def _ome_names(file: tifffile.TiffFile, index: int) -> list[str]:
    if not file.is_ome:
        return []
    found = _ome_pixels(file, index).get("Channel")
    channels = found if isinstance(found, list) else [found]
    return [str((channel or {}).get("Name", "")).strip() for channel in channels]


def _imagej_names(file: tifffile.TiffFile) -> list[str]:
    if not file.is_imagej or not file.imagej_metadata:
        return []
    labels = file.imagej_metadata.get("Labels") or []
    return [str(label).strip() for label in labels]


def _page_names(file: tifffile.TiffFile, series: tifffile.TiffPageSeries, index: int) -> list[str]:
    pages = [one.pages[0] for one in file.series] if index < 0 else list(series.pages)
    names = [_page_name(page) for page in pages]
    return [name for name in names if name]


def _page_name(page: Any) -> str:
    if page is None:
        return ""
    whole = page.aspage() if page.is_frame else page
    return str(whole.tags.valueof(_PAGE_NAME) or "").strip()


def _listed(value: Any) -> list[dict[str, Any]]:
    """The elements of a name, of which there may be none, one or several."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]
