"""The page of licences: what the repository holds, and what is installed with it."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from documents.markdown import joined, plain, table

_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
_INTRODUCTION = """# Licences

ilpix is under the MIT licence (`LICENSE`). Neither the repository nor the wheel holds code, fonts
or images of others. The tissue of `examples` and of the tests is synthetic; what Ilastik and
steinbock made of it for the tests is described in the files `PROVENANCE.md` beside it. Pictures on
these pages show ilpix and the user interface of Prefect (Apache-2.0). Ilastik itself (GPL) is no
part of ilpix: its container is started as a program of its own, where that is asked for.

The container images that are built from `containers/` hold the packages below and what these
depend on, each with its licence in the folder of its metadata (`*.dist-info`)."""
_EXTRAS = ("zarr", "imc", "cluster", "docs")  # `dask` is part of `cluster`
_LONGEST = 60  # what is longer is the text of a licence, not its name
_HEADS = ("package", "needed for", "licence")


def page() -> str:
    """Return the page: a row for each package that is asked for by name."""
    return joined([_INTRODUCTION, table(_HEADS, _rows())])


def _rows() -> Iterator[tuple[str, str, str]]:
    project = tomllib.loads(_PYPROJECT.read_text(encoding="utf-8"))["project"]
    groups = {"everything": project["dependencies"]}
    groups |= {f"the extra `{name}`": project["optional-dependencies"][name] for name in _EXTRAS}
    for purpose, requirements in groups.items():
        for name in sorted(Requirement(text).name for text in requirements):
            yield name, purpose, plain(licence_of(distribution(name)))


def licence_of(package: Distribution) -> str:
    """Return the name of a package's licence as the package gives it, wherever it gives it."""
    fields = ("License-Expression", "License", "Classifier")
    given = [text for field in fields for text in package.metadata.get_all(field) or ()]
    named = [
        text.rpartition(" :: ")[2]
        for text in given
        if text.startswith("License ::") or " :: " not in text
    ]
    short = [text for text in named if 0 < len(text) < _LONGEST and "\n" not in text]
    return short[0] if short else _title(package)


def _title(package: Distribution) -> str:
    """Return the first line of the text of a licence."""
    files = [file for file in package.files or () if re.match("licen[cs]e", file.name.lower())]
    return files[0].read_text().strip().splitlines()[0]
