"""What the Prefect UI shows of a run; one key a kind and data folder, so that it keeps a history.

Outside a flow run nothing is shown; the manifest and `ilpix_report` hold the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext
from prefect.events import emit_event

from flows.artifact_keys import artifact_key
from flows.exporting import is_export
from flows.looking import Look
from flows.running.outcomes import Outcome
from flows.running.server import on_server
from flows.running.verb_run import VerbRun
from flows.showing.contact_sheet import MOST_PREVIEWS, contact_sheet
from flows.showing.overview import ImageRow, mean_areas
from flows.showing.pictures import picture_files
from ilpix.data_directory import REPORT_PAGE
from ilpix.images.hdf5 import ImageRecord
from ilpix.project.reading import PixelProject
from ilpix.wording import counted, in_words_of_the_place


def show_table(
    kind: str, folder: Path, rows: Sequence[Mapping[str, Any]], description: str
) -> None:
    """Show rows about a data folder; nothing where there are none."""
    if FlowRunContext.get() and rows:
        table = [{name: _cell(value) for name, value in row.items()} for row in rows]
        told = f"{description}, folder {folder.absolute()}"
        key = artifact_key(kind, folder)
        on_server(lambda: create_table_artifact(table, key=key, description=told))


def show_markdown(kind: str, folder: Path, text: str, description: str = "") -> None:
    """Show a text about a data folder."""
    if FlowRunContext.get():
        told = f"{description or kind}, folder {folder.absolute()}"
        key = artifact_key(kind, folder)
        words = in_words_of_the_place(text)
        on_server(lambda: create_markdown_artifact(words, key=key, description=told))


def show_prepared(run: VerbRun, record: ImageRecord) -> None:
    """Show what became of each image, which channels all have now, and where the crops are."""
    images = [_prepared_row(outcome) for outcome in run.outcomes if outcome.step != "cut-crops"]
    show_table("prepare-images", run.data_dir, images, "the prepared images")
    names = enumerate(record.channel_names)
    channels = [{"channel": number, "made of": name} for number, name in names]
    show_table("prepare-channels", run.data_dir, channels, "the channels of every prepared image")
    crops = [
        {"image": outcome.image, **position, "size": outcome.facts["size"]}
        for outcome in run.outcomes
        for position in outcome.facts.get("positions", ())
    ]
    told = "the crops to label: upper left corner and edge, in pixels"
    show_table("prepare-crops", run.data_dir, crops, told)


def show_project(run: VerbRun, project: PixelProject) -> None:
    """Show what a project holds."""
    names = [label_class.name for label_class in project.classes]
    labelled = [sum(counts) for counts in zip(*project.labelled_pixels, strict=True)]
    pixels = ", ".join(f"{name} {count}" for name, count in zip(names, labelled, strict=False))
    facts = {
        "file": f"`{project.path}`",
        "made by": f"Ilastik {project.ilastik_version}",
        "lanes": len(project.lanes),
        "classes": ", ".join(names),
        "labelled pixels": pixels,
        "classifier": counted(len(project.forest.roots), "tree") if project.forest else "none yet",
    }
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts.items())
    show_markdown("project", run.data_dir, f"| Project | |\n|---|---|\n{rows}")


def show_predicted(
    run: VerbRun, project: PixelProject, look: Look, rows: Sequence[ImageRow]
) -> None:
    """Show what became of each image, what failed first; tell as events what came of what."""
    show_project(run, project)
    in_order = sorted(rows, key=lambda row: (row.state != "failed", not row.is_unusual, row.name))
    facts = {outcome.image: outcome.facts for outcome in run.outcomes if not is_export(outcome)}
    names = [label_class.name for label_class in project.classes]
    table = [_predicted_row(row, names, facts.get(row.name, {})) for row in in_order]
    show_table("run-images", run.data_dir, table, "the predicted images")
    show_markdown("run-report", run.data_dir, _report(run, project, look, rows))
    pictures = [picture_files(run, row.name) for row in in_order if row.has_pictures]
    if pictures:
        sheet = contact_sheet(pictures[:MOST_PREVIEWS], project.classes)
        more = max(0, len(pictures) - MOST_PREVIEWS)
        rest = f"\n\n{more} more are in ilpix_report." if more else ""
        text = f"![images and their classes](data:image/jpeg;base64,{sheet}){rest}\n"
        show_markdown("run-previews", run.data_dir, text, "images and their classes")
    _emit_lineage(run, project)


def _prepared_row(outcome: Outcome) -> dict[str, Any]:
    return {"image": outcome.image, "state": outcome.state, **outcome.facts, "error": outcome.error}


def _predicted_row(row: ImageRow, classes: Sequence[str], facts: dict[str, Any]) -> dict[str, Any]:
    areas = row.areas if len(row.areas) == len(classes) else [None] * len(classes)
    percents = [None if area is None else round(100 * area, 1) for area in areas]
    return {
        "image": row.name,
        "state": row.state,
        "look at": row.error or "; ".join([*row.warnings, *row.unlike]),
        **{f"{name} %": percent for name, percent in zip(classes, percents, strict=True)},
        "uncertainty %": None if row.uncertainty is None else round(100 * row.uncertainty, 1),
        "size": row.size,
        "seconds": facts.get("seconds"),
        "engine": facts.get("engine"),
    }


def _report(run: VerbRun, project: PixelProject, look: Look, rows: Sequence[ImageRow]) -> str:
    """The run in words, what failed first, and one table, in markdown."""
    states = Counter(row.state for row in rows)
    names = [label_class.name for label_class in project.classes]
    means = zip(names, mean_areas(rows, len(names)), strict=False)
    classes = "".join(f"| {name} | {100 * mean:.1f} |\n" for name, mean in means)
    failures = "".join(f"- **{o.image}**: {o.error}\n" for o in run.outcomes if o.error)
    warnings = "".join(f"- {found.what}; {found.advice}\n" for found in look.together)
    return (
        f"# {run.data_dir.absolute().name}\n\n"
        + f"## Failed\n\n{failures}\n" * bool(failures)
        + f"## All images\n\n{warnings}\n" * bool(warnings)
        + f"## {counted(len(rows), 'image')}\n\n{states['done']} predicted, "
        f"{states['kept']} kept from earlier, {states['failed']} failed; "
        f"engine: {run.notes['engine']}; the pages for people: "
        f"`{REPORT_PAGE}` in `{run.data_dir.absolute()}`.\n\n"
        f"| class | mean area (%) |\n|---|---|\n{classes}"
    )


def _emit_lineage(run: VerbRun, project: PixelProject) -> None:
    """Tell the server which probability image came of which prepared image and project."""
    if not FlowRunContext.get():
        return
    done = [outcome for outcome in run.outcomes if outcome.state == "done"]
    for outcome in [outcome for outcome in done if not is_export(outcome)]:
        emit_event(
            "ilpix.image.predicted",
            resource={"prefect.resource.id": f"ilpix.probabilities.{outcome.image}"},
            related=[
                {
                    "prefect.resource.id": f"ilpix.prepared.{outcome.image}",
                    "prefect.resource.role": "source",
                },
                {
                    "prefect.resource.id": f"ilpix.project.{project.path.stem}",
                    "prefect.resource.role": "classifier",
                },
            ],
            payload={"folder": str(run.data_dir), "files": outcome.files},
        )


def _cell(value: Any) -> str | int | float:
    """Return a value as a table of the UI can show it."""
    if value is None:
        return ""
    return value if isinstance(value, int | float) else in_words_of_the_place(str(value))
