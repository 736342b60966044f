"""The page of the files in a data directory."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

from pydantic import BaseModel

from documents.comments import comments_of
from documents.docstrings import description_of
from documents.markdown import joined, plain, table
from documents.typing_words import words_of
from flows.running.manifest import Manifest, VerbRecord
from flows.running.outcomes import Outcome
from ilpix import data_directory
from ilpix.images import hdf5

_INTRODUCTION = """# Files of a data directory

Names and formats of the first table are steinbock's; the second holds what ilpix adds. Every file
is written whole or not at all. No file but the manifest holds a clock, a path or a number of
threads."""
_MANIFEST = """## The manifest

`ilpix_run.json` holds how everything was made; each run of a verb replaces what is said of that
verb."""
_MODELS: tuple[type[BaseModel], ...] = (Manifest, VerbRecord, Outcome)


def page() -> str:
    """Return the page: names, the format of prepared images, the fields of the manifest."""
    rows = list(_rows())
    ours = next(k for k, row in enumerate(rows) if row[0] == f"`{data_directory.MANIFEST}`")
    return joined(
        [
            _INTRODUCTION,
            table(("file or folder", "what"), rows[:ours]),
            table(("file or folder", "what"), rows[ours:]),
            "## Prepared images and crops",
            description_of(hdf5),
            _MANIFEST,
            *map(_fields, _MODELS),
        ]
    )


def _rows() -> Iterator[tuple[str, str]]:
    for name, what in comments_of(data_directory).items():
        value = getattr(data_directory, name)
        path = value if isinstance(value, Path) else data_directory.WORKSPACE / value
        yield f"`{path}`", plain(what.removeprefix("in it: "))


def _fields(model: type[BaseModel]) -> str:
    comments, hints = comments_of(model), get_type_hints(model)
    rows = [
        (f"`{name}`", words_of(hints[name]), plain(comments[name])) for name in model.model_fields
    ]
    return joined([description_of(model), table(("field", "values", "what"), rows)])
