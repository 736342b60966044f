"""What the Prefect UI shows of a run; one key a kind, so that it keeps their history.

Outside a flow run nothing is shown; the manifest and `ilpix_report` hold the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext
from prefect.events import emit_event

from flows.running.outcomes import Outcome
from flows.running.verb_run import VerbRun
from flows.showing.contact_sheet import MOST_PREVIEWS, contact_sheet
from ilpix.images.hdf5 import ImageRecord
from ilpix.project.reading import PixelProject


def show_table(key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
    """Show rows under a key; nothing where there are none."""
    if FlowRunContext.get() and rows:
        table = [{name: _cell(value) for name, value in row.items()} for row in rows]
        create_table_artifact(table, key=key, description=description)


def show_markdown(key: str, text: str, description: str | None = None) -> None:
    """Show a text under a key."""
    if FlowRunContext.get():
        create_markdown_artifact(text, key=key, description=description)


def show_prepared(run: VerbRun, record: ImageRecord) -> None:
    """Show what became of each image, which channels all have now, and where the crops are."""
    images = [_prepared_row(outcome) for outcome in run.outcomes if outcome.step != "cut-crops"]
    show_table("prepare-images", images, "the prepared images")
    names = enumerate(record.channel_names)
    channels = [{"channel": number, "made of": name} for number, name in names]
    show_table("prepare-channels", channels, "the channels of every prepared image")
    crops = [
        {"image": outcome.image, **position, "size": outcome.facts["size"]}
        for outcome in run.outcomes
        for position in outcome.facts.get("positions", ())
    ]
    show_table("prepare-crops", crops, "the crops to label: upper left corner and edge, in pixels")


def show_project(project: PixelProject) -> None:
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
        "classifier": f"{len(project.forest.roots)} trees" if project.forest else "none yet",
    }
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts.items())
    show_markdown("project", f"| Project | |\n|---|---|\n{rows}")


def show_predicted(run: VerbRun, project: PixelProject, previews: Sequence[Path]) -> None:
    """Show what became of each image, and previews; tell as events what came of what."""
    show_project(project)
    rows = [_predicted_row(outcome, project) for outcome in run.outcomes]
    show_table("run-images", rows, "the predicted images")
    show_markdown("run-report", _report(run, project))
    if previews:
        sheet = contact_sheet(previews[:MOST_PREVIEWS], project.classes)
        more = max(0, len(previews) - MOST_PREVIEWS)
        rest = f"\n\n{more} more are in ilpix_report." if more else ""
        text = f"![previews](data:image/jpeg;base64,{sheet}){rest}\n"
        show_markdown("run-previews", text, "the colours of the classes, mixed by probability")
    _emit_lineage(run, project)


def _prepared_row(outcome: Outcome) -> dict[str, Any]:
    return {"image": outcome.image, "state": outcome.state, **outcome.facts, "error": outcome.error}


def _predicted_row(outcome: Outcome, project: PixelProject) -> dict[str, Any]:
    facts = dict(outcome.facts)
    names = [label_class.name for label_class in project.classes]
    areas = facts.pop("areas", [0.0] * len(names))
    return {
        "image": outcome.image,
        "state": outcome.state,
        "size": " × ".join(str(size) for size in facts.pop("shape", ())),
        "channels": project.n_channels,
        "scale": project.record and project.record.preparation.scale,
        **{f"{name} %": round(100 * area, 1) for name, area in zip(names, areas, strict=True)},
        **facts,
        "error": outcome.error,
    }


def _report(run: VerbRun, project: PixelProject) -> str:
    """The run in words and one table, in markdown."""
    states = Counter(outcome.state for outcome in run.outcomes)
    areas = [outcome.facts["areas"] for outcome in run.outcomes if "areas" in outcome.facts]
    means = [sum(shares) / len(areas) for shares in zip(*areas, strict=True)]
    classes = "".join(
        f"| {label_class.name} | {100 * mean:.1f} |\n"
        for label_class, mean in zip(project.classes, means, strict=False)
    )
    failures = "".join(f"- **{o.image}**: {o.error}\n" for o in run.outcomes if o.error)
    return (
        f"## {len(run.outcomes)} images\n\n{states['done']} predicted, {states['kept']} kept from "
        f"earlier, {states['failed']} failed; engine: {run.notes['engine']}.\n\n"
        f"| class | mean area (%) |\n|---|---|\n{classes}"
        + f"\n## Failed\n\n{failures}"
        * bool(failures)
    )


def _emit_lineage(run: VerbRun, project: PixelProject) -> None:
    """Tell the server which probability image came of which prepared image and project."""
    if not FlowRunContext.get():
        return
    for outcome in [outcome for outcome in run.outcomes if outcome.state == "done"]:
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
    return value if isinstance(value, int | float | str) else str(value)
