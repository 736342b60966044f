"""A fix that is killed before any of its file operations leaves the old state or the new one."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ilpix.repair.applying import apply_fix, finish_interrupted_fix
from ilpix.repair.errors import FixRefusedError
from tests.unit.foreign_projects import assert_fixed, digests, plan, set_up

EXIT_OF_KILLED = 9
OPERATIONS = ("open", "os.", "shutil.", "tempfile.")


def kill_before(operation: int, folder: Path) -> None:
    """End this process at once, before the given one of its operations on files of a folder."""
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event.startswith(OPERATIONS) and any(str(folder) in str(item) for item in arguments):
            count += 1
            if count > operation:
                os._exit(EXIT_OF_KILLED)

    sys.addaudithook(watch)


def run_killed(operation: int, folder: Path, work: Callable[[], object]) -> bool:
    """Run in a child that is killed before an operation; return whether it was."""
    child = os.fork()
    if child == 0:
        try:
            kill_before(operation, folder)
            work()
        except BaseException:  # a child must not return into pytest
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, EXIT_OF_KILLED}
    return status == EXIT_OF_KILLED


def fix_again(folder: Path, backup: bool) -> None:
    finish_interrupted_fix(folder / "p.ilp")
    apply_fix(plan(folder), backup=backup)


def old_state_is_there(folder: Path, old: dict[str, str]) -> bool:
    now = set(digests(folder).values())
    return set(old.values()) <= now


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside idle threads
@pytest.mark.parametrize(
    ("backup", "first"),
    [(True, 0), (False, 30)],  # up to the swap both are alike
    ids=["backup", "no_backup"],
)
def test_a_fix_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backup: bool, first: int
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # slow, and not what a killed process lacks
    start, whole = tmp_path / "start", tmp_path / "whole"
    set_up(start)
    old = digests(start)
    shutil.copytree(start, whole)
    fix_again(whole, backup)
    wanted = digests(whole)
    operation, killed = first, True
    while killed:
        folder = tmp_path / f"killed{operation}"
        shutil.copytree(start, folder)
        killed = run_killed(operation, folder, lambda: fix_again(folder, backup))  # noqa: B023 -- run at once
        is_new = wanted.items() <= digests(folder).items()
        assert is_new or old_state_is_there(folder, old)
        fix_again(folder, backup)
        assert digests(folder) == wanted
        operation += 1
    assert operation > 40


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fix_killed_twice_is_finished_by_the_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    start = tmp_path / "start"
    set_up(start)
    for first in range(36, 48, 3):
        for second in range(0, 12, 5):
            folder = tmp_path / f"killed{first}_{second}"
            shutil.copytree(start, folder)
            run_killed(first, folder, lambda: fix_again(folder, True))  # noqa: B023 -- run at once
            run_killed(second, folder, lambda: fix_again(folder, True))  # noqa: B023 -- run at once
            fix_again(folder, backup=True)
            assert_fixed(folder, ["a", "b"], [1, 2])


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_plan_beside_an_interrupted_fix_says_so(tmp_path: Path) -> None:
    set_up(tmp_path)
    (tmp_path / ".p.ilp.fix.json").write_text("[]")
    with pytest.raises(FixRefusedError, match="run fix again"):
        plan(tmp_path)
    assert finish_interrupted_fix(tmp_path / "p.ilp")
    assert plan(tmp_path).is_needed
