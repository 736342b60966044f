"""The pictures of a report: drawn side by side, and only where what they show has changed."""

import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from flows.running.verb_run import VerbRun
from ilpix.data_directory import PICTURES
from ilpix.errors import IlpixError
from ilpix.prediction.picture_files import PictureFiles
from ilpix.prediction.pictures import Drawn, Style, draw, read_drawn
from ilpix.project.reading import PixelProject
from ilpix.project.summary import summarise
from tasks.describing import DIGESTS
from tasks.digests import DigestMemo

ALGORITHM = 3  # raised when pictures change for the same pixels

_log = logging.getLogger(__name__)


class Result(NamedTuple):
    """One predicted image."""

    image: Path  # prepared
    probabilities: Path


def choose_style(project: PixelProject) -> Style:
    """Show the channels that the classifier relies on most; the mean of all at the last."""
    n_channels = project.n_channels or 1
    names = list(project.record.channel_names) if project.record else []
    shares = {item.name: item.share for item in summarise(project).channel_importance}

    def weight(channel: int) -> tuple[bool, float]:
        name = names[channel] if len(names) == n_channels else f"channel {channel}"
        return name != "mean", shares.get(name, 0)

    chosen = sorted(range(n_channels), key=weight, reverse=True)[:3]
    colors = tuple(label_class.pmap_color for label_class in project.classes)
    return Style(colors, tuple(sorted(chosen)))


def draw_pictures(run: VerbRun, style: Style, results: Mapping[str, Result]) -> dict[str, Drawn]:
    """Draw what is new or changed; return what is known of each image that has pictures."""
    memo = DigestMemo(run.workspace / DIGESTS)

    def look(name: str) -> Drawn | None:
        result, files = results[name], picture_files(run, name)
        parts = [memo.digest(path) for path in result]
        key = sha256(json.dumps([ALGORITHM, repr(style), *parts]).encode()).hexdigest()
        try:
            return read_drawn(files, key) or draw(*result, style, files, key)
        except (IlpixError, OSError) as error:
            _log.warning("%s has no pictures in the report: %s", name, error)
            return None

    with ThreadPoolExecutor(run.width(len(results)).parallel) as pool:
        drawn = zip(results, pool.map(look, results), strict=True)
        return {name: one for name, one in drawn if one}


def picture_files(run: VerbRun, name: str) -> PictureFiles:
    """Return where the pictures of an image are."""
    return PictureFiles(run.path(PICTURES), name)
