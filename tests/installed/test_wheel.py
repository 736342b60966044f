"""The source distribution, and its wheel, installed where the repository is out of reach."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

REPOSITORY = Path(__file__).parents[2]
PACKAGES = tuple(
    name
    for name in ("ilpix", "containers", "tasks", "flows", "annotation", "command")
    if (REPOSITORY / name).is_dir()
)
CODE = frozenset({".py", ".pyc", ".nbi", ".nbc"})
NOT_SOURCE = (
    ".*_cache",
    ".venv",
    ".git",
    ".hypothesis",
    "__pycache__",
    "*.egg-info",
    "build",
    "dist",
)
OF_A_CHECKOUT = {
    "Dockerfile",
    "requirements.txt",
    "run_ilastik.sh",
    "compose.yaml",
}  # for containers


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, built from a copy of the repository."""
    folder = tmp_path_factory.mktemp("sdist")
    shutil.copytree(REPOSITORY, folder / "source", ignore=shutil.ignore_patterns(*NOT_SOURCE))
    build = f"from setuptools.build_meta import build_sdist; build_sdist({str(folder)!r})"
    subprocess.run(
        [sys.executable, "-c", build], cwd=folder / "source", check=True, capture_output=True
    )
    (built,) = folder.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, so that nothing else in the repository leaks into it."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ["pip", "wheel", "--no-deps", "--no-build-isolation", "-w", folder, sdist]
    subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment; dependencies come from the one that runs the tests.

    A folder named in a `.pth` file is searched, but its own `.pth` files are not read: the
    repository, which is installed in place, stays out of reach.
    """
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    words = ["pip", "--python", python, "install", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (ours,) = {path for path in map(Path, sys.path) if path.name == "site-packages"}
    (site / "dependencies.pth").write_text(f"{ours}\n")
    return folder / "bin"


@pytest.fixture
def environment(tmp_path: Path, prefect_server: None) -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    home = {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_API_URL": PREFECT_API_URL.value()}
    return kept | home


def test_the_source_distribution_holds_what_a_packager_needs(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "constraints.txt"}
    assert needed <= names
    assert {"tests/conftest.py", "docs/prefect.md", "examples/panel.csv", ".ci/run"} <= names


def test_every_file_beside_the_code_is_in_the_wheel(wheel: Path) -> None:
    """`flows/templates` was not, and every run of an installed ilpix failed at its end."""
    needed = {
        path.relative_to(REPOSITORY).as_posix()
        for name in PACKAGES
        for path in (REPOSITORY / name).rglob("*")
        if path.is_file() and path.suffix not in CODE and path.name not in OF_A_CHECKOUT
    }
    assert "flows/showing/templates/report.html" in needed
    assert needed <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize(
    "words",
    [
        ["ilpix", "demo", "tissue"],
        ["ilpix", "gui", "--help"],
        ["ilpix-headless", "--help"],
    ],
    ids=" ".join,
)
def test_an_installed_program_works_in_another_folder(
    words: list[str], programs: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [programs / words[0], *words[1:]],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if "demo" in words:
        assert (tmp_path / "tissue" / "ilpix_report" / "index.html").exists()


def test_what_runs_is_the_wheel(
    programs: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    asked = f"import {', '.join(PACKAGES)}; print(*({', '.join(PACKAGES)},))"
    words = [programs / "python", "-c", asked]
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.count(str(programs.parent)) == len(PACKAGES)
