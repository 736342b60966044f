"""The table of crops that a person chose."""

from pathlib import Path

import pytest

from ilpix.images.chosen_crops import NAME, add_chosen, read_chosen, with_chosen
from ilpix.images.crops import CropWindow
from ilpix.images.errors import InvalidChosenCropsError

CHOSEN = CropWindow(7, 31, 128)


def test_what_is_chosen_is_read_again_in_order(tmp_path: Path) -> None:
    for name, window in (("b, c", CHOSEN), ("核", CropWindow(0, 0, 64)), ("b, c", CHOSEN)):
        add_chosen(tmp_path, name, window)
    assert read_chosen(tmp_path) == {"b, c": [CHOSEN], "核": [CropWindow(0, 0, 64)]}
    assert read_chosen(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("row", ["a,1,2", "a,1,2,x", "a,-1,2,3", "a,1,2,0"])
def test_a_line_that_names_no_crop_is_named(tmp_path: Path, row: str) -> None:
    (tmp_path / NAME).write_text(f"image,y,x,size\na,0,0,9\n{row}\n")
    with pytest.raises(InvalidChosenCropsError, match="line 3") as raised:
        read_chosen(tmp_path)
    assert str(tmp_path / NAME) in str(raised.value)


def test_chosen_crops_come_behind_those_that_are_drawn() -> None:
    planned = {"a": [CropWindow(0, 0, 50)], "b": []}
    chosen = {
        "a": [CHOSEN, CropWindow(0, 0, 50), CropWindow(500, 0, 128)],
        "b": [CHOSEN],
        "gone": [CHOSEN],
    }
    shapes = {"a": (200, 300), "b": (135, 159)}
    assert with_chosen(planned, chosen, shapes) == {
        "a": [CropWindow(0, 0, 50), CHOSEN],
        "b": [CHOSEN],
    }
