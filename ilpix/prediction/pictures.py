"""Pictures of an image and of what was predicted from it, for the report.

Each image has four files. Two small pictures show a composite of up to three channels and the most
probable class of each pixel, the latter in two sets of colours. The fourth file holds everything at
full size, as a script: a page that was opened from a disk may load a script beside it and look at
its pixels, but at those of no other file. In it are every channel in grey, the most probable class
of each pixel, and how certain it is.
"""

import json
import os
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from imagecodecs import PNG, jpeg8_encode, png_encode
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ValidationError

from ilpix.files import replacing, write_text
from ilpix.images.hdf5 import PreparedImage, open_prepared
from ilpix.prediction import _kernels
from ilpix.prediction.picture_files import PictureFiles
from ilpix.prediction.probabilities import LARGEST, Rows, open_rows

LARGEST_SIDE = 1024  # px at full size; of larger images every n-th pixel is shown
SMALL_SIDE = 320  # px
COMPOSITE = ((60, 130, 255), (255, 190, 40), (255, 50, 170))  # RGB of up to three channels
TONE = 0.75  # grey is this power of an intensity (`_kernels.tone`): the dark ones are seen too
SAFE_COLORS = (  # told apart with any kind of colour vision (Okabe and Ito, 2008)
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (120, 120, 120),
)

_DARKEST, _BRIGHTEST = 0.01, 0.995  # quantiles between which intensities are shown
_MOST_VALUES = 2**14
_JPEG_QUALITY = 80
_OF_AREAS = {"level": 1, "strategy": PNG.STRATEGY.RLE, "filter": PNG.FILTER.UP}  # fast and small

Grey = NDArray[np.uint8]
Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Style:
    """What decides how pictures look, besides their pixels."""

    colors: tuple[Color, ...]  # of the classes
    composite: tuple[int, ...]  # up to three channels

    @property
    def safe_colors(self) -> tuple[Color, ...]:
        """Colours of the classes for everybody."""
        return tuple(SAFE_COLORS[index % len(SAFE_COLORS)] for index in range(len(self.colors)))


class Drawn(BaseModel, frozen=True):
    """What is remembered of the drawing; the first line of the script."""

    drawn_from: str  # what identifies the pixels and the style
    uncertainty: float  # mean over all pixels: 1 less the lead of the most probable class
    n_bytes: tuple[
        int, ...
    ]  # of the small pictures and the rest of the script: whether all is there


