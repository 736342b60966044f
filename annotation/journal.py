"""Everything that is not saved yet, on disk before anybody is told that it is kept.

A line is a JSON value. The first says which project the steps began from, each further one is a
step. A line that a killed process left unfinished was never acknowledged and is cut off.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from annotation.edits import AnnotatedClass, Step, Value
from annotation.errors import JournalDamagedError, JournalNotWrittenError
from ilpix.data_directory import WORKSPACE
from ilpix.files import replacing, write_text

Kind = TypeVar("Kind", bound=Value)

FOLDER = WORKSPACE / "annotate"


class Beginning(Value):
    """What the steps of a journal began from."""

    project: str  # digest of the file
    classes: tuple[AnnotatedClass, ...]  # as they were called then
    is_backed_up: bool = False
    seen: dict[str, int] = Field(default_factory=dict)  # the last step of each page, saved by now


@dataclass(eq=False)
class Journal:
    """A file that only grows, until what is in it was saved."""

    path: Path
    beginning: Beginning
    steps: list[Step] = field(default_factory=list)  # all of them, in order

    def add(self, step: Step) -> None:
        """Put a step on disk.

        Raises:
            JournalNotWrittenError: if that is not possible; the file is as it was then.
        """
        line = step.model_dump_json().encode() + b"\n"
        if self.path.is_symlink() or not self.path.exists():
            self.begin_from(self.beginning, self.steps)
        size = self.path.stat().st_size
        try:
            _append(self.path, line)
        except OSError as error:
            os.truncate(self.path, size)
            raise JournalNotWrittenError(self.path, error.strerror or str(error)) from error
        self.steps.append(step)

    def begin(self, beginning: Beginning) -> None:
        """Forget all steps: they are saved now."""
        write_text(self.path, beginning.model_dump_json() + "\n")
        self.beginning, self.steps = beginning, []

    def begin_from(self, beginning: Beginning, steps: list[Step]) -> None:
        """Write the same steps on another beginning, whole or not at all."""
        lines = [value.model_dump_json() for value in (beginning, *steps)]
        write_text(self.path, "".join(f"{line}\n" for line in lines))
        self.beginning, self.steps = beginning, list(steps)


def journal_path(project: Path) -> Path:
    """Return where the journal of a project lies."""
    return project.absolute().parent / FOLDER / f"{project.name}.jsonl"


def read_journal(path: Path) -> Journal | None:
    """Read a journal; None where there is none, or nothing in it.

    Raises:
        JournalDamagedError: if a finished line cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    finished = content[: content.rfind(b"\n") + 1]
    if len(finished) < len(content):
        with replacing(path) as temporary:
            temporary.write_bytes(finished)
    lines = finished.splitlines()
    if not lines:
        path.unlink()
        return None
    beginning = _parse(Beginning, path, 1, lines[0])
    steps = [_parse(Step, path, number, line) for number, line in enumerate(lines[1:], 2)]
    return Journal(path, beginning, steps)


def _parse(kind: type[Kind], path: Path, number: int, line: bytes) -> Kind:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        raise JournalDamagedError(path, number) from error


def _append(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
