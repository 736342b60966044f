"""`ilpix_report/`: the page on which a result is judged, for those without a server too.

The page works from a disk: it loads scripts and pictures beside it and nothing from elsewhere. The
same results give the same bytes.
"""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from pydantic import BaseModel

from flows.looking import Look
from flows.running.verb_run import VerbRun
from flows.showing.charts import chart_channels, place
from flows.showing.making import how_it_was_made
from flows.showing.overview import ImageRow, mean_areas, rows_of_images
from flows.showing.pictures import Result, choose_style, draw_pictures
from flows.showing.training import read_quality
from ilpix.data_directory import PICTURES, REPORT, REPORT_PAGE
from ilpix.files import write_text
from ilpix.images.channel_statistics import QUANTILES
from ilpix.prediction.pictures import Style, describe_style
from ilpix.project.reading import PixelProject

BESIDE = ("report.css", "report.js")


def write_report(
    run: VerbRun,
    project: PixelProject,
    look: Look,
    results: Mapping[str, Result],
    parameters: BaseModel,
) -> list[ImageRow]:
    """Draw the pictures that are missing, write the page; return what it shows of each image."""
    style = choose_style(project)
    drawn = draw_pictures(run, style, results)
    names = [label_class.name for label_class in project.classes]
    rows = rows_of_images(run, names, look, drawn)
    page = _template().render(
        rows=rows,
        shown=[row for row in rows if row.has_pictures],
        failed=[row for row in rows if row.error],
        classes=names,
        style=style,
        means=mean_areas(rows, len(names)),
        look=look,
        charts=chart_channels(look),
        quality=read_quality(run.data_dir),
        made=how_it_was_made(run, project, parameters),
        setup=_setup(names, look, style),
        pictures=PICTURES.relative_to(REPORT).as_posix(),
    )
    write_text(run.path(REPORT_PAGE), page)
    write_text(run.path(REPORT) / "distributions.js", _distributions(look))
    for name in BESIDE:
        text = (files("flows.showing") / "templates" / name).read_text(encoding="utf-8")
        write_text(run.path(REPORT) / name, text)
    return rows


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("flows.showing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        address=quote, parts=_parts, percent=_percent, number=_number, rgb=_rgb
    )
    return environment.get_template("report.html")


def _parts(name: str) -> list[str]:
    """Where a name may be broken when a line is too short for it."""
    return re.split(r"(?<=[_./-])|(?<=[a-z])(?=[A-Z])", name)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _rgb(color: tuple[int, int, int]) -> str:
    return f"rgb({color[0]} {color[1]} {color[2]})"


def _setup(classes: list[str], look: Look, style: Style) -> dict[str, Any]:
    """What the script of the page needs to know."""
    return {
        "classes": classes,
        "channels": [_title(name) for name in look.comparison.channels],
        **describe_style(style),
        "pictures": PICTURES.relative_to(REPORT).as_posix(),
    }


def _title(channel: str) -> str:
    return f"channel {channel}" if channel.isdigit() else channel


def _distributions(look: Look) -> str:
    """A script with the quantiles of every image, placed on the axes of the page's charts."""
    tops = [chart.top for chart in chart_channels(look)]
    placed = {
        name: [
            [place(value, top) for value in quantiles]
            for quantiles, top in zip(image.quantiles, tops, strict=False)
        ]
        for name, image in look.images.items()
    }
    content = json.dumps({"quantiles": QUANTILES, "images": placed}, separators=(",", ":"))
    return f"ilpix.compare({content});\n"
