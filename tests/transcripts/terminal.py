"""The program on a terminal of 80 columns and without one, as a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pyte

from tests.conftest import REPOSITORY

COLUMNS, LINES, DEADLINE_S = 80, 120, 300
SPINNER = frozenset("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
BAR = "━"


@dataclass(frozen=True)
class Seen:
    """What a terminal showed."""

    code: int
    final: list[str]  # its lines at the end, without bars
    moved: bool  # whether a moving line was seen

    @property
    def sentences(self) -> list[str]:
        """The lines, each with what goes on below it."""
        text = "\n".join(self.final)
        return re.sub(r"\n\s+(?! )", " ", text).splitlines()


def environment(folder: Path) -> dict[str, str]:
    """That of somebody on a machine of their own, without a server."""
    telling = ("PREFECT", "CI", "ILPIX", "COLUMNS", "NO_COLOR", "FORCE_COLOR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(telling)}
    home = {"PREFECT_HOME": str(folder.parent / "home"), "PYTHONPATH": str(REPOSITORY)}
    return kept | home | {"TERM": "xterm-256color"}


def on_terminal(folder: Path, *words: str) -> Seen:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "command", *words],
        cwd=str(folder),
        env=environment(folder),
        dimensions=(LINES, COLUMNS),
        encoding="utf-8",
        timeout=DEADLINE_S,
    )
    screen = pyte.Screen(COLUMNS, LINES)
    stream, moved = pyte.Stream(screen), False
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            text = child.read_nonblocking(2**16, timeout=5)
        except pexpect.TIMEOUT:
            continue
        except pexpect.EOF:
            break
        moved = moved or bool(SPINNER.intersection(text))
        stream.feed(text)
    child.close()
    lines = [line.rstrip() for line in screen.display if line.strip() and BAR not in line]
    return Seen(child.exitstatus, lines, moved)


def in_log(folder: Path, *words: str) -> tuple[int, list[str], list[str]]:
    """Exit code, standard output and standard error of a command without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "command", *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def without_seconds(lines: Sequence[str]) -> list[str]:
    return [re.sub(r"\d+\.\d s$", "N s", line) for line in lines]
