"""Command lines as users of steinbock write them."""

import pytest

from command.steinbock_words import in_our_words


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("run -v DEBUG", "run -v"),
        ("run -v info --threads 0", "run --threads 0"),
        ("run --verbosity=ERROR -C x", "run -q -C x"),
        ("run --verbosity CRITICAL", "run -q"),
        ("run -v WARNING", "run"),
        ("run -v", "run -v"),
        ("run -v -C x", "run -v -C x"),
        ("run --verbosity loud", "run --verbosity loud"),
        ("gui -- -v DEBUG", "gui -- -v DEBUG"),
    ],
)
def test_the_level_of_steinbock_chooses_how_much_is_said(theirs: str, ours: str) -> None:
    assert [*in_our_words(theirs.split())] == ours.split()
