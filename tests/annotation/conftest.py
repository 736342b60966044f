"""A project on a desk."""

import shutil
from pathlib import Path

import pytest

from annotation.session import Session
from tests.annotation.tissue import make_tissue


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared data directory that no test changes."""
    folder = tmp_path_factory.mktemp("tissue")
    make_tissue(folder)
    return folder


@pytest.fixture
def tissue(prepared: Path, tmp_path: Path) -> Path:
    """A prepared data directory of the test's own."""
    folder = tmp_path / "tissue"
    shutil.copytree(prepared, folder)
    return folder


@pytest.fixture
def project(tissue: Path) -> Path:
    return tissue / "pixel_classifier.ilp"


@pytest.fixture
def session(project: Path) -> Session:
    return Session(project)
