"""What the Prefect UI shows of a run: tables, a contact sheet, one key a kind so that the UI keeps their history."""

import base64
import io
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext

from flows.outcomes import Outcome
from flows.verb_run import VerbRun
from ilpix.project import PixelProject

CELL_PX = 200
SHEET_PREVIEWS = 25  # images on a contact sheet, which must stay well below 1.5 MB


def show_images(run: VerbRun, project: PixelProject | None = None) -> None:
    """Show a table with a row for each image and step: size, seconds, class areas, state, what went wrong."""
    classes = [label_class.name for label_class in project.classes] if project else []
    _table(f"{run.verb}-images", [_row(outcome, classes) for outcome in run.outcomes])


def show_table(key: str, rows: list[dict[str, Any]], description: str) -> None:
    """Show rows under a key."""
    _table(key, rows, description)


def show_markdown(key: str, text: str) -> None:
    """Show a text under a key."""
    if FlowRunContext.get():
        create_markdown_artifact(text, key=key)


def show_previews(previews: Sequence[Path], project: PixelProject) -> None:
    """Show colour previews side by side; the first ones where there are many."""
    if not (FlowRunContext.get() and previews):
        return
    shown = list(previews)[:SHEET_PREVIEWS]
    sheet = base64.b64encode(_contact_sheet(shown)).decode()
    legend = ", ".join(
        f"{label_class.name} rgb{label_class.pmap_color}" for label_class in project.classes
    )
    names = ", ".join(preview.stem for preview in shown)
    left_out = (
        f" ({len(previews) - len(shown)} more in ilpix_report)"
        if len(previews) > len(shown)
        else ""
    )
    create_markdown_artifact(
        f"## Classes\n\n{legend}\n\n![previews](data:image/png;base64,{sheet})\n\n{names}{left_out}\n",
        key="run-previews",
        description="colours mixed by probability, left to right and top to bottom as named",
    )


def _contact_sheet(previews: Sequence[Path]) -> bytes:
    """A PNG of the previews in a square grid, each reduced to fit its cell."""
    side = math.ceil(math.sqrt(len(previews)))
    sheet = Image.new("RGB", (side * CELL_PX, math.ceil(len(previews) / side) * CELL_PX), "white")
    for index, path in enumerate(previews):
        with Image.open(path) as preview:
            preview.thumbnail((CELL_PX - 4, CELL_PX - 4))
            sheet.paste(preview, (index % side * CELL_PX, index // side * CELL_PX))
    png = io.BytesIO()
    sheet.save(png, "PNG", optimize=True)
    return png.getvalue()


def _table(key: str, rows: list[dict[str, Any]], description: str | None = None) -> None:
    if FlowRunContext.get() and rows:
        create_table_artifact(rows, key=re.sub("[^a-z0-9-]", "-", key), description=description)


def _row(outcome: Outcome, classes: Sequence[str]) -> dict[str, Any]:
    facts = dict(outcome.facts)
    areas = facts.pop("areas", [])
    shares = {f"{name} %": round(100 * area, 1) for name, area in zip(classes, areas, strict=False)}
    return {
        "image": outcome.image,
        "step": outcome.step,
        "state": outcome.state,
        **{
            name: value if isinstance(value, (int, float, str)) else str(value)
            for name, value in facts.items()
        },
        **shares,
        "error": outcome.error or "",
    }
