"""Files that are there whole or not at all, and what identifies their content.

A file is made under a hidden name beside its target and then renamed. A process that is killed
leaves that file behind; whoever next writes into the folder removes it. The name says which process
made the file, so that the file of a living one stays: its number, and the machine (with its boot
and its container) where that number means something. Of other machines nobody can tell whether they
still write; their files count as left behind when they have not changed for a day.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path

from ilpix.disks import telling_disks, told_by_disk
from ilpix.errors import (
    FileNotReplacedError,
    FolderNotWritableError,
    NameTooLongError,
    NotAFolderError,
)

_TEMPORARY = re.compile(r"\.ilpix-(?P<machine>[0-9a-f]*)-(?P<process>\d{1,9})-[0-9a-f]{16}(\..*)?")
_LONGEST_SUFFIX = 20
_REPLACE_AGAIN_S = (0.1, 0.3, 0.6) if sys.platform == "win32" else ()  # indexers look at new files
_SILENCE_S = 24 * 3600  # of a file that another machine is no longer writing


@contextmanager
def replacing(target: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `target`; it becomes `target` when the block ends well.

    The folder of `target` is made where it is missing. After an error `target` is as it was before.
    Where `target` is a link, it takes the place of the link, not of what that leads to. Where it
    is `lasting`, the block ends when the disk has it: a machine that loses its power then keeps it.

    Raises:
        DiskFullError, FolderNotWritableError, DiskLostError: by what the disk answers.
        FileNotReplacedError, NameTooLongError: if it cannot take its place.
    """
    folder = target.parent
    temporary = _made_beside(target)
    try:
        _remove_leftovers(folder)
        with telling_disks(folder):
            yield temporary
            if lasting:
                flush_to_disk(temporary)
        _put(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if lasting:
        flush_to_disk(folder)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target`; it becomes `target` when the block ends well.

    Where `target` is a folder or a link already, that is moved away in the moment before, and then
    removed; what the link leads to stays.
    """
    temporary, old = _made_beside(target, is_folder=True), _hidden_name(target)
    try:
        _remove_leftovers(target.parent)
        with telling_disks(target.parent):
            yield temporary
        if os.path.lexists(target):
            _put(target, old)
        _put(temporary, target)
        flush_to_disk(target.parent)
    finally:
        for made in (temporary, old):
            with suppress(OSError):
                _remove(made)


def copy_file(source: Path, target: Path, *, follow_symlinks: bool = True) -> None:
    """Copy a file with its times and rights, as far as the disk takes these.

    On a share on which all files are somebody else's, nobody may set them.
    """
    shutil.copyfile(source, target, follow_symlinks=follow_symlinks)
    with suppress(PermissionError):
        shutil.copystat(source, target, follow_symlinks=follow_symlinks)


def write_text(target: Path, text: str, *, lasting: bool = True) -> None:
    """Write `text` as UTF-8, whole or not at all; see `replacing`."""
    with replacing(target, lasting=lasting) as temporary:
        temporary.write_bytes(text.encode())


def printable(name: str) -> str:
    """Return a file name as UTF-8 text, with bytes that are none escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


def is_temporary(path: Path) -> bool:
    """Tell whether a file is one that will take its place, or would have."""
    return _TEMPORARY.fullmatch(path.name) is not None


def tells_case_apart(folder: Path) -> bool:
    """Tell whether `a` and `A` are two names on the disk of a folder, which is made if missing.

    Raises:
        DiskFullError, FolderNotWritableError, DiskLostError: if nothing can be written there.
    """
    asking = _made_beside(folder / "name")
    try:
        return not asking.with_name(asking.name.upper()).exists()
    finally:
        asking.unlink()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal.

    That of a folder is of the names and digests of all files below it.
    """
    if path.is_dir():
        lines = (f"{sha256_of(file)} {file.relative_to(path)}\n" for file in files_below(path))
        return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> list[Path]:
    """Return all files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def flush_to_disk(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on disk."""
    if sys.platform == "win32" and path.is_dir():  # no program can
        return
    handle = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _made_beside(target: Path, *, is_folder: bool = False) -> Path:
    """Make an empty file or folder that will become `target`."""
    temporary = _hidden_name(target)
    make = temporary.mkdir if is_folder else partial(temporary.touch, exist_ok=False)
    try:
        try:
            make()
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            make()
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise NotAFolderError(_nearest(target.parent)) from error
        told = told_by_disk(error, target.parent)
        raise told or FolderNotWritableError(target.parent, _reason(error)) from error
    return temporary


def _nearest(folder: Path) -> Path:
    """What is there of a path."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))


def _put(temporary: Path, target: Path) -> None:
    """Give a file or folder its name; Windows lets nobody while another program has it open."""
    for delay_s in (*_REPLACE_AGAIN_S, None):
        try:
            temporary.replace(target)
        except OSError as error:
            if isinstance(error, PermissionError) and delay_s is not None:
                time.sleep(delay_s)
                continue
            if error.errno == errno.ENAMETOOLONG:
                raise NameTooLongError(target) from error
            told = told_by_disk(error, target.parent)
            raise told or FileNotReplacedError(target, _reason(error)) from error
        return


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _hidden_name(target: Path) -> Path:
    suffix = target.suffix if len(target.suffix) < _LONGEST_SUFFIX else ""
    name = f".ilpix-{_machine()}-{os.getpid()}-{secrets.token_hex(8)}{suffix}"
    return target.with_name(name)


@cache  # once per process: a folder may hold many thousand files
def _remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left in a folder in which a file was just made."""
    now = folder.stat().st_mtime  # by the clock of the disk, which may be another machine's
    for path in folder.iterdir():
        if match := _TEMPORARY.fullmatch(path.name):
            with suppress(OSError):  # gone by now, or somebody else's
                if _is_left_behind(path, match["machine"], int(match["process"]), now):
                    _remove(path)


def _remove(path: Path) -> None:
    """Remove a file, a folder with all in it, or a link and nothing behind it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _is_left_behind(path: Path, machine: str, process: int, now: float) -> bool:
    if machine and machine == _machine():
        return not _is_running(process)
    return now - path.stat().st_mtime > _SILENCE_S


def _is_running(process: int) -> bool:
    if sys.platform == "win32":  # where asking would kill
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another person's
        return True
    return True


@cache
def _machine() -> str:
    """What tells machines, their boots and their containers apart; empty where nobody knows."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_bytes()
        numbering = Path("/proc/self/ns/pid").readlink()
    except OSError:  # no Linux
        return ""
    return hashlib.sha256(boot + bytes(numbering)).hexdigest()[:16]
