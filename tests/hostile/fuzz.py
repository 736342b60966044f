"""Mutated files, many of them: `python -m tests.hostile.fuzz 10000 --seed 1 --keep FOLDER`.

Each input is made from the seed, the subject and its number alone. It is read in a child process,
which is ended and counted where it hangs, dies, takes too much memory, raises what no caller
expects, reaches for what is none of its business, or is contradicted. The table says how many of
each; with `--keep` the inputs that failed are kept.
"""

import argparse
import faulthandler
import io
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.hostile.mutations import change_object, cut_short
from tests.hostile.subjects import SUBJECTS, Reading, Subject

LONGEST_S = 5.0  # of computing; other programs may keep this one waiting
LONGEST_WAIT_S = 60.0
MOST_KB = 2 * 2**20
READY = b"ready\n"
REFUSED, READ = "refused", "read"
BAD = ("hang", "crash", "foreign error", "memory", "executed", "wrong")
FORBIDDEN = (
    *("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork"),
    *("pickle.find_class", "socket.connect", "ctypes.dlopen"),
)


@dataclass(frozen=True)
class Result:
    subject: str
    number: int
    outcome: str
    what: str  # of a bad one
    content: bytes = b""


def fuzz(n: int, seed: int, subjects: Sequence[Subject] = SUBJECTS) -> Iterator[Result]:
    """Read `n` mutated files, shared out evenly over the subjects."""
    for index, subject in enumerate(subjects):
        share = n // len(subjects) + (index < n % len(subjects))
        yield from _fuzz_one(subject, share, seed)


def _fuzz_one(subject: Subject, n: int, seed: int) -> Iterator[Result]:
    number = 0
    while number < n:
        for result in _in_child(subject, range(number, n), seed):
            number = result.number + 1
            yield result


def _in_child(subject: Subject, numbers: range, seed: int) -> Iterator[Result]:
    """Results up to the first that ends the child, or all."""
    with tempfile.TemporaryDirectory() as name:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _be_child(subject, numbers, seed, Path(name), writing)
        os.close(writing)
        try:
            yield from _listen(subject, numbers, reading, Path(name), child)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _listen(
    subject: Subject, numbers: range, reading: int, folder: Path, child: int
) -> Iterator[Result]:
    with os.fdopen(reading, "rb", buffering=0) as lines:
        if lines.readline() != READY:  # the sound file is read; kernels are compiled the first time
            raise RuntimeError(f"{subject.name}: {_last_words(folder)}")
        for number in numbers:
            line = lines.readline() if _is_answered(lines, child) else None
            if not line:
                outcome = "hang" if line is None else "crash"
                content = (folder / "input").read_bytes()
                yield Result(subject.name, number, outcome, _last_words(folder), content)
                return
            outcome, _, what = line.decode().strip().partition("\t")
            content = (folder / f"bad{number}").read_bytes() if outcome in BAD else b""
            yield Result(subject.name, number, outcome, what, content)


def _is_answered(lines: io.RawIOBase, child: int) -> bool:
    """Wait for a line, as long as an input may take."""
    began, computed = time.monotonic(), _computed_s(child)
    while not select.select([lines], [], [], 0.5)[0]:
        if _computed_s(child) - computed > LONGEST_S or time.monotonic() - began > LONGEST_WAIT_S:
            return False
    return True


def _computed_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _last_words(folder: Path) -> str:
    """What a child that died said: of Python's report the stack, not the list of modules."""
    said = (folder / "stderr").read_text(errors="replace").partition("Extension modules:")[0]
    return " ".join(said.split())[-900:]


def _be_child(subject: Subject, numbers: range, seed: int, folder: Path, writing: int) -> None:
    os.chdir(folder)
    errors = os.open("stderr", os.O_CREAT | os.O_WRONLY)
    os.dup2(errors, 2)
    faulthandler.enable(sys.__stderr__)
    warnings.simplefilter("ignore")
    try:
        reader = InputReader(subject, folder)
        os.write(writing, READY)
        for number in numbers:
            content, is_cut = mutated(subject, reader.sound, number, seed)
            (folder / "input").write_bytes(content)
            outcome, what = reader.judge(content, is_cut=is_cut)
            if outcome in BAD:
                (folder / f"bad{number}").write_bytes(content)
            line = f"{outcome}\t{' '.join(what.split())}\n"
            os.write(writing, line.encode(errors="backslashreplace"))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def mutated(subject: Subject, sound: bytes, number: int, seed: int) -> tuple[bytes, bool]:
    """Return the mutated file of a number, and whether it is the sound one cut short."""
    rng = random.Random(f"{seed}/{subject.name}/{number}")  # noqa: S311 - repeatable
    steps = rng.choices(subject.mutations, k=rng.choice([1, 1, 1, 2, 3]))
    steps.sort(key=lambda step: step is not change_object)  # before the HDF5 library cannot
    content = sound
    for step in steps:
        try:
            content = step(content, rng) or b"\0"
        except Exception:  # what is damaged already may not be open to a change of its structure
            content = content or b"\0"
    return content, steps == [cut_short]


