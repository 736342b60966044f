"""The version is the one of `pyproject.toml`, wherever else a reader or a server meets one."""

import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def version_in(name: str, pattern: str) -> str:
    found = re.search(pattern, (REPOSITORY / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert found, name
    return found[1]


def test_all_files_name_the_same_version_and_day() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert version_in("CHANGELOG.md", r"^## (\S+) \(\d{4}-\d\d-\d\d\)") == project["version"]
    assert version_in("CITATION.cff", r"^version: (\S+)$") == project["version"]
    assert version_in("deployments/prefect.yaml", r"&version (\S+)$") == project["version"]
    released = version_in("CITATION.cff", r"^date-released: (\S+)$")
    assert version_in("CHANGELOG.md", r"^## \S+ \((.+)\)") == released
