"""What the page of licences says of the repository is so."""

import subprocess
from pathlib import Path

import pytest

from documents import licences

REPOSITORY = Path(__file__).parents[2]
DATA = {".h5", ".hdf5", ".ilp", ".tif", ".tiff", ".npy", ".npz", ".gz", ".mcd", ".zip"}
FONTS_AND_BUNDLES = {".woff", ".woff2", ".ttf", ".otf", ".so", ".dll", ".jar", ".whl"}


@pytest.fixture(scope="module")
def names() -> list[Path]:
    words = ["git", "-C", str(REPOSITORY), "ls-files"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True)
    return [Path(line) for line in listed.stdout.splitlines()]


def test_each_package_has_a_licence() -> None:
    rows = [line for line in licences.page().splitlines() if line.startswith("| ")]
    assert len(rows) > 25
    assert [row for row in rows if row.rstrip("| ").count("|") < 3] == []


def test_nothing_of_others_is_in_the_repository(names: list[Path]) -> None:
    assert [name for name in names if FONTS_AND_BUNDLES & set(name.suffixes)] == []
    assert [name for name in names if name.name.endswith((".min.js", ".min.css"))] == []


def test_all_data_lies_beside_a_word_about_where_it_comes_from(names: list[Path]) -> None:
    told = {
        name.parent for name in names if name.name in {"PROVENANCE.md", "README.md", "README"}
    } - {Path()}
    silent = [name for name in names if DATA & set(name.suffixes) and not told & set(name.parents)]
    assert silent == []
