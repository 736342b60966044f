"""What is said when a verb has ended: where its results are, and what comes next."""

from collections.abc import Iterator
from pathlib import Path

from command.given import same_again
from flows.running.manifest import ALSO_WRITTEN, VerbRecord
from ilpix.data_directory import PROJECT, QUALITY, REPORT_PAGE
from ilpix.errors import IlpixError
from ilpix.project.reading import read_project
from ilpix.wording import NOTHING_TO_DO

Line = tuple[str, str]  # what, and where it is or how it goes


def results(record: VerbRecord, data_dir: Path) -> Iterator[Line]:
    """Yield where the results of a verb are, of those that are there."""
    chosen = record.parameters
    if _came_to_nothing(record):
        return
    also = [(product["what"], product["folder"]) for product in record.notes.get(ALSO_WRITTEN, ())]
    paths = {
        "import": [("images", chosen.get("imgout")), ("panel", chosen.get("panel"))],
        "prepare": [("crops", chosen.get("cropout")), ("project", chosen.get("ilp"))],
        "train": [("project", chosen.get("ilp")), ("quality", QUALITY)],
        "run": [("probabilities", chosen.get("probabilities")), *also, ("report", REPORT_PAGE)],
        "fix": [("project", chosen.get("rescue") or chosen.get("ilp"))],
    }
    for what, path in paths[record.verb]:
        if path and (data_dir / path).exists():
            yield what, str(data_dir / path)


def next_step(record: VerbRecord, data_dir: Path) -> str:
    """Return what a person does next; empty where nothing is left to do."""
    chosen = record.parameters
    if rescued := chosen.get("rescue"):
        chosen = {**chosen, "ilp": rescued}
    project = Path(chosen.get("ilp", PROJECT))
    given = same_again(data_dir, project)
    match record.verb:
        case "import":
            return f"ilpix prepare{given}"
        case "prepare":
            return _after_preparing(data_dir / project, given)
        case "train" if record.parameters["suggest"]:
            return f"ilpix train{given} --features {record.notes['suggestion']['table']}"
        case "train":
            return f"ilpix run{given}"
        case "fix":
            return _after_fixing(record, given)
    return ""


def _came_to_nothing(record: VerbRecord) -> bool:
    """Tell whether no image has a result; a fix is of no image."""
    return bool(record.images) and all(image.state == "failed" for image in record.images)


def _after_fixing(record: VerbRecord, given: str) -> str:
    if any(row.get("problem") for row in record.notes["plan"]):
        return f"copy what is missing, then ilpix fix{given}"
    if record.parameters["dry_run"] and record.notes["summary"] != NOTHING_TO_DO:
        return f"ilpix fix{given}"
    return f"ilpix check{given}"


def _after_preparing(project: Path, given: str) -> str:
    try:
        found = read_project(project)
    except IlpixError:
        return ""
    if found.has_classifier:
        return f"ilpix run{given}"
    if found.has_labels:
        return f"ilpix train{given}"
    return (
        f"label every class in several crops, in the browser (ilpix annotate{given}), in Ilastik "
        f"(ilpix gui{given}) or in any other program (ilpix train{given} --labels FOLDER)"
    )
