"""What the command line prints: one table a verb, one message an error, or JSON for machines."""

import json
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table
from rich.text import Text

from flows.errors import ImagesFailedError
from flows.running.manifest import VerbRecord
from flows.running.progress import BarDisplay, display
from ilpix.project.summary import ProjectSummary

Loudness = Literal["normal", "quiet", "verbose"]
OUR_LOGGERS = ("annotation", "flows", "tasks", "containers", "ilpix")
_LEVELS = {"normal": logging.INFO, "quiet": logging.ERROR, "verbose": logging.DEBUG}
MOST_IMPORTANT = 15  # rows of a table of importances
_WEIGHT = ("kept", "done", "failed")
_STATES = {"done": "done", "kept": "had been done before", "failed": "failed"}

out = Console()
err = Console(stderr=True)


@contextmanager
def showing_progress(loudness: Loudness) -> Iterator[None]:
    """Show logs and progress on standard error: a bar on a terminal, plain lines elsewhere."""
    on_terminal = err.is_terminal and loudness != "quiet"
    handler: logging.Handler = (
        RichHandler(console=err, show_path=False, show_time=False)
        if on_terminal
        else logging.StreamHandler(sys.stderr)
    )
    for name in OUR_LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(_LEVELS[loudness])
        logger.handlers = [handler]
        logger.propagate = False
    token = display.set(BarDisplay(err)) if on_terminal else None
    try:
        yield
    finally:
        if token:
            display.reset(token)


def print_json(value: Any) -> None:
    """Print a value for machines."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def print_failures(error: ImagesFailedError) -> None:
    """Print which images failed and why."""
    table = Table("image", "what went wrong", title=f"{error.verb}: failed", title_justify="left")
    for images, reason in error.rows():
        table.add_row(Text(images), Text(reason))
    err.print(table)


def print_rows(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows with the same keys as a table."""
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row.values()))
    out.print(table)


def print_project(summary: ProjectSummary) -> None:
    """Print what is in a project, a table for each kind of thing."""
    names = [label_class.name for label_class in summary.classes]
    out.print(f"{summary.name}, Ilastik {summary.ilastik_version}", highlight=False)
    out.print(
        f"channels: {', '.join(summary.channel_names) or summary.n_channels}", highlight=False
    )
    classes = [
        {
            "class": label_class.name,
            "colour": f"rgb{label_class.color}",
            "labelled pixels": label_class.labelled_pixels,
            "trained": "yes" if label_class.is_trained else "no",
        }
        for label_class in summary.classes
    ]
    print_rows("classes", classes)
    crops = [
        {"crop": crop.name, "rows × columns": f"{crop.size[0]} × {crop.size[1]}"}
        | dict(zip(names, crop.labelled_pixels, strict=True))
        for crop in summary.crops
    ]
    print_rows("crops and their labelled pixels", crops)
    features = [
        {"feature": name, "scales (px)": ", ".join(f"{scale:g}" for scale in scales)}
        for name, scales in summary.features
    ]
    print_rows("features", features)
    if forest := summary.forest:
        out.print(
            f"forest: {sum(forest.trees_per_forest)} trees, "
            f"{forest.n_nodes} nodes, depth {forest.depth} (mean {forest.mean_depth:.1f}), "
            f"{forest.n_used_columns} of {forest.n_columns} columns used",
            highlight=False,
        )
    problems = [{"where": item.where, "what": item.what} for item in summary.training_problems]
    print_rows("of no use for training; it hinders no prediction", problems)
    for kind, importances in (
        ("feature", summary.feature_importance[:MOST_IMPORTANT]),
        ("channel", summary.channel_importance[:MOST_IMPORTANT]),
    ):
        rows = [{kind: item.name, "share": f"{100 * item.share:.1f} %"} for item in importances]
        print_rows(f"what the splits rely on, by {kind}", rows)


def print_summary(record: VerbRecord) -> None:
    """Print in one line how many images a verb handled, and how."""
    images: dict[str, str] = {}
    for outcome in record.images:
        before = images.get(outcome.image, "kept")
        images[outcome.image] = max(before, outcome.state, key=_WEIGHT.index)
    counts = Counter(images.values())
    told = ", ".join(f"{counts[state]} {text}" for state, text in _STATES.items() if counts[state])
    told = told or record.notes.get("summary") or "ended"
    print_lines([(record.verb, f"{told} in {record.seconds:.1f} s")])
    warnings = record.notes.get("warnings", [])
    print_rows(
        "unlike the training crops",
        [{name: warning[name] for name in ("where", "what", "advice")} for warning in warnings],
    )


def print_lines(lines: Iterable[tuple[str, str]]) -> None:
    """Print what and where, a line each; paths are never broken."""
    for what, where in lines:
        out.print(f"{what}: {where}", markup=False, highlight=False, soft_wrap=True)


def print_notice(text: str) -> None:
    """Print something that a person has to know or do."""
    err.print(text, markup=False, highlight=False, soft_wrap=True)


def print_error(text: str) -> None:
    """Print one error."""
    err.print("[bold red]error:[/] ", end="")
    err.print(text, markup=False, highlight=False, soft_wrap=True)
