from pathlib import Path

import pytest

from ilpix.repair.errors import FixRefusedError
from ilpix.repair.swap import Swap, finish_swap, swap_in

SWAPS = (
    Swap("crops.new", "crops", "crops.old", keeps_old=False),
    Swap("p.new", "p", "p.bak", keeps_old=True),
)


def set_up(folder: Path) -> Path:
    for name in ("crops.new", "crops"):
        (folder / name).mkdir(parents=True)
        (folder / name / "crop").write_text(name)
    for name in ("p.new", "p"):
        (folder / name).write_text(name)
    return folder / "journal"


def state(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


OLD = {"crops.new/crop": "crops.new", "crops/crop": "crops", "p": "p", "p.new": "p.new"}
NEW = {"crops/crop": "crops.new", "p": "p.new", "p.bak": "p"}


def test_everything_is_in_place_afterwards(tmp_path: Path) -> None:
    swap_in(set_up(tmp_path), SWAPS)
    assert state(tmp_path) == NEW


def test_a_new_folder_needs_no_old_one(tmp_path: Path) -> None:
    journal = set_up(tmp_path)
    (tmp_path / "p").unlink()
    swap_in(journal, SWAPS)
    assert state(tmp_path) == {"crops/crop": "crops.new", "p": "p.new"}


@pytest.mark.parametrize("refused", ["crops", "crops.new", "p", "p.new"])
def test_a_move_that_is_refused_undoes_those_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    move = Path.rename

    def move_most(path: Path, target: Path) -> Path:
        if path.name == refused and target.name != f"{refused}.new":
            raise PermissionError(path.name)
        return move(path, target)

    journal = set_up(tmp_path)
    monkeypatch.setattr(Path, "rename", move_most)
    with pytest.raises(PermissionError, match=refused):
        swap_in(journal, SWAPS)
    assert state(tmp_path) == OLD


@pytest.mark.parametrize("n_moves", range(5))
def test_a_swap_cut_short_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_moves: int
) -> None:
    journal = set_up(tmp_path)
    left = iter(range(n_moves + 1))  # one more for the journal itself
    move = Path.rename

    def move_some(path: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return move(path, target)

    monkeypatch.setattr(Path, "rename", move_some)
    if n_moves < 4:
        with pytest.raises(KeyboardInterrupt):
            swap_in(journal, SWAPS)
        monkeypatch.undo()
        assert finish_swap(journal)
    else:
        swap_in(journal, SWAPS)
    assert state(tmp_path) == NEW
    assert not finish_swap(journal)


def test_a_file_that_took_the_name_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = set_up(tmp_path)
    move = Path.rename

    def stop_at_last(path: Path, target: Path) -> Path:
        if path.name == "p.new":
            raise KeyboardInterrupt
        return move(path, target)

    monkeypatch.setattr(Path, "rename", stop_at_last)
    with pytest.raises(KeyboardInterrupt):
        swap_in(journal, SWAPS)
    monkeypatch.undo()
    (tmp_path / "p").write_text("saved by somebody")
    with pytest.raises(FixRefusedError, match="while p was being replaced"):
        finish_swap(journal)
    assert (tmp_path / "p").read_text() == "saved by somebody"
    (tmp_path / "p").unlink()
    assert finish_swap(journal)
    assert state(tmp_path) == NEW


@pytest.mark.parametrize("text", ["", "{", '[{"new": 1}]', "[7]"])
def test_a_damaged_journal_is_an_error(tmp_path: Path, text: str) -> None:
    journal = set_up(tmp_path)
    journal.write_text(text)
    with pytest.raises(FixRefusedError, match="is damaged"):
        finish_swap(journal)