class InputReader:
    """Reads inputs of one subject, each in a folder of its own, and judges what came of it."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject, self.folder = subject, folder
        self.reached: list[str] = []
        self.sound = self._set_up(None)
        self.reading = subject.read(self._path)
        sys.addaudithook(self._watch)

    @property
    def _path(self) -> Path:
        return self.folder / "case" / self.subject.file

    def judge(self, content: bytes, *, is_cut: bool) -> tuple[str, str]:
        """Return the outcome of an input, and what is bad about it."""
        self._set_up(content)
        self.reached.clear()
        _forget_peak()
        outcome, what = self._read(is_cut=is_cut)
        if self.reached:
            return "executed", self.reached[0]
        if (peak := _peak_kb()) > MOST_KB:
            return "memory", f"{peak} KB"
        return outcome, what

    def _read(self, *, is_cut: bool) -> tuple[str, str]:
        subject = self.subject
        try:
            reading = subject.read(self._path)
        except subject.errors as error:
            says = str(error)
            return (REFUSED, "") if says.strip() else ("foreign error", f"{error!r} says nothing")
        except AssertionError as error:
            return "wrong", str(error)
        except Exception as error:
            return "foreign error", "".join(traceback.format_exception(error)[-3:])
        if is_cut and not subject.may_end_anywhere and not _same(reading, self.reading):
            return "wrong", "cut short, it gives something else than the whole"
        try:
            contradiction = subject.contradict(self._path, reading)
        except Exception as error:
            return "foreign error", "".join(traceback.format_exception(error)[-3:])
        return ("wrong", contradiction) if contradiction else (READ, "")

    def _set_up(self, content: bytes | None) -> bytes:
        case = self.folder / "case"
        shutil.rmtree(case, ignore_errors=True)
        self._path.parent.mkdir(parents=True)
        for write in self.subject.others.values():
            write(case)
        if content is None:
            self.subject.write(self._path)
        else:
            self._path.write_bytes(content)
        return self._path.read_bytes()

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FORBIDDEN or (event == "open" and str(arguments[0]).startswith("/etc/passwd")):
            self.reached.append(f"{event} {arguments}")


def _same(one: Reading, other: Reading) -> bool:
    try:
        np.testing.assert_equal(one, other)
    except AssertionError:
        return False
    return True


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def table(results: Sequence[Result]) -> str:
    """Return the counts as a table, a row for each subject."""
    columns = (REFUSED, READ, *BAD)
    head = ["input", "files", *columns]
    rows = [[name, *_counts(results, name)] for name in dict.fromkeys(r.subject for r in results)]
    rows.append(["all", *_counts(results, None)])
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _counts(results: Sequence[Result], subject: str | None) -> list[int]:
    chosen = [result for result in results if subject in {None, result.subject}]
    counts = Counter(result.outcome for result in chosen)
    return [len(chosen), *(counts[outcome] for outcome in (REFUSED, READ, *BAD))]


def main() -> int:
    """Fuzz as the command line asks; exit code 1 where anything bad was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one subject")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that failed")
    given = parser.parse_args()
    subjects = [one for one in SUBJECTS if given.only in {None, one.name}]
    results = []
    for result in fuzz(given.n, given.seed, subjects):
        results.append(result)
        if result.outcome in BAD:
            print(f"{result.subject} {result.number}: {result.outcome}: {result.what}", flush=True)
            if given.keep:
                given.keep.mkdir(parents=True, exist_ok=True)
                name = f"{result.subject}-{given.seed}-{result.number}".replace(" ", "_")
                (given.keep / name).write_bytes(result.content)
    print(table(results))
    return int(any(result.outcome in BAD for result in results))


if __name__ == "__main__":
    sys.exit(main())
