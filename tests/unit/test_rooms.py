"""What hides a part of ilpix is named before anything of it runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ilpix.rooms import ROOMS

REPOSITORY = Path(__file__).parents[2]
CHECK = "import ilpix.rooms; ilpix.rooms.require_own_rooms()"


def imported(path: Path, statement: str) -> subprocess.CompletedProcess[str]:
    """Run a statement where `path` comes before everything else."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(path), str(REPOSITORY)])}
    words = [sys.executable, "-P", "-c", statement]
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


def test_nothing_is_hidden_where_ilpix_is_alone(tmp_path: Path) -> None:
    assert imported(tmp_path, CHECK).returncode == 0


@pytest.mark.parametrize("name", ["flows.py", "tasks/__init__.py", "containers.py", "command.py"])
def test_a_file_of_somebody_else_with_the_name_of_a_room_is_named(
    name: str, tmp_path: Path
) -> None:
    other = tmp_path / name
    other.parent.mkdir(exist_ok=True)
    other.write_text("")
    said = imported(tmp_path, CHECK).stderr
    room = name.removesuffix("/__init__.py").removesuffix(".py")
    assert f"{other} hides the module '{room}' of ilpix" in said


def test_a_room_that_another_package_has_overwritten_is_named(tmp_path: Path) -> None:
    for name in ("ilpix", *ROOMS):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    (tmp_path / "tasks" / "__init__.py").write_text('"""To-do lists."""')
    said = imported(tmp_path, CHECK).stderr
    assert "hides the module 'tasks' of ilpix" in said


def test_the_program_says_it_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text("")
    done = imported(tmp_path, "from command.__main__ import main; main()")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'flows.py'} hides the module 'flows'")
    assert "Traceback" not in done.stderr
