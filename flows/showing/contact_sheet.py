"""Images and their classes side by side in one small picture, with names and colours."""

import base64
import io
import math
from collections.abc import Sequence
from contextlib import suppress

from PIL import Image, ImageDraw

from ilpix.prediction.picture_files import PictureFiles
from ilpix.project.reading import LabelClass

MOST_PREVIEWS = 24  # as JPEG far below the 1.5 MB that a text of the server can hold
CELL_PX, CAPTION_PX, COLUMNS = 160, 20, 3  # a cell for the image, one for its classes
MARGIN_PX = 4


def contact_sheet(pictures: Sequence[PictureFiles], classes: Sequence[LabelClass]) -> str:
    """Return each image beside its classes, reduced to fit a cell, as a JPEG in base64."""
    height = CAPTION_PX + math.ceil(len(pictures) / COLUMNS) * (CELL_PX + CAPTION_PX)
    sheet = Image.new("RGB", (COLUMNS * 2 * CELL_PX, height), "white")
    pen = ImageDraw.Draw(sheet)
    _draw_legend(pen, classes)
    for index, files in enumerate(pictures):
        x = index % COLUMNS * 2 * CELL_PX
        y = CAPTION_PX + index // COLUMNS * (CELL_PX + CAPTION_PX)
        for path, left in ((files.image, x), (files.classes, x + CELL_PX)):
            with suppress(OSError), Image.open(path) as picture:  # somebody may have changed it
                picture.thumbnail((CELL_PX - MARGIN_PX, CELL_PX - MARGIN_PX))
                sheet.paste(picture, (left, y + CAPTION_PX))
        pen.text((x + MARGIN_PX, y + MARGIN_PX), files.name[-46:], "black")
    picture_bytes = io.BytesIO()
    sheet.save(picture_bytes, "JPEG", quality=75)
    return base64.b64encode(picture_bytes.getvalue()).decode()


def _draw_legend(pen: ImageDraw.ImageDraw, classes: Sequence[LabelClass]) -> None:
    """Draw a square in the colour of each class and its name beside it, along the upper edge."""
    x, size = MARGIN_PX, CAPTION_PX - 2 * MARGIN_PX
    for label_class in classes:
        pen.rectangle((x, MARGIN_PX, x + size, MARGIN_PX + size), label_class.pmap_color)
        x += size + MARGIN_PX
        pen.text((x, MARGIN_PX), label_class.name, "black")
        x += int(pen.textlength(label_class.name)) + 4 * MARGIN_PX
