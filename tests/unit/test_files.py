"""Files are there whole or not at all."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ilpix import files
from ilpix.errors import FileNotReplacedError
from ilpix.files import (
    copy_file,
    replacing,
    replacing_folder,
    sha256_of,
    tells_case_apart,
    write_text,
)


def test_a_file_appears_whole_in_a_folder_that_is_made_for_it(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deep" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_after_an_error_the_old_file_is_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="half way"):
        _write_half(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_temporary_file_has_the_suffix_of_its_target_and_is_hidden(tmp_path: Path) -> None:
    """Programs choose the format by the suffix; `find_images` passes over hidden files."""
    with replacing(tmp_path / "a.ome.tiff") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.suffix == ".tiff"


def test_others_may_read_the_file_as_far_as_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_text_is_written_as_utf_8_with_plain_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "µ\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc2\xb5\n"


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "a.txt") == known


def test_what_a_killed_process_left_is_removed_by_the_next_writer(tmp_path: Path) -> None:
    """Also where the killed process wrote another file, which nobody may ever write again."""
    with _writer(tmp_path / "a.h5") as process:
        process.kill()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".")
    write_text(tmp_path / "b.txt", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "b.txt"]


def test_two_living_processes_may_write_one_target_at_once(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with _writer(target) as process:
        write_text(target, "ours")
        assert target.read_text() == "ours"
        assert process.stdin is not None
        process.stdin.close()  # it goes on to its end
        assert process.wait() == 0
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("machine", ["", "0123456789abcdef"])
def test_the_file_of_another_machine_is_left_behind_after_a_day_of_silence(
    tmp_path: Path, machine: str
) -> None:
    now = tmp_path.stat().st_mtime
    silent, living = (tmp_path / f".ilpix-{machine}-1-{n:016x}.tiff" for n in range(2))
    for path, age_s in ((silent, 25 * 3600), (living, 23 * 3600)):
        path.touch()
        os.utime(path, (now, now - age_s))
    write_text(tmp_path / "a.txt", "text")
    assert set(tmp_path.iterdir()) == {living, tmp_path / "a.txt"}


@pytest.mark.parametrize("name", [".ilpix", ".ilpix-notes.txt", ".a.abcdefgh.tiff", "old.tiff"])
def test_files_of_other_programs_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    os.utime(tmp_path / name, (0, 0))
    write_text(tmp_path / "a.txt", "text")
    assert (tmp_path / name).exists()


@dataclass
class Held:
    """Stands in for Windows, which lets nobody replace a file while a program has it open."""

    refusals: int

    def replace(self, source: Path, target: Path) -> Path:
        self.refusals -= 1
        if self.refusals >= 0:
            raise PermissionError(13, "The process cannot access the file", str(source))
        os.replace(source, target)  # noqa: PTH105 - `Path.replace` is stood in for
        return target


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held(refusals=0)

    def replace(source: Path, target: Path) -> Path:
        return held.replace(source, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(files, "_REPLACE_AGAIN_S", (0.0, 0.0))
    return held


def test_a_file_that_a_program_has_open_for_a_moment_is_replaced(
    tmp_path: Path, held: Held
) -> None:
    (tmp_path / "a.txt").write_text("old")
    held.refusals = 2
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_file_that_stays_open_in_a_program_is_as_it_was(tmp_path: Path, held: Held) -> None:
    (tmp_path / "a.txt").write_text("old")
    held.refusals = 3
    with pytest.raises(FileNotReplacedError, match="Close the program that has it open"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


@pytest.mark.parametrize("leads_to", ["elsewhere", "nothing"])
def test_a_folder_takes_the_place_of_a_link_and_leaves_what_it_leads_to(
    tmp_path: Path, leads_to: str
) -> None:
    """The link stayed under a hidden name, or was an error where it led to nothing."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").touch()
    (tmp_path / "out" / "a.zarr").parent.mkdir()
    (tmp_path / "out" / "a.zarr").symlink_to(tmp_path / leads_to)
    with replacing_folder(tmp_path / "out" / "a.zarr") as temporary:
        (temporary / "new").touch()
    made = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")]
    assert made == ["a.zarr", "a.zarr/new"]
    assert not (tmp_path / "out" / "a.zarr").is_symlink()
    assert list((tmp_path / "elsewhere").iterdir()) == [tmp_path / "elsewhere" / "precious"]


def test_a_disk_says_whether_it_tells_capitals_apart(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert tells_case_apart(tmp_path) == (not (tmp_path / "A").exists())
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@contextmanager
def _writer(target: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has written half of `target`; it writes the rest when its input ends."""
    program = (
        "import sys; from pathlib import Path; from ilpix.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half'); print('half', flush=True); sys.stdin.read()\n"
        "    temporary.write_text('whole')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        yield process


def _write_half(target: Path) -> None:
    with replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("half way")


def test_a_copy_is_made_where_nobody_may_set_times_and_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a share on which all files are somebody else's: "Operation not permitted"."""
    (tmp_path / "a").write_text("whole")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr(os, "chmod", refuse)
    copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "whole"


def test_a_copy_has_the_times_and_rights_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("whole")
    (tmp_path / "a").chmod(0o640)
    os.utime(tmp_path / "a", (1e9, 1e9))
    copy_file(tmp_path / "a", tmp_path / "b")
    copied = (tmp_path / "b").stat()
    assert (copied.st_mtime, stat.S_IMODE(copied.st_mode)) == (1e9, 0o640)
