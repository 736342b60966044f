"""`ilpix_report/`: colour previews and a page that shows them, for those without a server."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from flows.running.outcomes import Outcome
from flows.running.verb_run import VerbRun
from ilpix.data_directory import PREVIEWS, REPORT, REPORT_PAGE
from ilpix.files import write_text
from ilpix.prediction.previews import write_preview
from ilpix.project.reading import PixelProject


@dataclass(frozen=True, slots=True)
class _ImageRow:
    name: str
    shape: str
    areas: list[float]
    preview: str | None
    error: str | None


def write_report(run: VerbRun, project: PixelProject, targets: Sequence[Path]) -> list[Path]:
    """Write a preview of each probability image, and the page; return the previews.

    The same results give the same bytes. A preview newer than what it shows is kept.
    """
    folder = run.path(REPORT)
    previews = {target.stem: run.path(PREVIEWS) / f"{target.stem}.png" for target in targets}
    colors = [label_class.pmap_color for label_class in project.classes]
    stale = [
        target for target in targets if not _is_newer(previews[target.stem], target, project.path)
    ]
    with ThreadPoolExecutor(run.width(len(stale)).parallel) as pool:
        list(pool.map(lambda target: write_preview(target, colors, previews[target.stem]), stale))
    page = _page_template().render(
        engine=run.notes["engine"],
        legend=[(label_class.name, label_class.pmap_color) for label_class in project.classes],
        images=[_row(outcome, previews, folder) for outcome in run.outcomes],
    )
    write_text(run.path(REPORT_PAGE), page)
    return list(previews.values())


def _is_newer(preview: Path, *shown: Path) -> bool:
    made = [path.stat().st_mtime_ns for path in shown]
    return preview.exists() and preview.stat().st_mtime_ns > max(made)


def _page_template() -> Template:
    environment = Environment(
        loader=PackageLoader("flows.showing"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("report.html")


def _row(outcome: Outcome, previews: dict[str, Path], folder: Path) -> _ImageRow:
    facts = outcome.facts
    preview = previews.get(outcome.image)
    return _ImageRow(
        name=outcome.image,
        shape=" × ".join(str(size) for size in facts.get("shape", ())),
        areas=facts.get("areas", []),
        preview=preview.relative_to(folder).as_posix() if preview else None,
        error=outcome.error,
    )
