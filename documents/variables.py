"""The page of the settings of a machine."""

from collections.abc import Iterator

from pydantic import BaseModel

from containers.settings import ApptainerSettings, ContainerSettings, LocalSettings
from documents.markdown import joined, plain, table
from documents.typing_words import default_of, words_of
from flows.cluster_settings import ClusterSettings
from flows.settings import PREFIX, Settings

_INTRODUCTION = """# Settings

What is set for all runs on a machine: variables of the environment, or lines `NAME=value` of a
file `.env` in the folder in which the command runs; the environment wins. They decide where and
how wide work runs, never what is computed. `ilpix settings` lists those in force and where each
comes from. A misspelt name is refused."""
_HEADS = ("variable", "values", "default", "what")
_PARTS: dict[str, type[BaseModel]] = {
    "cluster": ClusterSettings,
    "container": ContainerSettings,
    "apptainer": ApptainerSettings,
    "local": LocalSettings,
}


def page() -> str:
    """Return the page: a table for all runs, one for each part."""
    own = {name for name in Settings.model_fields if name not in _PARTS}
    return joined(
        [
            _INTRODUCTION,
            "## Every run",
            table(_HEADS, _rows(Settings, PREFIX, own)),
            *(part for name, model in _PARTS.items() for part in _section(name, model)),
        ]
    )


def _section(name: str, model: type[BaseModel]) -> tuple[str, str]:
    description = str(Settings.model_fields[name].description)
    prefix = f"{PREFIX}{name.upper()}__"
    return f"## {description[0].upper()}{description[1:]}", table(
        _HEADS, _rows(model, prefix, set(model.model_fields))
    )


def _rows(model: type[BaseModel], prefix: str, names: set[str]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if name in names:
            variable = f"`{prefix}{name.upper()}`"
            what = plain(str(field.description))
            yield variable, words_of(field.annotation), default_of(field), what
