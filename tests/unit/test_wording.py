"""How many there are of a thing, in words."""

import pytest

from ilpix.wording import counted


@pytest.mark.parametrize(
    ("number", "what", "told"),
    [
        (0, "file", "0 files"),
        (1, "file", "1 file"),
        (2, "labelled pixel", "2 labelled pixels"),
        (1, "class", "1 class"),
        (3, "class", "3 classes"),
    ],
)
def test_one_is_said_as_one(number: int, what: str, told: str) -> None:
    assert counted(number, what) == told
