"""What pages begin from: folders that are filled once, and copied for each page."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def environment(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a reader: the installed programs, beside the tests' server."""
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PREFECT_API_URL": str(PREFECT_API_URL.value()),
        "PREFECT_HOME": str(tmp_path_factory.mktemp("home")),
        "COLUMNS": "110",
    }


@pytest.fixture(scope="session")
def trained(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the tutorial ends."""
    from command.demo import demo  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("trained") / "tissue"
    demo(folder)
    shutil.rmtree(folder / "truth")
    return folder


@pytest.fixture
def begin(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Return the folder in which the commands of a page begin, by the word in its marker."""

    def folder(what: str) -> Path:
        here = tmp_path / "here"
        for name in ("examples", "deployments"):
            shutil.copytree(REPOSITORY / name, here / name)
        if what == "the folder of the tutorial":
            return Path(shutil.copytree(request.getfixturevalue("trained"), here / "tissue"))
        return here

    return folder
