"""How a result was made, as rows for the page: what is also in the manifest, but for its clock."""

from typing import Any

from pydantic import BaseModel

from flows.running.manifest import ALSO_WRITTEN, program_versions, read_manifest
from flows.running.verb_run import VerbRun
from ilpix.project.reading import PixelProject
from ilpix.project.trained import classifier_digest

_STEPS = ("prepare", "train")

Facts = list[tuple[str, str]]


def how_it_was_made(run: VerbRun, project: PixelProject, parameters: BaseModel) -> dict[str, Facts]:
    """Return facts by what they are about."""
    record = project.record
    classifier: Facts = [
        ("project", project.path.name),
        ("saved by", f"Ilastik {project.ilastik_version}"),
        ("digest of the classifier", classifier_digest(project)),
        ("trees", str(len(project.forest.roots)) if project.forest else "none"),
        ("labelled pixels", str(sum(map(sum, project.labelled_pixels)))),
    ]
    chosen = parameters.model_dump(mode="json", exclude={"engine"})
    predicted = _texts({"engine": run.notes.get("engine"), **chosen})
    made = {
        "Prediction": predicted,
        "Written": _written(run, chosen["probabilities"]),
        "Classifier": classifier,
    }
    if record is not None:
        made["Preparation of the training crops"] = _texts(record.preparation.model_dump())
    for verb, past in read_manifest(run.data_dir).verbs.items():
        if verb in _STEPS:
            notes = {name: value for name, value in past.notes.items() if name == "seed"}
            made[f"Last run of {verb}"] = _texts({**past.parameters, **notes})
    made["Versions"] = _texts(program_versions())
    return made


def _written(run: VerbRun, probabilities: str) -> Facts:
    """Return each folder of results, and what is in it."""
    also = [
        (product["folder"], f"{product['what']}, {product['size']} size, {product['numbers']}")
        for product in run.notes.get(ALSO_WRITTEN, ())
    ]
    return [(probabilities, "probabilities, prepared size, uint16"), *also]


def _texts(facts: dict[str, Any]) -> Facts:
    return [(name, _text(value)) for name, value in facts.items() if value not in (None, "", [])]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
