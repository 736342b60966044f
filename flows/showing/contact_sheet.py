"""Colour previews side by side in one small picture, with names and the colours of the classes."""

import base64
import io
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from ilpix.project.reading import LabelClass

MOST_PREVIEWS = 24  # as JPEG far below the 1.5 MB that a text of the server can hold
CELL_PX, CAPTION_PX, COLUMNS = 240, 20, 4
MARGIN_PX = 4


def contact_sheet(previews: Sequence[Path], classes: Sequence[LabelClass]) -> str:
    """Return the previews, each reduced to fit its cell, as a JPEG in base64."""
    columns = min(COLUMNS, len(previews))
    height = CAPTION_PX + math.ceil(len(previews) / columns) * (CELL_PX + CAPTION_PX)
    sheet = Image.new("RGB", (max(columns, 2) * CELL_PX, height), "white")
    pen = ImageDraw.Draw(sheet)
    _draw_legend(pen, classes)
    for index, path in enumerate(previews):
        x = index % columns * CELL_PX
        y = CAPTION_PX + index // columns * (CELL_PX + CAPTION_PX)
        with Image.open(path) as preview:
            preview.thumbnail((CELL_PX - MARGIN_PX, CELL_PX - MARGIN_PX))
            sheet.paste(preview, (x, y + CAPTION_PX))
        pen.text((x + MARGIN_PX, y + MARGIN_PX), path.stem[-34:], "black")
    picture = io.BytesIO()
    sheet.save(picture, "JPEG", quality=75)
    return base64.b64encode(picture.getvalue()).decode()


def _draw_legend(pen: ImageDraw.ImageDraw, classes: Sequence[LabelClass]) -> None:
    """Draw a square in the colour of each class and its name beside it, along the upper edge."""
    x, size = MARGIN_PX, CAPTION_PX - 2 * MARGIN_PX
    for label_class in classes:
        pen.rectangle((x, MARGIN_PX, x + size, MARGIN_PX + size), label_class.pmap_color)
        x += size + MARGIN_PX
        pen.text((x, MARGIN_PX), label_class.name, "black")
        x += int(pen.textlength(label_class.name)) + 4 * MARGIN_PX
