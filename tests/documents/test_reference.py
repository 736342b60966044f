"""The reference pages are what the code says today."""

from pathlib import Path

import pytest

from documents.error_texts import example_of
from documents.pages import REFERENCE, reference_pages
from ilpix.sources.errors import NoSuchLevelError

REPOSITORY = Path(__file__).parents[2]
PAGES = reference_pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_not_stale(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8")
    assert written == PAGES[name], "write it again: python -m documents"


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_the_same_in_every_checkout(name: str) -> None:
    """One error named the folder of the checkout that had written the page."""
    assert str(REPOSITORY) not in PAGES[name]


def test_there_is_no_other_page_beside_them() -> None:
    assert {path.name for path in REFERENCE.glob("*.md")} == set(PAGES)


def test_an_example_of_an_error_names_its_facts() -> None:
    assert str(example_of(NoSuchLevelError)) == (
        "PATH has N_LEVELS resolution levels, so there is no level LEVEL (0 is the finest)"
    )