def draw(
    image: Path, probabilities: Path, style: Style, files: PictureFiles, drawn_from: str
) -> Drawn:
    """Draw all pictures of an image.

    Raises:
        UnreadableImageError: if the prepared image cannot be read.
        InvalidProbabilitiesError: if the probability image cannot be read.
    """
    with open_rows(probabilities) as ((height, width, _), rows):
        step = -(-max(height, width) // LARGEST_SIDE)
        classes, certainty, lead = _decide(rows, step)
    with open_prepared(image) as opened:
        channels = list(_channels(opened, step))
        pixel_um = opened.pixel_size_um[1] if opened.pixel_size_um else None
    _draw_small([grey for grey, _ in channels], classes, style, files)
    content = {
        "size": [height, width],
        "step": step,
        "pixelUm": pixel_um,
        "classes": _url("png", png_encode(classes, **_OF_AREAS)),
        "certainty": _url("jpeg", jpeg8_encode(certainty, level=_JPEG_QUALITY)),
        "channels": [
            {"bounds": bounds, "grey": _url("jpeg", jpeg8_encode(grey, level=_JPEG_QUALITY))}
            for grey, bounds in channels
        ],
    }
    call = f"ilpix.receive({json.dumps(files.name)}, {json.dumps(content)});\n"
    n_bytes = (*(path.stat().st_size for path in files.small), len(call))
    drawn = Drawn(drawn_from=drawn_from, uncertainty=round(1 - lead, 4), n_bytes=n_bytes)
    write_text(files.script, f"//{drawn.model_dump_json()}\n{call}", lasting=False)
    return drawn


def read_drawn(files: PictureFiles, drawn_from: str) -> Drawn | None:
    """Return what was remembered; None where there are no such pictures.

    A machine without power leaves files that are empty or cut short.
    """
    try:
        with files.script.open("rb") as script:
            drawn = Drawn.model_validate_json(script.readline().removeprefix(b"//"))
            n_rest = -script.tell() + script.seek(0, os.SEEK_END)
        n_bytes = (*(path.stat().st_size for path in files.small), n_rest)
    except (OSError, ValidationError):
        return None
    return drawn if (drawn.drawn_from, drawn.n_bytes) == (drawn_from, n_bytes) else None


def _decide(read: Iterator[tuple[int, Rows]], step: int) -> tuple[Grey, Grey, float]:
    """Return the classes and certainties of every n-th pixel, and the mean lead of all pixels."""
    shown: list[tuple[Grey, Grey]] = []
    total = n_pixels = 0
    for first, rows in read:
        classes, certainty = (np.empty(rows.shape[:2], np.uint8) for _ in range(2))
        total += _kernels.decide(rows, classes, certainty)
        n_pixels += classes.size
        chosen = slice(-first % step, None, step), slice(None, None, step)
        shown.append((classes[chosen], certainty[chosen]))
    parts = [np.concatenate(part) for part in zip(*shown, strict=True)]
    return parts[0], parts[1], total / LARGEST / n_pixels


def _channels(image: PreparedImage, step: int) -> Iterator[tuple[Grey, list[float]]]:
    """Yield every n-th pixel of each channel in grey, and the intensities of black and white."""
    rows = max(1, LARGEST_SIDE // step) * step  # together not more pixels than are shown
    blocks = [image.read(slice(y, y + rows, step)) for y in range(0, image.shape[1], rows)]
    shown = [block[:, :, ::step] for block in blocks]
    for plane in np.concatenate(shown, axis=1) if len(shown) > 1 else shown[0]:
        low, top = _bounds(plane)
        grey = np.empty(plane.shape, np.uint8)
        bounds = np.float32(low), np.float32(top)
        _kernels.tone(np.ascontiguousarray(plane), *bounds, grey)
        yield grey, [float(f"{low:.4g}"), float(f"{top:.4g}")]


def _bounds(plane: NDArray[np.float32]) -> tuple[float, float]:
    some = plane.ravel()[:: max(1, plane.size // _MOST_VALUES)]
    some = some[np.isfinite(some)]
    low, top = np.quantile(some, (_DARKEST, _BRIGHTEST)) if len(some) else (0.0, 0.0)
    return (float(low), float(top)) if top > low else (float(low), float(low) + 1)


def _draw_small(greys: Sequence[Grey], classes: Grey, style: Style, files: PictureFiles) -> None:
    step = -(-max(classes.shape) // SMALL_SIDE)
    height, width = (max(1, size // step) for size in classes.shape)
    light = np.zeros((height, width, 3), np.float32)
    for channel, color in zip(style.composite, COMPOSITE, strict=False):
        whole = greys[channel][: height * step, : width * step]
        _kernels.add_light(whole, np.array(color, np.float32) / 255, light)
    composite = np.minimum(light, 255).astype(np.uint8)
    first = [min(step // 2, size - 1) for size in classes.shape]
    few = Image.fromarray(np.ascontiguousarray(classes[first[0] :: step, first[1] :: step]))
    with replacing(files.image, lasting=False) as temporary:
        temporary.write_bytes(jpeg8_encode(composite, level=_JPEG_QUALITY))
    for path, colors in ((files.classes, style.colors), (files.safe_classes, style.safe_colors)):
        few.putpalette([part for color in colors for part in color])
        with replacing(path, lasting=False) as temporary:
            few.save(temporary, "PNG", compress_level=1)


def _url(kind: str, encoded: bytes | bytearray) -> str:
    return f"data:image/{kind};base64,{b64encode(encoded).decode()}"


def describe_style(style: Style) -> dict[str, Any]:
    """Return what of a style the page needs."""
    return {
        "tone": TONE,
        "composite": list(style.composite),
        "compositeColors": [list(color) for color in COMPOSITE],
        "colors": [list(color) for color in style.colors],
        "safeColors": [list(color) for color in style.safe_colors],
    }
